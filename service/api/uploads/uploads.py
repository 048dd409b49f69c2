"""`/api/v1/uploads`: a file in, checked, decided on, loaded, published with its round, taken back."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import pandas as pd
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from geo.base import validated
from geo.errors import InvalidParameter, InvalidParameters
from geo.ingestion.loading import DEFAULT, KINDS, Choices, every_choice
from geo.ingestion.uploads import find_upload, list_uploads
from geo.settings import Settings
from service.actions.receive import look_for_room, take_in, written
from service.actions.uploads import decide_upload, describe, read_file, read_findings
from service.api.uploads.bodies import Deciding, FindingsPage, Upload, Uploads
from service.formats.rows import CsvForm, Link, Rows
from service.formats.table import JSON, formats_for
from service.http.access import acting, reading_in_full
from service.http.described import FILE_REFUSALS, private_responses
from service.http.middleware.body_limits import declared_bytes
from service.http.parameters import Cursor, Excel, Id, Limit, PointsForm, limit_note, page_request
from service.http.responses import NO_STORE, address, link, list_answer, private_answer, private_list

router = APIRouter()

_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["city", "file"],
                    "properties": {
                        "city": {"type": "string", "description": "Slug of the city."},
                        "content": {
                            "type": "string",
                            "enum": list(KINDS),
                            "default": DEFAULT,
                            "description": "What the file is of. Boundaries of settlements and facilities are for "
                            "stewards.",
                        },
                        "survey": {
                            "type": "string",
                            "description": "Of a survey's file: slug of a round of your organisation.",
                        },
                        "file": {"type": "string", "format": "binary", "description": "The file."},
                        **every_choice().model_json_schema()["properties"],
                    },
                }
            }
        },
    }
}


@router.post(
    "/uploads",
    responses=private_responses(Upload, status=202) | FILE_REFUSALS,
    status_code=202,
    summary="Send a file",
    openapi_extra=_FORM,
)
async def send(request: Request) -> Response:
    """Takes a file of households, settlements or facilities in, to be checked: nothing counts before it is accepted.

    Who sends it is looked at before the file is read, and the file goes to disk as it comes.
    """
    settings: Settings = request.app.state.settings
    await run_in_threadpool(_look_who_sends, request)
    async with request.form(max_files=1, max_fields=20, max_part_size=_LONGEST_FIELD) as form:
        return await run_in_threadpool(_take_in, request, form, settings)


_LONGEST_FIELD = 4_000_000
_ANY_FILE = "application/octet-stream"


def _look_who_sends(request: Request) -> None:
    with acting(request, "contributor"):
        look_for_room(request.app.state.settings, declared_bytes(request.scope))


def _take_in(request: Request, form: FormData, settings: Settings) -> Response:
    file, fields = form.get("file"), {name: value for name, value in form.items() if isinstance(value, str)}
    if not isinstance(file, UploadFile):
        raise InvalidParameters([InvalidParameter("file", "parameter_required")])
    with (
        written(file.file, file.filename or "", settings.upload_max_bytes, settings.incoming_dir) as original,
        acting(request, "contributor") as done,
    ):
        upload_id = take_in(done, settings, original, fields)
        body = _told(request, done.connection, [find_upload(done.connection, upload_id)])[0]
    answer = private_answer(body, status=202)
    answer.headers["location"] = address(request, f"/api/v1/uploads/{upload_id}")
    return answer


@router.get("/uploads", responses=private_responses(Uploads), summary="Uploads")
def uploads(request: Request, limit: Limit = None, cursor: Cursor = None) -> Response:
    """The uploads of the organisation, the newest first."""
    with reading_in_full(request, "contributor") as reading:
        page = list_uploads(reading.connection, page_request(limit, cursor))
        rows = _told(request, reading.connection, [row._mapping for row in page.rows])
    return private_list(request, "uploads", rows, page.total, page.next_cursor, note=limit_note(limit))


@router.get("/uploads/{number}", responses=private_responses(Upload), summary="One upload")
def one(request: Request, number: Id) -> Response:
    """What has become of a file: state, progress, counts, findings by kind, what its figures would change."""
    with reading_in_full(request, "contributor") as reading:
        return private_answer(_told(request, reading.connection, [find_upload(reading.connection, number)])[0])


@router.patch("/uploads/{number}", responses=private_responses(Upload), summary="Decide")
def decide_one(request: Request, number: Id, body: Deciding) -> Response:
    """Notes what is decided of an upload; the worker does it. What changes published figures is for a steward."""
    with acting(request, "contributor") as done:
        after = decide_upload(done, number, body.decision, _chosen(body))
        return private_answer(_told(request, done.connection, [after])[0])


def _chosen(body: Deciding) -> Choices | None:
    if body.choices is None:
        return None
    try:
        return validated(every_choice(), body.choices)
    except InvalidParameters as error:
        within = [InvalidParameter(f"choices.{each.name}", each.message) for each in error.invalid]
        raise InvalidParameters(within) from None


_FINDING = ["row_number", "field", "value", "code", "severity", "longitude", "latitude", "meaning"]
_FINDING_FORMS = formats_for("points")


@router.get(
    "/uploads/{number}/findings",
    responses=private_responses(FindingsPage, forms=_FINDING_FORMS),
    summary="Its findings",
)
def findings(
    request: Request,
    number: Id,
    output: PointsForm = "json",
    excel: Excel = False,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Response:
    """What is wrong with which row of a file, and what to do about it."""
    with acting(request, "contributor") as done:
        _, page, rows = read_findings(done, number, page_request(limit, cursor, output), output)
    if output == JSON:
        return private_list(
            request, "findings", rows, page.total, page.next_cursor, _FINDING_FORMS, note=limit_note(limit)
        )
    frame = pd.DataFrame(rows, columns=_FINDING).astype({"row_number": "Int64"})
    told = Rows(
        "findings",
        frame,
        page.total,
        page.next_cursor,
        None,
        saved_as=["findings", str(number)],
        csv=CsvForm(excel=excel),
    )
    return list_answer(request, output, _FINDING_FORMS, told)


@router.get(
    "/uploads/{number}/file",
    responses=private_responses(None) | {200: {"description": "The file.", "content": {_ANY_FILE: {}}}},
    response_class=StreamingResponse,
    summary="The file itself",
)
def file(request: Request, number: Id) -> Response:
    """The file as it was sent, byte for byte. The audit says who read it."""
    settings: Settings = request.app.state.settings
    with acting(request, "contributor") as done:
        file_name, kept = read_file(done, number, settings.originals_url)
    name = f"attachment; filename*=utf-8''{quote(file_name, safe='')}"
    headers = NO_STORE | {"content-disposition": name, "x-content-type-options": "nosniff"}
    return StreamingResponse(kept, headers=headers, media_type=_ANY_FILE)


def _told(request: Request, connection: Connection, rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Uploads as bodies.Upload has them."""
    return [told | {"links": _links(request, told["id"])} for told in describe(connection, rows, "api")]


def _links(request: Request, number: int) -> list[Link]:
    here = address(request, f"/api/v1/uploads/{number}")
    return [link("self", here, "application/json"), link("findings", f"{here}/findings", "application/json")]
