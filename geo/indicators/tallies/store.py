"""Tallies kept in the database: written with the households they are of, and never out of step with them.

Those of all households, and of a sample's clusters, are written in the transaction that changes the households. Those
of groups, and of households that are in two rounds, cost a scan each and are asked for by fewer: that transaction drops
them, and they are made anew by the worker, or by the first request that may wait.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

import pandas as pd
from psycopg import sql
from sqlalchemy import Connection, and_, delete, func, insert, not_, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert as upsert

from geo.database import copy_frame, part_name
from geo.database.schema.households import household
from geo.database.schema.surveys import survey
from geo.database.schema.tallies import pair_tally, paired, tallied, tally
from geo.fields import Unit, standard_fields
from geo.indicators.definitions import Definition, read_catalogue
from geo.indicators.tallies.from_sql import tally_survey
from geo.indicators.tallies.pairs import tally_pairs
from geo.indicators.tallies.tally import ALL, CLUSTERS

Made = tuple[str, str, int]
"""What a survey has tallies of: a group field, an indicator, a version."""


def group_fields() -> list[str]:
    """The standard fields by whose groups figures can be asked for."""
    return [name for name, field in standard_fields().items() if field.groups]


def write_tallies(
    connection: Connection,
    survey_id: int,
    definitions: Iterable[Definition],
    tallies: pd.DataFrame,
    settlement_ids: Sequence[int] | None = None,
    *,
    by: str = ALL,
) -> None:
    """Replaces the tallies of these definitions in a survey, or in some of its settlements."""
    versions = [(definition.id, definition.version) for definition in definitions if definition.is_tallied]
    if not versions:
        return
    key = tuple_(tally.c.indicator_id, tally.c.definition_version)
    old = delete(tally).where(tally.c.survey_id == survey_id, tally.c.group_field == by, key.in_(versions))
    if settlement_ids is not None:
        old = old.where(tally.c.settlement_id == func.any(list(settlement_ids)))
    connection.execute(old)
    connection.execute(
        upsert(tallied).on_conflict_do_nothing(),
        [
            {"survey_id": survey_id, "group_field": by, "indicator_id": i, "definition_version": version}
            for i, version in versions
        ],
    )
    # A survey that has no households yet has no part either.
    if len(tallies):
        part = sql.Identifier(part_name(tally, survey_id))
        copy_frame(connection, tally, tallies.assign(survey_id=survey_id), into=part)


def refresh_tallies(
    connection: Connection, survey_id: int, settlement_ids: Sequence[int] | None = None, *, on_trial: bool = False
) -> None:
    """Recomputes the tallies of all households from the survey's live ones, in every version of every indicator."""
    definitions = read_catalogue(connection).versions
    if settlement_ids is not None:
        # Some settlements of a definition new to the survey would pass for all of them.
        made = _made(connection, survey_id)
        definitions = [d for d in definitions if (ALL, d.id, d.version) in made]
    tallies = tally_survey(connection, definitions, survey_id, settlement_ids)
    write_tallies(connection, survey_id, definitions, tallies, settlement_ids)
    follow_households(connection, survey_id, definitions, on_trial=on_trial)


def follow_households(
    connection: Connection,
    survey_id: int,
    definitions: Sequence[Definition],
    *,
    may_have_clusters: bool = True,
    on_trial: bool = False,
) -> None:
    """After a survey's households changed and its tallies with them: makes those of clusters, drops all others.

    On trial the others stay: those of pairs are other rounds' too, whose loads would wait. Who knows that no household
    names a cluster or a stratum says so with `may_have_clusters`: to look for one is a scan.
    """
    if not on_trial:
        derived = and_(tallied.c.survey_id == survey_id, tallied.c.group_field != ALL)
        connection.execute(delete(tallied).where(derived))
        connection.execute(
            delete(paired).where(or_(paired.c.from_survey_id == survey_id, paired.c.to_survey_id == survey_id))
        )
    if may_have_clusters and _has_clusters(connection, survey_id):
        tallies = tally_survey(connection, definitions, survey_id, by=CLUSTERS)
        write_tallies(connection, survey_id, definitions, tallies, by=CLUSTERS)


