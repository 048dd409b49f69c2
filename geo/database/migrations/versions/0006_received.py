"""Uploads that are on their way: received, checked, decided on."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE upload
    ADD COLUMN account_id INTEGER CONSTRAINT upload_account_id_fkey REFERENCES account (id),
    ADD COLUMN choices JSONB DEFAULT '{}' NOT NULL,
    ADD COLUMN problem TEXT,
    ADD COLUMN understood JSONB,
    ADD COLUMN preview JSONB,
    ALTER COLUMN rows_read DROP NOT NULL,
    ALTER COLUMN rows_loaded DROP NOT NULL,
    ALTER COLUMN rows_warned DROP NOT NULL,
    ALTER COLUMN rows_rejected DROP NOT NULL,
    DROP CONSTRAINT upload_state_check,
    ADD CONSTRAINT upload_state_check CHECK (state IN (
        'received', 'checked', 'waiting', 'accepted', 'loaded', 'withdrawing', 'withdrawn', 'refused'
    )),
    ADD CONSTRAINT upload_read_check CHECK (
        state NOT IN ('loaded', 'withdrawing', 'withdrawn') OR rows_read IS NOT NULL
    );
ALTER TABLE finding
    ADD COLUMN id BIGINT GENERATED ALWAYS AS IDENTITY,
    ADD CONSTRAINT finding_pkey PRIMARY KEY (id),
    ADD COLUMN longitude DOUBLE PRECISION,
    ADD COLUMN latitude DOUBLE PRECISION;
CREATE TABLE upload_progress (
    upload_id INTEGER NOT NULL,
    step TEXT NOT NULL,
    rows_done INTEGER NOT NULL,
    rows_total INTEGER,
    at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT upload_progress_pkey PRIMARY KEY (upload_id),
    CONSTRAINT upload_progress_step_check CHECK (step IN ('checking', 'loading', 'withdrawing')),
    CONSTRAINT upload_progress_upload_id_fkey FOREIGN KEY(upload_id) REFERENCES upload (id)
);
CREATE TABLE incoming (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    account_id INTEGER NOT NULL,
    file_name TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    fields JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT incoming_pkey PRIMARY KEY (id),
    CONSTRAINT incoming_size_check CHECK (size_bytes > 0),
    CONSTRAINT incoming_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (id)
);
CREATE INDEX incoming_account_id_idx ON incoming (account_id);
CREATE TABLE remembered_profile (
    organisation_id INTEGER NOT NULL,
    columns_sha256 TEXT NOT NULL,
    profile TEXT NOT NULL,
    CONSTRAINT remembered_profile_pkey PRIMARY KEY (organisation_id, columns_sha256),
    CONSTRAINT remembered_profile_organisation_id_fkey FOREIGN KEY(organisation_id) REFERENCES organisation (id)
);

CREATE OR REPLACE VIEW public_upload AS
    SELECT u.id, u.survey_id, u.sha256, u.uploaded_at, (5 * round(u.rows_loaded / 5.0))::INTEGER AS rows_loaded
    FROM upload u JOIN survey s ON s.id = u.survey_id
    WHERE s.state = 'published' AND u.state IN ('loaded', 'withdrawing');

-- The uploads a round's figures rest on, for those who see them in full: neither file names nor people.
CREATE FUNCTION gate.full_uploads(survey INTEGER)
RETURNS TABLE (id INTEGER, sha256 TEXT, uploaded_at TIMESTAMP WITH TIME ZONE, rows_loaded INTEGER)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT u.id, u.sha256, u.uploaded_at, u.rows_loaded
    FROM public.upload u
    WHERE u.survey_id = full_uploads.survey AND u.survey_id IN (SELECT gate.full_surveys())
        AND u.state IN ('loaded', 'withdrawing')
$$;

-- What the service does with an upload: it takes one in, and notes what somebody decided. The rest is the worker's.
CREATE POLICY received ON upload FOR INSERT WITH CHECK (
    organisation_id = (SELECT gate.organisation_id()) AND account_id = (SELECT gate.account_id())
    AND survey_id IN (SELECT gate.own_surveys()) AND state = 'received' AND (SELECT gate.may('contributor'))
);
CREATE POLICY decided ON upload FOR UPDATE USING (
    organisation_id = (SELECT gate.organisation_id()) AND (SELECT gate.may('contributor'))
) WITH CHECK (state IN ('received', 'accepted', 'withdrawing', 'refused'));
-- From which state to which, and who, no policy can say: it sees one of the two.
CREATE FUNCTION gate.keep_states() RETURNS TRIGGER
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (OLD.state, NEW.state) NOT IN (
        ('checked', 'accepted'), ('waiting', 'accepted'),
        ('checked', 'received'), ('waiting', 'received'), ('refused', 'received'),
        ('received', 'refused'), ('checked', 'refused'), ('waiting', 'refused'),
        ('loaded', 'withdrawing')
    ) THEN
        RAISE insufficient_privilege USING MESSAGE = 'an upload does not go from ' || OLD.state || ' to ' || NEW.state;
    END IF;
    IF NEW.state IN ('accepted', 'withdrawing') AND NOT gate.may('steward') AND EXISTS (
        SELECT FROM public.survey WHERE id = NEW.survey_id AND state = 'published'
    ) THEN
        RAISE insufficient_privilege USING MESSAGE = 'what changes published figures is for a steward';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER upload_decided BEFORE UPDATE ON upload
    FOR EACH ROW WHEN (current_user = 'vasti_service') EXECUTE FUNCTION gate.keep_states();
ALTER TABLE upload_progress ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON upload_progress FOR SELECT USING (
    upload_id IN (SELECT gate.own_uploads()) AND (SELECT gate.may('contributor'))
);
-- The worker's alone.
ALTER TABLE remembered_profile ENABLE ROW LEVEL SECURITY;
ALTER TABLE incoming ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON incoming USING (
    account_id = (SELECT gate.account_id()) AND (SELECT gate.may('contributor'))
);
"""

