"""Facilities: community toilet blocks and water points, and what an upload's file was loaded as."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE upload ADD COLUMN content TEXT;
UPDATE upload SET content = CASE WHEN survey_id IS NULL THEN 'boundaries' ELSE 'survey' END;
ALTER TABLE upload
    ALTER COLUMN content SET NOT NULL,
    ADD CONSTRAINT upload_content_check CHECK (content IN ('boundaries', 'survey', 'facilities')),
    ADD CONSTRAINT upload_survey_check CHECK ((content = 'survey') = (survey_id IS NOT NULL)),
    ADD CONSTRAINT upload_city_id_id_key UNIQUE (city_id, id);
DROP INDEX upload_once_idx;
CREATE UNIQUE INDEX upload_once_idx ON upload (city_id, content, coalesce(survey_id, 0), sha256)
    WHERE state = 'loaded' AND content <> 'facilities';
CREATE UNIQUE INDEX upload_once_a_layer_idx ON upload (city_id, sha256, coalesce(profile ->> 'layer', ''))
    WHERE state = 'loaded' AND content = 'facilities';

CREATE TABLE facility (
    id INTEGER GENERATED ALWAYS AS IDENTITY,
    city_id INTEGER NOT NULL,
    upload_id INTEGER NOT NULL,
    row_number INTEGER NOT NULL,
    is_live BOOLEAN DEFAULT 'true' NOT NULL,
    superseded_by INTEGER,
    code TEXT NOT NULL,
    name TEXT,
    kind TEXT NOT NULL,
    seats INTEGER,
    seats_working INTEGER,
    is_working BOOLEAN NOT NULL,
    opened_on DATE,
    closed_on DATE,
    geom geometry(POINT,4326) NOT NULL,
    CONSTRAINT facility_pkey PRIMARY KEY (id),
    CONSTRAINT facility_upload_id_row_number_key UNIQUE (upload_id, row_number),
    CONSTRAINT facility_code_check CHECK (code <> ''),
    CONSTRAINT facility_kind_check CHECK (kind IN ('community_toilet', 'water_point')),
    CONSTRAINT facility_seats_check CHECK (seats >= 0),
    CONSTRAINT facility_seats_working_check CHECK (seats_working >= 0 AND (seats IS NULL OR seats_working <= seats)),
    CONSTRAINT facility_dates_check CHECK (opened_on < closed_on),
    CONSTRAINT facility_live_check CHECK (NOT (is_live AND superseded_by IS NOT NULL)),
    CONSTRAINT facility_geom_check CHECK (NOT ST_IsEmpty(geom)),
    CONSTRAINT facility_city_id_fkey FOREIGN KEY(city_id) REFERENCES city (id),
    CONSTRAINT facility_city_id_upload_id_fkey FOREIGN KEY(city_id, upload_id) REFERENCES upload (city_id, id),
    CONSTRAINT facility_city_id_superseded_by_fkey FOREIGN KEY(city_id, superseded_by) REFERENCES upload (city_id, id)
);
CREATE UNIQUE INDEX facility_one_live_idx ON facility (city_id, code) WHERE is_live;
CREATE INDEX facility_position_idx ON facility USING gist (city_id, kind, geography(geom), geom) WHERE is_live;
"""

DOWNGRADE = """
DROP TABLE facility;
DELETE FROM finding USING upload WHERE upload.id = finding.upload_id AND upload.content = 'facilities';
DELETE FROM upload WHERE content = 'facilities';
DROP INDEX upload_once_a_layer_idx;
DROP INDEX upload_once_idx;
ALTER TABLE upload
    DROP CONSTRAINT upload_city_id_id_key, DROP CONSTRAINT upload_survey_check, DROP COLUMN content;
CREATE UNIQUE INDEX upload_once_idx ON upload (city_id, coalesce(survey_id, 0), sha256) WHERE state = 'loaded';
"""


def upgrade() -> None:
    """Says of every upload what it holds, and makes room for facilities."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Takes both out again; uploads of facilities go with them."""
    op.execute(DOWNGRADE)
