"""How a file was read is kept with its upload, and the operator may count uploads by state."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE upload ADD COLUMN read_as JSONB;

CREATE FUNCTION gate.upload_states() RETURNS TABLE (state TEXT, uploads BIGINT)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT u.state, count(*) FROM public.upload u WHERE gate.may('operator') GROUP BY u.state
$$;
"""

DOWNGRADE = """
DROP FUNCTION gate.upload_states();
ALTER TABLE upload DROP COLUMN read_as;
"""


def upgrade() -> None:
    """Adds the column and the function."""
    op.get_bind().exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Drops them; a check finds again how a file is read."""
    op.get_bind().exec_driver_sql(DOWNGRADE)
