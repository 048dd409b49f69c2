"""Why an upload waits or was refused: a code with parameters, put into words where somebody reads it."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE upload ALTER COLUMN problem TYPE JSONB USING CASE WHEN problem IS NOT NULL
    THEN jsonb_build_object('code', 'as_told', 'params', jsonb_build_object('text', problem)) END;
"""

DOWNGRADE = """
ALTER TABLE upload ALTER COLUMN problem TYPE TEXT USING coalesce(problem #>> '{params,text}', problem ->> 'code');
"""


def upgrade() -> None:
    """A sentence of before stays as it was told."""
    op.get_bind().exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Of what has no sentence the code is left."""
    op.get_bind().exec_driver_sql(DOWNGRADE)
