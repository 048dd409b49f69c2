"""Wards, like boundaries, hold from a day: a settlement that moves is where it was in the rounds before."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE settlement ADD CONSTRAINT settlement_city_id_id_key UNIQUE (city_id, id);
CREATE TABLE settlement_ward (
    id INTEGER GENERATED ALWAYS AS IDENTITY,
    city_id INTEGER NOT NULL,
    settlement_id INTEGER NOT NULL,
    ward_id INTEGER NOT NULL,
    upload_id INTEGER,
    valid_from_on DATE,
    valid_to_on DATE,
    CONSTRAINT settlement_ward_pkey PRIMARY KEY (id),
    CONSTRAINT settlement_ward_validity_check CHECK (valid_from_on < valid_to_on),
    CONSTRAINT settlement_ward_one_at_a_time
        EXCLUDE USING gist (settlement_id WITH =, daterange(valid_from_on, valid_to_on) WITH &&),
    CONSTRAINT settlement_ward_city_id_settlement_id_fkey
        FOREIGN KEY (city_id, settlement_id) REFERENCES settlement (city_id, id) ON DELETE CASCADE,
    CONSTRAINT settlement_ward_city_id_ward_id_fkey FOREIGN KEY (city_id, ward_id) REFERENCES ward (city_id, id),
    CONSTRAINT settlement_ward_upload_id_fkey
        FOREIGN KEY (upload_id) REFERENCES upload (id) DEFERRABLE INITIALLY DEFERRED
);
INSERT INTO settlement_ward (city_id, settlement_id, ward_id)
    SELECT city_id, id, ward_id FROM settlement WHERE ward_id IS NOT NULL ORDER BY id;
ALTER TABLE settlement DROP COLUMN ward_id;
"""

DOWNGRADE = """
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE settlement ADD COLUMN ward_id INTEGER;
UPDATE settlement SET ward_id = settlement_ward.ward_id FROM settlement_ward
    WHERE settlement_ward.settlement_id = settlement.id AND settlement_ward.valid_to_on IS NULL;
ALTER TABLE settlement ADD CONSTRAINT settlement_city_id_ward_id_fkey
    FOREIGN KEY (city_id, ward_id) REFERENCES ward (city_id, id);
DROP TABLE settlement_ward;
ALTER TABLE settlement DROP CONSTRAINT settlement_city_id_id_key;
"""


def upgrade() -> None:
    """Every settlement is in its ward for all rounds."""
    op.get_bind().exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Every settlement is in its newest ward, in earlier rounds too."""
    op.get_bind().exec_driver_sql(DOWNGRADE)
