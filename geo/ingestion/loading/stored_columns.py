"""Columns that no field uses and that are kept with a round's rows: which there are, and taking one away for good."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Text, cast, func, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB

from geo.database import lock_survey
from geo.database.schema.households import household
from geo.database.schema.uploads import upload
from geo.errors import Conflict, NotFound
from geo.indicators.definitions import read_catalogue
from geo.ingestion.mapping import vocabulary


@dataclass(frozen=True)
class StoredColumn:
    """A column, in how many rows something stands in it, and what it holds of persons, as far as its name says so."""

    name: str
    rows: int
    holds: str


@dataclass(frozen=True)
class Removed:
    """What came of taking a column away."""

    rows: int
    files: Sequence[tuple[int, str]]
    """The uploads whose kept files may still hold it: number and file name."""


def stored_columns(connection: Connection, survey_id: int) -> list[StoredColumn]:
    """The columns kept with a round's rows, of whatever upload, by name."""
    every = select(func.jsonb_object_keys(household.c.extra).label("name")).where(household.c.survey_id == survey_id)
    names = every.subquery()
    rows = connection.execute(
        select(names.c.name, func.count().label("n")).group_by(names.c.name).order_by(names.c.name)
    )
    words = vocabulary()
    return [
        StoredColumn(row.name, row.n, words.personal_titles.get(words.personal_kind(row.name) or "", ""))
        for row in rows
    ]


def remove_column(connection: Connection, survey_id: int, column: str) -> Removed:
    """Takes a column away from every row of a round, also of those that count no longer.

    Raises:
        NotFound: no row has it; the message names those there are.
        Conflict: figures of an indicator rest on it.
    """
    lock_survey(connection, survey_id)
    there = [each.name for each in stored_columns(connection, survey_id)]
    if column not in there:
        code = "column_not_stored" if there else "column_not_stored_none"
        raise NotFound(code, column=column, **({"known": there} if there else {}))
    resting = sorted({each.id for each in read_catalogue(connection).versions if column in each.columns})
    if resting:
        raise Conflict("column_rested_on", indicators=resting, column=column)
    left = cast(household.c.extra.op("-")(cast(literal(column), Text)), JSONB)
    changed = connection.execute(
        update(household)
        .where(household.c.survey_id == survey_id, household.c.extra.has_key(column))
        .values(extra=func.nullif(left, cast(literal({}, JSONB), JSONB)))
        .returning(household.c.upload_id)
    )
    uploads = list(changed.scalars())
    files = connection.execute(
        select(upload.c.id, upload.c.file_name).where(upload.c.id.in_(set(uploads))).order_by(upload.c.id)
    )
    return Removed(len(uploads), [(row.id, row.file_name) for row in files])
