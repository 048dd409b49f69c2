"""Wrong passwords lock an address for the network they come from, and a key may be a monitor's."""

import re
from pathlib import Path

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

SQL = Path(__file__).parents[1] / "sql"

DOWNGRADE = """
DROP FUNCTION gate.locked_until(TEXT, TEXT);
DROP FUNCTION gate.sign_in(TEXT, TEXT, BYTEA, INTERVAL, TEXT);
DROP TABLE sign_in_failure, sign_in_hour, signed_in_from;
CREATE TABLE sign_in_failure (
    email_sha256 BYTEA NOT NULL,
    failures INTEGER NOT NULL,
    last_at TIMESTAMP WITH TIME ZONE NOT NULL,
    locked_until TIMESTAMP WITH TIME ZONE,
    CONSTRAINT sign_in_failure_pkey PRIMARY KEY (email_sha256)
);
ALTER TABLE sign_in_failure ENABLE ROW LEVEL SECURITY;
DROP TRIGGER password_set ON account;
DROP FUNCTION gate.forget_failures();

DROP POLICY made ON api_key;
CREATE POLICY made ON api_key FOR INSERT WITH CHECK (
    account_id = (SELECT gate.account_id()) AND gate.may(role) AND (SELECT gate.signed_in())
);
DELETE FROM api_key WHERE role = 'monitor';
ALTER TABLE api_key
    DROP CONSTRAINT api_key_role_check,
    ADD CONSTRAINT api_key_role_check CHECK (role IN ('viewer', 'contributor', 'steward', 'operator'));
CREATE OR REPLACE FUNCTION gate.upload_states() RETURNS TABLE (state TEXT, uploads BIGINT)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT u.state, count(*) FROM public.upload u WHERE gate.may('operator') GROUP BY u.state
$$;
DROP FUNCTION gate.may_watch();
"""


def upgrade() -> None:
    """Nobody is locked out at first."""
    op.get_bind().exec_driver_sql((SQL / "0011_sign_ins.sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    """Locks are by address alone again; keys of monitors are gone."""
    op.get_bind().exec_driver_sql(DOWNGRADE)
    first = (SQL / "0005_gate.sql").read_text(encoding="utf-8")
    for name in ("rank", "enter", "sign_in"):
        for definition in re.findall(rf"CREATE (FUNCTION gate\.{name}\(.*?\n\$\$;)", first, flags=re.DOTALL):
            op.get_bind().exec_driver_sql(f"CREATE OR REPLACE {definition}")
