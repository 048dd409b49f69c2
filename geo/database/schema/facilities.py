"""Facilities people share: community toilet blocks and water points, append-only like the households of a survey."""

from typing import Literal, get_args

from geoalchemy2 import Geometry
from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)

from geo.base import STORAGE_SRID
from geo.database.schema.base import metadata

FacilityKind = Literal["community_toilet", "water_point"]

FACILITY_KINDS: tuple[FacilityKind, ...] = get_args(FacilityKind)

facility = Table(
    "facility",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("city_id", ForeignKey("city.id"), nullable=False),
    Column("upload_id", Integer, nullable=False),
    Column("row_number", Integer, nullable=False),
    # A row counts while it is live: neither superseded by a later upload nor withdrawn with its own.
    Column("is_live", Boolean, nullable=False, server_default="true"),
    Column("superseded_by", Integer, nullable=True),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=True),
    Column("kind", Text, nullable=False),
    # Seats of a toilet block, taps of a water point; NULL: not known.
    Column("seats", Integer, nullable=True),
    Column("seats_working", Integer, nullable=True),
    Column("is_working", Boolean, nullable=False),
    # It stands from the first day until before the second. NULL: since before anything was recorded, or until
    # further notice.
    Column("opened_on", Date, nullable=True),
    Column("closed_on", Date, nullable=True),
    Column("geom", Geometry("POINT", STORAGE_SRID, spatial_index=False), nullable=False),
    UniqueConstraint("upload_id", "row_number"),
    # An upload, and the one that replaces it, are of the facility's own city.
    ForeignKeyConstraint(["city_id", "upload_id"], ["upload.city_id", "upload.id"]),
    ForeignKeyConstraint(["city_id", "superseded_by"], ["upload.city_id", "upload.id"]),
    CheckConstraint("code <> ''", name="code"),
    CheckConstraint("kind IN ('community_toilet', 'water_point')", name="kind"),
    CheckConstraint("seats >= 0", name="seats"),
    CheckConstraint("seats_working >= 0 AND (seats IS NULL OR seats_working <= seats)", name="seats_working"),
    CheckConstraint("opened_on < closed_on", name="dates"),
    CheckConstraint("NOT (is_live AND superseded_by IS NOT NULL)", name="live"),
    CheckConstraint("NOT ST_IsEmpty(geom)", name="geom"),
)

Index(
    "facility_one_live_idx",
    facility.c.city_id,
    facility.c.code,
    unique=True,
    postgresql_where=text("is_live"),
)
# City and kind stand before the position: what lies in a settlement, or nearest to a place in it, is looked for among
# those that may count only. One index for both, so that the planner cannot take the wrong one of two before it has
# statistics.
Index(
    "facility_position_idx",
    facility.c.city_id,
    facility.c.kind,
    func.geography(facility.c.geom),
    facility.c.geom,
    postgresql_using="gist",
    postgresql_where=text("is_live"),
)
