"""An office whose files are worked on by real processes."""

import time
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, text

from geo import database
from geo.indicators.tallies import recompute, surveys_lacking_tallies
from geo.ingestion.loading import Choices, Target, originals
from geo.ingestion.uploads import NEXT_STEP, Decision, Step, decide, receive
from geo.messages import Message
from geo.people import Bearer, add_account, find_account_by_id
from geo.places import find_city
from geo.settings import Settings
from geo.surveys import find_survey
from service.work import jobs, queue
from tests.support import factories as f
from tests.support.cli import Running, Shell


@dataclass(frozen=True)
class WorkersOffice:
    """A city with a round of 48 households, whose officer sends files; workers are real processes."""

    url: str
    engine: Engine
    folder: Path
    sender: Bearer

    @property
    def shell(self) -> Shell:
        return Shell(self.url, self.folder)

    @property
    def settings(self) -> Settings:
        return Settings(state_dir=self.folder / "state")

    def receives(self, path: Path) -> int:
        """Takes a file in and asks for its check."""
        original = originals.identify(path, path.name)
        originals.keep(original, self.sender.organisation, self.settings.originals_url)
        with database.transaction(self.engine) as connection:
            row = find_survey(connection, find_city(connection, "pune"), "2024")
            target = Target(row["city_id"], "survey", row["id"])
            number = receive(connection, self.sender, target, original, Choices())
        self.asks(number, "checking")
        return number

    def decides(self, number: int, decision: Decision) -> None:
        """Decides, and asks for what follows."""
        with database.transaction(self.engine) as connection:
            decide(connection, number, decision)
        self.asks(number, NEXT_STEP[decision])

    def asks(self, number: int, step: Step) -> None:
        with database.transaction(self.engine) as connection:
            queue.defer_upload(connection, number, step)

    def look(self, number: int) -> tuple[str, str | None]:
        """The upload's state and problem."""
        with database.transaction(self.engine) as connection:
            row = connection.execute(text("SELECT state, problem FROM upload WHERE id = :id"), {"id": number}).one()
        return row[0], None if row[1] is None else Message.of_json(**row[1]).say()

    def works(self) -> Running:
        """Starts a worker that goes on until it is ended."""
        return self.shell.start("worker")

    def becomes(self, number: int, *states: str) -> None:
        """Waits until the upload is in one of these states."""
        deadline = time.monotonic() + 90
        while self.look(number)[0] not in states:
            assert time.monotonic() < deadline, self.look(number)
            time.sleep(0.05)

    def a_minute_passes(self) -> None:
        """What has not been heard of for half a minute is taken for dead."""
        with self.engine.begin() as connection:
            connection.execute(
                text("UPDATE procrastinate.procrastinate_workers SET last_heartbeat = now() - '1m'::interval")
            )


def furnish(url: str, folder: Path) -> Bearer:
    """Loads a city with a round into a database; its officer."""
    database.upgrade(url)
    engine = database.create_engine(url)
    with database.transaction(engine) as connection:
        f.load_city(connection, folder, f.small_city())
        f.load(connection, folder, f.households())
        account_id = add_account(connection, "officer@ngo.org", "Officer", "contributor", "local")
        organisation_id = find_account_by_id(connection, account_id)["organisation_id"]
        for survey_id in surveys_lacking_tallies(connection):
            recompute(connection, survey_id)
    engine.dispose()
    jobs.prepare(url)
    return Bearer(account_id, organisation_id, "local", "officer@ngo.org", "Officer", "contributor", "session")
