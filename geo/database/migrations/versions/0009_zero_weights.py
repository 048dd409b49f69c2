"""A row may stand for no household: weight 0 is kept, and counts for nobody; so is a frame size of 0."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE household DROP CONSTRAINT household_weight_check;
ALTER TABLE household ADD CONSTRAINT household_weight_check CHECK (weight >= 0 AND weight < 'Infinity');
ALTER TABLE survey_frame DROP CONSTRAINT survey_frame_households_check;
ALTER TABLE survey_frame ADD CONSTRAINT survey_frame_households_check CHECK (households >= 0);
"""

DOWNGRADE = """
ALTER TABLE household DROP CONSTRAINT household_weight_check;
ALTER TABLE household ADD CONSTRAINT household_weight_check CHECK (weight > 0 AND weight < 'Infinity');
ALTER TABLE survey_frame DROP CONSTRAINT survey_frame_households_check;
ALTER TABLE survey_frame ADD CONSTRAINT survey_frame_households_check CHECK (households > 0);
"""


def upgrade() -> None:
    """Lets them in."""
    op.get_bind().exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Keeps them out again; fails where there are some, which must be withdrawn first."""
    op.get_bind().exec_driver_sql(DOWNGRADE)
