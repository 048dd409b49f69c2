"""Households, or settlements as settlement-unit surveys describe them: one row an observation, append-only."""

from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Double,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import TypeEngine

from geo.base import STORAGE_SRID
from geo.database.schema.base import metadata
from geo.fields import Field, standard_fields


def _column_type(field: Field) -> TypeEngine[Any]:
    match field.type:
        case "code":
            # An enum is checked by the database, four bytes wide, and compared as fast as a number.
            return Enum(*field.codes, name=f"{field.name}_code", metadata=metadata)
        case "boolean":
            return Boolean()
        case "integer":
            return SmallInteger()
        case "number":
            return Double()
        case "date":
            return Date()
        case "text":
            return Text()


def _column(field: Field) -> Column[Any]:
    if field.name == "weight":
        return Column("weight", Double, nullable=False, server_default="1")
    return Column(field.name, _column_type(field), nullable=True)


household = Table(
    "household",
    metadata,
    Column("survey_id", Integer, nullable=False, primary_key=True),
    Column("upload_id", Integer, nullable=False, primary_key=True),
    Column("row_number", Integer, nullable=False, primary_key=True),
    # A row of a register may be kept as several, one for each part of the settlement's households that answers alike.
    Column("part", SmallInteger, nullable=False, server_default="0", primary_key=True),
    # The standard fields such a part answers; NULL: all of them.
    Column("asked", ARRAY(Text), nullable=True),
    Column("settlement_id", ForeignKey("settlement.id"), nullable=False),
    # A row counts while it is live: neither superseded by a later upload nor withdrawn with its own.
    Column("is_live", Boolean, nullable=False, server_default="true"),
    Column("superseded_by", Integer, nullable=True),
    Column("geom", Geometry("POINT", STORAGE_SRID, spatial_index=False), nullable=True),
    *(_column(field) for field in standard_fields().values()),
    Column("extra", JSONB, nullable=True),
    ForeignKeyConstraint(["survey_id", "upload_id"], ["upload.survey_id", "upload.id"]),
    ForeignKeyConstraint(["survey_id", "superseded_by"], ["upload.survey_id", "upload.id"]),
    CheckConstraint("weight >= 0 AND weight < 'Infinity'", name="weight"),
    CheckConstraint("members >= 0", name="members"),
    CheckConstraint("NOT (is_live AND superseded_by IS NOT NULL)", name="live"),
    # One partition a survey: a first load is copied and indexed before it is attached.
    postgresql_partition_by="LIST (survey_id)",
)

Index(
    "household_one_live_idx",
    household.c.survey_id,
    household.c.household_code,
    household.c.part,
    unique=True,
    postgresql_where=text("is_live"),
)
Index("household_settlement_id_idx", household.c.settlement_id)
