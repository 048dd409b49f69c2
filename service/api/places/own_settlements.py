"""`/api/v1/own/settlements`: settlements of a city, ended and reopened by a steward."""

from dataclasses import asdict

from fastapi import APIRouter, Request, Response

from service.actions.inputs import SettlementChange
from service.actions.settlements import end_settlement
from service.api.places.bodies import SettlementEnd
from service.http.access import acting
from service.http.described import private_responses
from service.http.parameters import CodeInPath, SlugInPath
from service.http.responses import private_answer

router = APIRouter()


@router.patch(
    "/own/settlements/{city}/{code:path}", responses=private_responses(SettlementEnd), summary="End one, or reopen it"
)
def change(request: Request, city: SlugInPath, code: CodeInPath, body: SettlementChange) -> Response:
    """Ends a settlement from a day on, or reopens it. It stays in past rounds, and is in none that starts later."""
    with acting(request, "steward") as done:
        after = end_settlement(done, city, code, body.ended_on)
    return private_answer({"city": city, **asdict(after)})
