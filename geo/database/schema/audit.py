"""What was done, by whom and when; a row is never changed or removed."""

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, ForeignKey, Identity, Index, Table, Text, func
from sqlalchemy.dialects.postgresql import JSONB

from geo.database.schema.base import metadata

audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    # NULL: done by nobody who had signed in, such as the command line.
    Column("account_id", ForeignKey("account.id"), nullable=True),
    # Whose stewards may read it; NULL: the operator alone.
    Column("organisation_id", ForeignKey("organisation.id"), nullable=True),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    # What it was done to, such as `survey pune/2024` or `upload 12`.
    Column("subject", Text, nullable=False),
    Column("before", JSONB, nullable=True),
    Column("after", JSONB, nullable=True),
    CheckConstraint("actor <> '' AND action <> '' AND subject <> ''", name="said"),
)

Index("audit_organisation_id_id_idx", audit.c.organisation_id, audit.c.id)
