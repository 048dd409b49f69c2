"""Publications: what the public may read of a round, made whole at one moment."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE survey ADD COLUMN publishing TEXT NOT NULL DEFAULT 'automatic';
ALTER TABLE survey ADD CONSTRAINT survey_publishing_check CHECK (publishing IN ('automatic', 'steward'));
CREATE TABLE publication (
    id INTEGER GENERATED ALWAYS AS IDENTITY,
    survey_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    account_id INTEGER,
    state TEXT DEFAULT 'current' NOT NULL,
    basis JSONB NOT NULL,
    sha256 TEXT NOT NULL,
    note TEXT,
    CONSTRAINT publication_pkey PRIMARY KEY (id),
    CONSTRAINT publication_survey_id_number_key UNIQUE (survey_id, number),
    CONSTRAINT publication_number_check CHECK (number >= 1),
    CONSTRAINT publication_state_check CHECK (state IN ('current', 'superseded', 'retracted')),
    CONSTRAINT publication_survey_id_fkey FOREIGN KEY(survey_id) REFERENCES survey (id),
    CONSTRAINT publication_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (id)
);
CREATE UNIQUE INDEX publication_current_idx ON publication (survey_id) WHERE state = 'current';
CREATE TABLE published_place (
    publication_id INTEGER NOT NULL,
    place INTEGER NOT NULL,
    level TEXT NOT NULL,
    code TEXT NOT NULL,
    ward_code TEXT,
    ward_name TEXT,
    settlement_code TEXT,
    settlement_name TEXT,
    drawn TEXT NOT NULL,
    area_m2 DOUBLE PRECISION,
    geom geometry(MULTIPOLYGON,4326),
    shape TEXT,
    point geometry(POINT,4326),
    CONSTRAINT published_place_pkey PRIMARY KEY (publication_id, place),
    CONSTRAINT published_place_publication_id_level_code_key UNIQUE (publication_id, level, code),
    CONSTRAINT published_place_level_check CHECK (level IN ('settlement', 'ward', 'city')),
    CONSTRAINT published_place_publication_id_fkey FOREIGN KEY(publication_id) REFERENCES publication (id) ON DELETE CASCADE
);
CREATE TABLE published_block (
    publication_id INTEGER NOT NULL,
    block INTEGER NOT NULL,
    group_field TEXT NOT NULL,
    indicator_id TEXT NOT NULL,
    definition_version INTEGER NOT NULL,
    counted TEXT NOT NULL,
    is_headline BOOLEAN NOT NULL,
    indicator_name TEXT NOT NULL,
    unit TEXT NOT NULL,
    method TEXT NOT NULL,
    groups TEXT[] NOT NULL,
    CONSTRAINT published_block_pkey PRIMARY KEY (publication_id, block),
    CONSTRAINT published_block_said_once_key UNIQUE (publication_id, group_field, indicator_id, counted),
    CONSTRAINT published_block_counted_check CHECK (counted IN ('households', 'persons')),
    CONSTRAINT published_block_publication_id_fkey FOREIGN KEY(publication_id) REFERENCES publication (id) ON DELETE CASCADE
);
CREATE TABLE published_figure (
    publication_id INTEGER NOT NULL,
    block INTEGER NOT NULL,
    place INTEGER NOT NULL,
    group_name TEXT NOT NULL,
    value DOUBLE PRECISION,
    low DOUBLE PRECISION,
    high DOUBLE PRECISION,
    n BIGINT,
    n_unknown BIGINT,
    bound_low DOUBLE PRECISION,
    bound_high DOUBLE PRECISION,
    population BIGINT,
    unserved BIGINT,
    unserved_low BIGINT,
    unserved_high BIGINT,
    response_rate DOUBLE PRECISION,
    deff DOUBLE PRECISION,
    n_eff DOUBLE PRECISION,
    method TEXT NOT NULL,
    flags TEXT,
    reason TEXT,
    CONSTRAINT published_figure_pkey PRIMARY KEY (publication_id, block, place, group_name)
) PARTITION BY LIST (publication_id);
CREATE TABLE publication_counts (
    publication_id INTEGER NOT NULL,
    counts BYTEA NOT NULL,
    CONSTRAINT publication_counts_pkey PRIMARY KEY (publication_id),
    CONSTRAINT publication_counts_publication_id_fkey FOREIGN KEY(publication_id) REFERENCES publication (id) ON DELETE CASCADE
);
CREATE TABLE published_pair (
    from_publication_id INTEGER NOT NULL,
    to_publication_id INTEGER NOT NULL,
    block INTEGER NOT NULL,
    place INTEGER NOT NULL,
    n_pairs BIGINT NOT NULL,
    low DOUBLE PRECISION,
    high DOUBLE PRECISION,
    p_value DOUBLE PRECISION,
    CONSTRAINT published_pair_pkey PRIMARY KEY (from_publication_id, to_publication_id, block, place),
    CONSTRAINT published_pair_from_publication_id_fkey FOREIGN KEY(from_publication_id) REFERENCES publication (id) ON DELETE CASCADE,
    CONSTRAINT published_pair_to_publication_id_fkey FOREIGN KEY(to_publication_id) REFERENCES publication (id) ON DELETE CASCADE
);

-- A round that is taken back is shown by none of its publications, nor is it when it is published again.
CREATE FUNCTION gate.retract() RETURNS TRIGGER
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE public.publication SET state = 'retracted' WHERE survey_id = NEW.id AND state <> 'retracted';
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION gate.retract() FROM PUBLIC;
CREATE TRIGGER survey_taken_back AFTER UPDATE OF state ON survey
    FOR EACH ROW WHEN (OLD.state = 'published' AND NEW.state = 'draft') EXECUTE FUNCTION gate.retract();

-- The public reads publications: what they are made from is for those who see a round in full.
DROP POLICY seen ON tally;
CREATE POLICY seen ON tally FOR SELECT USING (survey_id IN (SELECT gate.full_surveys()));
DROP POLICY seen ON tallied;
CREATE POLICY seen ON tallied FOR SELECT USING (survey_id IN (SELECT gate.full_surveys()));
DROP POLICY seen ON paired;
CREATE POLICY seen ON paired FOR SELECT USING (
    from_survey_id IN (SELECT gate.full_surveys()) AND to_survey_id IN (SELECT gate.full_surveys())
);
DROP POLICY seen ON pair_tally;
CREATE POLICY seen ON pair_tally FOR SELECT USING (
    from_survey_id IN (SELECT gate.full_surveys()) AND to_survey_id IN (SELECT gate.full_surveys())
);
DROP POLICY seen ON survey_frame;
CREATE POLICY seen ON survey_frame FOR SELECT USING (survey_id IN (SELECT gate.full_surveys()));
DROP POLICY seen ON stratum_frame;
CREATE POLICY seen ON stratum_frame FOR SELECT USING (survey_id IN (SELECT gate.full_surveys()));

-- What is published is for everybody; that a round has been is as well known as the round.
ALTER TABLE publication ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON publication FOR SELECT USING (survey_id IN (SELECT gate.seen_surveys()));
"""

