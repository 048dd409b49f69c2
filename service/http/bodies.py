"""The bodies of answers as OpenAPI describes them. Answers are not built from these: a test holds the two equal."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from geo.fields import Unit
from geo.indicators.definitions import Counted, Definition, Direction
from geo.indicators.figures import ChangeMethod, Flag, HotSpot, Level, Method, RankedLevel
from geo.surveys import Mode


class Body(BaseModel):
    """What every body has in common: no more than what is described."""

    model_config = ConfigDict(extra="forbid")


class Link(Body):
    """A link (RFC 8288), relative to this service."""

    rel: Annotated[str, Field(description="What it leads to.", examples=["next"])]
    href: Annotated[str, Field(description="Where it leads.", examples=["/api/v1/cities?cursor=WyJraGFuZGVzaCJd"])]
    type: Annotated[str, Field(description="The media type there.", examples=["application/json"])]
    templated: Annotated[
        Literal[True] | None,
        Field(description="The address is yet to be filled in (RFC 6570); only on links of which that is true."),
    ] = None


class ListBody(Body):
    """What every list has: how many there are and how many of them are here."""

    total: Annotated[int, Field(description="How many there are in all.", examples=[6])]
    returned: Annotated[int, Field(description="How many are in this answer.", examples=[6])]
    data_version: Annotated[
        int, Field(description="Rises with every change of what is published: which state this is.", examples=[12])
    ]
    note: Annotated[
        str | None,
        Field(description="What else is to be known of this answer, such as that `limit` was above the most."),
    ]
    links: list[Link]


class City(Body):
    """A city."""

    slug: Annotated[str, Field(description="Its name in addresses.", examples=["khandesh"])]
    name: Annotated[str, Field(description="Its name.", examples=["Khandesh"])]
    settlements: Annotated[int, Field(description="How many settlements it has.", examples=[6])]
    surveys: Annotated[int, Field(description="How many of its survey rounds are published.", examples=[2])]
    links: list[Link]


class Cities(ListBody):
    """Cities."""

    cities: list[City]


class Settlement(Body):
    """A settlement and the newest version of its boundary."""

    city: Annotated[str, Field(description="Its city's slug.", examples=["khandesh"])]
    code: Annotated[str, Field(description="Its code, which names it within the city.", examples=["S01"])]
    name: Annotated[str, Field(description="Its name.", examples=["शांती नगर"])]
    ward_code: Annotated[str | None, Field(description="Its ward's code.", examples=["A"])]
    ward_name: Annotated[str | None, Field(description="Its ward's name.", examples=["Ward A"])]
    area_km2: Annotated[float | None, Field(description="Geodesic area.", examples=[0.011686])]
    valid_from_on: Annotated[
        date | None, Field(description="Since when this boundary holds; null: since before any was recorded.")
    ]
    valid_to_on: Annotated[date | None, Field(description="Until when it holds; null: until further notice.")]
    ended_on: Annotated[
        date | None,
        Field(description="First day on which it is no more: no round from then on has it; null: it is there."),
    ]


class Settlements(ListBody):
    """Settlements."""

    settlements: list[Settlement]


class Upload(Body):
    """A file the round's figures rest on."""

    id: Annotated[int, Field(description="Its number.", examples=[3])]
    uploaded_at: Annotated[datetime, Field(description="When it was loaded.")]
    rows_loaded: Annotated[
        int, Field(description="How many of its rows were loaded; rounded to 5 for the public.", examples=[95])
    ]


