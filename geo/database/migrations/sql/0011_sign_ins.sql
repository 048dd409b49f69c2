-- Failures count by address and by the network they come from, so that who tries passwords locks out nobody but itself.
-- Many networks together are held by the hour: from the hundredth failure on, an address can be signed in to for the rest
-- of the hour only from networks its person has signed in from before. The network is the service's word. SQL as the
-- service can name others, and comes against the hour.
DROP TABLE sign_in_failure;
CREATE TABLE sign_in_failure (
    email_sha256 BYTEA NOT NULL,
    network_sha256 BYTEA NOT NULL,
    failures INTEGER NOT NULL,
    last_at TIMESTAMP WITH TIME ZONE NOT NULL,
    locked_until TIMESTAMP WITH TIME ZONE,
    CONSTRAINT sign_in_failure_pkey PRIMARY KEY (email_sha256, network_sha256)
);
CREATE TABLE sign_in_hour (
    email_sha256 BYTEA NOT NULL,
    began_at TIMESTAMP WITH TIME ZONE NOT NULL,
    failures INTEGER NOT NULL,
    CONSTRAINT sign_in_hour_pkey PRIMARY KEY (email_sha256)
);
CREATE TABLE signed_in_from (
    account_id INTEGER NOT NULL,
    network_sha256 BYTEA NOT NULL,
    last_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT signed_in_from_pkey PRIMARY KEY (account_id, network_sha256),
    CONSTRAINT signed_in_from_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (id)
);
ALTER TABLE sign_in_failure ENABLE ROW LEVEL SECURITY;
ALTER TABLE sign_in_hour ENABLE ROW LEVEL SECURITY;
ALTER TABLE signed_in_from ENABLE ROW LEVEL SECURITY;

-- Until when a password of an address is not looked at that comes from a network; NULL: it is.
CREATE FUNCTION gate.locked_until(email TEXT, network TEXT) RETURNS TIMESTAMPTZ
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT max(locked.until) FROM (
        SELECT f.locked_until AS until FROM public.sign_in_failure f
        WHERE f.email_sha256 = gate.hash(lower(email)) AND f.network_sha256 = gate.hash(network)
        UNION ALL
        SELECT h.began_at + INTERVAL '1 hour' FROM public.sign_in_hour h
        WHERE h.email_sha256 = gate.hash(lower(email)) AND h.failures >= 100 AND NOT EXISTS (
            SELECT FROM public.signed_in_from s JOIN public.account a ON a.id = s.account_id
            WHERE lower(a.email) = lower(locked_until.email) AND s.network_sha256 = gate.hash(network)
                AND s.last_at > clock_timestamp() - INTERVAL '90 days'
        )
    ) locked WHERE locked.until > clock_timestamp()
$$;

-- Opens a session for an account whose password is proved: `in`, `wrong`, or `locked`, and then until when.
-- From the fifth failure on an address is locked for a network for a minute, then two, four, up to an hour.
DROP FUNCTION gate.sign_in(TEXT, TEXT, BYTEA, INTERVAL);
CREATE FUNCTION gate.sign_in(email TEXT, proof TEXT, token_sha256 BYTEA, lasts INTERVAL, network TEXT,
    OUT outcome TEXT, OUT locked_until TIMESTAMPTZ)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    address BYTEA := gate.hash(lower(email));
    place BYTEA := gate.hash(network);
    known public.account;
