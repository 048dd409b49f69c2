"""Where people live: organisations, cities, wards, settlements, and their boundaries and wards over time."""

from geoalchemy2 import Geometry
from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Double,
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
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from geo.base import STORAGE_SRID
from geo.database.schema.base import metadata

SLUG = r"slug ~ '^[a-z0-9][a-z0-9_-]*$'"

organisation = Table(
    "organisation",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("slug", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    CheckConstraint(SLUG, name="slug"),
)

city = Table(
    "city",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("slug", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    CheckConstraint(SLUG, name="slug"),
    CheckConstraint("name <> ''", name="name"),
)

# A city that a steward asks for, until an operator has added or declined it.
city_request = Table(
    "city_request",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("organisation_id", ForeignKey("organisation.id"), nullable=False),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("slug", Text, nullable=False),
    Column("name", Text, nullable=False),
    # What the operator is told besides.
    Column("note", Text, nullable=True),
    Column("asked_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("state", Text, nullable=False, server_default="asked"),
    # What the operator answers, such as why it is declined.
    Column("reason", Text, nullable=True),
    Column("decided_at", DateTime(timezone=True), nullable=True),
    CheckConstraint(SLUG, name="slug"),
    CheckConstraint("name <> ''", name="name"),
    CheckConstraint("state IN ('asked', 'added', 'declined')", name="state"),
    CheckConstraint("(state = 'asked') = (decided_at IS NULL)", name="decided"),
)

Index(
    "city_request_open_idx",
    city_request.c.organisation_id,
    city_request.c.slug,
    unique=True,
    postgresql_where=text("state = 'asked'"),
)

ward = Table(
    "ward",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("city_id", ForeignKey("city.id"), nullable=False),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    UniqueConstraint("city_id", "code"),
    UniqueConstraint("city_id", "id"),
    CheckConstraint("code <> ''", name="code"),
)

settlement = Table(
    "settlement",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("city_id", ForeignKey("city.id"), nullable=False),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    # The first day on which it is no more; NULL: it is there.
    Column("ended_on", Date, nullable=True),
    # The upload that listed it last without an outline; NULL: none did.
    Column("upload_id", ForeignKey("upload.id"), nullable=True, index=True),
    # Where it lies, and how far around, where nobody has drawn it.
    Column("point", Geometry("POINT", STORAGE_SRID, spatial_index=False), nullable=True),
    Column("radius_m", Double, nullable=True),
    UniqueConstraint("city_id", "code"),
    UniqueConstraint("city_id", "id"),
    CheckConstraint("code <> ''", name="code"),
    CheckConstraint("radius_m IS NULL OR radius_m > 0 AND point IS NOT NULL", name="radius"),
)

boundary = Table(
    "boundary",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("settlement_id", ForeignKey("settlement.id"), nullable=False),
    Column("upload_id", ForeignKey("upload.id"), nullable=False),
    # NULL: valid since before anything was recorded, or until further notice.
    Column("valid_from_on", Date, nullable=True),
    Column("valid_to_on", Date, nullable=True),
    Column("geom", Geometry("MULTIPOLYGON", STORAGE_SRID, spatial_index=False), nullable=False),
    Column("area_m2", Double, nullable=False),
    CheckConstraint("area_m2 > 0", name="area"),
    CheckConstraint("valid_from_on < valid_to_on", name="validity"),
    CheckConstraint("ST_IsValid(geom) AND NOT ST_IsEmpty(geom)", name="geom"),
    ExcludeConstraint(
        ("settlement_id", "="),
        (func.daterange(text("valid_from_on"), text("valid_to_on")), "&&"),
        using="gist",
        name="boundary_one_at_a_time",
    ),
)

# Which ward a settlement lies in, and when.
settlement_ward = Table(
    "settlement_ward",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("city_id", Integer, nullable=False),
    Column("settlement_id", Integer, nullable=False),
    Column("ward_id", Integer, nullable=False),
    # The upload that put it there, whose row may be written after this one; NULL: it was not kept which one did.
    Column("upload_id", ForeignKey("upload.id", deferrable=True, initially="DEFERRED"), nullable=True),
    # NULL: since before anything was recorded, or until further notice.
    Column("valid_from_on", Date, nullable=True),
    Column("valid_to_on", Date, nullable=True),
    # A settlement's ward lies in the settlement's own city.
    ForeignKeyConstraint(["city_id", "settlement_id"], ["settlement.city_id", "settlement.id"], ondelete="CASCADE"),
    ForeignKeyConstraint(["city_id", "ward_id"], ["ward.city_id", "ward.id"]),
    CheckConstraint("valid_from_on < valid_to_on", name="validity"),
    ExcludeConstraint(
        ("settlement_id", "="),
        (func.daterange(text("valid_from_on"), text("valid_to_on")), "&&"),
        using="gist",
        name="settlement_ward_one_at_a_time",
    ),
)