class Survey(Body):
    """A published survey round."""

    slug: Annotated[str, Field(description="Its name in addresses.", examples=["2024"])]
    name: Annotated[str, Field(description="Its name.", examples=["Round of 2024"])]
    city: Annotated[str, Field(description="Its city's slug.", examples=["khandesh"])]
    organisation: Annotated[str, Field(description="Who surveyed.", examples=["Shelter"])]
    starts_on: Annotated[date, Field(description="First day.", examples=["2024-01-01"])]
    ends_on: Annotated[date, Field(description="Last day.", examples=["2024-03-31"])]
    unit: Annotated[Unit, Field(description="What a row is about.", examples=["household"])]
    mode: Annotated[Mode, Field(description="How households were chosen.", examples=["census"])]
    licence: Annotated[str | None, Field(description="The licence of its figures.", examples=["CC-BY-4.0"])]
    uploads: list[Upload]


class Surveys(ListBody):
    """Published survey rounds."""

    surveys: list[Survey]


class Sources(Body):
    """What a round's figures of an indicator rest on."""

    city: Annotated[str, Field(description="The city's slug.", examples=["khandesh"])]
    survey: Annotated[str, Field(description="The round's slug.", examples=["2024"])]
    indicator: Annotated[str, Field(description="The indicator's id.", examples=["household_toilet"])]
    organisation: Annotated[str, Field(description="Who surveyed.", examples=["Shelter"])]
    licence: Annotated[str | None, Field(description="The licence of the round's figures.", examples=["CC-BY-4.0"])]
    definition_version: Annotated[int, Field(description="The version they are counted by.", examples=[1])]
    definition: Annotated[Definition, Field(description="That version.")]
    uploads: Annotated[list[Upload], Field(description="The files whose rows they are made of.")]
    data_version: Annotated[int, Field(description="Which state of what is published this is.", examples=[12])]
    links: list[Link]


class Indicator(Definition):
    """The newest version of an indicator's definition."""

    needed: Annotated[list[str], Field(alias="fields", description="The fields of a survey that it needs.")]


class Indicators(ListBody):
    """The catalogue of indicators."""

    indicators: list[Indicator]


_CODE = "null above the level of settlements"


class Place(Body):
    """Where a figure is about, and which."""

    city: Annotated[str, Field(description="The city's slug.", examples=["khandesh"])]
    level: Annotated[Level, Field(description="What the figure is summed over.", examples=["settlement"])]
    ward_code: Annotated[str | None, Field(description="The ward's code; null for a city.", examples=["A"])]
    ward_name: Annotated[str | None, Field(description="The ward's name.", examples=["Ward A"])]
    settlement_code: Annotated[str | None, Field(description=f"The settlement's code; {_CODE}.", examples=["S02"])]
    settlement_name: Annotated[str | None, Field(description=f"Its name; {_CODE}.", examples=["शांती नगर"])]
    indicator: Annotated[str, Field(description="The indicator's id.", examples=["household_toilet"])]
    indicator_name: Annotated[
        str, Field(description="What it is called.", examples=["Households with their own toilet"])
    ]
    definition_version: Annotated[int, Field(description="Which version of its definition.", examples=[1])]
    counted: Annotated[
        Counted, Field(description="Whether households or persons are counted.", examples=["households"])
    ]
    unit: Annotated[str, Field(description="The unit of the figure.", examples=["%"])]


class Withheld(Body):
    """Whether the figure may be said, and why not."""

    status: Annotated[
        Literal["published", "withheld"], Field(description="Whether the figure is said.", examples=["published"])
    ]
    reason: Annotated[str | None, Field(description="Why not, as a code.", examples=["fewer_than_10"])]
    reason_text: Annotated[
        str | None, Field(description="Why not, in words.", examples=["fewer than 10 answering households"])
    ]


class Grouped(Body):
    """Of which group a figure is, where it is asked for by group."""

    group_by: Annotated[str | None, Field(description="The field that groups; null for everybody.")]
    group: Annotated[
        str | None,
        Field(
            description="The group's code; groups too small to be told apart are named together.", examples=["female"]
        ),
    ]


RoundedTo = Annotated[
    int | None,
    Field(
        description="Counts are rounded to the nearest multiple of this, and what is not 0 never becomes 0: 5 for the "
        "public; null where they are exact or withheld.",
        examples=[5],
    ),
]


