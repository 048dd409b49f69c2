"""Who may do what: accounts, how they prove who they are, and whose full figures an organisation may see.

The service's own role reads of these what `geo.database.service_role` grants; passwords, tokens and links are checked
by the functions of the schema `gate`, which it may only call.
"""

from typing import Literal, get_args

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    func,
)

from geo.database.schema.base import metadata

Role = Literal["viewer", "contributor", "steward", "operator"]

ROLES: tuple[Role, ...] = get_args(Role)
"""From the least to the most: each may do what those before it may."""

KeyRole = Literal["monitor", "viewer", "contributor", "steward", "operator"]

KEY_ROLES: tuple[KeyRole, ...] = get_args(KeyRole)
"""What a key may be for: a role, or a monitor, which reads what the service counts of itself and nothing else."""

_ROLE_CHECK = f"role IN ({', '.join(repr(role) for role in ROLES)})"

account = Table(
    "account",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("organisation_id", ForeignKey("organisation.id"), nullable=False),
    Column("email", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("is_active", Boolean, nullable=False, server_default="true"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    # How argon2 makes a proof of the password: its kind, its costs and the salt. NULL: there is no password yet.
    Column("password_salt", Text, nullable=True),
    Column("proof_sha256", LargeBinary, nullable=True),
    CheckConstraint("email ~ '^[^@[:space:]]+@[^@[:space:]]+$' AND length(email) <= 254", name="email"),
    CheckConstraint("name <> ''", name="name"),
    CheckConstraint(_ROLE_CHECK, name="role"),
    CheckConstraint("(password_salt IS NULL) = (proof_sha256 IS NULL)", name="password"),
)

Index("account_email_idx", func.lower(account.c.email), unique=True)

session = Table(
    "session",
    metadata,
    Column("token_sha256", LargeBinary, primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False, index=True),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("expires_at", DateTime(timezone=True), nullable=False),
)

api_key = Table(
    "api_key",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    # The most it may do: no more than its account.
    Column("role", Text, nullable=False),
    # By its first letters its owner tells it from others; the rest is shown once.
    Column("prefix", Text, nullable=False),
    Column("token_sha256", LargeBinary, nullable=False, unique=True),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("revoked_at", DateTime(timezone=True), nullable=True),
    Column("last_used_on", Date, nullable=True),
    CheckConstraint("name <> ''", name="name"),
    CheckConstraint(f"role IN ({', '.join(repr(role) for role in KEY_ROLES)})", name="role"),
)

# One use of a link sets a password; its holder needs nothing else.
password_link = Table(
    "password_link",
    metadata,
    Column("token_sha256", LargeBinary, primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False, index=True),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("used_at", DateTime(timezone=True), nullable=True),
)

# By e-mail address, whether there is an account or not: being locked out tells nobody who has one.
sign_in_failure = Table(
    "sign_in_failure",
    metadata,
    Column("email_sha256", LargeBinary, primary_key=True),
    # Where they came from: who tries passwords of somebody else locks out itself alone.
    Column("network_sha256", LargeBinary, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", DateTime(timezone=True), nullable=False),
    Column("locked_until", DateTime(timezone=True), nullable=True),
)

# Failures from all networks together, within the hour.
sign_in_hour = Table(
    "sign_in_hour",
    metadata,
    Column("email_sha256", LargeBinary, primary_key=True),
    Column("began_at", DateTime(timezone=True), nullable=False),
    Column("failures", Integer, nullable=False),
)

# From which networks a person has signed in: these are not held by what comes from others.
signed_in_from = Table(
    "signed_in_from",
    metadata,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("network_sha256", LargeBinary, primary_key=True),
    Column("last_at", DateTime(timezone=True), nullable=False),
)

survey_grant = Table(
    "survey_grant",
    metadata,
    Column("survey_id", ForeignKey("survey.id"), primary_key=True),
    Column("organisation_id", ForeignKey("organisation.id"), primary_key=True),
    Column("granted_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
