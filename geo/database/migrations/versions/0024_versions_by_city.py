"""Data versions by city: a change in one leaves what is kept of another as it is."""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE data_version ADD COLUMN shared BIGINT NOT NULL DEFAULT 0;
-- What answers said before is of no city alone.
UPDATE data_version SET shared = version;
CREATE TABLE city_version (
    city_id INTEGER NOT NULL,
    version BIGINT NOT NULL,
    CONSTRAINT city_version_pkey PRIMARY KEY (city_id),
    CONSTRAINT city_version_city_id_fkey FOREIGN KEY(city_id) REFERENCES city (id)
);
-- The same rounds as those of gate.seen_surveys(), by their own policy: no list of them is made at each question.
DROP POLICY seen ON publication;
CREATE POLICY seen ON publication FOR SELECT USING (EXISTS (SELECT FROM survey WHERE survey.id = survey_id));
"""

DOWNGRADE = """
DROP POLICY seen ON publication;
CREATE POLICY seen ON publication FOR SELECT USING (survey_id IN (SELECT gate.seen_surveys()));
DROP TABLE city_version;
ALTER TABLE data_version DROP COLUMN shared;
"""


def upgrade() -> None:
    """Adds the table; what is kept by the version before is made anew once."""
    op.get_bind().exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Drops it."""
    op.get_bind().exec_driver_sql(DOWNGRADE)
