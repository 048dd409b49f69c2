"""Publications: what the public may read of a survey round, made whole at one moment and never changed."""

from geoalchemy2 import Geometry
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from geo.base import STORAGE_SRID
from geo.database.schema.base import metadata

publication = Table(
    "publication",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("survey_id", ForeignKey("survey.id"), nullable=False),
    # Counts up within the round.
    Column("number", Integer, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    # NULL: made by the worker, because what the last one rested on had changed; or at the command line.
    Column("account_id", ForeignKey("account.id"), nullable=True),
    Column("state", Text, nullable=False, server_default="current"),
    # The uploads, boundaries, frame sizes and definitions its figures are made from, and how they are made.
    Column("basis", JSONB, nullable=False),
    # Of the figures as canonical CSV, so that somebody who cites them can tell that they are these. NULL: of a
    # publication from before there was this file; it is worked out together with its download.
    Column("sha256", Text, nullable=True),
    Column("note", Text, nullable=True),
    # Whether it says what is right also where that tells what few households answered: see published_figure.kept_from.
    Column("is_correction", Boolean, nullable=False, server_default="false"),
    UniqueConstraint("survey_id", "number"),
    CheckConstraint("number >= 1", name="number"),
    CheckConstraint("state IN ('current', 'superseded', 'retracted')", name="state"),
)

Index(
    "publication_current_idx",
    publication.c.survey_id,
    unique=True,
    postgresql_where=text("state = 'current'"),
)

# The round's city, wards and settlements as they were when it was made.
published_place = Table(
    "published_place",
    metadata,
    Column("publication_id", ForeignKey("publication.id", ondelete="CASCADE"), primary_key=True),
    # Counts up in the order in which places of a level are listed: that of their codes.
    Column("place", Integer, primary_key=True),
    Column("level", Text, nullable=False),
    # Empty for a city.
    Column("code", Text, nullable=False),
    Column("ward_code", Text, nullable=True),
    Column("ward_name", Text, nullable=True),
    Column("settlement_code", Text, nullable=True),
    Column("settlement_name", Text, nullable=True),
    # The ids of the boundaries its shape is made of: those of another round that are the same were not redrawn.
    Column("drawn", Text, nullable=False),
    # Geodesic.
    Column("area_m2", Double, nullable=True),
    Column("geom", Geometry("MULTIPOLYGON", STORAGE_SRID, spatial_index=False), nullable=True),
    # The same as GeoJSON, its corners to 0.1 m: written once, for all who ask for it.
    Column("shape", Text, nullable=True),
    # A point inside the shape.
    Column("point", Geometry("POINT", STORAGE_SRID, spatial_index=False), nullable=True),
    UniqueConstraint("publication_id", "level", "code"),
    CheckConstraint("level IN ('settlement', 'ward', 'city')", name="level"),
)

# One indicator in one round, of households or persons, as a whole or by the groups of a field.
published_block = Table(
    "published_block",
    metadata,
    Column("publication_id", ForeignKey("publication.id", ondelete="CASCADE"), primary_key=True),
    # Counts up in the order in which indicators are listed.
    Column("block", Integer, primary_key=True),
    # Empty where all households are meant.
    Column("group_field", Text, nullable=False),
    Column("indicator_id", Text, nullable=False),
    Column("definition_version", Integer, nullable=False),
    Column("counted", Text, nullable=False),
    # Whether this is what is counted where nobody says.
    Column("is_headline", Boolean, nullable=False),
    Column("indicator_name", Text, nullable=False),
    Column("unit", Text, nullable=False),
    # How its figures come about where a place's own are not kept.
    Column("method", Text, nullable=False),
    # Its groups, in their order; of all households, one without a name.
    Column("groups", ARRAY(Text), nullable=False),
    UniqueConstraint("publication_id", "group_field", "indicator_id", "counted", name="published_block_said_once_key"),
    CheckConstraint("counted IN ('households', 'persons')", name="counted"),
)

# A place of a block by groups that has no row is withheld in all of them.
published_figure = Table(
    "published_figure",
    metadata,
    Column("publication_id", Integer, primary_key=True),
    Column("block", Integer, primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("group_name", Text, primary_key=True),
    Column("value", Double, nullable=True),
    Column("low", Double, nullable=True),
    Column("high", Double, nullable=True),
    Column("n", BigInteger, nullable=True),
    Column("n_unknown", BigInteger, nullable=True),
    Column("bound_low", Double, nullable=True),
    Column("bound_high", Double, nullable=True),
    Column("population", BigInteger, nullable=True),
    Column("unserved", BigInteger, nullable=True),
    Column("unserved_low", BigInteger, nullable=True),
    Column("unserved_high", BigInteger, nullable=True),
    Column("response_rate", Double, nullable=True),
    Column("deff", Double, nullable=True),
    Column("n_eff", Double, nullable=True),
    Column("method", Text, nullable=False),
    # Names with commas between.
    Column("flags", Text, nullable=True),
    # NULL: the figure is said.
    Column("reason", Text, nullable=True),
    # The number of the round's publication whose figure this still is, as since then few households have changed.
    Column("kept_from", Integer, nullable=True),
    # One partition a publication: making and dropping one touches no other.
    postgresql_partition_by="LIST (publication_id)",
)

# What the figures of settlements were made from, to the household, as Parquet: never public. Of a figure that was kept,
# what that one was made from.
publication_counts = Table(
    "publication_counts",
    metadata,
    Column("publication_id", ForeignKey("publication.id", ondelete="CASCADE"), primary_key=True),
    Column("counts", LargeBinary, nullable=False),
)

# What the same households, asked in two rounds, changed by: of places for which that may be said.
published_pair = Table(
    "published_pair",
    metadata,
    Column("from_publication_id", ForeignKey("publication.id", ondelete="CASCADE"), primary_key=True),
    Column("to_publication_id", ForeignKey("publication.id", ondelete="CASCADE"), primary_key=True),
    # Those of the later publication.
    Column("block", Integer, primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("n_pairs", BigInteger, nullable=False),
    Column("low", Double, nullable=True),
    Column("high", Double, nullable=True),
    Column("p_value", Double, nullable=True),
)

# The zip that everybody can download, which is kept beside the originals under its digest; no row: it is not there yet.
publication_download = Table(
    "publication_download",
    metadata,
    Column("publication_id", ForeignKey("publication.id", ondelete="CASCADE"), primary_key=True),
    Column("sha256", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    CheckConstraint("size_bytes > 0", name="size_bytes"),
)
