"""Making a publication: the only place where tallies become what the public reads."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sqlalchemy import Connection, func, insert, select, update

from geo.database import lock_city, lock_survey, raise_data_version
from geo.database.schema.places import city
from geo.database.schema.publications import publication, publication_counts, published_block
from geo.database.schema.surveys import survey
from geo.errors import Conflict
from geo.indicators.figures import Block, Level, Told, tell_round
from geo.indicators.figures.compute import NUMBERS
from geo.publications.basis import basis_of
from geo.publications.behind import note_problem
from geo.publications.canonical import digest_of
from geo.publications.former import (
    KEYS,
    Former,
    KeptFigures,
    Name,
    Numbering,
    Stored,
    as_kept,
    find_kept_figures,
    names_of,
    put_former,
    read_former,
)
from geo.publications.open_views import write_wide_view
from geo.publications.pairs import write_pairs
from geo.publications.parts import add_part
from geo.publications.places import FIRST, number_places, write_places


class Made(NamedTuple):
    """The publication a round has, and whether it was made now; of which round of whose."""

    number: int
    is_new: bool
    city: str
    survey: str
    organisation_id: int
    publication_id: int
    kept: int = 0
    """In how many settlements some figure stays as it was, because few households have changed."""


def make_publication(
    connection: Connection,
    survey_id: int,
    *,
    account_id: int | None = None,
    note: str | None = None,
    is_correction: bool = False,
) -> Made:
    """Makes the round's next publication and puts it in the place of the current one.

    Where nothing that the current one rests on has changed, it stays. Of groups it says what has been counted. A figure
    that few households have changed stays as a former publication has it (former.py), unless `is_correction`.

    Raises:
        Conflict: the round is not published, or there is nothing to publish; the current one stays.
    """
    row = _round(connection, survey_id)
    # What it rests on stays as it is until it is made.
    lock_survey(connection, survey_id)
    lock_city(connection, row.city_id)
    if _round(connection, survey_id).state != "published":
        raise Conflict("publication_of_draft", survey=row.slug)
    basis, current = basis_of(connection, survey_id), _current(connection, survey_id)
    if current is not None and current.basis == basis and (current.is_correction or not is_correction):
        return Made(current.number, False, row.city, row.slug, row.organisation_id, current.id)
    if not basis["uploads"]:
        raise Conflict("publication_without_rows", survey=row.slug)
    earlier = select(func.max(publication.c.number)).where(publication.c.survey_id == survey_id)
    number = int(connection.execute(earlier).scalar() or 0) + 1
    made = {"survey_id": survey_id, "number": number, "basis": basis, "note": note, "account_id": account_id}
    made |= {"state": "superseded", "is_correction": is_correction}
    publication_id = connection.execute(insert(publication).values(**made).returning(publication.c.id)).scalar_one()
    former = [] if is_correction else read_former(connection, survey_id)
    names = _write(connection, publication_id, row.city, row.slug, former)
    sha256 = digest_of(connection, publication_id)
    # Who takes the round back does not wait for all this, and is not overtaken by it.
    _hold_published(connection, survey_id)
    if current is not None:
        _change(connection, current.id, state="superseded")
    _change(connection, publication_id, state="current", sha256=sha256)
    write_pairs(connection, row.city, row.slug, names, None if current is None else current.id)
    write_wide_view(connection, _indicators(connection))
    note_problem(connection, survey_id, None)
    raise_data_version(connection, row.city_id)
    kept = {code for *_, level, code in names if level == "settlement"}
    return Made(number, True, row.city, row.slug, row.organisation_id, publication_id, len(kept))


def _indicators(connection: Connection) -> list[str]:
    """Every indicator that is published of any round now."""
    current = published_block.c.publication_id == publication.c.id
    found = select(published_block.c.indicator_id).distinct().join(publication, current)
    return list(connection.execute(found.where(publication.c.state == "current")).scalars())


def _round(connection: Connection, survey_id: int) -> Any:
    columns = (*(survey.c[name] for name in ("slug", "state", "city_id", "organisation_id")), city.c.slug.label("city"))
    found = select(*columns).join(city, city.c.id == survey.c.city_id).where(survey.c.id == survey_id)
    return connection.execute(found).one()


def _hold_published(connection: Connection, survey_id: int) -> None:
    """Holds that the round is published, and stays so until the transaction ends.

    Raises:
        Conflict: it is a draft.
    """
    found = select(survey.c.slug, survey.c.state).where(survey.c.id == survey_id).with_for_update(read=True)
    row = connection.execute(found).one()
    if row.state != "published":
        raise Conflict("publication_of_draft", survey=row.slug)


def _current(connection: Connection, survey_id: int) -> Any:
    of_round = (publication.c.survey_id == survey_id, publication.c.state == "current")
    return connection.execute(select(publication).where(*of_round)).one_or_none()


def _change(connection: Connection, publication_id: int, **values: str) -> None:
    connection.execute(update(publication).where(publication.c.id == publication_id).values(**values))


def _write(
    connection: Connection, publication_id: int, city_slug: str, survey_slug: str, former: Sequence[Former]
) -> set[Name]:
    """Writes everything the round may tell; which figures stay as they were: see pairs.write_pairs."""
    figures, counts, first_block = [], [], 0
    first: dict[Level, int] = {}
    whole: tuple[Told, KeptFigures] | None = None
    for told in tell_round(connection, city_slug, survey_slug):
        if not first:
            first = number_places(told.figures)
            write_places(connection, publication_id, told.figures, first)
        numbering = Numbering(first_block, first)
        made = Stored(_figures(told, numbering), _counts(told, numbering))
        if former:
            kept = find_kept_figures(told, former, whole)
            whole = whole or (told, kept)
            made = put_former(connection, made, kept, told, numbering, former)
        _write_blocks(connection, publication_id, told, made.figures, first_block)
        first_block += len(told.blocks)
        counts.append(made.counts)
        figures.append(made.figures)
    rows = pd.concat(figures, ignore_index=True)
    add_part(connection, publication_id, rows)
    made_from = insert(publication_counts).values(publication_id=publication_id, counts=as_kept(pd.concat(counts)))
    connection.execute(made_from)
    return set() if whole is None else names_of(*whole)


def _figures(told: Told, numbering: Numbering) -> pd.DataFrame:
    """The figures of all levels as they are stored, but for the publication."""
    levels = [
        told.figures[level].assign(
            block=told.figures[level]["block"] + numbering.first_block,
            place=told.figures[level]["place"] + numbering.first_place[level],
        )
        for level in FIRST
    ]
    figures = pd.concat(levels, ignore_index=True).rename(columns={"_group": "group_name"})
    flags = [",".join(flags) or None for flags in figures["flags"]]
    stored = figures[[*KEYS, *NUMBERS, "method", "reason", "kept_from"]]
    return stored.assign(flags=pd.Series(flags, figures.index, dtype=object))


def _counts(told: Told, numbering: Numbering) -> pd.DataFrame:
    """What the figures of settlements are made from."""
    return told.counts.assign(
        block=told.counts["block"] + numbering.first_block,
        place=told.counts["place"] + numbering.first_place["settlement"],
    ).rename(columns={"group": "group_name"})


def _write_blocks(
    connection: Connection, publication_id: int, told: Told, figures: pd.DataFrame, first_block: int
) -> None:
    methods = figures.groupby("block")["method"].agg(_commonest).to_dict()
    rows = [
        {
            "publication_id": publication_id,
            "block": number,
            "group_field": told.group_field,
            "indicator_id": block.definition.id,
            "definition_version": block.definition.version,
            "counted": block.counted,
            "is_headline": told.is_headline(block),
            "indicator_name": block.definition.at(block.counted).name,
            "unit": block.definition.unit,
            "method": methods.get(number) or _usual_method(block),
            "groups": told.groups[number - first_block],
        }
        for number, block in enumerate(told.blocks, first_block)
        if number - first_block in told.groups
    ]
    connection.execute(insert(published_block), rows)


def _usual_method(block: Block) -> str:
    """How the figures of a block come about of which none is told."""
    if block.definition.measure not in ("share", "mean"):
        return "measurement"
    return "enumeration" if block.round.mode == "census" else "sample"


def _commonest(methods: Sequence[str]) -> str:
    values, counts = np.unique(np.asarray(methods, dtype=str), return_counts=True)
    return str(values[counts.argmax()])
