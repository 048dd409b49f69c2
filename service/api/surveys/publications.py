"""`/api/v1/publications`."""

from fastapi import APIRouter, Request, Response

from geo.publications import find_publications
from service.formats.csv_tables import PUBLICATION_TAGS
from service.formats.rows import Rows
from service.formats.table import formats_for
from service.http import bodies
from service.http.described import responses
from service.http.parameters import AsCsv, Cities, Cursor, Limit, RowsForm, Surveys, limit_note, page_request
from service.http.responses import list_answer
from service.http.transactions import public_reading

router = APIRouter()

_FORMS = formats_for()

_CSV_EXAMPLE = (
    "city,survey,number,state,made_at,settlements,indicators,note,sha256\r\n"
    "khandesh,2024,2,current,2024-05-02T09:30:00+00:00,60,35,,9f2c1e0d\r\n"
)


@router.get(
    "/publications",
    responses=responses(bodies.Publications, forms=_FORMS, examples={"csv": _CSV_EXAMPLE}),
    summary="Publications",
)
def publications(
    request: Request,
    as_csv: AsCsv,
    city: Cities,
    survey: Surveys,
    output: RowsForm = "json",
    limit: Limit = None,
    cursor: Cursor = None,
) -> Response:
    """What has been published of each round and when: figures are made once, and asked for again by their number."""
    page = page_request(limit, cursor, output)
    with public_reading(request) as reading:
        found = find_publications(reading.connection, city, survey, page)
    told = Rows(
        "publications",
        found.rows,
        found.total,
        found.next_cursor,
        reading.data_version,
        tags=PUBLICATION_TAGS,
        saved_as=["publications", *city, *survey],
        note=limit_note(limit),
        csv=as_csv,
    )
    return list_answer(request, output, _FORMS, told)
