-- The gate: the only way from a password, a token or a link to somebody's rights.
--
-- The service's role may call these functions and read none of the tables behind them. `enter` takes a token and leaves
-- a pass for the transaction it is called in; the policies of tables read the pass. A pass is signed with a key that no
-- role but the owner sees, for one account, one connection and one transaction: who can run SQL as the service's role
-- can neither make one nor use another's.

CREATE SCHEMA gate;

CREATE TABLE gate.secret (
    is_only BOOLEAN DEFAULT true PRIMARY KEY CHECK (is_only),
    inner_key BYTEA NOT NULL,
    outer_key BYTEA NOT NULL
);
-- gen_random_uuid() is PostgreSQL's own source of strong random bits: 122 in each.
INSERT INTO gate.secret (inner_key, outer_key) VALUES (
    sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())),
    sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))
);

-- A nested keyed hash with two keys (NMAC), of which HMAC is the form for one.
CREATE FUNCTION gate.mac(message TEXT) RETURNS TEXT
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT encode(sha256(outer_key || sha256(inner_key || convert_to(message, 'UTF8'))), 'hex') FROM gate.secret
$$;

CREATE FUNCTION gate.rank(role TEXT) RETURNS INTEGER
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT array_position(ARRAY['viewer', 'contributor', 'steward', 'operator'], role)
$$;

CREATE FUNCTION gate.hash(secret TEXT) RETURNS BYTEA
LANGUAGE sql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
    SELECT sha256(convert_to(secret, 'UTF8'))
$$;

CREATE FUNCTION gate.sign(claims TEXT) RETURNS TEXT
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT gate.mac(concat_ws('|', claims, pg_backend_pid(), extract(epoch FROM transaction_timestamp())))
$$;

