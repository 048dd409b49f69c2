"""`/surveys`: choosing a round, opening one, sending a file to it, publishing it, and what was sent before."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Request, Response

from geo.base import PageRequest, validated
from geo.errors import Conflict, InputError
from geo.indicators.definitions import read_catalogue
from geo.indicators.figures import Access, ValuesQuery, find_values
from geo.ingestion.loading import KINDS
from geo.ingestion.reading import FORMATS
from geo.messages import Message
from geo.people import SignedIn
from geo.places import find_cities, find_city, find_requests
from geo.publications import find_published_values, find_standing
from geo.settings import Settings
from geo.surveys import Publishing, find_own_surveys, find_seen_survey, find_survey
from maps import words
from maps.figures import finite
from service.actions.inputs import NewSurvey
from service.actions.surveys import ask_publication, change_publishing, change_state, open_survey
from service.actions.uploads import newest
from service.body_fields import MAX_NOTE, Text
from service.http.access import acting, reading_in_full, seen_with
from service.http.html import page, see_other
from service.http.parameters import SlugInPath
from service.http.problems import status_of
from service.pages.forms import FormText, slug_of

router = APIRouter()


@router.get("/surveys")
def surveys(request: Request) -> Response:
    """The rounds, and a form that opens one."""
    with reading_in_full(request) as reading:
        return _list(request, reading, {}, None, 200)


def _list(request: Request, reading: SignedIn, given: dict[str, str], problem: str | None, status: int) -> Response:
    found = find_own_surveys(reading.connection)
    cities = find_cities(reading.connection, PageRequest(limit=None)).rows
    asked = [each for each in find_requests(reading.connection) if each["state"] == "asked"]
    shown = {"surveys": found, "cities": cities, "asked": asked, "given": given, "problem": problem}
    return page(request, "surveys.html", bearer=reading.bearer, status=status, **shown)


@router.post("/surveys")
def open_one(
    request: Request,
    csrf: FormText,
    city: FormText,
    name: FormText,
    starts_on: FormText,
    ends_on: FormText,
    unit: FormText,
    mode: FormText = "",
    slug: FormText = "",
) -> Response:
    """Opens a round as a draft and goes on to it."""
    slug = slug.strip() or slug_of(name)
    given = {"city": city, "slug": slug, "name": name.strip(), "starts_on": starts_on, "ends_on": ends_on}
    given |= {"unit": unit, "mode": mode}
    try:
        with acting(request, "contributor", csrf) as done:
            made = open_survey(done, _valid(given))
    except (InputError, Conflict) as error:
        problem, status = error.say("page"), status_of(error)
    else:
        return see_other(request, f"/surveys/{made['city']}/{made['slug']}")
    with reading_in_full(request) as reading:
        return _list(request, reading, given, problem, status)


def _valid(given: dict[str, str]) -> NewSurvey:
    if given["slug"] == "":
        raise InputError("survey_slug_missing")
    if given["mode"] == "":
        raise InputError("survey_mode_missing")
    return validated(NewSurvey, given)


@router.get("/surveys/{city}/{survey}")
def one(request: Request, city: SlugInPath, survey: SlugInPath) -> Response:
    """A round: sending a file, its figures, and its uploads."""
    settings: Settings = request.app.state.settings
    with reading_in_full(request) as reading:
        row = find_survey(reading.connection, find_city(reading.connection, city), survey)
        seen = find_seen_survey(reading.connection, city, survey)
        is_own = row["organisation_id"] == reading.bearer.organisation_id
        may_send = is_own and reading.bearer.may("contributor")
        uploads = newest(reading, "page", survey_id=row["id"]) if may_send else []
        figures = _figures(reading, seen)
        return page(
            request,
            "survey.html",
            bearer=reading.bearer,
            survey=seen,
            is_own=is_own,
            uploads=uploads,
            figures=figures,
            standing=find_standing(reading.connection, row["id"]),
            max_note=MAX_NOTE,
            publishing_problem=row["publishing_problem"] and Message(row["publishing_problem"]).say("page"),
            # Rows may count in settlements without making a figure of the city.
            has_rows=bool(figures) or any(each["state"] in ("loaded", "published") for each in uploads),
            kinds=[kind for kind in KINDS.values() if kind.in_round],
            suffixes=",".join(sorted(FORMATS)),
            most_mb=settings.upload_max_mb,
        )


def _figures(reading: SignedIn, survey: dict[str, Any]) -> list[dict[str, Any]]:
    """The round's figures of the city where anybody answers, in words: the public ones of a round of others."""
    access: Access = "full" if survey["is_full"] else "public"
    query = ValuesQuery(
        cities=[survey["city"]],
        surveys=[survey["slug"]],
        level="city",
        access=access,
        seen=seen_with(access),
        page=PageRequest(limit=None),
    )
    definitions = read_catalogue(reading.connection).newest
    find = find_values if access == "full" else find_published_values
    figures = find(reading.connection, query).figures
    answered = figures[(figures["n"].fillna(0) > 0) & figures["value"].notna()]
    return [
        {
            "indicator": row.indicator,
            "name": row.indicator_name,
            "value": words.format_value(row.value, definitions[row.indicator]),
            "interval": words.format_interval(finite(row.low), finite(row.high), definitions[row.indicator]),
            "n": words.format_count(row.n),
            "without_sizes": "sizes_unknown" in row.flags,
        }
        for row in answered.itertuples()
        if row.indicator in definitions
    ]


@router.post("/surveys/{city}/{survey}/publishing")
def set_publishing(
    request: Request,
    city: SlugInPath,
    survey: SlugInPath,
    csrf: FormText,
    publishing: Annotated[Publishing, Form()],
) -> Response:
    """Says when the round's next publications are made."""
    with acting(request, "steward", csrf) as done:
        change_publishing(done, city, survey, publishing)
    return see_other(request, f"/surveys/{city}/{survey}")


@router.post("/surveys/{city}/{survey}/state")
def set_state(
    request: Request,
    city: SlugInPath,
    survey: SlugInPath,
    csrf: FormText,
    state: Annotated[Literal["draft", "published", "correction"], Form()],
    note: Annotated[Text, Form(max_length=MAX_NOTE)] = "",
) -> Response:
    """Publishes a round, or takes it back to draft."""
    with acting(request, "steward", csrf) as done:
        change_state(done, city, survey, "draft" if state == "draft" else "published")
        if state != "draft":
            ask_publication(done, city, survey, is_correction=state == "correction", note=note.strip() or None)
    return see_other(request, f"/surveys/{city}/{survey}")
