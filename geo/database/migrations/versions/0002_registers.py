"""Registers: rows that stand for a part of a settlement's households, and settlements declared by name."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE household
    ADD COLUMN declared_settlement_name TEXT,
    ADD COLUMN declared_ward_name TEXT,
    ADD COLUMN part SMALLINT NOT NULL DEFAULT 0,
    ADD COLUMN asked TEXT[];
ALTER TABLE household DROP CONSTRAINT household_pkey;
ALTER TABLE household ADD CONSTRAINT household_pkey PRIMARY KEY (survey_id, upload_id, row_number, part);
DROP INDEX household_one_live_idx;
CREATE UNIQUE INDEX household_one_live_idx ON household (survey_id, household_code, part) WHERE is_live;
ALTER TABLE tally ADD COLUMN sum_w_unknown DOUBLE PRECISION NOT NULL DEFAULT 0;
-- Every definition so far has this base, so the weight of those without an answer is what the others leave of all.
UPDATE tally SET sum_w_unknown = greatest(base.w - tally.sum_w, 0) FROM (
    SELECT survey_id, settlement_id, sum(weight) AS w FROM household
    WHERE is_live AND (interview_result IS NULL OR interview_result = 'completed')
    GROUP BY survey_id, settlement_id
) AS base
WHERE tally.survey_id = base.survey_id AND tally.settlement_id = base.settlement_id AND tally.n_unknown > 0;
"""

DOWNGRADE = """
DELETE FROM household WHERE part > 0;
DROP INDEX household_one_live_idx;
CREATE UNIQUE INDEX household_one_live_idx ON household (survey_id, household_code) WHERE is_live;
ALTER TABLE household DROP CONSTRAINT household_pkey;
ALTER TABLE household ADD CONSTRAINT household_pkey PRIMARY KEY (survey_id, upload_id, row_number);
ALTER TABLE household
    DROP COLUMN declared_settlement_name, DROP COLUMN declared_ward_name, DROP COLUMN part, DROP COLUMN asked;
ALTER TABLE tally DROP COLUMN sum_w_unknown;
"""


def upgrade() -> None:
    """Adds the columns and lets several rows stand for one settlement."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Takes them out again; rows for a part of a settlement go with them."""
    op.execute(DOWNGRADE)
