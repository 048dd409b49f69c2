"""`/api/v1/incoming`: a file in parts, by tus 1.0.0 (core, creation, termination), for lines that break off.

https://tus.io/protocols/resumable-upload: a client announces the file, appends to it, and after a break asks how much
has come. When all of it has, it is an upload like one that was sent at once.
"""

import fcntl
import pathlib
from base64 import b64decode
from binascii import Error as NotBase64
from http import HTTPStatus
from io import FileIO
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, HTTPException, Path, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from geo.errors import Conflict, InputError, InvalidParameter, InvalidParameters, NotFound, TooLarge
from geo.ingestion.uploads import find_incoming
from geo.messages import Message, shortened
from geo.settings import Settings
from service.actions import parts
from service.actions.receive import look_for_room, plain_name
from service.http.access import acting
from service.http.described import PARTS_REFUSALS, private_responses
from service.http.middleware.body_limits import declared_bytes
from service.http.responses import NO_STORE, address

VERSION = "1.0.0"
_TUS = {"tus-resumable": VERSION} | NO_STORE
_EXTENSIONS = "creation,termination"
_MOST_FIELDS = 20


def _check_version(
    request: Request,
    asked: Annotated[
        str | None, Header(alias="Tus-Resumable", description="The protocol's version.", examples=[VERSION])
    ] = None,
) -> None:
    if request.method != "OPTIONS" and asked is not None and asked != VERSION:
        detail = Message("tus_version_unknown", spoken=VERSION, asked=shortened(asked))
        raise HTTPException(HTTPStatus.PRECONDITION_FAILED, detail, {"tus-version": VERSION})


router = APIRouter(dependencies=[Depends(_check_version)])

_PART = "application/offset+octet-stream"

Number = Annotated[UUID, Path(description="Its number.", examples=["0193d5ab-3c5e-7c42-9f0f-0d6f1c2b3a4d"])]
Length = Annotated[
    int, Header(alias="Upload-Length", ge=1, description="The file's size in bytes.", examples=[52_428_800])
]
Metadata = Annotated[
    str,
    Header(
        alias="Upload-Metadata",
        max_length=300_000,
        description="`filename`, `city`, `survey` and any choices, each followed by its value in base64.",
        examples=["filename c3VydmV5LmNzdg==,city cHVuZQ==,survey MjAyNA=="],
    ),
]
Offset = Annotated[
    int, Header(alias="Upload-Offset", ge=0, description="How many bytes have come before.", examples=[0])
]


@router.post(
    "/incoming",
    responses=private_responses(None, status=201) | PARTS_REFUSALS,
    status_code=201,
    summary="Announce a file",
)
def create(request: Request, length: Length, metadata: Metadata) -> Response:
    """Announces a file that will come in parts; `Location` says where to."""
    settings: Settings = request.app.state.settings
    if length > settings.upload_max_bytes:
        raise TooLarge(settings.upload_max_bytes)
    fields = _fields(metadata)
    name = plain_name(fields.pop("filename", ""))
    with acting(request, "contributor") as done:
        number = parts.announce(done, settings, name, length, fields)
    return Response(status_code=201, headers=_TUS | {"location": address(request, f"/api/v1/incoming/{number}")})


@router.options("/incoming", status_code=204, summary="What of tus is spoken")
def spoken(request: Request) -> Response:
    """Says in headers which version and extensions of tus are spoken, and how large a file may be."""
    settings: Settings = request.app.state.settings
    most = {"tus-max-size": str(settings.upload_max_bytes)}
    return Response(status_code=204, headers=_TUS | {"tus-version": VERSION, "tus-extension": _EXTENSIONS} | most)


@router.get("/incoming/{number}", responses=private_responses(None) | PARTS_REFUSALS, summary="How much of it has come")
def offset(request: Request, number: Number) -> Response:
    """Says in `Upload-Offset` how many bytes have come: from there on it goes on. HEAD does the same."""
    with acting(request, "contributor") as done:
        row = find_incoming(done.connection, number)
    come = _come(parts.place_of(request.app.state.settings, number))
    return Response(headers=_TUS | {"upload-offset": str(come), "upload-length": str(row["size_bytes"])})


