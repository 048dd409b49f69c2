"""The columns of figures. Each kind declares its own here, once: frames, answers, OpenAPI and documents follow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field

from geo.indicators.definitions import Counted, Direction
from geo.indicators.figures.rollup import Level

RankedLevel = Literal["settlement", "ward"]

HotSpot = Literal["hot", "cold"]
"""Need clusters around the settlement, or coverage does."""

Method = Literal["enumeration", "sample", "register", "measurement"]
"""How a figure comes about: everybody was asked; some were, of all; a register says it; it was measured or counted."""

ChangeMethod = Literal["enumeration", "paired", "independent", "register", "measurement"]
"""How a change comes about: both rounds asked everybody; the same households, or others, were asked; as figures."""

Flag = Literal[
    "uncertain",
    "few_answers",
    "some_unknown",
    "unweighted",
    "frame_weighted",
    "frame_too_small",
    "members_unknown",
    "sizes_unknown",
    "clusters_ignored",
    "no_degrees_of_freedom",
    "break_allowed",
]

FLAGS: Mapping[Flag, str] = {
    "uncertain": "from a sample of 25 to 49 answers",
    "few_answers": "from a sample of fewer than 25 answers: not to be published",
    "some_unknown": "more than 5 % of the answers are not known",
    "unweighted": "the sample has no weights and not all frame sizes: settlements count as they were sampled",
    "frame_weighted": "settlements are weighted by their frame sizes, as the sample has no weights",
    "frame_too_small": "a settlement's frame size is less than the households surveyed there",
    "members_unknown": "the members of more than 5 % of the households are not known",
    "sizes_unknown": "households are counted, not people: the members of most households are not known",
    "clusters_ignored": "groups are not known by cluster: a group's interval is that of households drawn one by one",
    "no_degrees_of_freedom": "too few clusters for an interval",
    "break_allowed": "compared across a change of definition, boundary or way of surveying",
}
"""What may be said of a figure beside its numbers."""


@dataclass(frozen=True)
class Column:
    """A column of figures: its name, what a cell holds, and what that means."""

    name: str
    type: Any
    """As OpenAPI describes it; `int | None` for a count that may be missing, which a frame holds as a float."""
    description: str
    hxl: str | None = None
    """Its HXL hashtag. A column without one stands in JSON and GeoJSON, and not in CSV."""
    example: Any = None
    measures: Literal["figure", "counted"] | None = None
    """What the hashtag says besides: a figure in its own unit; households or persons, as `counted` says."""
    words_of: str | None = None
    """The column whose codes it says in words. It is made when figures are told: a frame has no such column."""
    csv_before: str | None = None
    """The column it stands before in CSV, where that is not its place among the others."""

    @property
    def is_whole(self) -> bool:
        """Whether its cells are whole numbers."""
        return int in (self.type, *get_args(self.type))

    @property
    def is_several(self) -> bool:
        """Whether a cell holds several of a kind."""
        return get_origin(self.type) is list


class TrendRound(BaseModel):
    """A round a trend rests on."""

    model_config = ConfigDict(extra="forbid")

    survey: Annotated[str, Field(description="The round's slug.", examples=["2024"])]
    on: Annotated[date, Field(description="The middle of its days.", examples=["2024-02-15"])]
    starts_on: Annotated[date, Field(description="Its first day.", examples=["2024-01-01"])]
    ends_on: Annotated[date, Field(description="Its last day.", examples=["2024-03-31"])]
    value: Annotated[float, Field(description="The figure.", examples=[60.0])]


_CITY = Column("city", str, "The city's slug.", "#loc+city", "khandesh")
_ROUND = (
    Column("survey", str, "The round's slug.", "#date+round", "2024"),
    Column("starts_on", date, "The round's first day.", "#date+start", "2024-01-01"),
    Column("ends_on", date, "Its last day.", "#date+end", "2024-03-31"),
)
_LEVEL = Column("level", Level, "What the figure is summed over.", "#meta+level", "settlement")

_CODE = "null above the level of settlements"
PLACE = (
    Column("ward_code", str | None, "The ward's code; null for a city.", "#loc+ward+code", "A"),
    Column("ward_name", str | None, "The ward's name.", "#loc+ward+name", "Ward A"),
    Column("settlement_code", str | None, f"The settlement's code; {_CODE}.", "#loc+settlement+code", "S02"),
    Column("settlement_name", str | None, f"Its name; {_CODE}.", "#loc+settlement+name", "शांती नगर"),
)
"""What names a figure's place below its city; None where the level has none."""

