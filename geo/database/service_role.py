"""The role the service connects as: it owns nothing, and may do no more than what stands here.

The rows it sees of each table are a matter of policies (`migrations/sql/0005_gate.sql`).
"""

import hashlib
from typing import Any

import psycopg
from psycopg import sql
from pydantic import SecretStr
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ProgrammingError

from geo.database.copying import driver_of
from geo.errors import SetupError

SERVICE_ROLE = "vasti_service"

_READ = (
    *("organisation", "city", "city_request", "ward", "settlement", "settlement_ward", "boundary", "facility"),
    "own_indicator",
    *("survey", "survey_frame", "stratum_frame", "survey_grant", "data_version", "city_version", "alembic_version"),
    *("tally", "tallied", "pair_tally", "paired", "household"),
    *("publication", "published_place", "published_block", "published_figure", "published_pair"),
    "publication_download",
    *("upload", "upload_progress", "incoming", "finding", "audit", "public_upload", "public_rows"),
    "account (id, organisation_id, email, name, role, is_active, created_at)",
    "api_key (id, account_id, name, role, prefix, created_at, expires_at, revoked_at, last_used_on)",
)
_ADD = (
    *("survey", "survey_grant", "data_version", "city_version"),
    "organisation (slug, name)",
    "city (slug, name)",
    "city_request (organisation_id, account_id, slug, name, note)",
    "account (organisation_id, email, name, role)",
    "api_key (account_id, name, role, prefix, token_sha256, expires_at)",
    "password_link (token_sha256, account_id, expires_at)",
    "incoming (account_id, file_name, size_bytes, fields)",
    "upload (organisation_id, account_id, city_id, content, survey_id, sha256, file_name, size_bytes, uploaded_by, "
    "profile, state, choices)",
)
_CHANGE = (
    "survey (name, licence, state, publishing)",
    "city_request (state, reason, decided_at)",
    "settlement (ended_on)",
    "data_version (version, shared)",
    "city_version (version)",
    "account (name, role, is_active)",
    "api_key (revoked_at)",
    "upload (state, choices, problem)",
)
_REMOVE = ("survey_grant", "incoming")

_CALL = (
    "account_id()",
    "organisation_id()",
    "may(text)",
    "signed_in()",
    "may_manage(integer, text)",
    "own_surveys()",
    "full_surveys()",
    "full_uploads(integer)",
    "upload_states()",
    "seen_surveys()",
    "own_uploads()",
    "lives_later(integer, date)",
    "managed_accounts()",
    "enter(text)",
    "note_use(text)",
    "salt_of(text, text)",
    "locked_until(text, text)",
    "sign_in(text, text, bytea, interval, text)",
    "sign_out(text)",
    "link_of(text)",
    "use_link(text, text, text)",
    "note(text, text, jsonb, jsonb)",
)


def _grants(privilege: str, named: tuple[str, ...]) -> list[str]:
    """A grant for each table, of some of its columns where they are named."""
    parts = [name.partition(" ") for name in named]
    return [f"GRANT {privilege}{blank}{columns} ON {table} TO {SERVICE_ROLE}" for table, blank, columns in parts]


_FUNCTIONS_OF_NOBODY = (
    # Functions that a later migration adds are PUBLIC's for no moment. By schema one can give, and not take: it is
    # taken of all, and given back where PostGIS puts its own.
    "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO PUBLIC",
)

_TELL_OF_ALL_ROWS = """
DO $$
DECLARE
    function REGPROCEDURE;
BEGIN
    FOR function IN
        SELECT p.oid FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass
            AND d.deptype = 'e' JOIN pg_extension e ON e.oid = d.refobjid
        WHERE e.extname = 'postgis' AND p.proname IN (
            'st_estimatedextent', 'st_findextent', '_postgis_stats', '_postgis_selectivity',
            '_postgis_join_selectivity', '_postgis_index_extent'
        ) AND has_function_privilege('vasti_service', p.oid, 'EXECUTE')
    LOOP
        BEGIN
            EXECUTE 'REVOKE EXECUTE ON FUNCTION ' || function || ' FROM PUBLIC';
        EXCEPTION WHEN insufficient_privilege THEN
            -- Where an administrator made the extension, it is the administrator's to do: docs/operating.md.
            NULL;
        END;
    END LOOP;
END
$$
"""
"""PostGIS answers these from statistics, past policies and privileges: where the households of any draft lie."""

