"""The first schema: places, surveys, uploads, households and tallies."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

UPGRADE = """
CREATE EXTENSION IF NOT EXISTS postgis;
CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE TYPE interview_result_code AS ENUM ('completed', 'partial', 'absent', 'refused', 'vacant', 'other');

CREATE TYPE toilet_type_code AS ENUM ('flush_sewer', 'flush_septic', 'flush_pit', 'flush_unknown', 'vip', 'pit_slab', 'composting', 'twin_pit_slab', 'container_based', 'flush_open', 'pit_no_slab', 'bucket', 'hanging', 'twin_pit_no_slab', 'other', 'none');

CREATE TYPE toilet_location_code AS ENUM ('on_premises', 'elsewhere');

CREATE TYPE toilet_users_code AS ENUM ('own', 'shared', 'community', 'public');

CREATE TYPE toilet_emptied_code AS ENUM ('never', 'removed', 'buried_on_site');

CREATE TYPE excreta_destination_code AS ENUM ('contained', 'treatment_plant', 'sewer_secondary', 'sewer_untreated', 'environment');

CREATE TYPE water_source_code AS ENUM ('piped_dwelling', 'piped_yard', 'piped_neighbour', 'public_tap', 'borehole', 'protected_well', 'protected_spring', 'rainwater', 'tanker', 'cart', 'kiosk', 'bottled', 'sachet', 'unprotected_well', 'unprotected_spring', 'other', 'surface');

CREATE TYPE water_source_other_uses_code AS ENUM ('piped_dwelling', 'piped_yard', 'piped_neighbour', 'public_tap', 'borehole', 'protected_well', 'protected_spring', 'rainwater', 'tanker', 'cart', 'kiosk', 'bottled', 'sachet', 'unprotected_well', 'unprotected_spring', 'other', 'surface');

CREATE TYPE water_location_code AS ENUM ('dwelling', 'yard', 'elsewhere');

CREATE TYPE handwashing_place_code AS ENUM ('fixed', 'mobile', 'none', 'not_permitted');

CREATE TYPE drainage_code AS ENUM ('closed', 'open', 'none');

CREATE TYPE electricity_code AS ENUM ('metered', 'irregular', 'mini_grid', 'solar', 'generator', 'battery', 'none');

CREATE TYPE waste_collection_code AS ENUM ('door_to_door', 'container', 'burned_or_buried', 'dumped');

CREATE TYPE hazard_code AS ENUM ('none', 'flood', 'slope', 'toxic', 'right_of_way');

CREATE TYPE head_sex_code AS ENUM ('female', 'male', 'other');

CREATE TABLE organisation (
    id INTEGER GENERATED ALWAYS AS IDENTITY,
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    CONSTRAINT organisation_pkey PRIMARY KEY (id),
    CONSTRAINT organisation_slug_check CHECK (slug ~ '^[a-z0-9][a-z0-9_-]*$'),
    CONSTRAINT organisation_slug_key UNIQUE (slug)
);

CREATE TABLE city (
    id INTEGER GENERATED ALWAYS AS IDENTITY,
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    CONSTRAINT city_pkey PRIMARY KEY (id),
    CONSTRAINT city_slug_check CHECK (slug ~ '^[a-z0-9][a-z0-9_-]*$'),
    CONSTRAINT city_name_check CHECK (name <> ''),
    CONSTRAINT city_slug_key UNIQUE (slug)
);

CREATE TABLE data_version (
    is_only BOOLEAN DEFAULT 'true' NOT NULL,
    version BIGINT NOT NULL,
    CONSTRAINT data_version_pkey PRIMARY KEY (is_only),
    CONSTRAINT data_version_is_only_check CHECK (is_only)
);

CREATE TABLE ward (
    id INTEGER GENERATED ALWAYS AS IDENTITY,
    city_id INTEGER NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    CONSTRAINT ward_pkey PRIMARY KEY (id),
    CONSTRAINT ward_city_id_code_key UNIQUE (city_id, code),
    CONSTRAINT ward_city_id_id_key UNIQUE (city_id, id),
    CONSTRAINT ward_code_check CHECK (code <> ''),
    CONSTRAINT ward_city_id_fkey FOREIGN KEY(city_id) REFERENCES city (id)
);

CREATE TABLE survey (
    id INTEGER GENERATED ALWAYS AS IDENTITY,
    organisation_id INTEGER NOT NULL,
    city_id INTEGER NOT NULL,
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    starts_on DATE NOT NULL,
    ends_on DATE NOT NULL,
    unit TEXT NOT NULL,
    mode TEXT NOT NULL,
    licence TEXT,
    state TEXT DEFAULT 'draft' NOT NULL,
    CONSTRAINT survey_pkey PRIMARY KEY (id),
    CONSTRAINT survey_city_id_slug_key UNIQUE (city_id, slug),
    CONSTRAINT survey_slug_check CHECK (slug ~ '^[a-z0-9][a-z0-9_-]*$'),
    CONSTRAINT survey_dates_check CHECK (starts_on <= ends_on),
    CONSTRAINT survey_unit_check CHECK (unit IN ('household', 'settlement')),
    CONSTRAINT survey_mode_check CHECK (mode IN ('census', 'sample', 'phone')),
    CONSTRAINT survey_state_check CHECK (state IN ('draft', 'published')),
    CONSTRAINT survey_organisation_id_fkey FOREIGN KEY(organisation_id) REFERENCES organisation (id),
    CONSTRAINT survey_city_id_fkey FOREIGN KEY(city_id) REFERENCES city (id)
);

