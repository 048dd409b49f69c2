"""Query parameters: each described once for all routes, and whatever is not declared refused."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin
from weakref import WeakKeyDictionary

from fastapi import Depends, Path, Query, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import AfterValidator, GetCoreSchemaHandler
from pydantic_core.core_schema import CoreSchema, literal_schema

from geo.base import DEFAULT_LIMIT, MAX_LIMIT, PageRequest
from geo.errors import Fault, InvalidParameter, InvalidParameters
from geo.indicators.definitions import Counted
from geo.indicators.figures import Access, Level, RankedLevel
from service.formats.format import Needs
from service.formats.rows import CsvForm
from service.formats.table import FORMATS, JSON, formats_for
from service.http.asked import asked_by


def _filter(name: str, description: str, example: str) -> object:
    """A filter that may be given several times; without it, everything passes."""
    text = f"{description} Repeatable; without it, all."
    return Query(alias=name, default_factory=list, description=text, examples=[[example]])


Cities = Annotated[list[str], _filter("city", "Slug of a city.", "khandesh")]
Surveys = Annotated[list[str], _filter("survey", "Slug of a survey round.", "2024")]
Indicators = Annotated[list[str], _filter("indicator", "Id of an indicator.", "household_toilet")]
Settlements = Annotated[list[str], _filter("settlement", "Code of a settlement, at level settlement.", "S01")]
Wards = Annotated[list[str], _filter("ward", "Code of a ward.", "A")]
Codes = Annotated[list[str], _filter("code", "Code of a settlement.", "S01")]

CityParameter = Annotated[str, Query(alias="city", description="Slug of the city.", examples=["khandesh"])]
SurveyParameter = Annotated[str, Query(alias="survey", description="Slug of the survey round.", examples=["2024"])]
IndicatorParameter = Annotated[
    str, Query(alias="indicator", description="Id of the indicator.", examples=["household_toilet"])
]
Earlier = Annotated[str, Query(alias="from", description="Slug of the earlier survey round.", examples=["2019"])]
Later = Annotated[str, Query(alias="to", description="Slug of the later survey round.", examples=["2024"])]

LevelParameter = Annotated[
    Level, Query(alias="level", description="Figures by settlement, by ward, or of the city.", examples=["ward"])
]
RankedLevelParameter = Annotated[
    RankedLevel, Query(alias="level", description="Rank settlements, or wards.", examples=["ward"])
]
RankedSurvey = Annotated[
    str | None,
    Query(alias="survey", description="Slug of the survey round. Without it, the newest published.", examples=["2024"]),
]
RankedCounted = Annotated[
    Counted | None,
    Query(alias="counted", description="Count households or persons. Without it, households.", examples=["persons"]),
]


def _tenths(number: float | None) -> float | None:
    """Refused rather than rounded: what is asked for stands in the answer, and each spelling is kept by itself."""
    if number is not None and round(number, 1) != number:
        raise Fault("decimals_too_many")
    return number


Target = Annotated[
    float | None,
    Query(
        alias="target",
        ge=0,
        le=100,
        allow_inf_nan=False,
        description="The per cent to reach, or of a bad thing to come down to: how many that takes is `to_target`. At "
        "most one decimal.",
        examples=[80],
    ),
    AfterValidator(_tenths),
]
CountedParameter = Annotated[
    Counted | None,
    Query(
        alias="counted",
        description="Count households or persons. Without it, each indicator counts as its source does.",
        examples=["households"],
    ),
]
AccessParameter = Annotated[
    Access,
    Query(
        alias="access",
        description="public, or full: exact figures, none withheld, drafts too, of the rounds you may see in full; for "
        "that, sign in or bring an API key.",
        examples=["full"],
    ),
]
By = Annotated[
    str | None,
    Query(
        alias="by",
        description="A field by whose groups figures are made apart, such as head_sex; needs indicator and survey.",
        examples=["head_sex"],
    ),
]
Publication = Annotated[
    int | None,
    Query(
        alias="publication",
        ge=1,
        le=1_000_000,
        description="Number of a publication of the round, to read it as it was. Without it, the current one.",
        examples=[1],
    ),
]
Version = Annotated[
    int | None,
    Query(
        alias="version",
        ge=1,
        le=10_000,
        description="A version of the definition. Without it, the newest the round has been counted by.",
        examples=[1],
    ),
]
AllowBreak = Annotated[
    bool,
    Query(
        alias="allow_break",
        description="Compare across a change of definition, boundary or way of surveying, and mark the change.",
        examples=[True],
    ),
]
AllowTrendBreak = Annotated[
    bool,
    Query(
        alias="allow_break",
        description="Draw a trend across a change of definition, boundary or way of surveying, and mark it.",
        examples=[True],
    ),
]
Limit = Annotated[
    int | None,
    Query(
        alias="limit",
        ge=1,
        description=f"Most rows in one answer. Without it, {DEFAULT_LIMIT}, and in other forms than JSON all rows. "
        f"As JSON one answer has at most {MAX_LIMIT} rows: above that it is {MAX_LIMIT}, and `note` says so.",
        examples=[100],
    ),
]
Cursor = Annotated[
    str | None,
    Query(
        alias="cursor",
        max_length=4_000,
        description="Where the next rows begin: taken from a `next` link.",
        examples=["WyJraGFuZGVzaCJd"],
    ),
]
Hxl = Annotated[bool, Query(alias="hxl", description="CSV has a second row of HXL hashtags.", examples=[True])]
Excel = Annotated[
    bool,
    Query(
        alias="excel",
        description="CSV begins with a byte order mark, by which Excel knows that it is UTF-8.",
        examples=[True],
    ),
]


async def _csv_form(hxl: Hxl = False, excel: Excel = False) -> CsvForm:
    """It only looks, so it needs no thread."""
    return CsvForm(hxl, excel)


AsCsv = Annotated[CsvForm, Depends(_csv_form)]


def form_query(*has: Needs) -> Any:
    """The parameter `format` of rows that have shapes, points or neither."""
    told = " ".join(f"`{form.name}`: {form.about}." for form in formats_for(*has))
    return Query(alias="format", description=f"The form of the answer. {told}", examples=["csv"])


@dataclass(frozen=True)
class OneForm:
    """Holds `format` to the forms of such rows, as a Literal does whose texts are not known before they are read."""

    has: tuple[Needs, ...] = ()

    def __get_pydantic_core_schema__(self, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        """What pydantic holds a value to."""
        return literal_schema([form.name for form in formats_for(*self.has)])


RowsForm = Annotated[str, form_query(), OneForm()]
ShapesForm = Annotated[str, form_query("shapes"), OneForm(("shapes",))]
PointsForm = Annotated[str, form_query("points"), OneForm(("points",))]


Id = Annotated[int, Path(ge=1, le=2_147_483_647, description="Its number.", examples=[3])]
SlugInPath = Annotated[
    str, Path(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=100, description="A short name.", examples=["2024"])
]

CodeInPath = Annotated[str, Path(min_length=1, max_length=200, description="A settlement's code.", examples=["S01"])]


def page_request(limit: int | None, cursor: str | None, output: str = JSON) -> PageRequest:
    """The page asked for; in a format that is not paged all rows may come at once, and do where no limit was named."""
    if not FORMATS[output].is_paged:
        return PageRequest(None if limit is None else min(limit, _MORE_THAN_THERE_ARE), cursor)
    return PageRequest(DEFAULT_LIMIT if limit is None else min(limit, MAX_LIMIT), cursor)


def limit_note(limit: int | None) -> str | None:
    """What became of the limit of a page; None: it is what was asked for."""
    if limit is None or limit <= MAX_LIMIT:
        return None
    most = f"One answer holds at most {MAX_LIMIT} rows, so limit was taken as {MAX_LIMIT}"
    return f"{most}; where there are more, the next link leads on."


_MORE_THAN_THERE_ARE = 1_000_000_000
"""A number of rows that a database can still be asked for."""


async def check_query(request: Request) -> None:
    """Refuses parameters the route does not declare, ones given twice that count once, and what no text may hold.

    A misspelt filter that is ignored would answer with more than was asked for. It only looks, so it needs no thread.
    """
    route = request.scope.get("route")
    if not isinstance(route, APIRoute):
        return
    declared = _DECLARED.get(route.endpoint)
    if declared is None:
        declared = _DECLARED[route.endpoint] = dict(_declared(route.dependant))
    parameters_given(request, declared)


def parameters_given(request: Request, declared: Mapping[str, bool]) -> dict[str, str | list[str]]:
    """What the address of a request gives, by name: texts, and lists of those that are `declared` as repeatable.

    Raises:
        InvalidParameters: as check_query.
    """
    route = request.scope["route"]
    if (told := request.scope.get("state", {}).get("told")) is not None:
        told["route"] = route.path_format
    given: dict[str, list[str]] = {}
    for name, value in asked_by(request).pairs:
        given.setdefault(name, []).append(value)
    problems = []
    for name, values in given.items():
        if name not in declared:
            problems.append(
                InvalidParameter(name, "parameter_unknown", known=sorted(declared))
                if declared
                else InvalidParameter(name, "parameter_unknown_none_taken")
            )
        elif len(values) > 1 and not declared[name]:
            problems.append(InvalidParameter(name, "parameter_twice"))
        elif any("\0" in value for value in values):
            problems.append(InvalidParameter(name, "text_unstorable"))
    if problems:
        raise InvalidParameters(problems)
    return {name: values if declared[name] else values[0] for name, values in given.items()}


_DECLARED: WeakKeyDictionary[Callable[..., Any], Mapping[str, bool]] = WeakKeyDictionary()
"""The query parameters of each route's function, as `_declared` tells them."""


def _declared(dependant: Dependant) -> Iterator[tuple[str, bool]]:
    """The names of a route's query parameters, each with whether it is repeatable."""
    for field in dependant.query_params:
        yield field.alias, is_repeatable(field.field_info.annotation)
    for inner in dependant.dependencies:
        yield from _declared(inner)


def is_repeatable(annotation: Any) -> bool:
    """Whether a parameter may be given several times."""
    return get_origin(annotation) is list or any(get_origin(each) is list for each in get_args(annotation))