class Figure(Place, Grouped, Withheld):
    """A figure of one indicator in one place and round.

    Counts are rounded to 5, percentages of fewer than 100 households to whole ones.
    """

    survey: Annotated[str, Field(description="The round's slug.", examples=["2024"])]
    starts_on: Annotated[date, Field(description="The round's first day.", examples=["2024-01-01"])]
    ends_on: Annotated[date, Field(description="Its last day.", examples=["2024-03-31"])]
    value: Annotated[float | None, Field(description="The figure; null when withheld.", examples=[60.0])]
    low: Annotated[
        float | None, Field(description="Lower end of its 95 % interval; null where all were asked.", examples=[31.0])
    ]
    high: Annotated[float | None, Field(description="Upper end.", examples=[83.0])]
    bound_low: Annotated[float | None, Field(description="The figure if every unknown answer were no.")]
    bound_high: Annotated[float | None, Field(description="The figure if every unknown answer were yes.")]
    n: Annotated[int | None, Field(description="Households that answered.", examples=[10])]
    n_unknown: Annotated[int | None, Field(description="Households whose answer is not known.", examples=[0])]
    deff: Annotated[float | None, Field(description="What unequal weights cost (Kish).", examples=[1.19])]
    n_eff: Annotated[
        float | None, Field(description="Answers of a simple random sample worth as much.", examples=[170.0])
    ]
    response_rate: Annotated[
        float | None, Field(description="Per cent of the known households that took part.", examples=[92.0])
    ]
    population: Annotated[int | None, Field(description="Households or persons it speaks for.", examples=[10])]
    unserved: Annotated[int | None, Field(description="How many of them go without.", examples=[4])]
    unserved_low: Annotated[int | None, Field(description="Lower end of its 95 % interval.")]
    unserved_high: Annotated[int | None, Field(description="Upper end.")]
    rounded_to: RoundedTo
    method: Annotated[
        Method, Field(description="Everybody was asked, a sample was, a register says so, or it was measured.")
    ]
    flags: Annotated[list[Flag], Field(description="What else is to be said of it.", examples=[["uncertain"]])]


class Values(ListBody):
    """Figures."""

    values: list[Figure]


class Change(Place, Grouped, Withheld):
    """How a figure changed from one round to another."""

    from_survey: Annotated[str, Field(description="The earlier round's slug.", examples=["2019"])]
    from_starts_on: Annotated[date, Field(description="Its first day.", examples=["2019-01-01"])]
    from_ends_on: Annotated[date, Field(description="Its last day.", examples=["2019-03-31"])]
    to_survey: Annotated[str, Field(description="The later round's slug.", examples=["2024"])]
    to_starts_on: Annotated[date, Field(description="Its first day.", examples=["2024-01-01"])]
    to_ends_on: Annotated[date, Field(description="Its last day.", examples=["2024-03-31"])]
    from_value: Annotated[float | None, Field(description="The earlier figure.", examples=[20.0])]
    to_value: Annotated[float | None, Field(description="The later figure.", examples=[60.0])]
    change: Annotated[float | None, Field(description="Later less earlier: points, or the unit.", examples=[40.0])]
    low: Annotated[
        float | None,
        Field(description="Lower end of the change's 95 % interval; null where all were asked.", examples=[-2.0]),
    ]
    high: Annotated[float | None, Field(description="Upper end.", examples=[67.0])]
    p_value: Annotated[
        float | None,
        Field(description="How likely such a difference is by chance alone; 0.001 (in full 0.000001): that or less."),
    ]
    n_before: Annotated[int | None, Field(description="Households that answered earlier.", examples=[10])]
    n: Annotated[int | None, Field(description="Households that answered later.", examples=[10])]
    n_pairs: Annotated[int | None, Field(description="Households that answered both times, where they are compared.")]
    rounded_to: RoundedTo
    method: Annotated[
        ChangeMethod | None,
        Field(description="Everybody was asked, the same households were, or others; null when withheld."),
    ]
    flags: Annotated[list[Flag], Field(description="What else is to be said of it.", examples=[["break_allowed"]])]


