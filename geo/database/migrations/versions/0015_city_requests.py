"""Stewards ask for cities, and an operator adds them on the web."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE city_request (
    id INTEGER GENERATED ALWAYS AS IDENTITY,
    organisation_id INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    note TEXT,
    asked_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    state TEXT DEFAULT 'asked' NOT NULL,
    reason TEXT,
    decided_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT city_request_pkey PRIMARY KEY (id),
    CONSTRAINT city_request_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES organisation (id),
    CONSTRAINT city_request_account_id_fkey FOREIGN KEY (account_id) REFERENCES account (id),
    CONSTRAINT city_request_slug_check CHECK (slug ~ '^[a-z0-9][a-z0-9_-]*$'),
    CONSTRAINT city_request_name_check CHECK (name <> ''),
    CONSTRAINT city_request_state_check CHECK (state IN ('asked', 'added', 'declined')),
    CONSTRAINT city_request_decided_check CHECK ((state = 'asked') = (decided_at IS NULL))
);
CREATE UNIQUE INDEX city_request_open_idx ON city_request (organisation_id, slug) WHERE state = 'asked';

ALTER TABLE city_request ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON city_request FOR SELECT USING (
    (organisation_id = (SELECT gate.organisation_id()) AND (SELECT gate.may('steward')))
    OR (SELECT gate.may('operator'))
);
CREATE POLICY asked ON city_request FOR INSERT WITH CHECK (
    organisation_id = (SELECT gate.organisation_id()) AND account_id = (SELECT gate.account_id())
    AND state = 'asked' AND (SELECT gate.may('steward'))
);
CREATE POLICY answered ON city_request FOR UPDATE
    USING (state = 'asked' AND (SELECT gate.may('operator')))
    WITH CHECK (state <> 'asked' AND (SELECT gate.may('operator')));

-- Of one organisation a bounded number is open at a time, counted by one transaction after the other.
CREATE FUNCTION gate.bound_city_requests() RETURNS TRIGGER
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM FROM public.organisation WHERE id = NEW.organisation_id FOR NO KEY UPDATE;
    IF (SELECT count(*) FROM public.city_request WHERE organisation_id = NEW.organisation_id AND state = 'asked') >= 20
    THEN
        RAISE program_limit_exceeded USING MESSAGE = 'the organisation has too many requests for cities open';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER city_request_bound BEFORE INSERT ON city_request
    FOR EACH ROW EXECUTE FUNCTION gate.bound_city_requests();

ALTER TABLE city ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON city FOR SELECT USING (true);
CREATE POLICY added ON city FOR INSERT WITH CHECK ((SELECT gate.may('operator')));
"""

DOWNGRADE = """
DROP POLICY added ON city;
DROP POLICY seen ON city;
ALTER TABLE city DISABLE ROW LEVEL SECURITY;
DROP TABLE city_request;
DROP FUNCTION gate.bound_city_requests();
"""


def upgrade() -> None:
    """Nobody has asked for a city at first."""
    op.get_bind().exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Requests are gone; cities that were added stay."""
    op.get_bind().exec_driver_sql(DOWNGRADE)
