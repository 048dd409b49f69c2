"""What uploads are answered with, as OpenAPI describes it."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from geo.ingestion.loading import KINDS, every_choice
from geo.ingestion.uploads import Decision, Step
from service.body_fields import Body
from service.http.bodies import Link


class _AnyChoices:
    """Choices of whatever kinds of files there are, in the OpenAPI document."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        del schema
        return handler(every_choice().__pydantic_core_schema__)


class _Kinds:
    """The kinds of files, likewise."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(schema) | {"enum": list(KINDS)}


AnyChoices = Annotated[dict[str, Any], _AnyChoices()]

ShownState = Literal[
    "received", "checked", "waiting", "accepted", "loaded", "published", "withdrawing", "withdrawn", "refused"
]


class Progress(Body):
    """How far the work on an upload has come."""

    step: Annotated[Step, Field(description="What is being done.")]
    rows_done: Annotated[int, Field(description="Rows read.")]
    rows_total: Annotated[int | None, Field(description="Rows there are, where the file says so.")]
    share: Annotated[float | None, Field(description="Part that is done, 0 to 1.")]
    at: datetime


class Queued(Body):
    """That an upload waits for its turn: nobody works on it yet."""

    before: Annotated[int, Field(description="How many other uploads are worked on before it.")]


class Counts(Body):
    """Rows: read, that are or would be loaded, of those with warnings, and rejected."""

    rows_read: int
    rows_loaded: int
    rows_warned: int
    rows_rejected: int


class PreviewFigure(Body):
    """A figure of the city before this upload, and with it."""

    indicator: str
    counted: str
    unit: str
    before: float | None
    after: float | None
    n_before: float | None
    n_after: float | None


class RenamedSettlement(Body):
    """A settlement that has another name in the file."""

    code: str
    before: str
    after: str


class NamedSettlement(Body):
    """A settlement."""

    code: str
    name: str


class MovedSettlement(Body):
    """A settlement that a file puts into another ward."""

    code: str
    name: str
    from_ward_code: Annotated[str | None, Field(description="null: it was in no ward.")]
    from_ward_name: str | None
    to_ward_code: str
    to_ward_name: str
    valid_from_on: Annotated[
        date | None, Field(description="Since when; earlier rounds keep the ward before. null: in all rounds.")
    ] = None


class PreviewPlaces(Body):
    """How many settlements or facilities a file adds, changes, moves, and leaves as they are."""

    added: int
    changed: Annotated[int, Field(description="Redrawn, or replaced.")]
    moved: Annotated[int, Field(description="Settlements that come into another ward; some may be redrawn too.")] = 0
    unchanged: int
    renamed: Annotated[
        list[RenamedSettlement], Field(default_factory=list, description="Settlements that it gives another name.")
    ]
    missing: Annotated[
        list[NamedSettlement],
        Field(
            default_factory=list,
            description="Settlements of the city that a file of all of it no longer has. They stay; they can be ended.",
        ),
    ]
    moves: Annotated[
        list[MovedSettlement], Field(default_factory=list, description="The first of those that are moved.")
    ]


class Preview(Body):
    """What this upload would change."""

    figures: Annotated[list[PreviewFigure], Field(description="Of a survey's file: the figures of its round.")]
    places: Annotated[
        PreviewPlaces | None, Field(description="Of a file of settlements or facilities: what becomes of them.")
    ] = None


class Part(Body):
    """A part of a sentence, for programs: it stays whatever the words."""

    code: str
    params: Annotated[dict[str, Any], Field(description="What it is about.")]


class Reasoned(Body):
    """What is told with its reason."""

    why: Annotated[str, Field(description="The reason, in words.")]
    why_parts: Annotated[list[Part], Field(description="The same for programs, a code and its parameters a clause.")]


class MatchedColumn(Reasoned):
    """A column, and what it seems to hold."""

    column: str
    field: Annotated[str, Field(description="A standard field, or a part of a position.")]
    confidence: Literal["sure", "likely", "unsure"]


class GuessedAnswer(Reasoned):
    """An answer whose meaning was guessed, and from what."""

    field: str
    text: str
    is_detail: bool


class Understood(Body):
    """What Vasti understood of the file's columns; `choices.profile` is the mapping profile that follows."""

    columns: Annotated[list[str], Field(description="All of the file's columns.")]
    matched: list[MatchedColumn]
    guessed: Annotated[list[GuessedAnswer], Field(default_factory=list, description="Answers to look at.")]
    notes: list[str]
    is_remembered: Annotated[
        bool, Field(description="True if the profile was remembered from an earlier file with these columns.")
    ]


class TakenAnswer(Reasoned):
    """An answer of a mapped column, and what it is taken for."""

    field: Annotated[str, Field(description="The standard field.")]
    column: str
    text: Annotated[str, Field(description="The answer as the file has it.")]
    rows: Annotated[int, Field(description="In how many rows it stands.")]
    means: Annotated[str | bool | int | float | None, Field(description="The standard value; null: nobody has said.")]
    is_detail: Annotated[
        bool, Field(description="Whether the column tells more of another's answer: `choices.details` changes it.")
    ]
    confidence: Annotated[
        Literal["sure", "likely", "unsure"],
        Field(description="likely: guessed, so look at it; `choices.answers` says what it means."),
    ]