def _has_clusters(connection: Connection, survey_id: int) -> bool:
    named = or_(household.c.psu.is_not(None), household.c.stratum.is_not(None))
    found = select(household.c.survey_id).where(household.c.survey_id == survey_id, household.c.is_live, named)
    of_households = select(survey.c.id).where(survey.c.id == survey_id, survey.c.unit == "household")
    return bool(connection.execute(select(found.exists(), of_households.exists())).one() == (True, True))


def _unit(connection: Connection, survey_id: int) -> Unit:
    unit: Unit = connection.execute(select(survey.c.unit).where(survey.c.id == survey_id)).scalar_one()
    return unit


def _wanted(unit: Unit, *, derived: bool) -> tuple[str, ...]:
    """By what a survey's tallies are made. A register's rows stand for households of every group."""
    return (ALL, *group_fields()) if derived and unit == "household" else (ALL,)


def _made(connection: Connection, survey_id: int) -> set[Made]:
    rows = connection.execute(
        select(tallied.c.group_field, tallied.c.indicator_id, tallied.c.definition_version).where(
            tallied.c.survey_id == survey_id
        )
    )
    return {(row[0], row[1], row[2]) for row in rows}


def _missing(made: set[Made], definitions: Iterable[Definition], by: str) -> list[Definition]:
    return [d for d in definitions if d.is_tallied and (by, d.id, d.version) not in made]


def make_missing(
    connection: Connection, survey_id: int, *, derived: bool = True, gives_way: Callable[[], bool] = lambda: False
) -> bool:
    """Makes the tallies a survey lacks, of new definitions, groups and pairs of rounds; tells whether it lacked any.

    Without `derived`, only those of all households and of clusters, which every figure needs. Between two groups or
    pairs it may give way, and leaves the others for later.
    """
    definitions = read_catalogue(connection).versions
    made = _made(connection, survey_id)
    known = {(d.id, d.version) for d in definitions}
    lacked = any(made_of[1:] not in known for made_of in made)
    clusters = [CLUSTERS] if _has_clusters(connection, survey_id) else []
    new = _missing(made, definitions, ALL)
    for earlier, later in _pairs_of(connection, survey_id) if new else []:
        if derived:
            _write_pairs(connection, new, earlier, later)
        else:
            _forget_pair(connection, earlier, later)
    # What every figure needs comes first.
    for by in sorted(
        (*_wanted(_unit(connection, survey_id), derived=derived), *clusters), key=lambda by: by in group_fields()
    ):
        missing = _missing(made, definitions, by)
        if missing:
            if lacked and by in group_fields() and gives_way():
                break
            write_tallies(connection, survey_id, missing, tally_survey(connection, missing, survey_id, by=by), by=by)
            lacked = True
    for earlier, later in _unpaired(connection, survey_id) if derived else []:
        if lacked and gives_way():
            break
        connection.execute(insert(paired).values(from_survey_id=earlier, to_survey_id=later))
        _write_pairs(connection, definitions, earlier, later)
        lacked = True
    if lacked:
        _drop_unknown(connection, survey_id, definitions)
    return lacked


def _pairs_of(connection: Connection, survey_id: int) -> list[tuple[int, int]]:
    """The pairs of rounds, this one among them, that have been held against each other."""
    of_survey = or_(paired.c.from_survey_id == survey_id, paired.c.to_survey_id == survey_id)
    rows = connection.execute(select(paired.c.from_survey_id, paired.c.to_survey_id).where(of_survey))
    return sorted((row[0], row[1]) for row in rows)


def _write_pairs(connection: Connection, definitions: Sequence[Definition], earlier: int, later: int) -> None:
    """Replaces the pair tallies of these definitions."""
    versions = [(definition.id, definition.version) for definition in definitions]
    key = tuple_(pair_tally.c.indicator_id, pair_tally.c.definition_version)
    of_pair = (pair_tally.c.from_survey_id == earlier, pair_tally.c.to_survey_id == later)
    connection.execute(delete(pair_tally).where(*of_pair, key.in_(versions)))
    copy_frame(connection, pair_tally, tally_pairs(connection, definitions, earlier, later))


