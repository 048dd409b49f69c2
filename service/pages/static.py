"""`/static`: the pages' style, script and icon."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query, Request, Response

from service.http.html import STATIC_DIR, static_version
from service.http.transactions import note_fixed

router = APIRouter()

_TYPES = {
    "vasti.css": "text/css; charset=utf-8",
    "vasti.js": "text/javascript; charset=utf-8",
    "vasti.svg": "image/svg+xml",
}


@router.get("/static/{name}")
def static(
    request: Request, name: Annotated[str, Path(max_length=50)], v: Annotated[str, Query(max_length=50)] = ""
) -> Response:
    """A file, which browsers keep for good under the version that is its address."""
    if name not in _TYPES:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    kept = "public, max-age=31536000, immutable" if v == static_version(name) else "no-cache"
    note_fixed(request)
    headers = {"cache-control": kept, "x-content-type-options": "nosniff"}
    return Response((STATIC_DIR / name).read_bytes(), headers=headers, media_type=_TYPES[name])
