"""Wards of a city, and which of them its settlements lie in: written, from a day where one moves, and taken back."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import Connection, delete, func, insert, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from geo.database.schema.households import household
from geo.database.schema.places import boundary, settlement, settlement_ward, ward
from geo.database.schema.surveys import survey
from geo.errors import Conflict
from geo.places.settlements import in_newest_ward


def write_wards(
    connection: Connection,
    city_id: int,
    upload_id: int,
    frame: pd.DataFrame,
    valid_from_on: date | None,
    moves_from_on: date | None,
) -> None:
    """Stores which wards settlements lie in, new wards too, and brings the names of wards up to date.

    `frame` has the columns code, ward_code and ward_name, None for no ward: what was known then stays. A settlement's
    first ward holds for all earlier rounds, unless `valid_from_on` says otherwise; another one from `moves_from_on`,
    where None leaves a settlement in the ward it is in.

    Raises:
        Conflict: a ward valid from that day, or a later one, is there already, or a published round would change.
    """
    wards = _write_names(connection, city_id, frame)
    given = {str(row.code): wards[row.ward_code] for row in frame.itertuples() if row.ward_code in wards}
    known = _newest_wards(connection, city_id, list(given))
    first = [row for row in known if row.ward_id is None]
    moved = [row for row in known if row.ward_id not in (None, given[row.code])] if moves_from_on else []
    for row in moved:
        if row.valid_from_on is not None and row.valid_from_on >= moves_from_on:
            raise Conflict("ward_valid_later", settlement=row.code, valid_from_on=row.valid_from_on)
    # Two states of a published ward, with a settlement and without, give the settlement away.
    for rows, from_on in ((first, valid_from_on), (moved, moves_from_on)):
        held = _last_published(connection, [row.id for row in rows], from_on)
        if held is not None:
            raise Conflict("ward_published", settlement=held.code, survey=held.slug, starts_on=held.starts_on)
    if moved:
        ended = settlement_ward.c.id == func.any([row.settlement_ward_id for row in moved])
        connection.execute(update(settlement_ward).where(ended).values(valid_to_on=moves_from_on))
    new = [
        {
            "city_id": city_id,
            "settlement_id": row.id,
            "ward_id": given[row.code],
            "upload_id": upload_id,
            "valid_from_on": valid_from_on if row.ward_id is None else moves_from_on,
        }
        for row in (*first, *moved)
    ]
    if new:
        connection.execute(insert(settlement_ward), new)


def _write_names(connection: Connection, city_id: int, frame: pd.DataFrame) -> Mapping[str | None, int]:
    """The ids of the wards a frame names, by code; new ones are added, and names it gives are brought up to date."""
    of_wards = frame[frame["ward_code"].notna()]
    if of_wards.empty:
        return {}
    named = of_wards[is_named(of_wards)].drop_duplicates("ward_code", keep="last")
    names = dict(zip(named["ward_code"], named["ward_name"], strict=True))
    codes = list(of_wards["ward_code"].unique())
    # A code alone is a name for a new ward, and none for one that has its own.
    added = upsert(ward).values([{"city_id": city_id, "code": code, "name": names.get(code, code)} for code in codes])
    connection.execute(added.on_conflict_do_nothing(index_elements=["city_id", "code"]))
    for code, name in names.items():
        is_it = (ward.c.city_id == city_id, ward.c.code == code, ward.c.name != name)
        connection.execute(update(ward).where(*is_it).values(name=name))
    rows = connection.execute(
        select(ward.c.code, ward.c.id).where(ward.c.city_id == city_id, ward.c.code == func.any(codes))
    )
    return {row.code: row.id for row in rows}


def is_named(frame: pd.DataFrame) -> "pd.Series[bool]":
    """Which rows say what their ward is called, beside its code."""
    return frame["ward_name"].notna() & (frame["ward_name"] != frame["ward_code"])


def _newest_wards(connection: Connection, city_id: int, codes: Sequence[str]) -> list[Any]:
    """Settlements by their codes, each with the ward it lies in until further notice."""
    rows = connection.execute(
        select(
            settlement.c.id,
            settlement.c.code,
            settlement_ward.c.id.label("settlement_ward_id"),
            settlement_ward.c.ward_id,
            settlement_ward.c.valid_from_on,
        )
        .outerjoin(settlement_ward, in_newest_ward())
        .where(settlement.c.city_id == city_id, settlement.c.code == func.any(list(codes)))
    )
    return list(rows)


def _last_published(connection: Connection, settlement_ids: Sequence[int], from_on: date | None) -> Any:
    """The last published round from a day on that has households in one of the settlements, and that one; or None.

    Until the transaction ends no round of their city is published, or made a draft.
    """
    if not settlement_ids:
        return None
    cities = select(settlement.c.city_id).where(settlement.c.id == func.any(list(settlement_ids)))
    rounds = select(survey.c.id).where(survey.c.city_id.in_(cities)).order_by(survey.c.id)
    connection.execute(rounds.with_for_update(read=True))
    starts_later = literal(True) if from_on is None else survey.c.starts_on >= from_on
    lives_there = (
        select(household.c.settlement_id)
        .where(household.c.survey_id == survey.c.id, household.c.settlement_id == settlement.c.id, household.c.is_live)
        .exists()
    )
    return connection.execute(
        select(settlement.c.code, survey.c.slug, survey.c.starts_on)
        .join(survey, survey.c.city_id == settlement.c.city_id)
        .where(settlement.c.id == func.any(list(settlement_ids)))
        .where(survey.c.state == "published", starts_later, lives_there)
        .order_by(survey.c.starts_on.desc(), settlement.c.code)
        .limit(1)
    ).one_or_none()


def check_wards_may_go(connection: Connection, upload_id: int) -> None:
    """Holds that the wards an upload put settlements into may be taken back.

    Raises:
        Conflict: a later upload has moved one of the settlements, or a published round would change.
    """
    own = connection.execute(
        select(settlement_ward, settlement.c.code)
        .join(settlement, settlement.c.id == settlement_ward.c.settlement_id)
        .where(settlement_ward.c.upload_id == upload_id)
        .order_by(settlement.c.code)
    ).all()
    for row in own:
        if row.valid_to_on is not None:
            raise Conflict("settlement_in_later_ward", settlement=row.code, upload=upload_id)
    for from_on in {row.valid_from_on for row in own}:
        since = [row.settlement_id for row in own if row.valid_from_on == from_on]
        held = _last_published(connection, since, from_on)
        if held is not None:
            raise Conflict("ward_published_since", settlement=held.code, survey=held.slug, upload=upload_id)


def withdraw_wards(connection: Connection, city_id: int, upload_id: int) -> None:
    """Takes an upload's wards back: those they followed hold again, and wards in which no settlement has been are gone.

    A settlement that has no outline, and that nobody lists, is there for its households alone: it stays where it was.
    """
    is_drawn = select(boundary.c.id).where(boundary.c.settlement_id == settlement.c.id).exists()
    known = select(settlement.c.id).where(or_(is_drawn, settlement.c.upload_id.is_not(None)))
    gone = connection.execute(
        delete(settlement_ward)
        .where(settlement_ward.c.upload_id == upload_id, settlement_ward.c.settlement_id.in_(known))
        .returning(settlement_ward.c.settlement_id, settlement_ward.c.valid_from_on)
    ).all()
    for row in gone:
        # What has no first day followed none.
        if row.valid_from_on is not None:
            ended = (
                settlement_ward.c.settlement_id == row.settlement_id,
                settlement_ward.c.valid_to_on == row.valid_from_on,
            )
            connection.execute(update(settlement_ward).where(*ended).values(valid_to_on=None))
    lived_in = select(settlement_ward.c.id).where(settlement_ward.c.ward_id == ward.c.id).exists()
    connection.execute(delete(ward).where(ward.c.city_id == city_id, ~lived_in))