_STATEMENTS = (
    *_FUNCTIONS_OF_NOBODY,
    _TELL_OF_ALL_ROWS,
    f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {SERVICE_ROLE}",
    "REVOKE ALL ON ALL TABLES IN SCHEMA gate FROM PUBLIC",
    f"REVOKE ALL ON ALL TABLES IN SCHEMA gate FROM {SERVICE_ROLE}",
    "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA gate FROM PUBLIC",
    f"REVOKE ALL ON ALL FUNCTIONS IN SCHEMA gate FROM {SERVICE_ROLE}",
    f"GRANT USAGE ON SCHEMA public, gate TO {SERVICE_ROLE}",
    *_grants("SELECT", _READ),
    *_grants("INSERT", _ADD),
    *_grants("UPDATE", _CHANGE),
    *_grants("DELETE", _REMOVE),
    *(f"GRANT EXECUTE ON FUNCTION gate.{function} TO {SERVICE_ROLE}" for function in _CALL),
)

_MARK = f"What {SERVICE_ROLE} may do is that of {{}}."


def service_url(url: str, password: SecretStr | None) -> str:
    """The same database's URL for the service. Without a password the account's must come from elsewhere, or none."""
    own = make_url(url).set(username=SERVICE_ROLE, password=password.get_secret_value() if password else None)
    return own.render_as_string(hide_password=False)


def grant_service(connection: Connection, password: SecretStr | None = None) -> None:
    """Makes the service's role where it is missing, and holds it to what it may do; the caller holds the upgrade lock.

    A restored backup has none of this, so it is looked at each time, and done only where it is not as it should be.

    Raises:
        SetupError: the role is missing, and this account may not make one.
    """
    if not connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": SERVICE_ROLE}).first():
        _make_role(connection)
    if password is not None:
        _set_password(connection, password)
    mark = _MARK.format(hashlib.sha256("\n".join(_STATEMENTS).encode()).hexdigest()[:16])
    done = connection.execute(
        text(
            "SELECT obj_description('gate'::regnamespace, 'pg_namespace'), has_schema_privilege(:role, 'gate', 'USAGE')"
        ),
        {"role": SERVICE_ROLE},
    ).one()
    if tuple(done) == (mark, True):
        return
    for statement in (*_STATEMENTS, f"COMMENT ON SCHEMA gate IS '{mark}'"):
        connection.exec_driver_sql(statement)


def _make_role(connection: Connection) -> None:
    try:
        with connection.begin_nested():
            # Roles are the whole cluster's: another database of it may be making the same one at this moment.
            connection.exec_driver_sql(
                f"DO $$ BEGIN CREATE ROLE {SERVICE_ROLE} LOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE; "
                "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
            )
    except ProgrammingError as error:
        if not isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
            raise
        raise SetupError("service_role_missing", role=SERVICE_ROLE) from None


def _set_password(connection: Connection, password: SecretStr) -> None:
    """Gives the role its password, which crosses no wire and reaches no log as it is."""
    driver = driver_of(connection)
    kept = driver.pgconn.encrypt_password(password.get_secret_value().encode(), SERVICE_ROLE.encode(), b"scram-sha-256")
    driver.execute(
        sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(SERVICE_ROLE), sql.Literal(kept.decode()))
    )


def check_service(connection: Connection) -> None:
    """Holds that this connection is one to serve strangers with.

    Raises:
        SetupError: its account is no Vasti's service role: it could see every row.
    """
    found: Any = connection.execute(
        text("SELECT current_user, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = session_user")
    ).one()
    if found[0] != SERVICE_ROLE or found[1]:
        raise SetupError("service_role_sees_all", account=found[0], role=SERVICE_ROLE)
