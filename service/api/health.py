"""`/healthz` and `/readyz`: for monitoring."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from geo.database import check_service, is_up_to_date, read_data_version, snapshot
from geo.errors import DatabaseUnavailable
from service.http import bodies
from service.http.described import REFUSALS, Responses
from service.http.transactions import engine_of

router = APIRouter()

_OK: Responses = {200: {"description": "It is well.", "model": bodies.Health}}

# Of this moment, but for everybody.
_NOT_KEPT = {"cache-control": "no-store"}


@router.get("/healthz", responses=_OK, summary="Whether the process lives")
def healthz() -> JSONResponse:
    """Answers while the process lives; the database is not asked."""
    return JSONResponse({"status": "ok"}, headers=_NOT_KEPT)


@router.get("/readyz", responses=_OK | {503: REFUSALS[503]}, summary="Whether it can answer")
def readyz(request: Request) -> JSONResponse:
    """Answers when figures can be had: the database is there, its tables are this version's, and a row can be read.

    It is asked every few seconds, so it works nothing out. It must be the service's own account that asks: another
    would show strangers more.
    """
    with snapshot(engine_of(request)) as connection:
        if not is_up_to_date(connection):
            raise DatabaseUnavailable("tables_of_other_version")
        check_service(connection)
        read_data_version(connection)
    return JSONResponse({"status": "ok"}, headers=_NOT_KEPT)