-- Who the transaction's pass is of: account, organisation, role, and `session` or `key`; NULL without a pass that holds.
CREATE FUNCTION gate.bearer() RETURNS TEXT[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    parts TEXT[] := string_to_array(current_setting('vasti.pass', true), '|');
BEGIN
    IF array_length(parts, 1) = 5 AND parts[5] = gate.sign(array_to_string(parts[1:4], '|')) THEN
        RETURN parts[1:4];
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION gate.account_id() RETURNS INTEGER
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$ SELECT (gate.bearer())[1]::INTEGER $$;

CREATE FUNCTION gate.organisation_id() RETURNS INTEGER
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$ SELECT (gate.bearer())[2]::INTEGER $$;

-- Whether the bearer's role is this one or a higher one.
CREATE FUNCTION gate.may(role TEXT) RETURNS BOOLEAN
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(gate.rank((gate.bearer())[3]) >= gate.rank(role), false)
$$;

-- Whether the bearer signed in with a password, and not with a key.
CREATE FUNCTION gate.signed_in() RETURNS BOOLEAN
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce((gate.bearer())[4] = 'session', false)
$$;

CREATE FUNCTION gate.enter(token TEXT)
RETURNS TABLE (
    account_id INTEGER, organisation_id INTEGER, organisation TEXT, email TEXT, name TEXT, role TEXT, via TEXT
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    known RECORD;
    claims TEXT;
BEGIN
    SELECT a.id, a.organisation_id, o.slug, a.email, a.name, a.role, 'session' AS via INTO known
    FROM public.session s JOIN public.account a ON a.id = s.account_id
        JOIN public.organisation o ON o.id = a.organisation_id
    WHERE s.token_sha256 = gate.hash(token) AND s.expires_at > clock_timestamp() AND a.is_active;
    IF NOT FOUND THEN
        SELECT a.id, a.organisation_id, o.slug, a.email, a.name,
            -- A role may have been lowered since the key was made.
            CASE WHEN gate.rank(k.role) < gate.rank(a.role) THEN k.role ELSE a.role END AS role, 'key' AS via INTO known
        FROM public.api_key k JOIN public.account a ON a.id = k.account_id
            JOIN public.organisation o ON o.id = a.organisation_id
        WHERE k.token_sha256 = gate.hash(token) AND k.expires_at > clock_timestamp() AND k.revoked_at IS NULL
            AND a.is_active;
    END IF;
    IF NOT FOUND THEN
        PERFORM set_config('vasti.pass', '', true);
        RETURN;
    END IF;
    claims := concat_ws('|', known.id, known.organisation_id, known.role, known.via);
    PERFORM set_config('vasti.pass', claims || '|' || gate.sign(claims), true);
    RETURN QUERY SELECT known.id, known.organisation_id, known.slug, known.email, known.name, known.role, known.via;
END
$$;

-- Notes that a key was used today; apart from `enter`, which must do for transactions that only read.
CREATE FUNCTION gate.note_use(token TEXT) RETURNS VOID
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE public.api_key SET last_used_on = current_date
    WHERE token_sha256 = gate.hash(token) AND last_used_on IS DISTINCT FROM current_date
$$;

-- How to make the proof of a password. An address without an account has a salt too, always the same.
CREATE FUNCTION gate.salt_of(email TEXT, costs TEXT) RETURNS TEXT
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    salt TEXT;
BEGIN
    SELECT a.password_salt INTO salt FROM public.account a WHERE lower(a.email) = lower(salt_of.email) AND a.is_active;
    IF salt IS NULL THEN
        salt := costs || '$' || rtrim(encode(substring(decode(gate.mac('salt|' || lower(email)), 'hex') FOR 16),
            'base64'), '=');
    END IF;
    RETURN salt;
END
$$;

-- Opens a session for an account whose password is proved: `in`, `wrong`, or `locked`, and then until when.
-- From the fifth failure on an address is locked for a minute, then two, four, up to an hour.
CREATE FUNCTION gate.sign_in(email TEXT, proof TEXT, token_sha256 BYTEA, lasts INTERVAL,
    OUT outcome TEXT, OUT locked_until TIMESTAMPTZ)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    address BYTEA := gate.hash(lower(email));
    seen public.sign_in_failure;
    known public.account;
BEGIN
    DELETE FROM public.sign_in_failure f WHERE f.last_at < clock_timestamp() - INTERVAL '1 day';
    INSERT INTO public.sign_in_failure (email_sha256, failures, last_at) VALUES (address, 0, clock_timestamp())
    ON CONFLICT DO NOTHING;
    SELECT * INTO seen FROM public.sign_in_failure f WHERE f.email_sha256 = address FOR UPDATE;
    IF seen.locked_until > clock_timestamp() THEN
        outcome := 'locked';
        locked_until := seen.locked_until;
        RETURN;
    END IF;
    SELECT * INTO known FROM public.account a WHERE lower(a.email) = lower(sign_in.email) AND a.is_active;
    IF known.proof_sha256 IS NULL OR known.proof_sha256 <> gate.hash(proof) THEN
        UPDATE public.sign_in_failure f SET failures = f.failures + 1, last_at = clock_timestamp(),
            locked_until = CASE WHEN f.failures >= 4 THEN
                clock_timestamp() + least(INTERVAL '1 minute' * power(2, least(f.failures - 4, 10)), INTERVAL '1 hour')
            END
        WHERE f.email_sha256 = address
        RETURNING f.locked_until INTO locked_until;
        outcome := 'wrong';
        IF known.id IS NOT NULL THEN
            INSERT INTO public.audit (account_id, organisation_id, actor, action, subject)
            VALUES (NULL, known.organisation_id, 'somebody', 'sign-in refused', 'account ' || known.email);
        END IF;
        RETURN;
    END IF;
    DELETE FROM public.sign_in_failure f WHERE f.email_sha256 = address;
    DELETE FROM public.session s WHERE s.expires_at < clock_timestamp();
    INSERT INTO public.session (token_sha256, account_id, expires_at)
    VALUES (sign_in.token_sha256, known.id, clock_timestamp() + lasts);
    INSERT INTO public.audit (account_id, organisation_id, actor, action, subject)
    VALUES (known.id, known.organisation_id, known.email, 'signed in', 'account ' || known.email);
    outcome := 'in';
END
$$;

CREATE FUNCTION gate.sign_out(token TEXT) RETURNS VOID
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM public.session WHERE token_sha256 = gate.hash(token)
$$;

-- The address of the account a link is for, while it can be used.
CREATE FUNCTION gate.link_of(link TEXT) RETURNS TEXT
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT a.email FROM public.password_link l JOIN public.account a ON a.id = l.account_id
    WHERE l.token_sha256 = gate.hash(link) AND l.used_at IS NULL AND l.expires_at > clock_timestamp() AND a.is_active
$$;

-- Sets the password of the link's account, ends its sessions and lifts its lock; whether the link could be used.
CREATE FUNCTION gate.use_link(link TEXT, salt TEXT, proof TEXT) RETURNS BOOLEAN
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    known public.account;
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
    DELETE FROM public.sign_in_failure WHERE email_sha256 = gate.hash(lower(known.email));
    -- Another link of the same account would set it again.
    UPDATE public.password_link SET used_at = clock_timestamp() WHERE account_id = known.id AND used_at IS NULL;
    INSERT INTO public.audit (account_id, organisation_id, actor, action, subject)
    VALUES (known.id, known.organisation_id, known.email, 'password set', 'account ' || known.email);
    RETURN true;
END
$$;

-- Notes what the bearer does: whose pass it is stands in the row, whatever the caller says.
CREATE FUNCTION gate.note(action TEXT, subject TEXT, before JSONB, after JSONB) RETURNS VOID
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.audit (account_id, organisation_id, actor, action, subject, before, after)
    SELECT a.id, a.organisation_id, a.email, note.action, note.subject, note.before, note.after
    FROM public.account a WHERE a.id = gate.account_id();
    IF NOT FOUND THEN
        RAISE insufficient_privilege USING MESSAGE = 'nobody has entered';
    END IF;
END
$$;

CREATE FUNCTION gate.keep_audit() RETURNS TRIGGER
LANGUAGE plpgsql AS $$
BEGIN
    RAISE insufficient_privilege USING MESSAGE = 'the audit is only added to';
END
$$;
CREATE TRIGGER audit_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION gate.keep_audit();

-- Whoever is let in again after an account was closed comes by a password, and not by what was left from before.
CREATE FUNCTION gate.end_rights() RETURNS TRIGGER
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM public.session WHERE account_id = NEW.id;
    UPDATE public.api_key SET revoked_at = clock_timestamp() WHERE account_id = NEW.id AND revoked_at IS NULL;
    UPDATE public.password_link SET used_at = clock_timestamp() WHERE account_id = NEW.id AND used_at IS NULL;
    RETURN NULL;
END
$$;
CREATE TRIGGER account_closed AFTER UPDATE OF is_active ON account
    FOR EACH ROW WHEN (OLD.is_active AND NOT NEW.is_active) EXECUTE FUNCTION gate.end_rights();

-- What the bearer may see: asked by policies, of tables that have policies of their own.
CREATE FUNCTION gate.own_surveys() RETURNS SETOF INTEGER
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT id FROM public.survey WHERE organisation_id = (SELECT gate.organisation_id())
$$;

-- Those whose figures the bearer sees in full.
CREATE FUNCTION gate.full_surveys() RETURNS SETOF INTEGER
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT gate.own_surveys()
    UNION SELECT survey_id FROM public.survey_grant WHERE organisation_id = (SELECT gate.organisation_id())
$$;

CREATE FUNCTION gate.seen_surveys() RETURNS SETOF INTEGER
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT gate.full_surveys() UNION SELECT id FROM public.survey WHERE state = 'published'
$$;

CREATE FUNCTION gate.own_uploads() RETURNS SETOF INTEGER
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT id FROM public.upload WHERE organisation_id = (SELECT gate.organisation_id())
$$;

-- Whether the bearer may give this account a role, or take it away: a steward in its own organisation, the operator in
-- all, and nobody a higher role than its own.
CREATE FUNCTION gate.may_manage(organisation INTEGER, role TEXT) RETURNS BOOLEAN
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT gate.may('steward') AND gate.may(role) AND gate.signed_in()
        AND (gate.may('operator') OR organisation = gate.organisation_id())
$$;

CREATE FUNCTION gate.managed_accounts() RETURNS SETOF INTEGER
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT id FROM public.account WHERE gate.may_manage(organisation_id, role)
$$;

-- Rows, each for those who may see it. Owners of tables see all; the service's role owns none.
ALTER TABLE organisation ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON organisation FOR SELECT USING (true);
CREATE POLICY added ON organisation FOR INSERT WITH CHECK ((SELECT gate.may('operator')));

ALTER TABLE survey ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON survey FOR SELECT USING (
    state = 'published'
    OR organisation_id = (SELECT gate.organisation_id())
    OR id IN (SELECT gate.full_surveys())
);
CREATE POLICY opened ON survey FOR INSERT WITH CHECK (
    organisation_id = (SELECT gate.organisation_id()) AND state = 'draft' AND (SELECT gate.may('contributor'))
);
CREATE POLICY published ON survey FOR UPDATE USING (
    organisation_id = (SELECT gate.organisation_id()) AND (SELECT gate.may('steward'))
);

ALTER TABLE survey_grant ENABLE ROW LEVEL SECURITY;
CREATE POLICY received ON survey_grant FOR SELECT USING (organisation_id = (SELECT gate.organisation_id()));
CREATE POLICY given ON survey_grant USING (
    survey_id IN (SELECT gate.own_surveys()) AND (SELECT gate.may('steward'))
);

ALTER TABLE tally ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON tally FOR SELECT USING (survey_id IN (SELECT gate.seen_surveys()));
ALTER TABLE tallied ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON tallied FOR SELECT USING (survey_id IN (SELECT gate.seen_surveys()));
ALTER TABLE paired ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON paired FOR SELECT USING (
    from_survey_id IN (SELECT gate.seen_surveys()) AND to_survey_id IN (SELECT gate.seen_surveys())
);
ALTER TABLE pair_tally ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON pair_tally FOR SELECT USING (
    from_survey_id IN (SELECT gate.seen_surveys()) AND to_survey_id IN (SELECT gate.seen_surveys())
);
ALTER TABLE survey_frame ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON survey_frame FOR SELECT USING (survey_id IN (SELECT gate.seen_surveys()));
ALTER TABLE stratum_frame ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON stratum_frame FOR SELECT USING (survey_id IN (SELECT gate.seen_surveys()));

ALTER TABLE household ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON household FOR SELECT USING (
    survey_id IN (SELECT gate.own_surveys()) AND (SELECT gate.may('contributor'))
);

ALTER TABLE upload ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON upload FOR SELECT USING (
    organisation_id = (SELECT gate.organisation_id()) AND (SELECT gate.may('contributor'))
);
ALTER TABLE finding ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON finding FOR SELECT USING (
    upload_id IN (SELECT gate.own_uploads()) AND (SELECT gate.may('contributor'))
);

ALTER TABLE account ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON account FOR SELECT USING (
    organisation_id = (SELECT gate.organisation_id()) OR (SELECT gate.may('operator'))
);
CREATE POLICY added ON account FOR INSERT WITH CHECK (gate.may_manage(organisation_id, role));
CREATE POLICY changed ON account FOR UPDATE USING (gate.may_manage(organisation_id, role));
ALTER TABLE password_link ENABLE ROW LEVEL SECURITY;
CREATE POLICY made ON password_link FOR INSERT WITH CHECK (account_id IN (SELECT gate.managed_accounts()));
ALTER TABLE api_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON api_key FOR SELECT USING (account_id = (SELECT gate.account_id()));
CREATE POLICY made ON api_key FOR INSERT WITH CHECK (
    account_id = (SELECT gate.account_id()) AND gate.may(role) AND (SELECT gate.signed_in())
);
CREATE POLICY revoked ON api_key FOR UPDATE USING (account_id = (SELECT gate.account_id()));
ALTER TABLE session ENABLE ROW LEVEL SECURITY;
ALTER TABLE sign_in_failure ENABLE ROW LEVEL SECURITY;

ALTER TABLE audit ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON audit FOR SELECT USING (
    (organisation_id = (SELECT gate.organisation_id()) AND (SELECT gate.may('steward')))
    OR (SELECT gate.may('operator'))
);

-- What everybody may know of the uploads of published surveys; counts of rows are rounded like all public ones.
CREATE VIEW public_upload AS
    SELECT u.id, u.survey_id, u.sha256, u.uploaded_at, (5 * round(u.rows_loaded / 5.0))::INTEGER AS rows_loaded
    FROM upload u JOIN survey s ON s.id = u.survey_id
    WHERE s.state = 'published' AND u.state = 'loaded';
