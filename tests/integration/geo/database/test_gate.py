"""What the database lets the service's role see and do, whoever has entered: policies, passes, the audit."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from geo import database
from geo.base import PageRequest
from geo.database import SERVICE_ROLE, check_service, service_url
from geo.database.schema.access import ROLES
from geo.database.service_role import grant_service
from geo.people import change_account, enter, find_account, find_audit, make_key, note
from geo.settings import Settings
from service.app import create_app
from tests.support import factories as f
from tests.support.two_organisations import SECRETS, TwoOrganisations, refused, rows


def test_the_service_owns_nothing_and_is_nobody_special(service: Connection) -> None:
    check_service(service)
    assert rows(service, "SELECT 1 FROM pg_class WHERE relowner = session_user::regrole") == []
    assert rows(service, "SELECT 1 FROM pg_auth_members WHERE member = session_user::regrole") == []
    for statement in ("CREATE TABLE mine (id int)", "CREATE TABLE gate.mine (id int)", "DROP TABLE household"):
        assert refused(service, statement)


def test_the_owner_is_not_one_to_serve_strangers_with(owner: Connection) -> None:
    with pytest.raises(Exception, match="may see every household"):
        check_service(owner)


SECRET_TABLES = ("session", "sign_in_failure", "sign_in_hour", "signed_in_from", "password_link", "gate.secret")


@pytest.mark.parametrize("table", SECRET_TABLES)
def test_what_proves_somebody_is_read_by_nobody(service: Connection, two: TwoOrganisations, table: str) -> None:
    enter(service, two.sessions["operator@vasti.org"])
    assert refused(service, f"SELECT * FROM {table}")


@pytest.mark.parametrize("column", ["proof_sha256", "password_salt"])
def test_proofs_of_passwords_are_read_by_nobody(service: Connection, two: TwoOrganisations, column: str) -> None:
    enter(service, two.sessions["operator@vasti.org"])
    assert refused(service, f"SELECT {column} FROM account")
    assert refused(service, "SELECT token_sha256 FROM api_key")


HELD = ("household", "upload", "finding", "account", "api_key", "survey_grant", "audit", "city_request")
FIGURES = ("tally", "tallied", "survey_frame", "stratum_frame")


@pytest.mark.parametrize("table", HELD)
def test_who_has_not_entered_sees_no_row(service: Connection, table: str) -> None:
    assert rows(service, f"SELECT count(*) FROM {table}") == [(0,)]


@pytest.mark.parametrize("organisation", [0, 1])
def test_an_organisation_sees_its_own_rows_and_no_other(
    service: Connection, two: TwoOrganisations, organisation: int
) -> None:
    own, other = SECRETS[organisation], SECRETS[1 - organisation]
    enter(service, two.token("contributor", ("north", "south")[organisation]))
    codes = rows(service, "SELECT household_code FROM household")
    names = rows(service, "SELECT file_name FROM upload WHERE survey_id IS NOT NULL")
    found = rows(service, "SELECT value FROM finding WHERE value IS NOT NULL")
    assert len(codes) == 96
    assert len(names) == 2
    for values in (codes, names):
        assert all(own in str(value) for value in values)
    everything = str(
        [rows(service, f"SELECT {table}::text FROM {table}") for table in ("household", "upload", "finding", "survey")]
    )
    assert other not in everything
    assert (f"{own}-toilet",) in found


@pytest.mark.parametrize("role", ["viewer"])
def test_a_viewer_sees_figures_and_no_household(service: Connection, two: TwoOrganisations, role: str) -> None:
    enter(service, two.token(role))
    for table in ("household", "upload", "finding", "audit"):
        assert rows(service, f"SELECT count(*) FROM {table}") == [(0,)]
    seen = {slug for (slug,) in rows(service, "SELECT slug FROM survey")}
    assert seen == {"north-draft", "north-published", "south-published"}


@pytest.mark.parametrize("table", FIGURES)
def test_drafts_are_of_their_own_organisation(service: Connection, two: TwoOrganisations, table: str) -> None:
    enter(service, two.token("steward"))
    assert (
        rows(service, f"SELECT 1 FROM {table} t WHERE NOT EXISTS (SELECT FROM survey s WHERE s.id = t.survey_id)") == []
    )
    draft = "SELECT id FROM survey WHERE slug = 'south-draft'"
    assert rows(service, draft) == []


def test_a_partition_is_no_way_round(service: Connection, two: TwoOrganisations, owner: Connection) -> None:
    enter(service, two.token("steward"))
    for (survey_id,) in rows(owner, "SELECT id FROM survey"):
        assert refused(service, f"SELECT * FROM household_{survey_id}")


FORGERIES = (
    "1|1|operator|session|",
    "1|1|operator|session|0000000000000000000000000000000000000000000000000000000000000000",
    "||||",
    "|||||||",
    "",
)


@pytest.mark.parametrize("forged", FORGERIES)
def test_a_pass_cannot_be_made_up(service: Connection, forged: str) -> None:
    service.execute(text("SELECT set_config('vasti.pass', :forged, true)"), {"forged": forged})
    assert rows(service, "SELECT count(*) FROM household") == [(0,)]
    assert rows(service, "SELECT gate.account_id(), gate.organisation_id(), gate.may('viewer')") == [
        (None, None, False)
    ]


def test_a_pass_holds_in_its_own_transaction_only(two: TwoOrganisations) -> None:
    with two.service.connect() as connection:
        with connection.begin():
            enter(connection, two.token("steward"))
            (kept,) = rows(connection, "SELECT current_setting('vasti.pass')")
            assert rows(connection, "SELECT gate.may('steward')") == [(True,)]
        with connection.begin():
            assert rows(connection, "SELECT gate.may('viewer')") == [(False,)]
            connection.execute(text("SELECT set_config('vasti.pass', :kept, true)"), {"kept": kept[0]})
            assert rows(connection, "SELECT gate.may('viewer')") == [(False,)]
    with two.service.connect() as one, two.service.connect() as other:
        enter(one, two.token("steward"))
        (kept,) = rows(one, "SELECT current_setting('vasti.pass')")
        other.execute(text("SELECT set_config('vasti.pass', :kept, true)"), {"kept": kept[0]})
        assert rows(other, "SELECT gate.may('viewer')") == [(False,)]


def test_claims_of_a_pass_cannot_be_changed(service: Connection, two: TwoOrganisations) -> None:
    enter(service, two.token("viewer"))
    raised = "SELECT set_config('vasti.pass', replace(current_setting('vasti.pass'), 'viewer', 'operator'), true)"
    service.execute(text(raised))
    assert rows(service, "SELECT gate.may('viewer')") == [(False,)]


@pytest.mark.parametrize("function", ["mac('x')", "sign('1|1|operator|session')", "bearer()"])
def test_what_makes_a_pass_is_called_by_nobody(service: Connection, function: str) -> None:
    assert refused(service, f"SELECT gate.{function}")


def test_the_audit_is_only_added_to(two: TwoOrganisations, owner: Connection) -> None:
    with two.service.begin() as connection:
        bearer = enter(connection, two.token("steward"))
        note(connection, "survey looked at", "survey pune/2024", before={"n": 1}, after={"n": 2})
        last = find_audit(connection, PageRequest(limit=None)).rows[-1]
        for statement in (
            "UPDATE audit SET actor = 'somebody else'",
            "DELETE FROM audit",
            "TRUNCATE audit",
            "INSERT INTO audit (actor, action, subject) VALUES ('somebody', 'did', 'something')",
        ):
            assert refused(connection, statement)
    assert bearer is not None
    assert (last.actor, last.organisation, last.before, last.after) == (bearer.email, "north", {"n": 1}, {"n": 2})
    for statement in ("UPDATE audit SET actor = 'x'", "DELETE FROM audit", "TRUNCATE audit"):
        with pytest.raises(DBAPIError, match="the audit is only added to"), owner.begin_nested():
            owner.execute(text(statement))


def test_nobody_is_noted_who_has_not_entered(service: Connection) -> None:
    with pytest.raises(DBAPIError, match="nobody has entered"):
        note(service, "did", "something")


def test_the_audit_is_read_by_stewards_of_their_own(
    service: Connection, two: TwoOrganisations, owner: Connection
) -> None:
    whole = find_audit(owner, PageRequest(limit=None))
    enter(service, two.token("steward"))
    seen = find_audit(service, PageRequest(limit=None)).rows
    assert {row.organisation for row in seen} == {"north"}
    assert "signed in" in {row.action for row in seen}
    enter(service, two.sessions["operator@vasti.org"])
    assert find_audit(service, PageRequest(limit=None)).total == whole.total
    enter(service, two.token("contributor"))
    assert find_audit(service, PageRequest(limit=None)).total == 0


def test_rights_are_given_again_where_they_are_gone(fresh_engine: Engine, fresh_url: str, tmp_path: Path) -> None:
    """As after a restore, which brings no rights."""
    with fresh_engine.begin() as connection:
        f.load_city(connection, tmp_path, f.small_city())
        connection.execute(text(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {SERVICE_ROLE}"))
        connection.execute(text(f"REVOKE ALL ON SCHEMA gate FROM {SERVICE_ROLE}"))
        connection.execute(text("GRANT EXECUTE ON FUNCTION gate.mac TO PUBLIC"))
    service = database.create_engine(service_url(fresh_url, None))
    with service.connect() as connection:
        assert refused(connection, "SELECT * FROM city")
    with fresh_engine.begin() as connection:
        grant_service(connection)
    with service.connect() as connection:
        assert rows(connection, "SELECT slug FROM city") == [("pune",)]
        assert refused(connection, "SELECT gate.mac('x')")
    service.dispose()


def test_roles_rank_alike_in_the_database_and_here(owner: Connection) -> None:
    ranks = [rows(owner, f"SELECT gate.rank('{role}')") for role in (*ROLES, "nobody")]
    assert ranks == [*([(number,)] for number in range(1, 1 + len(ROLES))), [(None,)]]


def test_the_owner_is_not_ready_to_serve(two: TwoOrganisations) -> None:
    with TestClient(create_app(two.owner, Settings())) as client:
        assert client.get("/readyz").status_code == 503
    with TestClient(create_app(two.service, Settings())) as client:
        assert client.get("/readyz").status_code == 200


STATISTICS = (
    "ST_EstimatedExtent('public', 'household_{}', 'geom')",
    "ST_EstimatedExtent('household_{}', 'geom')",
    "ST_EstimatedExtent('public', 'household_{}', 'geom', true)",
    "_postgis_stats('household_{}'::regclass, 'geom')",
    "_postgis_selectivity('household_{}'::regclass, 'geom', 'POINT(73.8 18.6)'::geometry)",
    "_postgis_index_extent('household_{}'::regclass, 'geom')",
    "ST_FindExtent('public', 'household_{}', 'geom')",
)


@pytest.mark.parametrize("function", STATISTICS)
def test_l2_statistics_tell_nobody_where_a_draft_lies(service: Connection, owner: Connection, function: str) -> None:
    ((survey_id,),) = rows(owner, "SELECT id FROM survey WHERE slug = 'south-draft'")
    assert refused(service, f"SELECT {function.format(survey_id)}")


def test_l2_no_function_of_postgis_tells_of_a_table_past_its_policies(service: Connection) -> None:
    """Those that run with their owner's rights, or look into statistics: a new PostGIS may have more."""
    found = rows(
        service,
        "SELECT p.oid::regprocedure::text FROM pg_proc p WHERE has_function_privilege(p.oid, 'EXECUTE')"
        " AND pronamespace = 'public'::regnamespace"
        " AND (prosecdef OR proname ~ 'estimated_?extent|_stats$|selectivity')",
    )
    assert found == []


