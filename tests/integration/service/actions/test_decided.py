"""Between a decision and its work the round is published, or who decided loses the right: nothing published changes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text, update

from geo.database.schema.access import account
from tests.support import factories as f
from tests.support.office import API, Office, bearer, client, decide, office, officer, settings
from tests.support.two_organisations import TwoOrganisations, refused

__all__ = ["client", "office", "officer", "settings"]

CONTRIBUTOR = "contributor@north.org"


@pytest.fixture
def draft(office: Office, two: TwoOrganisations) -> Iterator[None]:
    """North's draft is one in the end too, and its people are what they were."""
    yield
    office.work()
    publish(office, two, "draft")
    for role in ("contributor", "steward"):
        change(two, f"{role}@north.org", is_active=True, role=role)


def publish(office: Office, two: TwoOrganisations, state: str = "published") -> None:
    answer = office.client.patch(
        f"{API}/own/surveys/pune/north-draft", headers=bearer(two, "steward"), json={"state": state}
    )
    assert answer.status_code == 200, answer.text


def change(two: TwoOrganisations, email: str, **values: Any) -> None:
    """What a steward does to an account, with the sessions kept so that the tests go on."""
    with two.owner.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(update(account).where(account.c.email == email).values(**values))


_FIGURE = f"{API}/values?survey=north-draft&indicator=drainage_any&level=city"


def public_figure(office: Office) -> tuple[float | None, int]:
    (found,) = office.client.get(_FIGURE).json()["values"]
    return found["value"], found["n"]


def full_figure(office: Office, two: TwoOrganisations) -> tuple[float, int]:
    """The figure as the public is to see it: per cents whole, or with a decimal of 100 households; these to five."""
    answer = office.client.get(f"{_FIGURE}&access=full", headers=bearer(two, "steward"))
    (found,) = answer.json()["values"]
    return round(found["value"], 1 if found["n"] >= 100 else 0), 5 * round(found["n"] / 5)


def sent(office: Office, folder: Path, name: str) -> int:
    """An upload that would halve the round's drainage, checked."""
    rows = [row | {"household_code": f"{name}-{i}", "drainage": "none"} for i, row in enumerate(f.households(each=12))]
    upload = office.sent(f.write_csv(folder / f"{name}.csv", rows))
    assert upload["state"] == "checked"
    return int(upload["id"])


@pytest.mark.usefixtures("draft")
def test_m5_a_round_published_after_a_load_was_accepted_is_not_changed_by_it(
    office: Office, two: TwoOrganisations, tmp_path: Path
) -> None:
    number = sent(office, tmp_path, "late")
    assert decide(office.client, office.header, number, "accept").json()["state"] == "accepted"
    before = full_figure(office, two)
    publish(office, two)
    office.work()
    upload = office.look(number)
    assert upload["state"] == "waiting"
    assert upload["problem"] == (
        "Nothing was changed, because survey north-draft was published meanwhile: have it checked again, then a "
        "steward has to decide it."
    )
    assert public_figure(office) == before
    assert office.decided(number, "recheck")["state"] == "checked"
    assert decide(office.client, office.header, number, "accept").status_code == 403
    assert decide(office.client, bearer(two, "steward"), number, "accept").status_code == 200
    office.work()
    assert office.look(number)["state"] == "published"
    assert public_figure(office) != before


@pytest.mark.usefixtures("draft")
def test_m5_nor_by_a_withdrawal_that_was_asked_for_before(
    office: Office, two: TwoOrganisations, tmp_path: Path
) -> None:
    number = sent(office, tmp_path, "taken-back")
    assert office.decided(number, "accept")["state"] == "loaded"
    before = full_figure(office, two)
    assert decide(office.client, office.header, number, "withdraw").json()["state"] == "withdrawing"
    publish(office, two)
    office.work()
    upload = office.look(number)
    assert upload["state"] == "published"
    assert upload["problem"] == (
        "Nothing was changed, because survey north-draft was published meanwhile: a steward has to decide it."
    )
    assert public_figure(office) == before
    decide(office.client, bearer(two, "steward"), number, "withdraw")
    office.work()
    upload = office.look(number)
    assert (upload["state"], upload["problem"]) == ("withdrawn", None)


@pytest.mark.parametrize(
    ("lost", "why"),
    [
        ({"is_active": False}, "the account that decided it has been closed"),
        ({"role": "viewer"}, "the account that decided it has become a viewer"),
    ],
)
@pytest.mark.usefixtures("draft")
def test_m5_what_an_account_accepted_that_may_no_longer_is_not_loaded(
    office: Office, two: TwoOrganisations, tmp_path: Path, lost: dict[str, Any], why: str
) -> None:
    number = sent(office, tmp_path, f"lost-{'-'.join(lost)}")
    decide(office.client, office.header, number, "accept")
    change(two, CONTRIBUTOR, **lost)
    office.work()
    change(two, CONTRIBUTOR, is_active=True, role="contributor")
    upload = office.look(number)
    assert upload["state"] == "waiting"
    assert upload["problem"] == (
        f"Nothing was changed, because {why}: have it checked again, then a contributor has to decide it."
    )


@pytest.mark.usefixtures("draft")
def test_m5_a_steward_who_is_none_any_more_changes_no_published_round(
    office: Office, two: TwoOrganisations, tmp_path: Path
) -> None:
    number = sent(office, tmp_path, "by-steward")
    before = full_figure(office, two)
    publish(office, two)
    assert decide(office.client, bearer(two, "steward"), number, "accept").status_code == 200
    change(two, "steward@north.org", role="contributor")
    office.work()
    change(two, "steward@north.org", role="steward")
    assert office.look(number)["state"] == "waiting"
    assert public_figure(office) == before


@pytest.mark.usefixtures("draft")
def test_m5_a_stewards_key_for_contributors_decides_as_a_contributor(
    office: Office, two: TwoOrganisations, tmp_path: Path
) -> None:
    key = office.client.post(
        f"{API}/keys", headers=bearer(two, "steward"), json={"name": "sends", "role": "contributor", "days": 1}
    )
    number = sent(office, tmp_path, "by-key")
    with_key = {"authorization": f"Bearer {key.json()['token']}"}
    assert decide(office.client, with_key, number, "accept").status_code == 200
    before = full_figure(office, two)
    publish(office, two)
    office.work()
    assert office.look(number)["state"] == "waiting"
    assert public_figure(office) == before


def test_m5_who_decided_cannot_be_said_by_the_service(two: TwoOrganisations) -> None:
    with two.service.connect() as connection:
        assert refused(connection, "UPDATE upload SET decided_by = 1, decided_as = 'steward'")
        connection.rollback()