DOWNGRADE = """
DROP TRIGGER upload_decided ON upload;
DROP FUNCTION gate.keep_states();
DROP FUNCTION gate.full_uploads(INTEGER);
DROP POLICY received ON upload;
DROP POLICY decided ON upload;
DROP TABLE upload_progress;
DROP TABLE incoming;
DROP TABLE remembered_profile;
ALTER TABLE finding DROP COLUMN id, DROP COLUMN longitude, DROP COLUMN latitude;
DELETE FROM finding WHERE upload_id IN (SELECT id FROM upload WHERE state NOT IN ('loaded', 'withdrawing', 'withdrawn'));
DELETE FROM upload WHERE state NOT IN ('loaded', 'withdrawing', 'withdrawn');
UPDATE upload SET state = 'loaded' WHERE state = 'withdrawing';
CREATE OR REPLACE VIEW public_upload AS
    SELECT u.id, u.survey_id, u.sha256, u.uploaded_at, (5 * round(u.rows_loaded / 5.0))::INTEGER AS rows_loaded
    FROM upload u JOIN survey s ON s.id = u.survey_id
    WHERE s.state = 'published' AND u.state = 'loaded';
ALTER TABLE upload
    DROP CONSTRAINT upload_read_check,
    DROP CONSTRAINT upload_state_check,
    ADD CONSTRAINT upload_state_check CHECK (state IN ('loaded', 'withdrawn')),
    ALTER COLUMN rows_read SET NOT NULL,
    ALTER COLUMN rows_loaded SET NOT NULL,
    ALTER COLUMN rows_warned SET NOT NULL,
    ALTER COLUMN rows_rejected SET NOT NULL,
    DROP COLUMN account_id,
    DROP COLUMN choices,
    DROP COLUMN problem,
    DROP COLUMN understood,
    DROP COLUMN preview;
"""


def upgrade() -> None:
    """Gives uploads the states before a load."""
    op.get_bind().exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Forgets what was received and not loaded; the originals stay."""
    op.get_bind().exec_driver_sql(DOWNGRADE)
