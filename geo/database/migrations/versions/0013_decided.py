"""Who decided of an upload, and in which role, is kept: what is done later is done for somebody who may do it then."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE upload
    ADD COLUMN decided_by INTEGER CONSTRAINT upload_decided_by_fkey REFERENCES account (id),
    ADD COLUMN decided_as TEXT,
    ADD CONSTRAINT upload_decided_check CHECK ((decided_by IS NULL) = (decided_as IS NULL));
-- Of what is on its way, nobody noted who decided: at least who sent it did.
UPDATE upload SET decided_by = account_id, decided_as = 'contributor'
WHERE state IN ('accepted', 'withdrawing') AND account_id IS NOT NULL;
CREATE INDEX upload_begun_idx ON upload (id) WHERE state IN ('received', 'accepted', 'withdrawing');
-- The bearer's own pass says who it is, whatever the service writes.
CREATE FUNCTION gate.note_decider() RETURNS TRIGGER
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.decided_by := gate.account_id();
    NEW.decided_as := (gate.bearer())[3];
    RETURN NEW;
END
$$;
REVOKE ALL ON FUNCTION gate.note_decider() FROM PUBLIC;
CREATE TRIGGER upload_decider_noted BEFORE UPDATE ON upload
    FOR EACH ROW WHEN (current_user = 'vasti_service') EXECUTE FUNCTION gate.note_decider();
"""

DOWNGRADE = """
DROP TRIGGER upload_decider_noted ON upload;
DROP FUNCTION gate.note_decider();
DROP INDEX upload_begun_idx;
ALTER TABLE upload DROP COLUMN decided_by, DROP COLUMN decided_as;
"""


def upgrade() -> None:
    """Adds the columns, and the trigger that fills them."""
    op.get_bind().exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Drops them: afterwards an upload no longer tells who accepted it."""
    op.get_bind().exec_driver_sql(DOWNGRADE)