def _forget_pair(connection: Connection, earlier: int, later: int) -> None:
    """Leaves a pair to be held against each other anew, by all definitions."""
    connection.execute(delete(paired).where(paired.c.from_survey_id == earlier, paired.c.to_survey_id == later))


def _drop_unknown(connection: Connection, survey_id: int, definitions: Sequence[Definition]) -> None:
    """Drops tallies of definitions the catalogue has no more, such as a shipped one's earlier version."""
    key = tuple_(tallied.c.indicator_id, tallied.c.definition_version)
    known = [(d.id, d.version) for d in definitions]
    connection.execute(delete(tallied).where(tallied.c.survey_id == survey_id, key.not_in(known)))


def _unpaired(connection: Connection, survey_id: int) -> list[tuple[int, int]]:
    """The rounds of households in the same city that have not been held against this one, the earlier first."""
    own = survey.alias("own")
    rows = connection.execute(
        select(survey.c.id, survey.c.starts_on, own.c.starts_on.label("own_starts_on"))
        .join(own, own.c.city_id == survey.c.city_id)
        .where(own.c.id == survey_id, survey.c.id != survey_id)
        .where(survey.c.unit == "household", own.c.unit == "household")
    )
    pairs = [
        (row.id, survey_id) if (row.starts_on, row.id) < (row.own_starts_on, survey_id) else (survey_id, row.id)
        for row in rows
    ]
    there = _pairs_of(connection, survey_id)
    return [pair for pair in sorted(pairs) if pair not in there]


def surveys_lacking_tallies(connection: Connection, *, derived: bool = True) -> list[int]:
    """The ids of surveys that lack a tally, or have one the catalogue knows no more; `derived` as in make_missing."""
    definitions = read_catalogue(connection).versions
    n_tallied = sum(definition.is_tallied for definition in definitions)
    known = tuple_(tallied.c.indicator_id, tallied.c.definition_version).in_([(d.id, d.version) for d in definitions])
    counts = select(
        tallied.c.survey_id,
        tallied.c.group_field,
        func.count().filter(known).label("known"),
        func.count().filter(not_(known)).label("outdated"),
    ).group_by(tallied.c.survey_id, tallied.c.group_field)
    lacking: set[int] = set()
    made: dict[int, dict[str, int]] = {}
    for survey_id, by, n_known, n_outdated in connection.execute(counts):
        made.setdefault(survey_id, {})[by] = n_known
        if n_outdated:
            lacking.add(survey_id)
    for survey_id, unit in connection.execute(select(survey.c.id, survey.c.unit)):
        have = made.get(survey_id, {})
        if any(have.get(by, 0) < n_tallied for by in _wanted(unit, derived=derived)):
            lacking.add(survey_id)
    if derived:
        lacking.update(_all_unpaired(connection))
    return sorted(lacking)


def _all_unpaired(connection: Connection) -> Iterator[int]:
    """The rounds of households for which one in the same city has not been held against them."""
    one, other = survey.alias("one"), survey.alias("other")
    is_paired = select(paired.c.from_survey_id).where(
        or_(
            and_(paired.c.from_survey_id == one.c.id, paired.c.to_survey_id == other.c.id),
            and_(paired.c.from_survey_id == other.c.id, paired.c.to_survey_id == one.c.id),
        )
    )
    rows = connection.execute(
        select(one.c.id, other.c.id.label("other_id"))
        .join(other, and_(other.c.city_id == one.c.city_id, other.c.id > one.c.id))
        .where(one.c.unit == "household", other.c.unit == "household", not_(is_paired.exists()))
    )
    for row in rows:
        yield row.id
        yield row.other_id


def mark_surveys(connection: Connection) -> tuple[int, int]:
    """Changes when a survey is opened, which changes nothing that readers see."""
    n, last = connection.execute(
        select(func.count(), func.coalesce(func.max(survey.c.id), 0)).select_from(survey)
    ).one()
    return n, last
