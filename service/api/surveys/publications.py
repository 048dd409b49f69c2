"""`/api/v1/publications`: what has been published, and each publication as a file."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, StreamingResponse

from geo.database import snapshot
from geo.publications import find_download, find_path, find_publications, read_kept
from geo.settings import Settings
from service.formats.csv_tables import PUBLICATION_TAGS
from service.formats.rows import Link, Rows
from service.formats.table import formats_for
from service.http import bodies
from service.http.described import file_responses, responses
from service.http.parameters import (
    AsCsv,
    Cities,
    Cursor,
    Id,
    Limit,
    RowsForm,
    SlugInPath,
    Surveys,
    limit_note,
    page_request,
)
from service.http.responses import CACHE_CONTROL, NO_SNIFFING, address, link, list_answer, names_etag
from service.http.transactions import engine_of, public_reading

router = APIRouter()

_FORMS = formats_for()

_ZIP = "application/zip"

_CSV_EXAMPLE = (
    "city,survey,number,state,made_at,settlements,indicators,note,sha256,download_bytes\r\n"
    "khandesh,2024,2,current,2024-05-02T09:30:00+00:00,60,35,,9f2c1e0d,240000\r\n"
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
    # In a table a publication has no links.
    rows = [row | {"links": _links(request, row)} for row in found.rows]
    told = Rows(
        "publications",
        rows,
        found.total,
        found.next_cursor,
        reading.data_version,
        tags=PUBLICATION_TAGS,
        saved_as=["publications", *city, *survey],
        note=limit_note(limit),
        csv=as_csv,
    )
    return list_answer(request, output, _FORMS, told)


def _links(request: Request, row: Mapping[str, Any]) -> list[Link]:
    """Where a publication is downloaded, once its file is there."""
    if row["download_bytes"] is None:
        return []
    path = f"/api/v1/publications/{row['city']}/{row['survey']}/{row['number']}/download"
    return [link("download", address(request, path), _ZIP)]


_ONE_FILE = "/publications/{city}/{survey}/{number}/download"


@router.head(_ONE_FILE, include_in_schema=False)
@router.get(
    _ONE_FILE,
    responses=file_responses("The zip.", _ZIP),
    response_class=FileResponse,
    summary="A publication as a file",
)
def download(request: Request, city: SlugInPath, survey: SlugInPath, number: Id) -> Response:
    """A publication as one zip: all figures as CSV and as a workbook, settlements and wards as GeoPackage, GeoJSON and
    GeoParquet, codebook, methods, licence, citation and checksums. It is made once, soon after the publication.
    """
    settings: Settings = request.app.state.settings
    # It is streamed, so it is not noted as an answer to keep (service.http.middleware.public_cache).
    with snapshot(engine_of(request)) as connection:
        found = find_download(connection, city, survey, number, settings.originals_url)
    etag = f'"{found.file.sha256}"'
    headers = {"etag": etag, "cache-control": CACHE_CONTROL} | NO_SNIFFING
    if names_etag(request.scope["headers"], etag.encode()):
        return Response(status_code=304, headers=headers)
    path = find_path(found.file, settings.originals_url)
    if path is not None:
        return FileResponse(path, headers=headers, media_type=_ZIP, filename=found.file_name)
    headers |= {
        "content-length": str(found.file.size_bytes),
        "content-disposition": f'attachment; filename="{found.file_name}"',
    }
    if request.method == "HEAD":
        return Response(headers=headers, media_type=_ZIP)
    return StreamingResponse(read_kept(found.file, settings.originals_url), headers=headers, media_type=_ZIP)
