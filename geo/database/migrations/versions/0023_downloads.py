"""Downloads of publications, digests that a reader can work out, and changes in the schema `open`."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

# A digest was of rows with numbers of our own, which nobody else has. It is worked out anew with the download.
UPGRADE = """
ALTER TABLE publication ALTER COLUMN sha256 DROP NOT NULL;
UPDATE publication SET sha256 = NULL;
CREATE TABLE publication_download (
    publication_id INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    CONSTRAINT publication_download_pkey PRIMARY KEY (publication_id),
    CONSTRAINT publication_download_size_bytes_check CHECK (size_bytes > 0),
    CONSTRAINT publication_download_publication_id_fkey FOREIGN KEY(publication_id) REFERENCES publication (id) ON DELETE CASCADE
);
-- Who sees that there is a publication sees that it can be downloaded.
ALTER TABLE publication_download ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON publication_download FOR SELECT USING (publication_id IN (SELECT id FROM publication));
COMMENT ON COLUMN open.publications.sha256 IS 'Of the file figures.csv in its download: who cites the figures can tell that they are these. NULL: it is being worked out.';
"""

# The arithmetic is that of geo.indicators.figures.changes.compare, in doubles throughout, so that both say the same.
OPEN = """
CREATE VIEW open.changes AS
SELECT both_of.city, both_of.from_survey, both_of.to_survey, both_of.from_publication, both_of.to_publication,
    both_of.level, both_of.code, both_of.ward_code, both_of.ward_name, both_of.settlement_code,
    both_of.settlement_name, both_of.indicator, both_of.indicator_name, both_of.definition_version, both_of.counted,
    both_of.is_headline, both_of.unit,
    CASE WHEN said.is_told THEN both_of.value_from END AS value_from,
    CASE WHEN said.is_told THEN both_of.value_to END AS value_to,
    CASE WHEN said.is_told THEN round((both_of.value_to - both_of.value_from) * scale.of_change) / scale.of_change
        END AS change,
    CASE WHEN said.is_told THEN round(ends.low * scale.of_ends) / scale.of_ends END AS low,
    CASE WHEN said.is_told THEN round(ends.high * scale.of_ends) / scale.of_ends END AS high,
    CASE WHEN said.is_told AND said.method = 'paired' AND both_of.unit = '%%' AND both_of.pair_p IS NOT NULL
        THEN greatest(round(both_of.pair_p * 1000::float8) / 1000::float8, 0.001::float8) END AS p_value,
    CASE WHEN said.is_told THEN both_of.n_from END AS n_from,
    CASE WHEN said.is_told THEN both_of.n_to END AS n_to,
    CASE WHEN said.is_told AND said.method = 'paired' THEN both_of.n_pairs END AS n_pairs,
    CASE WHEN said.is_told THEN said.method END AS method,
    CASE WHEN said.is_told THEN 'published' ELSE 'withheld' END AS status,
    both_of.reason
FROM (
    SELECT later.city, earlier.survey AS from_survey, later.survey AS to_survey,
        earlier.publication AS from_publication, later.publication AS to_publication,
        place.level, place.code, place.ward_code, place.ward_name, place.settlement_code, place.settlement_name,
        block.indicator_id AS indicator, block.indicator_name, block.definition_version, block.counted,
        block.counted = (
            SELECT min(head.counted) FROM published_block AS head
            WHERE head.publication_id IN (earlier.publication_id, later.publication_id)
                AND head.group_field = '' AND head.indicator_id = block.indicator_id AND head.is_headline
        ) AS is_headline,
        block.unit, figure.value AS value_to, before.value AS value_from,
        coalesce(figure.low, figure.value) AS low_to, coalesce(figure.high, figure.value) AS high_to,
        coalesce(before.low, before.value) AS low_from, coalesce(before.high, before.value) AS high_from,
        figure.n AS n_to, before.n AS n_from, figure.method AS method_to, before.method AS method_from,
        pair.n_pairs, pair.low AS pair_low, pair.high AS pair_high, pair.p_value AS pair_p,
        CASE
            WHEN before.method IS NULL THEN coalesce(figure.reason, 'boundary_changed')
            WHEN block.definition_version <> block_before.definition_version THEN 'definition_changed'
            WHEN place.drawn <> place_before.drawn THEN 'boundary_changed'
            WHEN (later.unit, later.mode) <> (earlier.unit, earlier.mode) THEN 'mode_changed'
            ELSE coalesce(figure.reason, before.reason)
        END AS reason
    FROM open.publications AS later
    JOIN open.publications AS earlier ON earlier.city = later.city
        AND (earlier.starts_on, earlier.survey COLLATE "C") < (later.starts_on, later.survey COLLATE "C")
    JOIN published_block AS block ON block.publication_id = later.publication_id AND block.group_field = ''
    JOIN published_figure AS figure ON figure.publication_id = later.publication_id AND figure.block = block.block
    JOIN published_place AS place ON place.publication_id = later.publication_id AND place.place = figure.place
    LEFT JOIN published_block AS block_before ON block_before.publication_id = earlier.publication_id
        AND block_before.group_field = '' AND block_before.indicator_id = block.indicator_id
        AND block_before.counted = block.counted
    LEFT JOIN published_place AS place_before ON place_before.publication_id = earlier.publication_id
        AND place_before.level = place.level AND place_before.code = place.code
    LEFT JOIN published_figure AS before ON before.publication_id = earlier.publication_id
        AND before.block = block_before.block AND before.place = place_before.place AND before.group_name = ''
    LEFT JOIN published_pair AS pair ON pair.from_publication_id = earlier.publication_id
        AND pair.to_publication_id = later.publication_id AND pair.block = block.block AND pair.place = place.place
    WHERE EXISTS (
        SELECT FROM published_block AS there
        WHERE there.publication_id = earlier.publication_id AND there.indicator_id = block.indicator_id
    )
) AS both_of
CROSS JOIN LATERAL (
    SELECT both_of.reason IS NULL AS is_told,
        CASE
            WHEN 'measurement' IN (both_of.method_from, both_of.method_to) THEN 'measurement'
            WHEN 'register' IN (both_of.method_from, both_of.method_to) THEN 'register'
            WHEN both_of.method_from = 'enumeration' AND both_of.method_to = 'enumeration' THEN 'enumeration'
            WHEN both_of.n_pairs IS NOT NULL THEN 'paired'
            ELSE 'independent'
        END AS method
) AS said
CROSS JOIN LATERAL (
    SELECT
        CASE said.method
            WHEN 'paired' THEN both_of.pair_low
            WHEN 'independent' THEN both_of.value_to - both_of.value_from - sqrt(
                (both_of.value_to - both_of.low_to) * (both_of.value_to - both_of.low_to)
                + (both_of.high_from - both_of.value_from) * (both_of.high_from - both_of.value_from))
        END AS low,
        CASE said.method
            WHEN 'paired' THEN both_of.pair_high
            WHEN 'independent' THEN both_of.value_to - both_of.value_from + sqrt(
                (both_of.high_to - both_of.value_to) * (both_of.high_to - both_of.value_to)
                + (both_of.value_from - both_of.low_from) * (both_of.value_from - both_of.low_from))
        END AS high
) AS ends
CROSS JOIN LATERAL (
    SELECT CASE WHEN both_of.unit = '%%' THEN 100::float8 ELSE 1000::float8 END AS of_change,
        CASE WHEN both_of.unit <> '%%' THEN 1000::float8
            WHEN least(both_of.n_from, both_of.n_to) < 100 THEN 1::float8 ELSE 10::float8 END AS of_ends
) AS scale;

