"""Tallies: the sums every figure is estimated from."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Double, ForeignKey, Integer, Table, Text

from geo.schema.base import metadata

tally = Table(
    "tally",
    metadata,
    Column("survey_id", ForeignKey("survey.id"), primary_key=True),
    Column("settlement_id", ForeignKey("settlement.id"), primary_key=True),
    Column("indicator_id", Text, primary_key=True),
    Column("counted", Text, primary_key=True),
    Column("definition_version", Integer, nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("n_unknown", BigInteger, nullable=False),
    Column("sum_a", Double, nullable=False),
    Column("sum_ay", Double, nullable=False),
    Column("sum_a2", Double, nullable=False),
    Column("sum_a2y", Double, nullable=False),
    Column("sum_a_unknown", Double, nullable=False),
    Column("sum_a2_unknown", Double, nullable=False),
    Column("sum_w", Double, nullable=False),
    Column("sum_w_unknown", Double, nullable=False, server_default="0"),
    CheckConstraint("counted IN ('households', 'persons')", name="counted"),
    CheckConstraint("n >= 0 AND n_unknown >= 0", name="counts"),
    CheckConstraint("sum_ay <= sum_a * (1 + 1e-9) AND sum_a2y <= sum_a2 * (1 + 1e-9)", name="sums"),
)
