"""`/api/v1/indicators`."""

from fastapi import APIRouter, Request, Response

from geo.indicators.definitions import read_catalogue
from service.formats.csv_tables import INDICATOR_TAGS
from service.formats.rows import Rows
from service.formats.table import formats_for
from service.http import bodies
from service.http.described import responses
from service.http.parameters import AsCsv, RowsForm
from service.http.responses import list_answer
from service.http.transactions import public_reading

router = APIRouter()

_FORMS = formats_for()

_CSV_EXAMPLE = (
    "id,version,name,direction,measure,counted,unit,fields\r\n"
    "household_toilet,1,Households with their own toilet,up,share,households,%,"
    "toilet_location toilet_type toilet_users\r\n"
)


@router.get(
    "/indicators",
    responses=responses(bodies.Indicators, forms=_FORMS, examples={"csv": _CSV_EXAMPLE}),
    summary="Indicators",
)
def indicators(request: Request, as_csv: AsCsv, output: RowsForm = "json") -> Response:
    """The catalogue: what each indicator says, exactly how, by which source and why it matters."""
    with public_reading(request, of_cities=False) as reading:
        definitions = read_catalogue(reading.connection).newest.values()
    rows = [d.model_dump(mode="json") | {"fields": d.fields} for d in definitions]
    told = Rows(
        "indicators",
        rows,
        len(rows),
        None,
        reading.data_version,
        tags=INDICATOR_TAGS,
        saved_as=["indicators"],
        csv=as_csv,
    )
    return list_answer(request, output, _FORMS, told)