# What any tool that speaks SQL may read, as a role that sees nothing else.
OPEN = """
CREATE SCHEMA open;
COMMENT ON SCHEMA open IS 'What is published: current publications of published survey rounds, for any tool that speaks SQL.';

CREATE VIEW open.publications AS
SELECT city.slug AS city, survey.slug AS survey, survey.name AS survey_name, survey.starts_on, survey.ends_on,
    survey.unit, survey.mode, survey.licence, publication.number AS publication, publication.made_at,
    publication.sha256, publication.id AS publication_id
FROM publication
JOIN survey ON survey.id = publication.survey_id
JOIN city ON city.id = survey.city_id
WHERE publication.state = 'current' AND survey.state = 'published';

CREATE VIEW open.places AS
SELECT said.city, said.survey, place.level, place.code, place.ward_code, place.ward_name, place.settlement_code,
    place.settlement_name, place.area_m2, place.geom, place.point
FROM open.publications AS said
JOIN published_place AS place ON place.publication_id = said.publication_id;

CREATE VIEW open.figures AS
SELECT said.city, said.survey, said.publication, said.starts_on, said.ends_on, place.level, place.code,
    place.ward_code, place.ward_name, place.settlement_code, place.settlement_name,
    nullif(block.group_field, '') AS group_by, nullif(figure.group_name, '') AS group_name,
    block.indicator_id AS indicator, block.indicator_name, block.definition_version, block.counted, block.is_headline,
    block.unit, figure.value, figure.low, figure.high, figure.n, figure.n_unknown, figure.bound_low,
    figure.bound_high, figure.population, figure.unserved, figure.unserved_low, figure.unserved_high,
    figure.response_rate, figure.deff, figure.n_eff, figure.method, figure.flags,
    CASE WHEN figure.reason IS NULL THEN 'published' ELSE 'withheld' END AS status, figure.reason
FROM open.publications AS said
JOIN published_block AS block ON block.publication_id = said.publication_id
JOIN published_figure AS figure
    ON figure.publication_id = said.publication_id AND figure.block = block.block
JOIN published_place AS place
    ON place.publication_id = said.publication_id AND place.place = figure.place;

CREATE VIEW open.indicators AS
SELECT said.city, said.survey, block.indicator_id AS indicator, block.indicator_name, block.definition_version,
    block.counted, block.is_headline, block.unit
FROM open.publications AS said
JOIN published_block AS block ON block.publication_id = said.publication_id
WHERE block.group_field = '';

COMMENT ON COLUMN open.publications.sha256 IS 'A digest of the figures: who cites them can tell that they are these.';
COMMENT ON COLUMN open.places.area_m2 IS 'Geodesic, in square metres.';
COMMENT ON COLUMN open.places.geom IS 'Longitude and latitude, WGS 84 (EPSG:4326).';
COMMENT ON COLUMN open.places.point IS 'A point inside the shape.';
COMMENT ON COLUMN open.figures.level IS 'settlement, ward or city.';
COMMENT ON COLUMN open.figures.group_by IS 'The field by whose groups the figure is; NULL: all households.';
COMMENT ON COLUMN open.figures.is_headline IS 'Whether this is what is counted where nobody says: filter by it to have each figure once.';
COMMENT ON COLUMN open.figures.value IS 'In the unit that `unit` names: per cent, or persons per km2 and the like. NULL: withheld.';
COMMENT ON COLUMN open.figures.low IS 'Lower end of the 95 per cent interval; NULL where everybody was asked.';
COMMENT ON COLUMN open.figures.high IS 'Upper end of it.';
COMMENT ON COLUMN open.figures.n IS 'Households that answered, rounded to 5.';
COMMENT ON COLUMN open.figures.population IS 'Households or persons it speaks for, as `counted` says, rounded to 5.';
COMMENT ON COLUMN open.figures.unserved IS 'How many of them go without, rounded to 5.';
COMMENT ON COLUMN open.figures.flags IS 'Names of what else is to be said of it, with commas between.';
COMMENT ON COLUMN open.figures.reason IS 'Why it is withheld, as a code.';
"""

