"""Which rounds, indicators and versions a query asks for: the blocks it is answered from."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, literal, select

from geo.base import PageRequest, refuse_unknown
from geo.database.schema.places import city, settlement
from geo.database.schema.surveys import survey
from geo.database.schema.tallies import tallied, tally
from geo.errors import InvalidParameter, InvalidParameters
from geo.indicators.definitions import Catalogue, Counted
from geo.indicators.figures.blocks import Block, Round, headline
from geo.indicators.figures.disclosure.rules import Access
from geo.indicators.figures.rollup import Level
from geo.indicators.tallies import ALL
from geo.indicators.tallies.store import group_fields
from geo.messages import Message
from geo.surveys import Seen, is_seen

_MEMBERS = "density_persons"
"""The indicator whose unknown answers are the households of unknown size."""


@dataclass(frozen=True)
class ValuesQuery:
    """Which figures are asked for, and by whom. An empty filter lets everything through."""

    cities: Sequence[str] = ()
    surveys: Sequence[str] = ()
    indicators: Sequence[str] = ()
    settlements: Sequence[str] = ()
    level: Level = "settlement"
    counted: Counted | None = None
    """None: each indicator's headline level, or households where a round's household sizes are not known."""
    by: str | None = None
    """The field by whose groups figures are wanted."""
    version: int | None = None
    """A version of the definitions; None: of each the newest its round has been counted by."""
    access: Access = "public"
    seen: Seen = "published"
    geometry: bool = False
    page: PageRequest = field(default_factory=PageRequest)
    publication: int | None = None
    """Of one published round, the number of a publication; None: of each round the current one."""


def check_filters(connection: Connection, query: ValuesQuery, catalogue: Catalogue) -> None:
    """Refuses what a query asks for and is not there, or may not be asked for.

    Raises:
        InvalidParameters: with every parameter that is wrong, and what is allowed.
    """
    catalogue.find(query.indicators)
    problems = []
    if query.settlements and query.level != "settlement":
        # A sum over chosen settlements would pass for the whole place, and two of them, one less the other, would
        # give away a settlement whose own figure is withheld.
        problems.append(InvalidParameter("settlement", "settlements_at_other_level", level=query.level))
    if query.by is not None:
        if query.by not in group_fields():
            allowed = list(group_fields())
            problems.append(InvalidParameter("by", "group_field_unknown", field=query.by, known=allowed))
        for name, asked in (("indicator", query.indicators), ("survey", query.surveys)):
            if not asked:
                problems.append(InvalidParameter(name, "required_with_groups"))
    if query.publication is not None and (len(query.cities) != 1 or len(query.surveys) != 1):
        problems.append(InvalidParameter("publication", "publication_of_one_round"))
    if problems:
        raise InvalidParameters(problems)
    of_cities = city.c.slug.in_(query.cities) if query.cities else literal(True)
    refuse_unknown(
        connection,
        {
            "city": (query.cities, select(city.c.slug)),
            "survey": (query.surveys, select(survey.c.slug).join(city).where(of_cities, is_seen(query.seen))),
            "settlement": (query.settlements, select(settlement.c.code).join(city).where(of_cities)),
        },
    )


def find_rounds(connection: Connection, query: ValuesQuery) -> list[Round]:
    """The rounds a query asks for, in the order of city and first day."""
    rows = (
        select(
            city.c.slug.label("city"),
            survey.c.slug.label("survey"),
            survey.c.unit,
            survey.c.mode,
            survey.c.id.label("survey_id"),
            city.c.id.label("city_id"),
            survey.c.starts_on,
            survey.c.ends_on,
        )
        .join(city, city.c.id == survey.c.city_id)
        .where(is_seen(query.seen))
    )
    if query.cities:
        rows = rows.where(city.c.slug.in_(query.cities))
    if query.surveys:
        rows = rows.where(survey.c.slug.in_(query.surveys))
    there = connection.execute(rows).all()
    shares = _unknown_sizes(connection, [row.survey_id for row in there])
    found = [
        Round(
            city=row.city,
            survey=row.survey,
            unit=row.unit,
            mode=row.mode,
            starts_on=row.starts_on,
            ends_on=row.ends_on,
            survey_id=row.survey_id,
            city_id=row.city_id,
            members_unknown=shares.get(row.survey_id, 0.0),
        )
        for row in there
    ]
    return sorted(found, key=lambda r: (r.city, r.starts_on, r.survey))


def _unknown_sizes(connection: Connection, survey_ids: Sequence[int]) -> dict[int, float]:
    """Of each round, the share of its households whose size is not known."""
    unknown = func.sum(tally.c.n_unknown) / func.nullif(func.sum(tally.c.n + tally.c.n_unknown), 0)
    rows = (
        select(tally.c.survey_id, func.coalesce(unknown, 0))
        .where(
            tally.c.survey_id == func.any(list(survey_ids)),
            tally.c.group_field == ALL,
            tally.c.indicator_id == _MEMBERS,
            tally.c.counted == "persons",
        )
        .group_by(tally.c.survey_id)
    )
    return {survey_id: float(share) for survey_id, share in connection.execute(rows)}


def rounds_there_are(connection: Connection, query: ValuesQuery) -> list[Round]:
    """The rounds a query of one city asks for, in the order of their first day: one at least.

    Raises:
        InvalidParameters: the city has none yet that the reader may see.
    """
    rounds = find_rounds(connection, query)
    if not rounds:
        (slug,) = query.cities
        code = "city_without_published_round" if query.seen == "published" else "city_without_round"
        raise InvalidParameters([InvalidParameter("city", Message(code, city=slug))])
    return rounds


def find_blocks(
    connection: Connection, query: ValuesQuery, catalogue: Catalogue, compared: Sequence[Round] = ()
) -> list[Block]:
    """The blocks a query is answered from, in the order of round and indicator.

    `compared` are the rounds whose figures are held against each other: they count the same.
    """
    rounds = find_rounds(connection, query)
    survey_ids = [r.survey_id for r in rounds]
    counted = _counted_versions(connection, survey_ids, query.by or ALL)
    whole = _counted_versions(connection, survey_ids, ALL) if query.by else counted
    definitions = sorted(catalogue.find(query.indicators), key=lambda d: d.id)
    blocks = []
    for of_round in rounds:
        together = [of_round, *(other for other in compared if other.city_id == of_round.city_id)]
        of_survey, of_whole = (found.get(of_round.survey_id, {}) for found in (counted, whole))
        beside = tuple(catalogue.version(i, v) for i in sorted(of_whole) for v in sorted(of_whole[i]))
        for newest in definitions:
            level = query.counted or headline(newest, together)
            if level not in newest.counted_levels():
                continue
            versions = [v for v in of_survey.get(newest.id, ()) if query.version in (None, v)]
            version = max(versions, default=query.version or newest.version)
            definition = catalogue.version(newest.id, version)
            is_counted = bool(versions) or not definition.is_tallied
            blocks.append(Block(of_round, definition, level, is_counted, beside))
    return blocks


def _counted_versions(
    connection: Connection, survey_ids: Sequence[int], group_field: str
) -> dict[int, dict[str, list[int]]]:
    """The indicators each round has been counted by, with their versions."""
    rows = select(tallied.c.survey_id, tallied.c.indicator_id, tallied.c.definition_version).where(
        tallied.c.group_field == group_field, tallied.c.survey_id == func.any(list(survey_ids))
    )
    found: dict[int, dict[str, list[int]]] = {}
    for survey_id, indicator_id, version in connection.execute(rows):
        found.setdefault(survey_id, {}).setdefault(indicator_id, []).append(version)
    return found


def block_key(block: Block) -> tuple[str, str, str, str]:
    """What names a block among those of a query, and orders them."""
    return (block.round.city, block.round.starts_on.isoformat(), block.round.survey, block.definition.id)