CREATE TABLE settlement (
    id INTEGER GENERATED ALWAYS AS IDENTITY,
    city_id INTEGER NOT NULL,
    ward_id INTEGER,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    CONSTRAINT settlement_pkey PRIMARY KEY (id),
    CONSTRAINT settlement_city_id_code_key UNIQUE (city_id, code),
    CONSTRAINT settlement_city_id_ward_id_fkey FOREIGN KEY(city_id, ward_id) REFERENCES ward (city_id, id),
    CONSTRAINT settlement_code_check CHECK (code <> ''),
    CONSTRAINT settlement_city_id_fkey FOREIGN KEY(city_id) REFERENCES city (id)
);

CREATE TABLE upload (
    id INTEGER GENERATED BY DEFAULT AS IDENTITY,
    city_id INTEGER NOT NULL,
    survey_id INTEGER,
    sha256 TEXT NOT NULL,
    file_name TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    uploaded_by TEXT NOT NULL,
    uploaded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    profile JSONB NOT NULL,
    rows_read INTEGER NOT NULL,
    rows_loaded INTEGER NOT NULL,
    rows_warned INTEGER NOT NULL,
    rows_rejected INTEGER NOT NULL,
    state TEXT DEFAULT 'loaded' NOT NULL,
    CONSTRAINT upload_pkey PRIMARY KEY (id),
    CONSTRAINT upload_survey_id_id_key UNIQUE (survey_id, id),
    CONSTRAINT upload_sha256_check CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    CONSTRAINT upload_state_check CHECK (state IN ('loaded', 'withdrawn')),
    CONSTRAINT upload_rows_check CHECK (rows_loaded + rows_rejected = rows_read),
    CONSTRAINT upload_city_id_fkey FOREIGN KEY(city_id) REFERENCES city (id),
    CONSTRAINT upload_survey_id_fkey FOREIGN KEY(survey_id) REFERENCES survey (id)
);

CREATE UNIQUE INDEX upload_once_idx ON upload (city_id, coalesce(survey_id, 0), sha256) WHERE state = 'loaded';

CREATE TABLE household (
    survey_id INTEGER NOT NULL,
    upload_id INTEGER NOT NULL,
    row_number INTEGER NOT NULL,
    settlement_id INTEGER NOT NULL,
    is_live BOOLEAN DEFAULT 'true' NOT NULL,
    superseded_by INTEGER,
    geom geometry(POINT,4326),
    household_code TEXT,
    declared_settlement_code TEXT,
    weight DOUBLE PRECISION DEFAULT '1' NOT NULL,
    members SMALLINT,
    psu TEXT,
    stratum TEXT,
    interview_result interview_result_code,
    interviewed_on DATE,
    toilet_type toilet_type_code,
    toilet_location toilet_location_code,
    toilet_users toilet_users_code,
    toilet_working BOOLEAN,
    toilet_emptied toilet_emptied_code,
    excreta_destination excreta_destination_code,
    water_source water_source_code,
    water_source_other_uses water_source_other_uses_code,
    water_location water_location_code,
    water_minutes DOUBLE PRECISION,
    water_sufficient BOOLEAN,
    handwashing_place handwashing_place_code,
    handwashing_water BOOLEAN,
    handwashing_soap BOOLEAN,
    drainage drainage_code,
    electricity electricity_code,
    waste_collection waste_collection_code,
    waste_per_week DOUBLE PRECISION,
    rooms SMALLINT,
    wall_permanent BOOLEAN,
    roof_permanent BOOLEAN,
    floor_permanent BOOLEAN,
    hazard hazard_code,
    tenure_document BOOLEAN,
    fears_eviction BOOLEAN,
    may_bequeath BOOLEAN,
    eviction_notice BOOLEAN,
    internet BOOLEAN,
    device BOOLEAN,
    head_sex head_sex_code,
    head_age SMALLINT,
    has_disability BOOLEAN,
    migrant BOOLEAN,
    occupation TEXT,
    extra JSONB,
    CONSTRAINT household_pkey PRIMARY KEY (survey_id, upload_id, row_number),
    CONSTRAINT household_survey_id_upload_id_fkey FOREIGN KEY(survey_id, upload_id) REFERENCES upload (survey_id, id),
    CONSTRAINT household_survey_id_superseded_by_fkey FOREIGN KEY(survey_id, superseded_by) REFERENCES upload (survey_id, id),
    CONSTRAINT household_weight_check CHECK (weight > 0 AND weight < 'Infinity'),
    CONSTRAINT household_members_check CHECK (members >= 0),
    CONSTRAINT household_live_check CHECK (NOT (is_live AND superseded_by IS NOT NULL)),
    CONSTRAINT household_settlement_id_fkey FOREIGN KEY(settlement_id) REFERENCES settlement (id)
)
 PARTITION BY LIST (survey_id);

