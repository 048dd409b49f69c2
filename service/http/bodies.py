"""The bodies of answers as OpenAPI describes them. Answers are not built from these: a test holds the two equal."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from geo.fields import Unit
from geo.indicators.definitions import Definition
from geo.surveys import Mode
from service.body_fields import Body


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


class SourceUpload(Body):
    """A file the round's figures rest on."""

    id: Annotated[int, Field(description="Its number.", examples=[3])]
    uploaded_at: Annotated[datetime, Field(description="When it was loaded.")]


RowsLoaded = Annotated[
    int,
    Field(description="How many rows its uploads brought together; rounded to 5 for the public.", examples=[95]),
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
    uploads: list[SourceUpload]
    rows_loaded: RowsLoaded


class Publication(Body):
    """What was published of a round at one moment, whole and never changed."""

    city: Annotated[str, Field(description="The city's slug.", examples=["khandesh"])]
    survey: Annotated[str, Field(description="The round's slug.", examples=["2024"])]
    number: Annotated[int, Field(description="Counts up within the round: `publication=` asks for it.", examples=[2])]
    state: Annotated[
        Literal["current", "superseded"], Field(description="Whether it is what is answered where none is named.")
    ]
    made_at: Annotated[datetime, Field(description="When it was made.")]
    settlements: Annotated[int, Field(description="How many settlements its figures are of.", examples=[60])]
    indicators: Annotated[int, Field(description="How many indicators it has.", examples=[35])]
    note: Annotated[str | None, Field(description="Why it was made, where somebody said.")]
    sha256: Annotated[
        str | None,
        Field(
            description="Of the file `figures.csv` in its download: who cites it can tell that the figures are these. "
            "null: it is being worked out."
        ),
    ]
    download_bytes: Annotated[
        int | None, Field(description="How large its download is; null: it is still to be made.", examples=[240_000])
    ]
    links: Annotated[list[Link], Field(description="`download`, once it is there.")]


class Publications(ListBody):
    """Publications."""

    publications: list[Publication]


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
    uploads: Annotated[list[SourceUpload], Field(description="The files whose rows they are made of.")]
    rows_loaded: RowsLoaded
    data_version: Annotated[int, Field(description="Which state of what is published this is.", examples=[12])]
    links: list[Link]


class Indicator(Definition):
    """The newest version of an indicator's definition."""

    needed: Annotated[list[str], Field(alias="fields", description="The fields of a survey that it needs.")]


class Indicators(ListBody):
    """The catalogue of indicators."""

    indicators: list[Indicator]


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
