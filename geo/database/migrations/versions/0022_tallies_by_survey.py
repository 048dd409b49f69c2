"""Tallies are partitioned by survey, as households are: those of a first load are checked at once, not one by one."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_CONSTRAINTS = """
ALTER TABLE tally ADD CONSTRAINT tally_pkey
    PRIMARY KEY (survey_id, group_field, indicator_id, counted, definition_version, settlement_id, group_code);
ALTER TABLE tally ADD CONSTRAINT tally_settlement_id_fkey FOREIGN KEY (settlement_id) REFERENCES settlement (id);
ALTER TABLE tally ADD CONSTRAINT tally_tallied_fkey
    FOREIGN KEY (survey_id, group_field, indicator_id, definition_version)
    REFERENCES tallied (survey_id, group_field, indicator_id, definition_version) ON DELETE CASCADE;
ALTER TABLE tally ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON tally FOR SELECT USING (survey_id IN (SELECT gate.full_surveys()));
-- What the service's role may do with the table is looked at anew.
COMMENT ON SCHEMA gate IS NULL;
"""

UPGRADE = """
ALTER TABLE tally RENAME TO tally_of_all;
ALTER INDEX tally_pkey RENAME TO tally_of_all_pkey;
CREATE TABLE tally (LIKE tally_of_all INCLUDING CONSTRAINTS) PARTITION BY LIST (survey_id);
-- Whatever has households has a part, and so has whatever has tallies.
DO $$
DECLARE
    found INTEGER;
BEGIN
    FOR found IN
        SELECT id FROM survey
        WHERE to_regclass('household_' || id) IS NOT NULL OR id IN (SELECT DISTINCT survey_id FROM tally_of_all)
    LOOP
        EXECUTE 'CREATE TABLE tally_' || found || ' PARTITION OF tally FOR VALUES IN (' || found || ')';
    END LOOP;
END
$$;
INSERT INTO tally SELECT * FROM tally_of_all;
DROP TABLE tally_of_all;
"""

DOWNGRADE = """
ALTER TABLE tally RENAME TO tally_by_survey;
ALTER INDEX tally_pkey RENAME TO tally_by_survey_pkey;
CREATE TABLE tally (LIKE tally_by_survey INCLUDING CONSTRAINTS);
INSERT INTO tally SELECT * FROM tally_by_survey;
DROP TABLE tally_by_survey;
"""


def upgrade() -> None:
    """Gives every survey its part of the tallies."""
    op.get_bind().exec_driver_sql(UPGRADE)
    op.get_bind().exec_driver_sql(_CONSTRAINTS)


def downgrade() -> None:
    """Puts all tallies into one table again."""
    op.get_bind().exec_driver_sql(DOWNGRADE)
    op.get_bind().exec_driver_sql(_CONSTRAINTS)
