"""Survey rounds and how many households each settlement is known to have."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Identity,
    Integer,
    Table,
    Text,
    UniqueConstraint,
)

from geo.database.schema.base import metadata
from geo.database.schema.places import SLUG

survey = Table(
    "survey",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("organisation_id", ForeignKey("organisation.id"), nullable=False),
    Column("city_id", ForeignKey("city.id"), nullable=False),
    Column("slug", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    Column("unit", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("licence", Text, nullable=True),
    Column("state", Text, nullable=False, server_default="draft"),
    # Whether a new publication is made by itself when what the last one rests on has changed, or when a steward asks.
    Column("publishing", Text, nullable=False, server_default="automatic"),
    # Why its next publication could not be made, as the code of a message; NULL: nothing went wrong.
    Column("publishing_problem", Text, nullable=True),
    UniqueConstraint("city_id", "slug"),
    CheckConstraint(SLUG, name="slug"),
    CheckConstraint("starts_on <= ends_on", name="dates"),
    CheckConstraint("unit IN ('household', 'settlement')", name="unit"),
    CheckConstraint("mode IN ('census', 'sample', 'phone')", name="mode"),
    CheckConstraint("state IN ('draft', 'published')", name="state"),
    CheckConstraint("publishing IN ('automatic', 'steward')", name="publishing"),
)

survey_frame = Table(
    "survey_frame",
    metadata,
    Column("survey_id", ForeignKey("survey.id"), primary_key=True),
    Column("settlement_id", ForeignKey("settlement.id"), primary_key=True),
    Column("households", Integer, nullable=False),
    CheckConstraint("households >= 0", name="households"),
)

# How many clusters (primary sampling units) each stratum of a survey's design has, sampled or not.
stratum_frame = Table(
    "stratum_frame",
    metadata,
    Column("survey_id", ForeignKey("survey.id"), primary_key=True),
    # Empty where the design names no strata.
    Column("stratum", Text, primary_key=True),
    Column("clusters", Integer, nullable=False),
    CheckConstraint("clusters > 0", name="clusters"),
)

# One row: rises in every transaction that changes what a reader sees, so that an answer can name the state it shows.
data_version = Table(
    "data_version",
    metadata,
    Column("is_only", Boolean, primary_key=True, server_default="true"),
    Column("version", BigInteger, nullable=False),
    # Where it stood when something changed that all cities share.
    Column("shared", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("is_only", name="is_only"),
)

# Where the data version stood when what a reader sees of a city last changed.
city_version = Table(
    "city_version",
    metadata,
    Column("city_id", ForeignKey("city.id"), primary_key=True),
    Column("version", BigInteger, nullable=False),
)
