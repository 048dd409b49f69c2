"""`/api/v1/own/surveys`: an organisation's rounds, drafts among them: opening, publishing, sharing."""

from fastapi import APIRouter, Request, Response

from geo.surveys import find_own_surveys
from service.actions.inputs import NewSurvey
from service.actions.surveys import (
    ask_publication,
    change_publishing,
    change_state,
    end_grant,
    find_own,
    grant_survey,
    grants_of,
    listed,
    open_survey,
)
from service.api.surveys.bodies import Grants, OwnSurveys, SurveyChange, SurveyRow
from service.http.access import acting, reading_in_full
from service.http.described import private_responses
from service.http.parameters import SlugInPath
from service.http.responses import private_answer

router = APIRouter()

_ONE = "/own/surveys/{city}/{survey}"


@router.get("/own/surveys", responses=private_responses(OwnSurveys), summary="Rounds seen in full")
def surveys(request: Request) -> Response:
    """The rounds of one's organisation, drafts too, and those whose full figures are shared with it."""
    with reading_in_full(request) as reading:
        return private_answer({"surveys": find_own_surveys(reading.connection)})


@router.post("/own/surveys", responses=private_responses(SurveyRow, status=201), status_code=201, summary="Open one")
def open_one(request: Request, body: NewSurvey) -> Response:
    """Opens a survey round as a draft."""
    with acting(request, "contributor") as done:
        made = open_survey(done, body)
    return private_answer(made, status=201)


@router.patch(_ONE, responses=private_responses(SurveyRow), summary="Publish one")
def change(request: Request, city: SlugInPath, survey: SlugInPath, body: SurveyChange) -> Response:
    """Publishes a round or takes it back to draft, and says when its next publications are made."""
    with acting(request, "steward") as done:
        find_own(done, city, survey)
        if body.publishing is not None:
            change_publishing(done, city, survey, body.publishing)
        if body.state is not None:
            change_state(done, city, survey, body.state)
        if body.state == "published":
            ask_publication(done, city, survey, is_correction=body.correction, note=body.note)
        after = listed(done, city, survey)
    return private_answer(after)


@router.get(f"{_ONE}/grants", responses=private_responses(Grants), summary="With whom one is shared")
def grants(request: Request, city: SlugInPath, survey: SlugInPath) -> Response:
    """The organisations that see a round's full figures besides yours."""
    with reading_in_full(request, "steward") as reading:
        return private_answer({"grants": grants_of(reading, city, survey)})


@router.put(f"{_ONE}/grants/{{organisation}}", responses=private_responses(Grants), summary="Share one")
def give(request: Request, city: SlugInPath, survey: SlugInPath, organisation: SlugInPath) -> Response:
    """Shares a round's full figures with another organisation. Households are not shared."""
    with acting(request, "steward") as done:
        grant_survey(done, city, survey, organisation)
        shared = grants_of(done, city, survey)
    return private_answer({"grants": shared})


@router.delete(f"{_ONE}/grants/{{organisation}}", responses=private_responses(Grants), summary="Share one no longer")
def end(request: Request, city: SlugInPath, survey: SlugInPath, organisation: SlugInPath) -> Response:
    """Ends a grant."""
    with acting(request, "steward") as done:
        end_grant(done, city, survey, organisation)
        shared = grants_of(done, city, survey)
    return private_answer({"grants": shared})
