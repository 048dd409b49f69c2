"""Accounts, grants and the audit; the gate to them; and which rows the service's role may see."""

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

GATE = Path(__file__).parents[1] / "sql" / "0005_gate.sql"

UPGRADE = """
CREATE TABLE account (
    id INTEGER GENERATED ALWAYS AS IDENTITY,
    organisation_id INTEGER NOT NULL,
    email TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    is_active BOOLEAN DEFAULT 'true' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    password_salt TEXT,
    proof_sha256 BYTEA,
    CONSTRAINT account_pkey PRIMARY KEY (id),
    CONSTRAINT account_email_check CHECK (email ~ '^[^@[:space:]]+@[^@[:space:]]+$' AND length(email) <= 254),
    CONSTRAINT account_name_check CHECK (name <> ''),
    CONSTRAINT account_role_check CHECK (role IN ('viewer', 'contributor', 'steward', 'operator')),
    CONSTRAINT account_password_check CHECK ((password_salt IS NULL) = (proof_sha256 IS NULL)),
    CONSTRAINT account_organisation_id_fkey FOREIGN KEY(organisation_id) REFERENCES organisation (id)
);
CREATE UNIQUE INDEX account_email_idx ON account (lower(email));
CREATE TABLE session (
    token_sha256 BYTEA NOT NULL,
    account_id INTEGER NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT session_pkey PRIMARY KEY (token_sha256),
    CONSTRAINT session_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (id)
);
CREATE INDEX session_account_id_idx ON session (account_id);
CREATE TABLE api_key (
    id INTEGER GENERATED ALWAYS AS IDENTITY,
    account_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    prefix TEXT NOT NULL,
    token_sha256 BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    last_used_on DATE,
    CONSTRAINT api_key_pkey PRIMARY KEY (id),
    CONSTRAINT api_key_name_check CHECK (name <> ''),
    CONSTRAINT api_key_role_check CHECK (role IN ('viewer', 'contributor', 'steward', 'operator')),
    CONSTRAINT api_key_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (id),
    CONSTRAINT api_key_token_sha256_key UNIQUE (token_sha256)
);
CREATE INDEX api_key_account_id_idx ON api_key (account_id);
CREATE TABLE password_link (
    token_sha256 BYTEA NOT NULL,
    account_id INTEGER NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT password_link_pkey PRIMARY KEY (token_sha256),
    CONSTRAINT password_link_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (id)
);
CREATE INDEX password_link_account_id_idx ON password_link (account_id);
CREATE TABLE sign_in_failure (
    email_sha256 BYTEA NOT NULL,
    failures INTEGER NOT NULL,
    last_at TIMESTAMP WITH TIME ZONE NOT NULL,
    locked_until TIMESTAMP WITH TIME ZONE,
    CONSTRAINT sign_in_failure_pkey PRIMARY KEY (email_sha256)
);
CREATE TABLE survey_grant (
    survey_id INTEGER NOT NULL,
    organisation_id INTEGER NOT NULL,
    granted_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT survey_grant_pkey PRIMARY KEY (survey_id, organisation_id),
    CONSTRAINT survey_grant_survey_id_fkey FOREIGN KEY(survey_id) REFERENCES survey (id),
    CONSTRAINT survey_grant_organisation_id_fkey FOREIGN KEY(organisation_id) REFERENCES organisation (id)
);
CREATE TABLE audit (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    account_id INTEGER,
    organisation_id INTEGER,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    before JSONB,
    after JSONB,
    CONSTRAINT audit_pkey PRIMARY KEY (id),
    CONSTRAINT audit_said_check CHECK (actor <> '' AND action <> '' AND subject <> ''),
    CONSTRAINT audit_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (id),
    CONSTRAINT audit_organisation_id_fkey FOREIGN KEY(organisation_id) REFERENCES organisation (id)
);
CREATE INDEX audit_organisation_id_id_idx ON audit (organisation_id, id);

-- Of files that are no survey's nobody kept who gave them: the first organisation there was.
INSERT INTO organisation (slug, name) SELECT 'local', 'local'
WHERE EXISTS (SELECT FROM upload) AND NOT EXISTS (SELECT FROM organisation);
ALTER TABLE upload ADD COLUMN organisation_id INTEGER
    CONSTRAINT upload_organisation_id_fkey REFERENCES organisation (id);
UPDATE upload SET organisation_id = coalesce(
    (SELECT survey.organisation_id FROM survey WHERE survey.id = upload.survey_id),
    (SELECT min(id) FROM organisation)
);
ALTER TABLE upload ALTER COLUMN organisation_id SET NOT NULL;
"""

DOWNGRADE = """
DROP VIEW public_upload;
DROP POLICY seen ON organisation;
DROP POLICY added ON organisation;
DROP POLICY seen ON household;
DROP POLICY seen ON upload;
DROP POLICY seen ON finding;
DROP POLICY seen ON survey;
DROP POLICY opened ON survey;
DROP POLICY published ON survey;
DROP POLICY seen ON tally;
DROP POLICY seen ON tallied;
DROP POLICY seen ON paired;
DROP POLICY seen ON pair_tally;
DROP POLICY seen ON survey_frame;
DROP POLICY seen ON stratum_frame;
ALTER TABLE organisation DISABLE ROW LEVEL SECURITY;
ALTER TABLE household DISABLE ROW LEVEL SECURITY;
ALTER TABLE upload DISABLE ROW LEVEL SECURITY;
ALTER TABLE finding DISABLE ROW LEVEL SECURITY;
ALTER TABLE survey DISABLE ROW LEVEL SECURITY;
ALTER TABLE tally DISABLE ROW LEVEL SECURITY;
ALTER TABLE tallied DISABLE ROW LEVEL SECURITY;
ALTER TABLE paired DISABLE ROW LEVEL SECURITY;
ALTER TABLE pair_tally DISABLE ROW LEVEL SECURITY;
ALTER TABLE survey_frame DISABLE ROW LEVEL SECURITY;
ALTER TABLE stratum_frame DISABLE ROW LEVEL SECURITY;
ALTER TABLE upload DROP COLUMN organisation_id;
DROP TABLE survey_grant, sign_in_failure, password_link, api_key, session, audit, account;
DROP SCHEMA gate CASCADE;
"""


def upgrade() -> None:
    """Makes the tables, then the gate before them."""
    # Past SQLAlchemy, which would take a colon for a parameter.
    op.get_bind().exec_driver_sql(UPGRADE)
    op.get_bind().exec_driver_sql(GATE.read_text(encoding="utf-8"))


def downgrade() -> None:
    """Everybody who connects sees every row again."""
    op.get_bind().exec_driver_sql(DOWNGRADE)
