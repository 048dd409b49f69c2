"""What a publication rests on: when any of it changes, the publication is behind."""

import hashlib
import json
from typing import Any

from sqlalchemy import Connection, and_, func, select

from geo.database.schema.facilities import facility
from geo.database.schema.places import boundary, settlement, settlement_ward, ward
from geo.database.schema.surveys import stratum_frame, survey, survey_frame
from geo.database.schema.tallies import tallied
from geo.database.schema.uploads import upload
from geo.places import in_ward_on, there_on, valid_on

_COUNTING = ("loaded", "withdrawing")
"""The states of an upload whose rows count."""

DISCLOSURE_RULES = 2
"""The version of the rules by which figures are withheld and rounded; a new one makes every publication anew."""


def basis_of(connection: Connection, survey_id: int) -> dict[str, Any]:
    """What the round's figures rest on at this moment.

    The ids of the uploads whose rows count and of the boundaries of its first day, as lists; the versions of the
    definitions it is counted by; and digests of its settlements with their names and wards, of its frame sizes, of the
    city's facilities, and of what has been counted by group.
    """
    row = connection.execute(select(survey).where(survey.c.id == survey_id)).mappings().one()
    day = row["starts_on"]
    places = (
        select(
            settlement.c.id,
            settlement.c.code,
            settlement.c.name,
            ward.c.code.label("ward"),
            ward.c.name.label("ward_name"),
            boundary.c.id.label("boundary"),
        )
        .outerjoin(settlement_ward, in_ward_on(day))
        .outerjoin(ward, ward.c.id == settlement_ward.c.ward_id)
        .outerjoin(boundary, and_(boundary.c.settlement_id == settlement.c.id, valid_on(day)))
        .where(settlement.c.city_id == row["city_id"], there_on(day))
        .order_by(settlement.c.id)
    )
    lived_in = connection.execute(places).all()
    uploads = select(upload.c.id).where(upload.c.survey_id == survey_id, upload.c.state.in_(_COUNTING))
    versions = select(tallied.c.indicator_id, func.max(tallied.c.definition_version)).where(
        tallied.c.survey_id == survey_id, tallied.c.group_field == ""
    )
    counted = select(tallied.c.group_field, tallied.c.indicator_id, tallied.c.definition_version).where(
        tallied.c.survey_id == survey_id
    )
    frames = select(survey_frame.c.settlement_id, survey_frame.c.households).where(
        survey_frame.c.survey_id == survey_id
    )
    strata = select(stratum_frame.c.stratum, stratum_frame.c.clusters).where(stratum_frame.c.survey_id == survey_id)
    facilities = select(facility.c.upload_id, func.count()).where(
        facility.c.city_id == row["city_id"], facility.c.is_live
    )
    return {
        "rules": DISCLOSURE_RULES,
        "round": [row["name"], str(day), str(row["ends_on"]), row["unit"], row["mode"]],
        "uploads": sorted(connection.execute(uploads).scalars()),
        "boundaries": sorted(place.boundary for place in lived_in if place.boundary is not None),
        "definitions": dict(tuple(row) for row in connection.execute(versions.group_by(tallied.c.indicator_id))),
        "settlements": _digest([tuple(place) for place in lived_in]),
        "frames": _digest([*_sorted(connection, frames), *_sorted(connection, strata)]),
        "facilities": _digest(_sorted(connection, facilities.group_by(facility.c.upload_id))),
        "counted": _digest(_sorted(connection, counted)),
    }


def _sorted(connection: Connection, rows: Any) -> list[tuple[Any, ...]]:
    return sorted(tuple(row) for row in connection.execute(rows))


def _digest(rows: list[tuple[Any, ...]]) -> str:
    return hashlib.sha256(json.dumps(rows, default=str).encode()).hexdigest()[:16]
