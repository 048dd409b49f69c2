"""Stewards send boundaries and facilities too."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

UPGRADE = """
DROP POLICY received ON upload;
CREATE POLICY received ON upload FOR INSERT WITH CHECK (
    organisation_id = (SELECT gate.organisation_id()) AND account_id = (SELECT gate.account_id())
    AND state = 'received' AND CASE content
        WHEN 'survey' THEN survey_id IN (SELECT gate.own_surveys()) AND (SELECT gate.may('contributor'))
        ELSE (SELECT gate.may('steward'))
    END
);
CREATE FUNCTION gate.keep_places() RETURNS TRIGGER
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT gate.may('steward') THEN
        RAISE insufficient_privilege USING MESSAGE = 'settlements and facilities are for a steward';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER upload_of_places_decided BEFORE UPDATE ON upload
    FOR EACH ROW WHEN (current_user = 'vasti_service' AND OLD.content <> 'survey')
    EXECUTE FUNCTION gate.keep_places();
"""

DOWNGRADE = """
DROP TRIGGER upload_of_places_decided ON upload;
DROP FUNCTION gate.keep_places();
DROP POLICY received ON upload;
CREATE POLICY received ON upload FOR INSERT WITH CHECK (
    organisation_id = (SELECT gate.organisation_id()) AND account_id = (SELECT gate.account_id())
    AND survey_id IN (SELECT gate.own_surveys()) AND state = 'received' AND (SELECT gate.may('contributor'))
);
"""


def upgrade() -> None:
    """Lets stewards send what is of no survey."""
    op.get_bind().exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Leaves that to the command line; what was sent stays."""
    op.get_bind().exec_driver_sql(DOWNGRADE)