def test_l3_functions_added_later_are_nobodys(two: TwoOrganisations) -> None:
    with two.owner.begin() as connection:
        connection.execute(text("CREATE FUNCTION gate.later() RETURNS INTEGER LANGUAGE sql AS 'SELECT 1'"))
    try:
        with two.service.connect() as connection:
            assert refused(connection, "SELECT gate.later()")
            assert rows(connection, "SELECT ST_AsText(ST_Point(1, 2))") == [("POINT(1 2)",)]
    finally:
        with two.owner.begin() as connection:
            connection.execute(text("DROP FUNCTION gate.later()"))


def test_l3_of_the_queue_the_service_may_ask_for_work_and_count_it(service: Connection, owner: Connection) -> None:
    may = (
        "SELECT relname, privilege FROM pg_class, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE'])"
        " AS privilege WHERE relnamespace = 'procrastinate'::regnamespace AND relkind IN ('r', 'p')"
        " AND has_table_privilege(oid, privilege) ORDER BY 1, 2"
    )
    assert rows(service, may) == [
        ("procrastinate_events", "INSERT"),
        ("procrastinate_jobs", "INSERT"),
        ("procrastinate_jobs", "SELECT"),
    ]


def test_l6_a_monitor_sees_counts_and_nothing_else(two: TwoOrganisations, owner: Connection) -> None:
    account_id = find_account(owner, "operator@vasti.org")["id"]
    key, _ = make_key(owner, account_id, "prometheus", "monitor", 366)
    owner.commit()
    with two.service.connect() as connection:
        bearer = enter(connection, key)
        assert bearer is not None
        assert (bearer.role, bearer.may("monitor"), bearer.may("viewer")) == ("monitor", True, False)
        assert rows(connection, "SELECT count(*) > 0 FROM gate.upload_states()") == [(True,)]
        for table in (
            "household",
            "upload",
            "finding",
            "account",
            "api_key",
            "survey_grant",
            "audit",
            "incoming",
            "city_request",
        ):
            assert rows(connection, f"SELECT count(*) FROM {table}") == [(0,)]
        assert rows(connection, "SELECT count(*) FROM survey WHERE state = 'draft'") == [(0,)]
        assert rows(connection, "SELECT gate.may('viewer'), gate.organisation_id()") == [(False, 0)]
    with TestClient(create_app(two.service, Settings())) as client:
        header = {"authorization": f"Bearer {key}"}
        assert client.get("/metrics", headers=header).status_code == 200
        for path in ("accounts", "audit", "uploads", "keys", "own/surveys", "session", "values?access=full"):
            assert client.get(f"/api/v1/{path}", headers=header).status_code == 403, path
        sent = {"name": "mine", "role": "monitor"}
        for person, status in (("steward@north.org", 403), ("operator@vasti.org", 201)):
            session = {"authorization": f"Bearer {two.sessions[person]}"}
            assert client.post("/api/v1/keys", headers=session, json=sent).status_code == status
    change_account(owner, account_id, role="steward")
    assert enter(owner, key) is None
    owner.rollback()


def test_l6_sql_as_the_service_makes_no_monitor(service: Connection, two: TwoOrganisations) -> None:
    enter(service, two.token("steward"))
    assert refused(
        service,
        "INSERT INTO api_key (account_id, name, role, prefix, token_sha256, expires_at)"
        " VALUES (gate.account_id(), 'x', 'monitor', 'x', 'x', now())",
    )
