"""Two organisations in one database, each with a draft, a published round, uploads and accounts; nothing is shared."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import ProgrammingError

from geo import database, people
from geo.database import service_url
from geo.database.schema.access import ROLES, Role
from geo.indicators.tallies import recompute, surveys_lacking_tallies
from service.work import jobs
from tests.support import factories as f
from tests.support.published_city import drop_database, new_database
from tests.support.publishing import publish

PASSWORD = "correct horse battery"
SECRETS = ("NORTH-SECRET", "SOUTH-SECRET")
"""Stands in the household codes, the file names and the findings of each."""

ORGANISATIONS = ("north", "south")


@dataclass(frozen=True)
class TwoOrganisations:
    """The database as its owner and as the service see it, and the passwords and keys of each organisation's people."""

    owner: Engine
    service: Engine
    sessions: Mapping[str, str]
    """By e-mail address, such as steward@north.org."""

    def token(self, role: str, organisation: str = "north") -> str:
        """The session of somebody."""
        return self.sessions[f"{role}@{organisation}.org"]


TEMPLATE = "two_organisations"
"""The database in which they are made once, for all that begin with them."""


def make_two(server_url: str, folder: Path, migrated: str) -> Mapping[str, str]:
    """Loads a city with a draft and a published round of each organisation, and signs its people in: their sessions.

    `migrated` is the name of a database with Vasti's tables and no rows.
    """
    url = new_database(server_url, TEMPLATE, migrated)
    owner = database.create_engine(url)
    with owner.begin() as connection:
        f.load_city(connection, folder, f.small_city())
        for organisation, secret in zip(ORGANISATIONS, SECRETS, strict=True):
            for state in ("draft", "published"):
                _load(connection, folder, organisation, state, secret)
            for role in ROLES[:-1]:
                _add(connection, f"{role}@{organisation}.org", role, organisation)
        _add(connection, "operator@vasti.org", "operator", "installation")
        # What a worker would do first.
        for survey_id in surveys_lacking_tallies(connection):
            recompute(connection, survey_id)
    jobs.prepare(url)
    service = database.create_engine(service_url(url, None))
    emails = [f"{role}@{o}.org" for o in ORGANISATIONS for role in ROLES[:-1]]
    with service.begin() as connection:
        everybody = [*emails, "operator@vasti.org"]
        sessions = {email: people.sign_in(connection, email, _proof(), "192.0.2.1") for email in everybody}
    owner.dispose()
    service.dispose()
    return sessions


def two_in(server_url: str, name: str, sessions: Mapping[str, str]) -> Iterator[TwoOrganisations]:
    """The two organisations in a database of this name, which is removed in the end."""
    url = new_database(server_url, name, TEMPLATE)
    two = TwoOrganisations(database.create_engine(url), database.create_engine(service_url(url, None)), sessions)
    yield two
    two.owner.dispose()
    two.service.dispose()
    drop_database(server_url, name)


def _load(connection: Connection, folder: Path, organisation: str, state: str, secret: str) -> None:
    rows = [row | {"household_code": f"{secret}-{i}"} for i, row in enumerate(f.households(each=12))]
    # An answer nobody knows, and a row that lies nowhere: each makes a finding.
    rows[0]["toilet_type"] = f"{secret}-toilet"
    rows.append(f.household(9_999, settlement_code="nowhere", longitude=0.5, latitude=0.5))
    path = f.write_csv(folder / f"{secret}-{state}.csv", rows)
    spec = replace(f.spec(f"{organisation}-{state}"), organisation=organisation)
    f.load(connection, folder, path, survey=spec, skip_errors=True)
    if state == "published":
        publish(connection, "pune", spec.slug)


def _add(connection: Connection, email: str, role: Role, organisation: str) -> None:
    account_id = people.add_account(connection, email, role.title(), role, organisation)
    give_password(connection, account_id)


@cache
def _proof() -> str:
    """What argon2 makes of PASSWORD: it takes a good part of a second, and there are many accounts."""
    return people.prove_new(PASSWORD)


def give_password(connection: Connection, account_id: int) -> None:
    """Gives an account PASSWORD, with the proof that all of them have."""
    link, _ = people.make_link(connection, account_id)
    people.set_password(connection, link, _proof())


def sign_in(connection: Connection, email: str, password: str, network: str = "192.0.2.1") -> str:
    """Signs somebody in as the service does, but in one transaction: the session's token."""
    proof = people.prove(password, people.begin_sign_in(connection, email, network))
    return people.sign_in(connection, email, proof, network)


def set_password(connection: Connection, link: str, password: str) -> None:
    """Sets a password as the service does, but in one transaction."""
    people.begin_password(connection, link, password)
    people.set_password(connection, link, people.prove_new(password))


def rows(connection: Connection, statement: str) -> list[tuple[object, ...]]:
    """What a statement gives."""
    return [tuple(row) for row in connection.execute(text(statement))]


def refused(connection: Connection, statement: str) -> bool:
    """Whether the database says no, whatever the statement would do."""
    try:
        with connection.begin_nested():
            connection.execute(text(statement))
    except ProgrammingError as error:
        return getattr(error.orig, "sqlstate", None) == "42501"  # insufficient privilege, or a policy
    return False
