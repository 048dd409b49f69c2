"""Files received, and what was found in their rows."""

from typing import Literal, get_args

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    column,
    func,
    table,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from geo.database.schema.base import metadata

State = Literal["received", "checked", "waiting", "accepted", "loaded", "withdrawing", "withdrawn", "refused"]

STATES: tuple[State, ...] = get_args(State)
"""Of a file on its way: received, then checked, or waiting for somebody to decide something; accepted, then loaded;
withdrawing, then withdrawn; or refused. What came by the command line begins as loaded."""

COUNTING: tuple[State, ...] = ("loaded", "withdrawing")
"""Its rows count."""

_IS_A_FILE_NAME = r"file_name !~ '[/\\]' AND file_name NOT IN ('', '.', '..') AND octet_length(file_name) <= 255"

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
    # Where its original is: with its organisation's, or, of before there were such folders, with all others.
    Column("kept_under", Text, nullable=False, server_default="organisation"),
    # A file's own, without folders: it is that of a file in a folder of the worker's.
    Column("file_name", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("uploaded_by", Text, nullable=False),
    # Whose account sent it to the service; NULL: it came by the command line.
    Column("account_id", ForeignKey("account.id"), nullable=True),
    Column("uploaded_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    # The mapping profile and the options as they were used, so that the load can be repeated.
    Column("profile", JSONB, nullable=False),
    # NULL until it has been read; of a file that is not loaded, what a load would bring.
    Column("rows_read", Integer, nullable=True),
    Column("rows_loaded", Integer, nullable=True),
    Column("rows_warned", Integer, nullable=True),
    Column("rows_rejected", Integer, nullable=True),
    Column("state", Text, nullable=False, server_default="loaded"),
    # How it is to be read, as the sender chose; see geo.ingestion.loading.choices.
    Column("choices", JSONB, nullable=False, server_default="{}"),
    # Why it waits or was refused: code and parameters, as geo.messages.Message keeps them.
    Column("problem", JSONB, nullable=True),
    # Its columns and what they seem to hold; see geo.ingestion.suggesting.understand.
    Column("understood", JSONB, nullable=True),
    # Which layer, encoding and CRS it was read in, what there is to choose from, and where some of its rows lie.
    Column("read_as", JSONB, nullable=True),
    # What its figures would change, as a trial load found.
    Column("preview", JSONB, nullable=True),
    # Whose account decided of it last, and in which role; NULL: nobody, or somebody at the command line.
    Column("decided_by", ForeignKey("account.id"), nullable=True),
    Column("decided_as", Text, nullable=True),
    UniqueConstraint("survey_id", "id"),
    UniqueConstraint("city_id", "id"),
    # See geo.ingestion.loading.kinds.registry.
    CheckConstraint("content ~ '^[a-z][a-z_]{0,39}$'", name="content"),
    CheckConstraint("(content = 'survey') = (survey_id IS NOT NULL)", name="survey"),
    CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
    CheckConstraint("kept_under IN ('organisation', 'installation')", name="kept_under"),
    CheckConstraint(_IS_A_FILE_NAME, name="file_name"),
    CheckConstraint(f"state IN ({', '.join(repr(state) for state in STATES)})", name="state"),
    CheckConstraint("rows_loaded + rows_rejected = rows_read", name="rows"),
    CheckConstraint("state NOT IN ('loaded', 'withdrawing', 'withdrawn') OR rows_read IS NOT NULL", name="read"),
    CheckConstraint("(decided_by IS NULL) = (decided_as IS NULL)", name="decided"),
)

# The same layer or sheet of a file, in the same survey or among a city's places, is the same upload, until it is
# withdrawn. Uploads of before parts were kept have the layer that was named.
Index(
    "upload_once_idx",
    upload.c.organisation_id,
    upload.c.city_id,
    upload.c.content,
    func.coalesce(upload.c.survey_id, 0),
    upload.c.sha256,
    func.coalesce(upload.c.profile["part"].astext, upload.c.profile["layer"].astext, ""),
    unique=True,
    postgresql_where=text("state = 'loaded'"),
)

# What a worker has something to do with.
Index("upload_begun_idx", upload.c.id, postgresql_where=text("state IN ('received', 'accepted', 'withdrawing')"))

# What everybody may know of the uploads of published surveys: a view, whose reader needs no right to the table.
public_upload = table(
    "public_upload",
    column("id", Integer),
    column("survey_id", Integer),
    column("uploaded_at", DateTime(timezone=True)),
)

# How many rows those of a survey brought together, rounded to 5.
public_rows = table("public_rows", column("survey_id", Integer), column("rows_loaded", Integer))

# How far the work on an upload has come; written beside the transaction that does the work.
upload_progress = Table(
    "upload_progress",
    metadata,
    Column("upload_id", ForeignKey("upload.id"), primary_key=True),
    Column("step", Text, nullable=False),
    Column("rows_done", Integer, nullable=False),
    Column("rows_total", Integer, nullable=True),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    CheckConstraint("step IN ('checking', 'loading', 'withdrawing')", name="step"),
)

# A file that is being sent in parts; its bytes are a file of this number, whose size says how many have come.
incoming = Table(
    "incoming",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=func.gen_random_uuid()),
    Column("account_id", ForeignKey("account.id"), nullable=False, index=True),
    Column("file_name", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    # City, survey and choices, as the form of a file sent at once has them.
    Column("fields", JSONB, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    CheckConstraint("size_bytes > 0", name="size"),
    CheckConstraint(_IS_A_FILE_NAME, name="file_name"),
)

# The mapping profile an organisation used last for files with the same columns.
remembered_profile = Table(
    "remembered_profile",
    metadata,
    Column("organisation_id", ForeignKey("organisation.id"), primary_key=True),
    # See geo.ingestion.suggesting.understand.columns_key.
    Column("columns_sha256", Text, primary_key=True),
    Column("profile", Text, nullable=False),
)

finding = Table(
    "finding",
    metadata,
    # In the order of rows.
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("upload_id", ForeignKey("upload.id"), nullable=False, index=True),
    # As the spreadsheet or attribute table shows it; NULL where the whole file is meant.
    Column("row_number", Integer, nullable=True),
    Column("field", Text, nullable=True),
    Column("value", Text, nullable=True),
    Column("code", Text, nullable=False),
    Column("severity", Text, nullable=False),
    # Where the row lies as the file has it, in degrees; NULL: nowhere.
    Column("longitude", Double, nullable=True),
    Column("latitude", Double, nullable=True),
    CheckConstraint("severity IN ('error', 'warning')", name="severity"),
)
