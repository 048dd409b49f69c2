"""`/api/v1/indicators`."""

from fastapi import APIRouter, Request, Response

from geo.indicators.definitions import read_catalogue
from service.formats.csv_tables import INDICATOR_TAGS, rows_csv
from service.http import bodies
from service.http.described import responses
from service.http.parameters import AsCsv, JsonOrCsv
from service.http.responses import Format, Rows, csv_answer, json_answer
from service.http.transactions import public_reading

router = APIRouter()

_FORMATS: tuple[Format, ...] = ("json", "csv")

_CSV_EXAMPLE = (
    "id,version,name,direction,measure,counted,unit,fields\r\n"
    "household_toilet,1,Households with their own toilet,up,share,households,%,"
    "toilet_location toilet_type toilet_users\r\n"
)


@router.get("/indicators", responses=responses(bodies.Indicators, csv_example=_CSV_EXAMPLE), summary="Indicators")
def indicators(request: Request, as_csv: AsCsv, output: JsonOrCsv = "json") -> Response:
    """The catalogue: what each indicator says, exactly how, by which source and why it matters."""
    with public_reading(request) as reading:
        definitions = read_catalogue(reading.connection).newest.values()
    rows = [d.model_dump(mode="json") | {"fields": d.fields} for d in definitions]
    if output == "csv":
        text = rows_csv(rows, INDICATOR_TAGS, hxl=as_csv.hxl)
        return csv_answer(request, text, None, _FORMATS, ["indicators"], excel=as_csv.excel)
    return json_answer(request, Rows("indicators", rows, len(rows), None, reading.data_version), _FORMATS)