_GROUP = (
    Column("group_by", str | None, "The field that groups; null for everybody.", "#meta+group+field", "head_sex"),
    Column(
        "group",
        str | None,
        "The group's code; groups too small to be told apart are named together.",
        "#meta+group+code",
        "female",
    ),
)
_INDICATOR = (
    Column("indicator", str, "The indicator's id.", "#indicator+code", "household_toilet"),
    Column("indicator_name", str, "What it is called.", "#indicator+name", "Households with their own toilet"),
    Column("definition_version", int, "Which version of its definition.", "#meta+version", 1),
    Column("counted", Counted, "Whether households or persons are counted.", "#meta+counted", "households"),
    Column("unit", str, "The unit of the figure.", "#meta+unit", "%"),
)
_DIRECTION = Column(
    "direction", Direction, "Whether more is better (up), worse (down), or neither (report).", "#meta+direction", "up"
)

_VALUE = (
    Column("value", float | None, "The figure; null when withheld.", "#indicator+num", 60.0, "figure"),
    Column(
        "low", float | None, "Lower end of its 95 % interval; null where all were asked.", "#indicator+num+ci_low", 31.0
    ),
    Column("high", float | None, "Upper end.", "#indicator+num+ci_high", 83.0),
    Column("n", int | None, "Households that answered.", "#meta+n+hh", 25),
)
_REACHED = (
    Column("population", int | None, "Households or persons it speaks for.", "#population", 25, "counted"),
    Column("unserved", int | None, "How many of them go without.", "#inneed", 10, "counted"),
    Column("unserved_low", int | None, "Lower end of its 95 % interval.", "#inneed+ci_low", measures="counted"),
    Column("unserved_high", int | None, "Upper end.", "#inneed+ci_high", measures="counted"),
)
NUMBERS = (
    *_VALUE,
    Column("n_unknown", int | None, "Households whose answer is not known.", "#meta+n_unknown+hh", 0),
    Column("bound_low", float | None, "The figure if every unknown answer were no.", "#indicator+num+bound_low"),
    Column("bound_high", float | None, "The figure if every unknown answer were yes.", "#indicator+num+bound_high"),
    *_REACHED,
    Column(
        "response_rate",
        float | None,
        "Per cent of the known households that took part.",
        "#meta+response_rate+pct",
        92.0,
    ),
    Column("deff", float | None, "What unequal weights cost (Kish).", "#meta+deff", 1.19),
    Column("n_eff", float | None, "Answers of a simple random sample worth as much.", "#meta+n_eff", 21.0),
)
"""What says something about households, and goes together."""

_ROUNDED_TO = Column(
    "rounded_to",
    int | None,
    "Counts are rounded to the nearest multiple of this, and what is not 0 never becomes 0: 5 for the public; null "
    "where they are exact or withheld.",
    "#meta+rounded_to",
    5,
)
_METHOD = Column(
    "method",
    Method,
    "Everybody was asked, a sample was, a register says so, or it was measured.",
    "#meta+method",
    "sample",
)
_FLAGS = Column("flags", list[Flag], "What else is to be said of it.", "#meta+flags", ["uncertain"])
_WITHHELD = (
    Column("status", Literal["published", "withheld"], "Whether the figure is said.", "#status", "published"),
    Column("reason", str | None, "Why not, as a code, such as protected.", "#status+reason+code"),
    Column(
        "reason_text",
        str | None,
        "Why not, in words, such as so that no household can be identified.",
        "#status+reason",
        words_of="reason",
    ),
)

VALUE_COLUMNS = (
    _CITY,
    *_ROUND,
    _LEVEL,
    *PLACE,
    *_GROUP,
    *_INDICATOR,
    *NUMBERS,
    _ROUNDED_TO,
    _METHOD,
    _FLAGS,
    *_WITHHELD,
    Column(
        "kept_from",
        int | None,
        "The publication of the round whose figure this still is, because few households have changed since; null: its "
        "own.",
        "#meta+kept_from",
    ),
)
"""Those of a figure of one indicator in one place and round."""

