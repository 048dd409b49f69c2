"""Tallies: the sums every figure is estimated from."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    Table,
    Text,
)

from geo.database.schema.base import metadata

# In the order in which a reader asks: the settlements of one indicator stand together.
tally = Table(
    "tally",
    metadata,
    Column("survey_id", Integer, primary_key=True),
    # Empty where all households are meant.
    Column("group_field", Text, primary_key=True),
    Column("indicator_id", Text, primary_key=True),
    Column("counted", Text, primary_key=True),
    Column("definition_version", Integer, primary_key=True),
    Column("settlement_id", ForeignKey("settlement.id"), primary_key=True),
    Column("group_code", Text, primary_key=True),
    Column("n", BigInteger, nullable=False),
    Column("n_unknown", BigInteger, nullable=False),
    Column("n_yes", BigInteger, nullable=False),
    Column("n_sampled", BigInteger, nullable=False),
    Column("sum_w", Double, nullable=False),
    Column("sum_a", Double, nullable=False),
    Column("sum_ay", Double, nullable=False),
    Column("sum_a2", Double, nullable=False),
    Column("sum_a2y", Double, nullable=False),
    Column("sum_a2y2", Double, nullable=False),
    Column("sum_a_unknown", Double, nullable=False),
    Column("sum_a2_unknown", Double, nullable=False),
    Column("sum_w_unknown", Double, nullable=False),
    ForeignKeyConstraint(
        ["survey_id", "group_field", "indicator_id", "definition_version"],
        ["tallied.survey_id", "tallied.group_field", "tallied.indicator_id", "tallied.definition_version"],
        name="tally_tallied_fkey",
        ondelete="CASCADE",
    ),
    CheckConstraint("counted IN ('households', 'persons')", name="counted"),
    CheckConstraint("n >= 0 AND n_unknown >= 0 AND n_yes BETWEEN 0 AND n", name="counts"),
    CheckConstraint("n + n_unknown <= n_sampled", name="sampled"),
    # One partition a survey: those of a first load are copied and indexed before it is attached.
    postgresql_partition_by="LIST (survey_id)",
)

# Which tallies a survey has: also where nobody was in the base, and there is no row of them.
tallied = Table(
    "tallied",
    metadata,
    Column("survey_id", ForeignKey("survey.id"), primary_key=True),
    Column("group_field", Text, primary_key=True),
    Column("indicator_id", Text, primary_key=True),
    Column("definition_version", Integer, primary_key=True),
)

# What households that are in two rounds answered in both: d is what each one's y changed by. By the clusters of the
# later round, or of the earlier where only that was drawn by clusters; '' where neither was.
pair_tally = Table(
    "pair_tally",
    metadata,
    Column("from_survey_id", Integer, primary_key=True),
    Column("to_survey_id", Integer, primary_key=True),
    Column("indicator_id", Text, primary_key=True),
    Column("counted", Text, primary_key=True),
    Column("definition_version", Integer, primary_key=True),
    Column("settlement_id", ForeignKey("settlement.id"), primary_key=True),
    Column("cluster", Text, primary_key=True),
    Column("n", BigInteger, nullable=False),
    Column("n_gained", BigInteger, nullable=False),
    Column("n_lost", BigInteger, nullable=False),
    Column("sum_a", Double, nullable=False),
    Column("sum_ad", Double, nullable=False),
    Column("sum_a2", Double, nullable=False),
    Column("sum_a2d", Double, nullable=False),
    Column("sum_a2d2", Double, nullable=False),
    ForeignKeyConstraint(
        ["from_survey_id", "to_survey_id"],
        ["paired.from_survey_id", "paired.to_survey_id"],
        name="pair_tally_paired_fkey",
        ondelete="CASCADE",
    ),
    CheckConstraint("counted IN ('households', 'persons')", name="counted"),
    CheckConstraint("n_gained >= 0 AND n_lost >= 0 AND n_gained + n_lost <= n", name="counts"),
)

# Which rounds have been held against each other, household by household.
paired = Table(
    "paired",
    metadata,
    Column("from_survey_id", ForeignKey("survey.id"), primary_key=True),
    Column("to_survey_id", ForeignKey("survey.id"), primary_key=True),
)

# Indicators organisations have added to the catalogue, every version of each.
own_indicator = Table(
    "own_indicator",
    metadata,
    Column("indicator_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("organisation_id", ForeignKey("organisation.id"), nullable=False),
    # The file as it was added.
    Column("document", Text, nullable=False),
    CheckConstraint("version >= 1", name="version"),
)