class Changes(ListBody):
    """Changes."""

    changes: list[Change]


_DIRECTION = "Whether more is better (up) or worse (down)."


class Gap(Place, Withheld):
    """A figure of a settlement or ward with what it says of priorities, all of it withheld with the figure."""

    level: Annotated[RankedLevel, Field(description="What is ranked.", examples=["settlement"])]
    survey: Annotated[str, Field(description="The round's slug.", examples=["2024"])]
    starts_on: Annotated[date, Field(description="The round's first day.", examples=["2024-01-01"])]
    ends_on: Annotated[date, Field(description="Its last day.", examples=["2024-03-31"])]
    direction: Annotated[Direction, Field(description=_DIRECTION, examples=["up"])]
    value: Annotated[float | None, Field(description="The figure; null when withheld.", examples=[60.0])]
    low: Annotated[
        float | None, Field(description="Lower end of its 95 % interval; null where all were asked.", examples=[31.0])
    ]
    high: Annotated[float | None, Field(description="Upper end.", examples=[83.0])]
    n: Annotated[int | None, Field(description="Households that answered.", examples=[25])]
    population: Annotated[int | None, Field(description="Households or persons it speaks for.", examples=[25])]
    unserved: Annotated[int | None, Field(description="How many of them go without.", examples=[10])]
    unserved_low: Annotated[int | None, Field(description="Lower end of its 95 % interval.")]
    unserved_high: Annotated[int | None, Field(description="Upper end.")]
    rounded_to: RoundedTo
    rank_unserved: Annotated[
        int | None, Field(description="1: most unserved; equals share a rank; null where that is not known.")
    ]
    rank_coverage: Annotated[int | None, Field(description="1: least covered, or by a bad thing most affected.")]
    target: Annotated[float | None, Field(description="The target asked for, per cent.", examples=[80.0])]
    to_target: Annotated[
        int | None, Field(description="How many are still to be served to reach the target.", examples=[5])
    ]
    gi_z: Annotated[
        float | None, Field(description="Getis-Ord Gi* of need, as a z score: above 0, need clusters.", examples=[3.2])
    ]
    gi_p: Annotated[
        float | None,
        Field(description="Its two-sided p value; 0.001 (in full 0.000001): that or less.", examples=[0.002]),
    ]
    hot_spot: Annotated[
        HotSpot | None, Field(description="Need clusters here (hot), or coverage (cold), beyond chance.")
    ]
    hot_spot_reason: Annotated[
        str | None, Field(description="Why there is no gi_z, as a code.", examples=["fewer_than_30_settlements"])
    ]
    method: Annotated[
        Method, Field(description="Everybody was asked, a sample was, a register says so, or it was measured.")
    ]
    flags: Annotated[list[Flag], Field(description="What else is to be said of it.", examples=[["uncertain"]])]


class HotSpotTest(Body):
    """How hot spots were looked for."""

    settlements: Annotated[int, Field(description="How many were held against each other.", examples=[36])]
    band_m: Annotated[
        int | None, Field(description="Up to which distance settlements are neighbours, metres.", examples=[1056])
    ]
    p_cutoff: Annotated[float | None, Field(description="Below which p one is called hot or cold.", examples=[0.0056])]
    reason: Annotated[
        str | None,
        Field(description="Why nothing is said of any, as a code.", examples=["fewer_than_30_settlements"]),
    ]
    reason_text: Annotated[str | None, Field(description="Why, in words.")]


class Gaps(ListBody):
    """The settlements or wards of a city in one round, those with most unserved first."""

    gaps: list[Gap]
    hot_spots: HotSpotTest


