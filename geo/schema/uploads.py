"""Files received, and what was found in their rows."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    column,
    func,
    table,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from geo.schema.base import metadata

upload = Table(
    "upload",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    # Who gave it; a survey's, the survey's own.
    Column("organisation_id", ForeignKey("organisation.id"), nullable=False),
    Column("city_id", ForeignKey("city.id"), nullable=False),
    # What the file was loaded as; the same file may hold settlements and the facilities in them.
    Column("content", Text, nullable=False),
    # The round of a survey's file; NULL for any other.
    Column("survey_id", ForeignKey("survey.id"), nullable=True),
    Column("sha256", Text, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("uploaded_by", Text, nullable=False),
    Column("uploaded_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    # The mapping profile and the options as they were used, so that the load can be repeated.
    Column("profile", JSONB, nullable=False),
    Column("rows_read", Integer, nullable=False),
    Column("rows_loaded", Integer, nullable=False),
    Column("rows_warned", Integer, nullable=False),
    Column("rows_rejected", Integer, nullable=False),
    Column("state", Text, nullable=False, server_default="loaded"),
    UniqueConstraint("survey_id", "id"),
    UniqueConstraint("city_id", "id"),
    CheckConstraint("content IN ('boundaries', 'survey', 'facilities')", name="content"),
    CheckConstraint("(content = 'survey') = (survey_id IS NOT NULL)", name="survey"),
    CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
    CheckConstraint("state IN ('loaded', 'withdrawn')", name="state"),
    CheckConstraint("rows_loaded + rows_rejected = rows_read", name="rows"),
)

# The same file in the same survey, or in the same city's boundaries, is the same upload, until it is withdrawn.
Index(
    "upload_once_idx",
    upload.c.city_id,
    upload.c.content,
    func.coalesce(upload.c.survey_id, 0),
    upload.c.sha256,
    unique=True,
    postgresql_where=text("state = 'loaded' AND content <> 'facilities'"),
)
# Toilets are often one layer or sheet of a file and water points another.
Index(
    "upload_once_a_layer_idx",
    upload.c.city_id,
    upload.c.sha256,
    func.coalesce(upload.c.profile["layer"].astext, ""),
    unique=True,
    postgresql_where=text("state = 'loaded' AND content = 'facilities'"),
)

# What everybody may know of the uploads of published surveys: a view, whose reader needs no right to the table.
public_upload = table(
    "public_upload",
    column("id", Integer),
    column("survey_id", Integer),
    column("sha256", Text),
    column("uploaded_at", DateTime(timezone=True)),
    column("rows_loaded", Integer),
)

finding = Table(
    "finding",
    metadata,
    Column("upload_id", ForeignKey("upload.id"), nullable=False, index=True),
    # As the spreadsheet or attribute table shows it; NULL where the whole file is meant.
    Column("row_number", Integer, nullable=True),
    Column("field", Text, nullable=True),
    Column("value", Text, nullable=True),
    Column("code", Text, nullable=False),
    Column("severity", Text, nullable=False),
    CheckConstraint("severity IN ('error', 'warning')", name="severity"),
)
