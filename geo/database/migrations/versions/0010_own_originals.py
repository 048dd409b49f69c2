"""Originals are each organisation's own, names of files hold no folders, and a new password ends API keys."""

import re
from pathlib import Path

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

GATE = Path(__file__).parents[1] / "sql" / "0005_gate.sql"

_USE_LINK = re.compile(r"CREATE (FUNCTION gate\.use_link\(.*?\n\$\$;)", re.DOTALL)

UPGRADE = r"""
-- Originals of before lie together, of all organisations. Only rows of before may read them there: what says so, no service
-- may write.
ALTER TABLE upload ADD COLUMN kept_under TEXT DEFAULT 'organisation' NOT NULL;
ALTER TABLE upload ADD CONSTRAINT upload_kept_under_check CHECK (kept_under IN ('organisation', 'installation'));
UPDATE upload SET kept_under = 'installation';

-- A name becomes that of a file in a folder of the worker's.
UPDATE upload SET file_name = regexp_replace(file_name, '^.*[/\\]', '') WHERE file_name ~ '[/\\]';
UPDATE upload SET file_name = 'file' WHERE file_name IN ('', '.', '..') OR octet_length(file_name) > 255;
ALTER TABLE upload ADD CONSTRAINT upload_file_name_check CHECK (
    file_name !~ '[/\\]' AND file_name NOT IN ('', '.', '..') AND octet_length(file_name) <= 255
);
DELETE FROM incoming WHERE file_name ~ '[/\\]' OR file_name IN ('', '.', '..') OR octet_length(file_name) > 255;
ALTER TABLE incoming ADD CONSTRAINT incoming_file_name_check CHECK (
    file_name !~ '[/\\]' AND file_name NOT IN ('', '.', '..') AND octet_length(file_name) <= 255
);

-- The hash of a file lets who guesses the file be sure of it.
DROP VIEW public_upload;
CREATE VIEW public_upload AS
    SELECT u.id, u.survey_id, u.uploaded_at, (5 * round(u.rows_loaded / 5.0))::INTEGER AS rows_loaded
    FROM upload u JOIN survey s ON s.id = u.survey_id
    WHERE s.state = 'published' AND u.state IN ('loaded', 'withdrawing');
DROP FUNCTION gate.full_uploads(INTEGER);
CREATE FUNCTION gate.full_uploads(survey INTEGER)
RETURNS TABLE (id INTEGER, uploaded_at TIMESTAMP WITH TIME ZONE, rows_loaded INTEGER)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT u.id, u.uploaded_at, u.rows_loaded
    FROM public.upload u
    WHERE u.survey_id = full_uploads.survey AND u.survey_id IN (SELECT gate.full_surveys())
        AND u.state IN ('loaded', 'withdrawing')
$$;

-- Sets the password of the link's account, ends its sessions and keys and lifts its lock; whether the link could be used.
CREATE OR REPLACE FUNCTION gate.use_link(link TEXT, salt TEXT, proof TEXT) RETURNS BOOLEAN
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    known public.account;
    ended INTEGER;
BEGIN
    UPDATE public.password_link l SET used_at = clock_timestamp() FROM public.account a
    WHERE l.token_sha256 = gate.hash(link) AND l.used_at IS NULL AND l.expires_at > clock_timestamp()
        AND a.id = l.account_id AND a.is_active
    RETURNING a.* INTO known;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE public.account SET password_salt = salt, proof_sha256 = gate.hash(proof) WHERE id = known.id;
    DELETE FROM public.session WHERE account_id = known.id;
    -- Who sets a password because somebody else knew the old one expects that one to be out, with a key made meanwhile too.
    UPDATE public.api_key SET revoked_at = clock_timestamp() WHERE account_id = known.id AND revoked_at IS NULL;
    GET DIAGNOSTICS ended = ROW_COUNT;
    DELETE FROM public.sign_in_failure WHERE email_sha256 = gate.hash(lower(known.email));
    -- Another link of the same account would set it again.
    UPDATE public.password_link SET used_at = clock_timestamp() WHERE account_id = known.id AND used_at IS NULL;
    INSERT INTO public.audit (account_id, organisation_id, actor, action, subject, after)
    VALUES (known.id, known.organisation_id, known.email, 'password set', 'account ' || known.email,
        jsonb_build_object('keys_ended', ended));
    RETURN true;
END
$$;
"""

DOWNGRADE = """
DROP FUNCTION gate.full_uploads(INTEGER);
CREATE FUNCTION gate.full_uploads(survey INTEGER)
RETURNS TABLE (id INTEGER, sha256 TEXT, uploaded_at TIMESTAMP WITH TIME ZONE, rows_loaded INTEGER)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT u.id, u.sha256, u.uploaded_at, u.rows_loaded
    FROM public.upload u
    WHERE u.survey_id = full_uploads.survey AND u.survey_id IN (SELECT gate.full_surveys())
        AND u.state IN ('loaded', 'withdrawing')
$$;
DROP VIEW public_upload;
CREATE VIEW public_upload AS
    SELECT u.id, u.survey_id, u.sha256, u.uploaded_at, (5 * round(u.rows_loaded / 5.0))::INTEGER AS rows_loaded
    FROM upload u JOIN survey s ON s.id = u.survey_id
    WHERE s.state = 'published' AND u.state IN ('loaded', 'withdrawing');
ALTER TABLE incoming DROP CONSTRAINT incoming_file_name_check;
ALTER TABLE upload DROP CONSTRAINT upload_file_name_check;
ALTER TABLE upload DROP COLUMN kept_under;
"""


def upgrade() -> None:
    """Keeps what is kept from now on under the organisation whose it is."""
    op.get_bind().exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Afterwards, originals under their organisation are no longer found: send those files again."""
    op.get_bind().exec_driver_sql(DOWNGRADE)
    op.get_bind().exec_driver_sql(f"CREATE OR REPLACE {_USE_LINK.findall(GATE.read_text(encoding='utf-8'))[0]}")
