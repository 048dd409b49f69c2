"""`/api/v1/audit`."""

from fastapi import APIRouter, Request, Response

from geo.people import find_audit
from service.api.people.bodies import Audit
from service.http.access import reading_in_full
from service.http.described import private_responses
from service.http.parameters import Cursor, Limit, limit_note, page_request
from service.http.responses import private_list

router = APIRouter()


@router.get("/audit", responses=private_responses(Audit), summary="What was done")
def audit(request: Request, limit: Limit = None, cursor: Cursor = None) -> Response:
    """What was done in the organisation, by whom and when, and what changed; the operator sees all."""
    with reading_in_full(request, "steward") as reading:
        page = find_audit(reading.connection, page_request(limit, cursor))
    rows = [{name: value for name, value in row._mapping.items() if not name.startswith("_")} for row in page.rows]
    return private_list(request, "audit", rows, page.total, page.next_cursor, note=limit_note(limit))