class TrendRound(Body):
    """A round a trend rests on."""

    survey: Annotated[str, Field(description="The round's slug.", examples=["2024"])]
    on: Annotated[date, Field(description="The middle of its days.", examples=["2024-02-15"])]
    starts_on: Annotated[date, Field(description="Its first day.", examples=["2024-01-01"])]
    ends_on: Annotated[date, Field(description="Its last day.", examples=["2024-03-31"])]
    value: Annotated[float, Field(description="The figure.", examples=[60.0])]


class Trend(Place, Withheld):
    """The straight line through a place's figures of three rounds or more."""

    direction: Annotated[Direction, Field(description="Whether more is better, worse, or neither.", examples=["up"])]
    slope_per_year: Annotated[float | None, Field(description="Points a year; null when withheld.", examples=[9.4])]
    fitted: Annotated[
        float | None, Field(description="The line at the last round, held within 0 and 100.", examples=[66.8])
    ]
    last_survey: Annotated[str | None, Field(description="The last round's slug.", examples=["2024"])]
    starts_on: Annotated[date | None, Field(description="The first day of the rounds used.", examples=["2019-01-01"])]
    ends_on: Annotated[date | None, Field(description="Their last day.", examples=["2024-03-31"])]
    rounds: Annotated[list[TrendRound], Field(description="The rounds used, in order; none when withheld.")]
    flags: Annotated[list[Flag], Field(description="What else is to be said of it.", examples=[["break_allowed"]])]


class Trends(ListBody):
    """Trends."""

    trends: list[Trend]


class Feature(Body):
    """A GeoJSON feature: what a row of the JSON form holds, with its boundary."""

    type: Literal["Feature"]
    id: Annotated[str, Field(description="Names the feature within the answer's list.", examples=["khandesh/S01"])]
    geometry: Annotated[dict[str, Any] | None, Field(description="MultiPolygon in WGS 84, or null.")]
    properties: Annotated[dict[str, Any], Field(description="The row as the JSON form holds it.")]


class FeatureCollection(Body):
    """GeoJSON (RFC 7946)."""

    type: Literal["FeatureCollection"]
    features: list[Feature]
    numberMatched: Annotated[int, Field(description="How many there are in all.", examples=[6])]  # noqa: N815
    numberReturned: Annotated[int, Field(description="How many are in this answer.", examples=[6])]  # noqa: N815
    data_version: Annotated[int, Field(description="Which state of what is published this is.", examples=[12])]
    links: list[Link]


class Refused(Body):
    """A parameter that was refused."""

    name: Annotated[str, Field(description="Its name.", examples=["indicator"])]
    code: Annotated[str, Field(description="What is wrong with it, for programs.", examples=["parameter_required"])]
    params: Annotated[dict[str, Any], Field(description="What the reason is about, by name.", examples=[{}])]
    reason: Annotated[str, Field(description="What is wrong with it.", examples=["is required"])]


class Problem(Body):
    """What is wrong (RFC 9457)."""

    type: Annotated[str, Field(description="A kind of problem.", examples=["about:blank"])]
    title: Annotated[str, Field(description="The kind in words.", examples=["Bad Request"])]
    status: Annotated[int, Field(description="The status.", examples=[400])]
    detail: Annotated[str, Field(description="What is wrong this time.", examples=["indicator: is required."])]
    code: Annotated[
        str,
        Field(description="What is wrong, for programs: it stays the same.", examples=["parameters_invalid"]),
    ]
    params: Annotated[
        dict[str, Any],
        Field(
            description="What the detail is about, by name: texts, numbers, lists of texts, or another code with its "
            "params.",
            examples=[{"names": ["indicator"]}],
        ),
    ]
    instance: Annotated[str, Field(description="Where it went wrong.", examples=["/maps/coverage"])]
    invalid_params: list[Refused] | None = None


class Health(Body):
    """How the service is."""

    status: Annotated[Literal["ok"], Field(description="It is well.", examples=["ok"])]
