"""The public gets one sum of rows for a round, and pairs of rounds are tallied by cluster.

One file a settlement is usual: rows of single uploads tell how many households a withheld one has.
"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

UPGRADE = """
DROP VIEW public_upload;
CREATE VIEW public_upload AS
    SELECT u.id, u.survey_id, u.uploaded_at
    FROM upload u JOIN survey s ON s.id = u.survey_id
    WHERE s.state = 'published' AND u.state IN ('loaded', 'withdrawing');
-- Rounded as all public counts are: what is not 0 never becomes 0.
CREATE VIEW public_rows AS
    SELECT u.survey_id,
        CASE WHEN sum(u.rows_loaded) > 0 THEN greatest(5, 5 * round(sum(u.rows_loaded) / 5.0)) ELSE 0 END::INTEGER
            AS rows_loaded
    FROM upload u JOIN survey s ON s.id = u.survey_id
    WHERE s.state = 'published' AND u.state IN ('loaded', 'withdrawing')
    GROUP BY u.survey_id;

-- Pairs of samples drawn by clusters are held against each other anew, by the worker.
DELETE FROM paired WHERE EXISTS (
    SELECT FROM tally t WHERE t.group_field = 'psu' AND t.survey_id IN (paired.from_survey_id, paired.to_survey_id)
);
ALTER TABLE pair_tally ADD COLUMN cluster TEXT DEFAULT '' NOT NULL;
ALTER TABLE pair_tally ALTER COLUMN cluster DROP DEFAULT;
ALTER TABLE pair_tally DROP CONSTRAINT pair_tally_pkey;
ALTER TABLE pair_tally ADD CONSTRAINT pair_tally_pkey PRIMARY KEY (
    from_survey_id, to_survey_id, indicator_id, counted, definition_version, settlement_id, cluster
);
"""

DOWNGRADE = """
DELETE FROM paired WHERE EXISTS (
    SELECT FROM pair_tally p WHERE p.cluster <> ''
        AND p.from_survey_id = paired.from_survey_id AND p.to_survey_id = paired.to_survey_id
);
ALTER TABLE pair_tally DROP CONSTRAINT pair_tally_pkey;
ALTER TABLE pair_tally ADD CONSTRAINT pair_tally_pkey PRIMARY KEY (
    from_survey_id, to_survey_id, indicator_id, counted, definition_version, settlement_id
);
ALTER TABLE pair_tally DROP COLUMN cluster;
DROP VIEW public_rows;
DROP VIEW public_upload;
CREATE VIEW public_upload AS
    SELECT u.id, u.survey_id, u.uploaded_at, (5 * round(u.rows_loaded / 5.0))::INTEGER AS rows_loaded
    FROM upload u JOIN survey s ON s.id = u.survey_id
    WHERE s.state = 'published' AND u.state IN ('loaded', 'withdrawing');
"""


def upgrade() -> None:
    """Takes the rows of single uploads from the public."""
    op.get_bind().exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Gives them back."""
    op.get_bind().exec_driver_sql(DOWNGRADE)