COMMENT ON VIEW open.changes IS 'What each figure of all households changed by, between each two published rounds of a city. Changes of groups are in the API.';
COMMENT ON COLUMN open.changes.from_survey IS 'The earlier of the two rounds, by their first days.';
COMMENT ON COLUMN open.changes.level IS 'settlement, ward or city.';
COMMENT ON COLUMN open.changes.is_headline IS 'Whether this is what is counted in both rounds where nobody says: filter by it to have each change once.';
COMMENT ON COLUMN open.changes.value_from IS 'The published figure of the earlier round, in the unit that `unit` names. NULL: withheld.';
COMMENT ON COLUMN open.changes.value_to IS 'That of the later round.';
COMMENT ON COLUMN open.changes.change IS 'value_to less value_from: in percentage points where the unit is per cent, else in that unit.';
COMMENT ON COLUMN open.changes.low IS 'Lower end of the 95 per cent interval of the change, in the same unit; NULL where both rounds asked everybody, of registers and of what is measured, or where there were too few clusters.';
COMMENT ON COLUMN open.changes.high IS 'Upper end of it.';
COMMENT ON COLUMN open.changes.p_value IS 'How likely so large a change is by chance: of the same households in both rounds (method paired) alone, and of per cent. Of independent samples /api/v1/changes gives it, which SQL cannot work out as exactly: look whether low and high have the same sign.';
COMMENT ON COLUMN open.changes.n_from IS 'Households that answered in the earlier round, rounded to 5.';
COMMENT ON COLUMN open.changes.n_to IS 'Those of the later round.';
COMMENT ON COLUMN open.changes.n_pairs IS 'Households that are in both rounds, where they are compared with themselves, rounded to 5.';
COMMENT ON COLUMN open.changes.method IS 'enumeration: both rounds asked everybody; paired: the same households; independent: two samples; register; measurement.';
COMMENT ON COLUMN open.changes.status IS 'published or withheld.';
COMMENT ON COLUMN open.changes.reason IS 'Why it is withheld, as a code: either figure is, or the rounds cannot be compared.';

DO $$ BEGIN
    GRANT SELECT ON open.changes TO vasti_reader;
EXCEPTION WHEN undefined_object THEN
    -- Nobody has made the account yet: `vasti db reader` grants it then.
    NULL;
END $$;
"""

DOWNGRADE = """
DROP VIEW open.changes;
DROP TABLE publication_download;
UPDATE publication SET sha256 = '' WHERE sha256 IS NULL;
ALTER TABLE publication ALTER COLUMN sha256 SET NOT NULL;
"""


def upgrade() -> None:
    """Adds them; a worker makes the downloads and digests of what is published."""
    op.get_bind().exec_driver_sql(UPGRADE)
    op.get_bind().exec_driver_sql(OPEN)


def downgrade() -> None:
    """Drops them; the kept files stay where they are."""
    op.get_bind().exec_driver_sql(DOWNGRADE)