DOWNGRADE = """
DROP SCHEMA open CASCADE;
DROP POLICY seen ON tally;
CREATE POLICY seen ON tally FOR SELECT USING (survey_id IN (SELECT gate.seen_surveys()));
DROP POLICY seen ON tallied;
CREATE POLICY seen ON tallied FOR SELECT USING (survey_id IN (SELECT gate.seen_surveys()));
DROP POLICY seen ON paired;
CREATE POLICY seen ON paired FOR SELECT USING (
    from_survey_id IN (SELECT gate.seen_surveys()) AND to_survey_id IN (SELECT gate.seen_surveys())
);
DROP POLICY seen ON pair_tally;
CREATE POLICY seen ON pair_tally FOR SELECT USING (
    from_survey_id IN (SELECT gate.seen_surveys()) AND to_survey_id IN (SELECT gate.seen_surveys())
);
DROP POLICY seen ON survey_frame;
CREATE POLICY seen ON survey_frame FOR SELECT USING (survey_id IN (SELECT gate.seen_surveys()));
DROP POLICY seen ON stratum_frame;
CREATE POLICY seen ON stratum_frame FOR SELECT USING (survey_id IN (SELECT gate.seen_surveys()));
DROP TRIGGER survey_taken_back ON survey;
DROP FUNCTION gate.retract();
DROP TABLE published_pair, publication_counts, published_figure, published_block, published_place, publication;
ALTER TABLE survey DROP COLUMN publishing;
"""


def upgrade() -> None:
    """Makes the tables; the worker, or `vasti db upgrade`, makes the first publication of each published round."""
    op.get_bind().exec_driver_sql(UPGRADE)
    op.get_bind().exec_driver_sql(OPEN)


def downgrade() -> None:
    """Drops what has been published: it can be made anew."""
    op.get_bind().exec_driver_sql(DOWNGRADE)
