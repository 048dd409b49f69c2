"""Accounts and what they open, against the database: as its owner, and as the role the service connects as."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from geo import database, people
from geo.base import PageRequest
from geo.errors import Conflict, InputError, NotAllowed, NotFound, SignInLocked, SignInRefused
from geo.people import end_grant, find_audit, grant_survey, list_grants, note_as
from tests.support.two_organisations import PASSWORD, TwoOrganisations, refused, rows, set_password, sign_in


def test_nobody_enters_with_a_token_that_is_none(service: Connection, two: TwoOrganisations) -> None:
    assert people.enter(service, two.token("viewer")) is not None
    for token in ("", "x", two.token("viewer")[:-1], "vasti_" + "A" * 43):
        assert people.enter(service, token) is None
        # Who entered before is not left in.
        assert rows(service, "SELECT gate.may('viewer')") == [(False,)]


def test_enter_says_who_it_is(service: Connection, two: TwoOrganisations) -> None:
    bearer = people.enter(service, two.token("contributor", "south"))
    assert bearer is not None
    assert (bearer.email, bearer.organisation, bearer.role, bearer.via) == (
        *("contributor@south.org", "south", "contributor"),
        "session",
    )
    assert bearer.may("viewer")
    assert not bearer.may("steward")
    with pytest.raises(NotAllowed, match=r"for a steward; contributor@south\.org is a contributor here"):
        people.require(bearer, "steward")
    with pytest.raises(SignInRefused):
        people.require(None, "viewer")


def test_enter_works_where_only_reading_is_allowed(two: TwoOrganisations) -> None:
    with database.snapshot(two.service) as connection:
        assert people.enter(connection, two.token("viewer")) is not None


def test_sign_in_is_told_no_more_than_that_it_failed(two: TwoOrganisations) -> None:
    said = []
    for email, password in (("viewer@north.org", "wrong"), ("nobody@north.org", PASSWORD), ("", "")):
        with two.service.begin() as connection, pytest.raises(SignInRefused) as error:
            sign_in(connection, email, password)
        said.append(str(error.value))
    assert set(said) == {"The e-mail address or the password is wrong."}


def test_salts_do_not_tell_who_has_an_account(service: Connection) -> None:
    """An address without an account has one that looks like any other, and the same each time."""
    ask = "SELECT gate.salt_of('nobody@north.org', '$argon2id$v=19$m=65536,t=3,p=4')"
    known = "SELECT gate.salt_of('viewer@north.org', '$argon2id$v=19$m=65536,t=3,p=4')"
    (first,), (again,), (real,) = rows(service, ask)[0], rows(service, ask)[0], rows(service, known)[0]
    assert first == again != real
    assert len(str(first)) == len(str(real))
    assert str(first).rpartition("$")[0] == str(real).rpartition("$")[0]


@pytest.mark.parametrize("email", ["viewer@south.org", "nobody@south.org"])
def test_too_many_failures_lock_an_address_for_a_while(two: TwoOrganisations, email: str) -> None:
    """Whether it has an account or not; even the right password does not open it then."""
    for _ in range(5):
        with two.service.begin() as connection, pytest.raises(SignInRefused, match="is wrong"):
            _sign_in_kept(connection, email, "wrong")
    with two.service.begin() as connection, pytest.raises(SignInLocked) as locked:
        sign_in(connection, email.upper(), PASSWORD)
    assert timedelta(0) < locked.value.until - datetime.now(UTC) <= timedelta(minutes=1)
    _make_older(two.owner, timedelta(minutes=1))
    with two.service.begin() as connection, pytest.raises(SignInRefused, match="is wrong"):
        _sign_in_kept(connection, email, "wrong")
    with two.service.begin() as connection, pytest.raises(SignInLocked) as locked:
        sign_in(connection, email, PASSWORD)
    assert timedelta(minutes=1) < locked.value.until - datetime.now(UTC) <= timedelta(minutes=2)
    _make_older(two.owner, timedelta(minutes=2))
    if email.startswith("viewer"):
        with two.service.begin() as connection:
            assert people.enter(connection, sign_in(connection, email, PASSWORD)) is not None
        with two.owner.connect() as connection:
            assert rows(connection, "SELECT failures FROM sign_in_failure WHERE failures > 5") == []


def _sign_in_kept(connection: Connection, email: str, password: str) -> None:
    """Signs in, and commits that it failed."""
    try:
        sign_in(connection, email, password)
    except SignInRefused:
        connection.commit()
        raise


def _make_older(owner: Engine, by: timedelta) -> None:
    with owner.begin() as connection:
        connection.execute(text("UPDATE sign_in_failure SET locked_until = locked_until - :by"), {"by": by})


def test_a_session_ends(two: TwoOrganisations) -> None:
    with two.service.begin() as connection:
        token = sign_in(connection, " Viewer@North.org ", PASSWORD)
        assert people.enter(connection, token) is not None
        people.sign_out(connection, token)
        assert people.enter(connection, token) is None
        late = sign_in(connection, "viewer@north.org", PASSWORD)
    with two.owner.begin() as connection:
        connection.execute(
            text("UPDATE session SET expires_at = now() WHERE expires_at = (SELECT max(expires_at) FROM session)")
        )
    with two.service.begin() as connection:
        assert people.enter(connection, late) is None


def test_a_link_sets_a_password_once(two: TwoOrganisations) -> None:
    with two.owner.begin() as connection:
        account_id = people.add_account(connection, "new@north.org", "New", "viewer", "north")
        first, _ = people.make_link(connection, account_id)
        second, _ = people.make_link(connection, account_id)
    with two.service.begin() as connection:
        with pytest.raises(InputError, match="has 5 characters; it needs 12 or more"):
            set_password(connection, first, "short")
        with pytest.raises(InputError, match="is the e-mail address"):
            set_password(connection, first, "NEW@north.org")
        set_password(connection, first, "a new password")
        token = sign_in(connection, "new@north.org", "a new password")
        # Both the link that was used and the other one are spent.
        for link in (first, second, "never a link"):
            with pytest.raises(NotFound, match="ask for a new one"):
                set_password(connection, link, "another password")
    with two.owner.begin() as connection:
        link, _ = people.make_link(connection, account_id)
    with two.service.begin() as connection:
        assert people.enter(connection, token) is not None
        set_password(connection, link, "yet another one")
        assert people.enter(connection, token) is None
        with pytest.raises(SignInRefused):
            sign_in(connection, "new@north.org", "a new password")


def test_a_link_grows_old(two: TwoOrganisations) -> None:
    with two.owner.begin() as connection:
        link, _ = people.make_link(connection, people.find_account(connection, "viewer@north.org")["id"])
        connection.execute(text("UPDATE password_link SET expires_at = now() WHERE used_at IS NULL"))
    with two.service.begin() as connection, pytest.raises(NotFound):
        set_password(connection, link, "a new password")


def test_a_closed_account_is_out_at_once(owner: Connection, two: TwoOrganisations) -> None:
    account = people.find_account(owner, "CONTRIBUTOR@north.org")
    token, _ = people.make_key(owner, account["id"], "a key", "viewer", 30)
    assert people.enter(owner, token) is not None
    people.change_account(owner, account["id"], is_active=False)
    assert people.enter(owner, token) is None
    assert people.enter(owner, two.token("contributor")) is None


def test_a_key_is_worth_no_more_than_its_account(owner: Connection) -> None:
    account = people.find_account(owner, "steward@north.org")
    token, made = people.make_key(owner, account["id"], " dashboard ", "contributor", 30)
    assert made["name"] == "dashboard"
    assert token.startswith(made["prefix"])
    bearer = people.enter(owner, token)
    assert bearer is not None
    assert (bearer.role, bearer.via) == ("contributor", "key")
    people.change_account(owner, account["id"], role="viewer")
    bearer = people.enter(owner, token)
    assert bearer is not None
    assert bearer.role == "viewer"
    people.revoke_key(owner, account["id"], made["id"])
    assert people.enter(owner, token) is None
    with pytest.raises(NotFound):
        people.revoke_key(owner, account["id"], made["id"])


def test_keys_end(owner: Connection) -> None:
    account = people.find_account(owner, "steward@north.org")
    token, _ = people.make_key(owner, account["id"], "old", "viewer", 1)
    owner.execute(text("UPDATE api_key SET expires_at = now() - interval '1 second' WHERE name = 'old'"))
    assert people.enter(owner, token) is None
    for name, days in (("", 30), ("long", 367), ("never", 0)):
        with pytest.raises(InputError):
            people.make_key(owner, account["id"], name, "viewer", days)


def test_an_account_makes_keys_for_itself_alone(service: Connection, two: TwoOrganisations) -> None:
    bearer = people.enter(service, two.token("contributor"))
    assert bearer is not None
    token, made = people.make_key(service, bearer.account_id, "mine", "contributor", 30)
    assert [key["name"] for key in people.list_keys(service, bearer.account_id)] == ["mine"]
    for account_id, role in ((bearer.account_id, "steward"), (bearer.account_id + 1, "viewer")):
        with pytest.raises(DBAPIError), service.begin_nested():
            people.make_key(service, account_id, "not mine", role, 30)  # type: ignore[arg-type]
    people.enter(service, token)
    with pytest.raises(DBAPIError), service.begin_nested():
        # A key is no way to more keys.
        people.make_key(service, bearer.account_id, "from a key", "viewer", 30)
    people.revoke_key(service, bearer.account_id, made["id"])


def test_a_steward_manages_its_own_organisation(service: Connection, two: TwoOrganisations) -> None:
    people.enter(service, two.token("steward"))
    assert {account["organisation"] for account in people.list_accounts(service)} == {"north"}
    added = people.add_account(service, "helper@north.org", "Helper", "contributor", "north")
    people.make_link(service, added)
    people.change_account(service, added, role="viewer")
    assert people.find_account(service, "helper@north.org")["role"] == "viewer"
    for role, organisation in (("operator", "north"), ("viewer", "south")):
        with pytest.raises(DBAPIError), service.begin_nested():
            people.add_account(service, "more@north.org", "More", role, organisation)  # type: ignore[arg-type]
    with pytest.raises(DBAPIError), service.begin_nested():
        people.change_account(service, added, role="operator")


@pytest.mark.parametrize("role", ["viewer", "contributor"])
def test_others_manage_nobody(service: Connection, two: TwoOrganisations, role: str) -> None:
    people.enter(service, two.token(role))
    with pytest.raises(DBAPIError), service.begin_nested():
        people.add_account(service, "more@north.org", "More", "viewer", "north")
    before = people.list_accounts(service)
    service.execute(text("UPDATE account SET role = 'steward'"))
    assert people.list_accounts(service) == before


def test_a_steward_touches_no_account_of_another_organisation(
    service: Connection, owner: Connection, two: TwoOrganisations
) -> None:
    other = people.find_account(owner, "viewer@south.org")["id"]
    people.enter(service, two.token("steward"))
    people.change_account(service, other, is_active=False)
    with pytest.raises(DBAPIError), service.begin_nested():
        people.make_link(service, other)
    service.rollback()
    assert people.find_account(owner, "viewer@south.org")["is_active"]


def test_a_grant_shows_full_figures_and_no_household(service: Connection, two: TwoOrganisations) -> None:
    draft = "SELECT id FROM survey WHERE slug = 'north-draft'"
    with two.service.begin() as connection:
        people.enter(connection, two.token("steward"))
        ((survey_id,),) = rows(connection, draft)
        assert isinstance(survey_id, int)
        assert grant_survey(connection, survey_id, "south")
        assert not grant_survey(connection, survey_id, "south")
        assert [grant["organisation"] for grant in list_grants(connection, survey_id)] == ["south"]
    people.enter(service, two.token("viewer", "south"))
    assert rows(service, draft) == [(survey_id,)]
    assert rows(service, f"SELECT count(*) > 0 FROM tally WHERE survey_id = {survey_id}") == [(True,)]
    people.enter(service, two.token("steward", "south"))
    for table in ("household", "upload"):
        assert rows(service, f"SELECT count(*) FROM {table} WHERE survey_id = {survey_id}") == [(0,)]
    # Whoever was granted it cannot pass it on.
    assert refused(
        service, f"INSERT INTO survey_grant (survey_id, organisation_id) SELECT {survey_id}, id FROM organisation"
    )
    with two.service.begin() as connection:
        people.enter(connection, two.token("steward"))
        assert end_grant(connection, survey_id, "south")
        with pytest.raises(NotFound, match="no organisation 'east'"):
            grant_survey(connection, survey_id, "east")
    assert rows(service, draft) == []


def test_commands_are_noted_in_the_name_of_who_runs_them(owner: Connection) -> None:
    note_as(owner, "asha at the command line", "city added", "city pune", after={"name": "Pune"})
    last = find_audit(owner, PageRequest(limit=None)).rows[-1]
    assert (last.actor, last.organisation, last.after) == ("asha at the command line", None, {"name": "Pune"})


def test_accounts_have_one_address_each(owner: Connection) -> None:
    with pytest.raises(Conflict, match=r"There is an account VIEWER@north\.org already"):
        people.add_account(owner, "VIEWER@north.org", "Again", "viewer", "north")
    for email in ("nobody", "a@b@c", "a b@c.org", ""):
        with pytest.raises(InputError, match="is not an e-mail address"):
            people.add_account(owner, email, "Name", "viewer", "north")
    with pytest.raises(InputError, match="needs a name"):
        people.add_account(owner, "a@b.org", " ", "viewer", "north")
    with pytest.raises(NotFound, match=r"There is no account a@b\.org"):
        people.find_account(owner, "a@b.org")


def test_an_account_that_opens_again_has_no_session_and_no_key_left(two: TwoOrganisations) -> None:
    with two.owner.begin() as connection:
        account_id = people.add_account(connection, "closed@north.org", "Closed", "viewer", "north")
        link, _ = people.make_link(connection, account_id)
        set_password(connection, link, PASSWORD)
        session = sign_in(connection, "closed@north.org", PASSWORD)
        key, _ = people.make_key(connection, account_id, "a key", "viewer", 30)
        left, _ = people.make_link(connection, account_id)
        people.change_account(connection, account_id, role="contributor")
        assert people.enter(connection, session) is not None
        people.change_account(connection, account_id, is_active=False)
        people.change_account(connection, account_id, is_active=True)
        assert people.enter(connection, session) is None
        assert people.enter(connection, key) is None
        with pytest.raises(NotFound):
            set_password(connection, left, PASSWORD)
        assert people.enter(connection, sign_in(connection, "closed@north.org", PASSWORD)) is not None


@pytest.mark.parametrize(
    ("state", "wanted", "role", "survey", "allowed"),
    [
        ("loaded", "received", "steward", "north-draft", False),
        ("loaded", "refused", "steward", "north-draft", False),
        ("loaded", "withdrawing", "contributor", "north-draft", True),
        ("loaded", "withdrawing", "contributor", "north-published", False),
        ("loaded", "withdrawing", "steward", "north-published", True),
        ("loaded", "withdrawing", "steward", "south-draft", None),
    ],
)
def test_sql_as_the_service_takes_an_upload_no_other_way_than_decisions_do(
    service: Connection, two: TwoOrganisations, state: str, wanted: str, role: str, survey: str, allowed: bool | None
) -> None:
    """None: there is no such row to be changed."""
    people.enter(service, two.token(role))
    with two.owner.connect() as connection:
        ((number, found),) = rows(
            connection, f"SELECT u.id, u.state FROM upload u JOIN survey s ON s.id = survey_id WHERE slug = '{survey}'"
        )
    assert found == state
    statement = f"UPDATE upload SET state = '{wanted}' WHERE id = {number}"
    if allowed is False:
        assert refused(service, statement)
    else:
        assert service.execute(text(statement)).rowcount == (0 if allowed is None else 1)


def test_keys_end_with_a_new_password(two: TwoOrganisations) -> None:
    """Who sets one because somebody else knew the old expects that one out, with a key made meanwhile too."""
    with two.owner.begin() as connection:
        account_id = people.add_account(connection, "robbed@north.org", "Robbed", "contributor", "north")
        first, _ = people.make_link(connection, account_id)
        set_password(connection, first, PASSWORD)
        key, _ = people.make_key(connection, account_id, "the thief's", "contributor", 366)
        others, _ = people.make_key(
            connection, people.find_account(connection, "steward@north.org")["id"], "another's", "viewer", 1
        )
        again, _ = people.make_link(connection, account_id)
    with two.service.begin() as connection:
        assert people.enter(connection, key) is not None
        set_password(connection, again, "another long password")
        assert people.enter(connection, key) is None
        assert people.enter(connection, others) is not None
        people.enter(connection, two.token("steward"))
        set_, noted = find_audit(connection, PageRequest(limit=None)).rows[-2:]
    assert [(row.action, row.after) for row in (set_, noted)][-1] == ("password set", {"keys_ended": 1})
    with two.owner.connect() as connection:
        (listed,) = people.list_keys(connection, account_id)
    assert listed["revoked_at"] is not None


def _fails(two: TwoOrganisations, email: str, network: str, *, times: int) -> list[type[Exception]]:
    """Wrong passwords, one after the other; what each was answered."""
    answers: list[type[Exception]] = []
    for _ in range(times):
        with two.service.begin() as connection:
            try:
                people.sign_in(connection, email, "no proof", network)
            except SignInRefused as error:
                answers.append(type(error))
                connection.commit()
    return answers


@pytest.mark.parametrize("email", ["steward@south.org", "nobody@elsewhere.org"])
def test_l4_wrong_passwords_lock_out_nobody_elsewhere(two: TwoOrganisations, email: str) -> None:
    """Whether there is an account or not; from where they came, also the right one is not looked at."""
    assert _fails(two, email, "198.51.100.1", times=6) == [SignInRefused] * 5 + [SignInLocked]
    with two.service.begin() as connection:
        with pytest.raises(SignInLocked):
            people.begin_sign_in(connection, email.upper(), "198.51.100.1")
        people.begin_sign_in(connection, email, "198.51.100.2")
        if email.startswith("steward"):
            assert people.enter(connection, sign_in(connection, email, PASSWORD, "198.51.100.2")) is not None


def test_l4_many_networks_together_are_held_but_not_who_is_known(two: TwoOrganisations) -> None:
    """SQL as the service may name any network: a hundred failures an hour are what it has."""
    email, home = "contributor@south.org", "203.0.113.9"
    with two.service.begin() as connection:
        sign_in(connection, email, PASSWORD, home)
    answers = [kind for i in range(26) for kind in _fails(two, email, f"198.51.100.{i}", times=4)]
    assert answers == [SignInRefused] * 100 + [SignInLocked] * 4
    with two.service.begin() as connection:
        with pytest.raises(SignInLocked) as locked:
            people.begin_sign_in(connection, email, "192.0.2.77")
        assert timedelta(minutes=50) < locked.value.until - datetime.now(UTC) <= timedelta(hours=1)
        assert people.enter(connection, sign_in(connection, email, PASSWORD, home)) is not None
    # While it is held nothing prolongs it.
    with two.owner.begin() as connection:
        connection.execute(text("UPDATE sign_in_hour SET began_at = began_at - interval '1 hour'"))
    with two.service.begin() as connection:
        assert people.enter(connection, sign_in(connection, email, PASSWORD, "192.0.2.77")) is not None


def test_l4_a_new_password_opens_the_account_again(two: TwoOrganisations) -> None:
    email, place = "viewer@south.org", "198.51.100.200"
    _fails(two, email, place, times=5)
    with two.owner.begin() as connection:
        link, _ = people.make_link(connection, people.find_account(connection, email)["id"])
        set_password(connection, link, PASSWORD)
    with two.service.begin() as connection:
        assert people.enter(connection, sign_in(connection, email, PASSWORD, place)) is not None