CREATE INDEX household_settlement_id_idx ON household (settlement_id);

CREATE INDEX household_geom_idx ON household USING gist (geom);

CREATE UNIQUE INDEX household_one_live_idx ON household (survey_id, household_code) WHERE is_live;

CREATE TABLE boundary (
    id INTEGER GENERATED ALWAYS AS IDENTITY,
    settlement_id INTEGER NOT NULL,
    upload_id INTEGER NOT NULL,
    valid_from_on DATE,
    valid_to_on DATE,
    geom geometry(MULTIPOLYGON,4326) NOT NULL,
    area_m2 DOUBLE PRECISION NOT NULL,
    CONSTRAINT boundary_pkey PRIMARY KEY (id),
    CONSTRAINT boundary_area_check CHECK (area_m2 > 0),
    CONSTRAINT boundary_validity_check CHECK (valid_from_on < valid_to_on),
    CONSTRAINT boundary_geom_check CHECK (ST_IsValid(geom) AND NOT ST_IsEmpty(geom)),
    CONSTRAINT boundary_one_at_a_time EXCLUDE USING gist (settlement_id WITH =, daterange(valid_from_on, valid_to_on) WITH &&),
    CONSTRAINT boundary_settlement_id_fkey FOREIGN KEY(settlement_id) REFERENCES settlement (id),
    CONSTRAINT boundary_upload_id_fkey FOREIGN KEY(upload_id) REFERENCES upload (id)
);

CREATE TABLE survey_frame (
    survey_id INTEGER NOT NULL,
    settlement_id INTEGER NOT NULL,
    households INTEGER NOT NULL,
    CONSTRAINT survey_frame_pkey PRIMARY KEY (survey_id, settlement_id),
    CONSTRAINT survey_frame_households_check CHECK (households > 0),
    CONSTRAINT survey_frame_survey_id_fkey FOREIGN KEY(survey_id) REFERENCES survey (id),
    CONSTRAINT survey_frame_settlement_id_fkey FOREIGN KEY(settlement_id) REFERENCES settlement (id)
);

CREATE TABLE finding (
    upload_id INTEGER NOT NULL,
    row_number INTEGER,
    field TEXT,
    value TEXT,
    code TEXT NOT NULL,
    severity TEXT NOT NULL,
    CONSTRAINT finding_severity_check CHECK (severity IN ('error', 'warning')),
    CONSTRAINT finding_upload_id_fkey FOREIGN KEY(upload_id) REFERENCES upload (id)
);

CREATE INDEX finding_upload_id_idx ON finding (upload_id);

CREATE TABLE tally (
    survey_id INTEGER NOT NULL,
    settlement_id INTEGER NOT NULL,
    indicator_id TEXT NOT NULL,
    counted TEXT NOT NULL,
    definition_version INTEGER NOT NULL,
    n BIGINT NOT NULL,
    n_unknown BIGINT NOT NULL,
    sum_a DOUBLE PRECISION NOT NULL,
    sum_ay DOUBLE PRECISION NOT NULL,
    sum_a2 DOUBLE PRECISION NOT NULL,
    sum_a2y DOUBLE PRECISION NOT NULL,
    sum_a_unknown DOUBLE PRECISION NOT NULL,
    sum_a2_unknown DOUBLE PRECISION NOT NULL,
    sum_w DOUBLE PRECISION NOT NULL,
    CONSTRAINT tally_pkey PRIMARY KEY (survey_id, settlement_id, indicator_id, counted),
    CONSTRAINT tally_counted_check CHECK (counted IN ('households', 'persons')),
    CONSTRAINT tally_counts_check CHECK (n >= 0 AND n_unknown >= 0),
    CONSTRAINT tally_sums_check CHECK (sum_ay <= sum_a * (1 + 1e-9) AND sum_a2y <= sum_a2 * (1 + 1e-9)),
    CONSTRAINT tally_survey_id_fkey FOREIGN KEY(survey_id) REFERENCES survey (id),
    CONSTRAINT tally_settlement_id_fkey FOREIGN KEY(settlement_id) REFERENCES settlement (id)
);
"""

DOWNGRADE = """
DROP TABLE tally, survey_frame, household, finding, boundary, upload, settlement, ward, survey, organisation, data_version, city;
DROP TYPE drainage_code, electricity_code, excreta_destination_code, handwashing_place_code, hazard_code, head_sex_code, interview_result_code, toilet_emptied_code, toilet_location_code, toilet_type_code, toilet_users_code, waste_collection_code, water_location_code, water_source_code, water_source_other_uses_code;
"""


def upgrade() -> None:
    """Creates every table."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drops every table and type; the extensions stay."""
    op.execute(DOWNGRADE)