CHANGE_COLUMNS = (
    _CITY,
    Column("from_survey", str, "The earlier round's slug.", "#date+round+from", "2019"),
    Column("from_starts_on", date, "Its first day.", "#date+start+from", "2019-01-01"),
    Column("from_ends_on", date, "Its last day.", "#date+end+from", "2019-03-31"),
    Column("to_survey", str, "The later round's slug.", "#date+round+to", "2024"),
    Column("to_starts_on", date, "Its first day.", "#date+start+to", "2024-01-01"),
    Column("to_ends_on", date, "Its last day.", "#date+end+to", "2024-03-31"),
    _LEVEL,
    *PLACE,
    *_GROUP,
    *_INDICATOR,
    Column("from_value", float | None, "The earlier figure.", "#indicator+num+from", 20.0, "figure"),
    Column("to_value", float | None, "The later figure.", "#indicator+num+to", 60.0, "figure"),
    Column("change", float | None, "Later less earlier: points, or the unit.", "#indicator+num+change", 40.0),
    Column(
        "low",
        float | None,
        "Lower end of the change's 95 % interval; null where all were asked.",
        "#indicator+num+ci_low",
        -2.0,
    ),
    Column("high", float | None, "Upper end.", "#indicator+num+ci_high", 67.0),
    Column(
        "p_value",
        float | None,
        "How likely such a difference is by chance alone; 0.001 (in full 0.000001): that or less.",
        "#meta+p_value",
        0.07,
    ),
    Column("n_before", int | None, "Households that answered earlier.", "#meta+n+hh+from", 10),
    Column("n", int | None, "Households that answered later.", "#meta+n+hh+to", 10),
    Column("n_pairs", int | None, "Households that answered both times, where they are compared.", "#meta+n+hh+pairs"),
    _ROUNDED_TO,
    Column(
        "method",
        ChangeMethod | None,
        "Everybody was asked, the same households were, or others; null when withheld.",
        "#meta+method",
        "independent",
    ),
    _FLAGS,
    *_WITHHELD,
)
"""Those of how a figure changed from one round to another."""

GAP_COLUMNS = (
    _CITY,
    *_ROUND,
    replace(_LEVEL, type=RankedLevel, description="What is ranked."),
    *PLACE,
    *_INDICATOR,
    _DIRECTION,
    *_VALUE,
    *_REACHED,
    # Programs read CSV by place: it stays where it was.
    replace(_ROUNDED_TO, csv_before="method"),
    Column(
        "rank_unserved",
        int | None,
        "1: most unserved; equals share a rank; null where that is not known.",
        "#meta+rank+unserved",
        1,
    ),
    Column("rank_coverage", int | None, "1: least covered, or by a bad thing most affected.", "#meta+rank+coverage", 1),
    Column("target", float | None, "The target asked for, per cent.", "#indicator+num+target", 80.0, "figure"),
    Column(
        "to_target",
        int | None,
        "How many are still to be served to reach the target.",
        "#inneed+to_target",
        5,
        "counted",
    ),
    Column(
        "gi_z",
        float | None,
        "Getis-Ord Gi* of need, as a z score: above 0, need clusters.",
        "#indicator+gi_star+z",
        3.2,
    ),
    Column(
        "gi_p",
        float | None,
        "Its two-sided p value; 0.001 (in full 0.000001): that or less.",
        "#indicator+gi_star+p_value",
        0.002,
    ),
    Column(
        "hot_spot",
        HotSpot | None,
        "Need clusters here (hot), or coverage (cold), beyond chance.",
        "#indicator+hot_spot+code",
        "hot",
    ),
    Column(
        "hot_spot_reason",
        str | None,
        "Why there is no gi_z, as a code, such as fewer_than_30_settlements.",
        "#status+hot_spot+reason+code",
    ),
    _METHOD,
    _FLAGS,
    *_WITHHELD,
)
"""Those of a figure with what it says of priorities."""

TREND_COLUMNS = (
    _CITY,
    _LEVEL,
    *PLACE,
    *_INDICATOR,
    _DIRECTION,
    Column("slope_per_year", float | None, "Points a year; null when withheld.", "#indicator+num+slope", 9.4),
    Column(
        "fitted",
        float | None,
        "The line at the last round, held within 0 and 100.",
        "#indicator+num+fitted",
        66.8,
        "figure",
    ),
    Column("last_survey", str | None, "The last round's slug.", "#date+round+to", "2024"),
    Column("starts_on", date | None, "The first day of the rounds used.", "#date+start", "2019-01-01"),
    Column("ends_on", date | None, "Their last day.", "#date+end", "2024-03-31"),
    Column(
        "rounds",
        list[TrendRound],
        "The rounds used, in order; none when withheld.",
        "#date+round+list",
        [
            {"survey": "2019", "on": "2019-02-14", "starts_on": "2019-01-01", "ends_on": "2019-03-31", "value": 20.0},
            {"survey": "2021", "on": "2021-02-14", "starts_on": "2021-01-01", "ends_on": "2021-03-31", "value": 43.0},
            {"survey": "2024", "on": "2024-02-15", "starts_on": "2024-01-01", "ends_on": "2024-03-31", "value": 67.0},
        ],
    ),
    _FLAGS,
    *_WITHHELD,
)
"""Those of the straight line through a place's figures."""

KNOWN_COLUMNS: Mapping[str, Column] = {
    column.name: column for columns in (TREND_COLUMNS, GAP_COLUMNS, CHANGE_COLUMNS, VALUE_COLUMNS) for column in columns
}
"""A column of each name there is, for callers that do not know of which kind a frame is."""


def frame_names(columns: Sequence[Column]) -> tuple[str, ...]:
    """The names of those that a frame has, in its order."""
    return tuple(column.name for column in columns if column.words_of is None)