BEGIN
    DELETE FROM public.sign_in_failure f WHERE f.last_at < clock_timestamp() - INTERVAL '1 day';
    DELETE FROM public.sign_in_hour h WHERE h.began_at < clock_timestamp() - INTERVAL '1 hour';
    INSERT INTO public.sign_in_hour (email_sha256, began_at, failures) VALUES (address, clock_timestamp(), 0)
    ON CONFLICT DO NOTHING;
    -- Those that try one address at the same time wait for each other here, wherever they come from.
    PERFORM FROM public.sign_in_hour h WHERE h.email_sha256 = address FOR UPDATE;
    locked_until := gate.locked_until(email, network);
    IF locked_until IS NOT NULL THEN
        outcome := 'locked';
        RETURN;
    END IF;
    SELECT * INTO known FROM public.account a WHERE lower(a.email) = lower(sign_in.email) AND a.is_active;
    IF known.proof_sha256 IS NULL OR known.proof_sha256 <> gate.hash(proof) THEN
        UPDATE public.sign_in_hour h SET failures = h.failures + 1 WHERE h.email_sha256 = address;
        INSERT INTO public.sign_in_failure AS f (email_sha256, network_sha256, failures, last_at)
        VALUES (address, place, 1, clock_timestamp())
        ON CONFLICT (email_sha256, network_sha256) DO UPDATE SET failures = f.failures + 1, last_at = clock_timestamp(),
            locked_until = CASE WHEN f.failures >= 4 THEN
                clock_timestamp() + least(INTERVAL '1 minute' * power(2, least(f.failures - 4, 10)), INTERVAL '1 hour')
            END
        RETURNING f.locked_until INTO locked_until;
        outcome := 'wrong';
        IF known.id IS NOT NULL THEN
            INSERT INTO public.audit (account_id, organisation_id, actor, action, subject)
            VALUES (NULL, known.organisation_id, 'somebody', 'sign-in refused', 'account ' || known.email);
        END IF;
        RETURN;
    END IF;
    DELETE FROM public.sign_in_failure f WHERE f.email_sha256 = address AND f.network_sha256 = place;
    DELETE FROM public.session s WHERE s.expires_at < clock_timestamp();
    DELETE FROM public.signed_in_from s WHERE s.last_at < clock_timestamp() - INTERVAL '90 days';
    INSERT INTO public.signed_in_from (account_id, network_sha256, last_at) VALUES (known.id, place, clock_timestamp())
    ON CONFLICT ON CONSTRAINT signed_in_from_pkey DO UPDATE SET last_at = clock_timestamp();
    INSERT INTO public.session (token_sha256, account_id, expires_at)
    VALUES (sign_in.token_sha256, known.id, clock_timestamp() + lasts);
    INSERT INTO public.audit (account_id, organisation_id, actor, action, subject)
    VALUES (known.id, known.organisation_id, known.email, 'signed in', 'account ' || known.email);
    outcome := 'in';
END
$$;

-- With a new password the account is open again, and no network is known of it: the last one may have been a thief's.
CREATE FUNCTION gate.forget_failures() RETURNS TRIGGER
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM public.sign_in_failure WHERE email_sha256 = gate.hash(lower(NEW.email));
    DELETE FROM public.sign_in_hour WHERE email_sha256 = gate.hash(lower(NEW.email));
    DELETE FROM public.signed_in_from WHERE account_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER password_set AFTER UPDATE OF proof_sha256 ON account FOR EACH ROW EXECUTE FUNCTION gate.forget_failures();

-- A monitor reads what the service counts of itself, and nothing else: it is below every role, and of no organisation.
CREATE OR REPLACE FUNCTION gate.rank(role TEXT) RETURNS INTEGER
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE role WHEN 'monitor' THEN 0 ELSE array_position(ARRAY['viewer', 'contributor', 'steward', 'operator'], role) END
$$;
CREATE FUNCTION gate.may_watch() RETURNS BOOLEAN
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce((gate.bearer())[3] IN ('monitor', 'operator'), false)
$$;
CREATE OR REPLACE FUNCTION gate.upload_states() RETURNS TABLE (state TEXT, uploads BIGINT)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT u.state, count(*) FROM public.upload u WHERE gate.may_watch() GROUP BY u.state
$$;
ALTER TABLE api_key
    DROP CONSTRAINT api_key_role_check,
    ADD CONSTRAINT api_key_role_check CHECK (role IN ('monitor', 'viewer', 'contributor', 'steward', 'operator'));
DROP POLICY made ON api_key;
CREATE POLICY made ON api_key FOR INSERT WITH CHECK (
    account_id = (SELECT gate.account_id()) AND (SELECT gate.signed_in())
    AND gate.may(CASE role WHEN 'monitor' THEN 'operator' ELSE role END)
);
CREATE OR REPLACE FUNCTION gate.enter(token TEXT)
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
            AND a.is_active AND (k.role <> 'monitor' OR a.role = 'operator');
    END IF;
    IF NOT FOUND THEN
        PERFORM set_config('vasti.pass', '', true);
        RETURN;
    END IF;
    claims := CASE known.role
        WHEN 'monitor' THEN concat_ws('|', 0, 0, known.role, known.via)
        ELSE concat_ws('|', known.id, known.organisation_id, known.role, known.via)
    END;
    PERFORM set_config('vasti.pass', claims || '|' || gate.sign(claims), true);
    RETURN QUERY SELECT known.id, known.organisation_id, known.slug, known.email, known.name, known.role, known.via;
END
$$;