@router.patch(
    "/incoming/{number}",
    responses=private_responses(None, status=204) | PARTS_REFUSALS,
    status_code=204,
    summary="Send a part",
    openapi_extra={"requestBody": {"content": {_PART: {"schema": {"type": "string", "format": "binary"}}}}},
)
async def append(request: Request, number: Number, offset: Offset) -> Response:
    """Appends to the file. When all of it has come, `Content-Location` is the upload it has become."""
    if request.headers.get("content-type") != _PART:
        raise InvalidParameters([InvalidParameter("Content-Type", "header_not_of_part", expected=_PART)])
    settings: Settings = request.app.state.settings
    path = parts.place_of(settings, number)
    size = await run_in_threadpool(_announced_size, request, number)
    come = offset
    # A disk may take its time, and between all other requests nothing may.
    with await run_in_threadpool(_opened, path, offset) as file:
        await run_in_threadpool(look_for_room, settings, declared_bytes(request.scope))
        try:
            async for chunk in request.stream():
                if come + len(chunk) > size:
                    raise InputError("parts_too_long", announced=size)
                await run_in_threadpool(file.write, chunk)
                come += len(chunk)
        except ClientDisconnect:
            # What came is kept: that is what parts are for.
            return Response(status_code=499, headers=_TUS)
        if come < size:
            return Response(status_code=204, headers=_TUS | {"upload-offset": str(come)})
        upload_id = await run_in_threadpool(_complete, request, number, path)
    headers = {"upload-offset": str(come), "content-location": address(request, f"/api/v1/uploads/{upload_id}")}
    return Response(status_code=204, headers=_TUS | headers)


def _opened(path: pathlib.Path, offset: int) -> FileIO:
    """The file, to be appended to: not truncated, and nothing twice, so of two who append at once one is sent away."""
    try:
        file = FileIO(path, "ab")
    except FileNotFoundError:
        raise NotFound("parts_gone") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        come = file.seek(0, 2)
        if offset != come:
            raise Conflict("parts_disagree", received=come, offset=offset)
    except BlockingIOError:
        file.close()
        raise Conflict("part_under_way") from None
    except Conflict:
        file.close()
        raise
    return file


@router.delete(
    "/incoming/{number}",
    responses=private_responses(None, status=204) | PARTS_REFUSALS,
    status_code=204,
    summary="Drop it",
)
def remove(request: Request, number: Number) -> Response:
    """Removes what has come of a file."""
    with acting(request, "contributor") as done:
        parts.drop(done, number)
    parts.place_of(request.app.state.settings, number).unlink(missing_ok=True)
    return Response(status_code=204, headers=_TUS)


def _announced_size(request: Request, number: UUID) -> int:
    with acting(request, "contributor") as done:
        return int(find_incoming(done.connection, number)["size_bytes"])


def _complete(request: Request, number: UUID, path: pathlib.Path) -> int:
    with acting(request, "contributor") as done:
        upload_id = parts.complete(done, request.app.state.settings, number)
    path.unlink(missing_ok=True)
    return upload_id


def _come(path: pathlib.Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        raise NotFound("parts_gone") from None


def _fields(metadata: str) -> dict[str, str]:
    """What Upload-Metadata says: pairs parted by commas, a name and its value in base64."""
    fields: dict[str, str] = {}
    pairs = metadata.split(",", _MOST_FIELDS)
    if len(pairs) > _MOST_FIELDS:
        raise InvalidParameters([InvalidParameter("Upload-Metadata", "metadata_too_many_fields", most=_MOST_FIELDS)])
    for pair in pairs:
        name, _, value = pair.strip().partition(" ")
        try:
            fields[name] = b64decode(value, validate=True).decode()
        except (NotBase64, UnicodeDecodeError):
            raise InvalidParameters([InvalidParameter("Upload-Metadata", "metadata_not_base64", field=name)]) from None
    return fields
