"""Tallies by group, cluster, pair of rounds and version of their definition; indicators of organisations."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# The old tallies lack sums that cannot be made from them: `vasti db upgrade` and the worker make all of them anew.
UPGRADE = """
DROP TABLE tally;
CREATE TABLE tallied (
    survey_id INTEGER NOT NULL,
    group_field TEXT NOT NULL,
    indicator_id TEXT NOT NULL,
    definition_version INTEGER NOT NULL,
    CONSTRAINT tallied_pkey PRIMARY KEY (survey_id, group_field, indicator_id, definition_version),
    CONSTRAINT tallied_survey_id_fkey FOREIGN KEY(survey_id) REFERENCES survey (id)
);
CREATE TABLE tally (
    survey_id INTEGER NOT NULL,
    group_field TEXT NOT NULL,
    indicator_id TEXT NOT NULL,
    counted TEXT NOT NULL,
    definition_version INTEGER NOT NULL,
    settlement_id INTEGER NOT NULL,
    group_code TEXT NOT NULL,
    n BIGINT NOT NULL,
    n_unknown BIGINT NOT NULL,
    n_yes BIGINT NOT NULL,
    n_sampled BIGINT NOT NULL,
    sum_w DOUBLE PRECISION NOT NULL,
    sum_a DOUBLE PRECISION NOT NULL,
    sum_ay DOUBLE PRECISION NOT NULL,
    sum_a2 DOUBLE PRECISION NOT NULL,
    sum_a2y DOUBLE PRECISION NOT NULL,
    sum_a2y2 DOUBLE PRECISION NOT NULL,
    sum_a_unknown DOUBLE PRECISION NOT NULL,
    sum_a2_unknown DOUBLE PRECISION NOT NULL,
    sum_w_unknown DOUBLE PRECISION NOT NULL,
    CONSTRAINT tally_pkey
        PRIMARY KEY (survey_id, group_field, indicator_id, counted, definition_version, settlement_id, group_code),
    CONSTRAINT tally_counted_check CHECK (counted IN ('households', 'persons')),
    CONSTRAINT tally_counts_check CHECK (n >= 0 AND n_unknown >= 0 AND n_yes BETWEEN 0 AND n),
    CONSTRAINT tally_sampled_check CHECK (n + n_unknown <= n_sampled),
    CONSTRAINT tally_settlement_id_fkey FOREIGN KEY(settlement_id) REFERENCES settlement (id),
    CONSTRAINT tally_tallied_fkey
        FOREIGN KEY(survey_id, group_field, indicator_id, definition_version)
        REFERENCES tallied (survey_id, group_field, indicator_id, definition_version) ON DELETE CASCADE
);
CREATE TABLE paired (
    from_survey_id INTEGER NOT NULL,
    to_survey_id INTEGER NOT NULL,
    CONSTRAINT paired_pkey PRIMARY KEY (from_survey_id, to_survey_id),
    CONSTRAINT paired_from_survey_id_fkey FOREIGN KEY(from_survey_id) REFERENCES survey (id),
    CONSTRAINT paired_to_survey_id_fkey FOREIGN KEY(to_survey_id) REFERENCES survey (id)
);
CREATE TABLE pair_tally (
    from_survey_id INTEGER NOT NULL,
    to_survey_id INTEGER NOT NULL,
    indicator_id TEXT NOT NULL,
    counted TEXT NOT NULL,
    definition_version INTEGER NOT NULL,
    settlement_id INTEGER NOT NULL,
    n BIGINT NOT NULL,
    n_gained BIGINT NOT NULL,
    n_lost BIGINT NOT NULL,
    sum_a DOUBLE PRECISION NOT NULL,
    sum_ad DOUBLE PRECISION NOT NULL,
    sum_a2 DOUBLE PRECISION NOT NULL,
    sum_a2d DOUBLE PRECISION NOT NULL,
    sum_a2d2 DOUBLE PRECISION NOT NULL,
    CONSTRAINT pair_tally_pkey
        PRIMARY KEY (from_survey_id, to_survey_id, indicator_id, counted, definition_version, settlement_id),
    CONSTRAINT pair_tally_counted_check CHECK (counted IN ('households', 'persons')),
    CONSTRAINT pair_tally_counts_check CHECK (n_gained >= 0 AND n_lost >= 0 AND n_gained + n_lost <= n),
    CONSTRAINT pair_tally_paired_fkey FOREIGN KEY(from_survey_id, to_survey_id)
        REFERENCES paired (from_survey_id, to_survey_id) ON DELETE CASCADE,
    CONSTRAINT pair_tally_settlement_id_fkey FOREIGN KEY(settlement_id) REFERENCES settlement (id)
);
CREATE TABLE own_indicator (
    indicator_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    organisation_id INTEGER NOT NULL,
    document TEXT NOT NULL,
    CONSTRAINT own_indicator_pkey PRIMARY KEY (indicator_id, version),
    CONSTRAINT own_indicator_version_check CHECK (version >= 1),
    CONSTRAINT own_indicator_organisation_id_fkey FOREIGN KEY(organisation_id) REFERENCES organisation (id)
);
CREATE TABLE stratum_frame (
    survey_id INTEGER NOT NULL,
    stratum TEXT NOT NULL,
    clusters INTEGER NOT NULL,
    CONSTRAINT stratum_frame_pkey PRIMARY KEY (survey_id, stratum),
    CONSTRAINT stratum_frame_clusters_check CHECK (clusters > 0),
    CONSTRAINT stratum_frame_survey_id_fkey FOREIGN KEY(survey_id) REFERENCES survey (id)
);
"""

DOWNGRADE = """
DROP TABLE stratum_frame, own_indicator, pair_tally, paired, tally, tallied;
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
    sum_w_unknown DOUBLE PRECISION NOT NULL DEFAULT 0,
    CONSTRAINT tally_pkey PRIMARY KEY (survey_id, settlement_id, indicator_id, counted),
    CONSTRAINT tally_counted_check CHECK (counted IN ('households', 'persons')),
    CONSTRAINT tally_counts_check CHECK (n >= 0 AND n_unknown >= 0),
    CONSTRAINT tally_sums_check CHECK (sum_ay <= sum_a * (1 + 1e-9) AND sum_a2y <= sum_a2 * (1 + 1e-9)),
    CONSTRAINT tally_survey_id_fkey FOREIGN KEY(survey_id) REFERENCES survey (id),
    CONSTRAINT tally_settlement_id_fkey FOREIGN KEY(settlement_id) REFERENCES settlement (id)
);
"""


def upgrade() -> None:
    """Makes the tables anew, and the ones beside them."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Goes back to one empty table of tallies."""
    op.execute(DOWNGRADE)