class PersonalColumn(Body):
    """A column that seems to be about persons."""

    column: str
    holds: Annotated[str, Field(description="What it seems to hold.", examples=["telephone number"])]


class ReadAs(Body):
    """How a file was read, and what there is to choose from."""

    layer: Annotated[str | None, Field(description="Layer, sheet or file in an archive; null: there is one only.")]
    layers: Annotated[list[str], Field(description="Those there are, where there are several.")]
    encoding: Annotated[str | None, Field(description="Of its text, where that can be one or another.")]
    crs: Annotated[str | None, Field(description="Of its positions, where it has any.", examples=["EPSG:32643"])]
    likely_crs: Annotated[list[str], Field(description="Where it does not say one: those that would fit.")]
    positions: Annotated[
        list[tuple[float, float]], Field(description="Where some of its rows lie: longitude and latitude.")
    ]
    outlines: Annotated[
        list[dict[str, Any]],
        Field(
            default_factory=list,
            description="Of settlements: some of their outlines, simplified, as GeoJSON geometries.",
        ),
    ]
    answers: Annotated[
        list[TakenAnswer],
        Field(
            default_factory=list,
            description="Of a survey: every answer of every mapped column of codes, or of yes and no; of one column "
            "the hundred most frequent.",
        ),
    ]
    personal: Annotated[
        list[PersonalColumn],
        Field(
            default_factory=list,
            description="Of a survey: columns that seem to be about persons. They are not kept with the rows, unless "
            "`choices.keep` names them; the file as it came holds them.",
        ),
    ]


class FindingParams(Body):
    """What the sentence of a finding is about."""

    field: str | None
    values: Annotated[
        list[str | Part],
        Field(description="What stands there, the most frequent first: a text of the file, or what there is to say."),
    ]
    n_values: Annotated[int, Field(description="How many different values there are.")]


class FindingGroup(Body):
    """Findings of one kind."""

    code: str
    severity: Literal["error", "warning"]
    field: str | None
    count: int
    rows: Annotated[list[int], Field(description="The first rows.")]
    params: Annotated[dict[str, Any], Field(description="What the sentence is about: the field, and the first values.")]
    sentence: Annotated[str, Field(description="What it means, and what to do.")]


class Upload(Body):
    """A file that was sent, and what has become of it."""

    id: int
    city: str
    survey: Annotated[str | None, Field(description="The round of a survey's file.")]
    content: Annotated[str, _Kinds()]
    file_name: str
    sha256: str
    size_bytes: int
    uploaded_by: str
    uploaded_at: datetime
    state: Annotated[
        ShownState,
        Field(
            description="received; checked: it can be accepted; waiting: something has to be decided or mended first; "
            "accepted; loaded; published: loaded, and the round is published; withdrawing; withdrawn; refused."
        ),
    ]
    problem: Annotated[str | None, Field(description="Why it waits or was refused, and what to do.")]
    problem_code: Annotated[
        str | None, Field(description="The same for programs: it stays whatever the words.", examples=["crs_unknown"])
    ]
    problem_params: Annotated[dict[str, Any] | None, Field(description="What the sentence is about.")]
    queued: Annotated[Queued | None, Field(description="Of what is to be checked, loaded or withdrawn: its turn.")]
    progress: Progress | None
    counts: Counts | None
    findings: Annotated[list[FindingGroup], Field(description="What was found, by kind, errors first.")]
    understood: Understood | None
    read_as: ReadAs | None
    preview: Preview | None
    choices: AnyChoices
    profile: Annotated[dict[str, Any], Field(description="The mapping profile as it was used.")]
    decisions: Annotated[list[Decision], Field(description="What can be decided now.")]
    links: list[Link]


class Uploads(Body):
    """The uploads of the organisation, the newest first."""

    uploads: list[Upload]
    total: int
    note: Annotated[str | None, Field(description="That `limit` was above the most, where it was.")]
    returned: int
    links: list[Link]


class Deciding(Body):
    """What is decided of an upload."""

    decision: Annotated[
        Decision,
        Field(
            description="accept; skip_errors: load the rows without errors; recheck: look at it again, with other "
            "choices; refuse; withdraw: take its rows back."
        ),
    ]
    choices: Annotated[AnyChoices | None, Field(description="With recheck: how the file is to be read.")] = None


class Finding(Body):
    """What is wrong with a row."""

    row_number: Annotated[int | None, Field(description="As the spreadsheet shows it; null: the whole file.")]
    field: str | None
    value: str | None
    code: str
    severity: Literal["error", "warning"]
    longitude: Annotated[float | None, Field(description="Where the row lies as the file has it; null: nowhere.")]
    latitude: Annotated[float | None, Field(description="Degrees, as the longitude.")]
    params: Annotated[FindingParams, Field(description="What the meaning is about, to be said in other words.")]
    meaning: Annotated[str, Field(description="What it means, and what to do.")]


class FindingsPage(Body):
    """The findings of an upload, in order of rows."""

    findings: list[Finding]
    total: int
    note: Annotated[str | None, Field(description="That `limit` was above the most, where it was.")]
    returned: int
    links: list[Link]
