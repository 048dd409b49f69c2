"""An organisation's office at the pages of a running service: its city, its people, their browsers."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
from playwright.sync_api import Browser, expect
from playwright.sync_api import Page as Tab
from sqlalchemy import Engine

from geo import database
from geo.database.schema.access import ROLES
from geo.indicators.tallies import recompute, surveys_lacking_tallies
from geo.people import add_account
from service.work import jobs
from tests.support import factories as f
from tests.support.published_city import drop_database, new_database
from tests.support.serving import free_port, serving
from tests.support.two_organisations import PASSWORD, give_password

DESKTOP, PHONE = (1200, 900), (360, 740)
WORK_MS = 60_000
"""How long a worker may take for a step, on a machine that is busy with other tests."""


@dataclass
class Site:
    """A running service, and all that browsers complained of or asked others for."""

    address: str
    owner: Engine
    browser: Browser
    complaints: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def open(self, size: tuple[int, int] = DESKTOP, *, javascript: bool = True) -> Tab:
        """A tab of a browser of its own."""
        context = self.browser.new_context(
            base_url=self.address,
            viewport={"width": size[0], "height": size[1]},
            java_script_enabled=javascript,
        )
        tab = context.new_page()
        tab.on("request", lambda request: self._note(request.url))
        tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        tab.on("console", lambda said: self._complain(said.text) if "Content Security" in said.text else None)
        # A dialog somebody listens to stays open, and what hangs then is the test.
        tab.on("dialog", lambda dialog: self._complain(dialog.message))
        return tab

    def _complain(self, text: str) -> None:
        self.complaints.append(text)

    def _note(self, address: str) -> None:
        if not address.startswith((self.address, "data:", "blob:")):
            self.elsewhere.append(address)

    def signed_in(self, role: str, size: tuple[int, int] = DESKTOP, *, javascript: bool = True) -> Tab:
        """A tab of somebody who has signed in by the page."""
        tab = self.open(size, javascript=javascript)
        tab.goto(f"{self.address}/surveys")
        expect(tab).to_have_title("Sign in · Vasti")
        tab.get_by_label("E-mail address").fill(f"{role}@north.org")
        tab.get_by_label("Password").fill(PASSWORD)
        tab.get_by_role("button", name="Sign in").click()
        expect(tab.get_by_role("heading", level=1)).to_have_text("Surveys")
        return tab


@contextmanager
def site_of(
    browser: Browser,
    server_url: str,
    name: str,
    folder: Path,
    settlements: gpd.GeoDataFrame,
    proxy: Callable[[int], AbstractContextManager[str]] | None = None,
) -> Iterator[Site]:
    """A service with a worker, on a city of these settlements, for an organisation with an account of each role.

    `proxy` makes an address under which browsers reach what serves at a port.
    """
    url = new_database(server_url, name)
    database.upgrade(url)
    jobs.prepare(url)
    owner = database.create_engine(url)
    with owner.begin() as connection:
        f.load_city(connection, folder, settlements)
        for role in ROLES[:-1]:
            account_id = add_account(connection, f"{role}@north.org", role.title(), role, "north")
            give_password(connection, account_id)
        for survey_id in surveys_lacking_tallies(connection):
            recompute(connection, survey_id)
    port = free_port()
    environment = {"VASTI_DATABASE_URL": url, "VASTI_STATE_DIR": str(folder / "state"), "VASTI_WORKER": "true"}
    with serving(environment, "--port", str(port)) as process:
        assert process.stdout is not None
        assert str(port) in process.stdout.readline()
        with proxy(port) if proxy else nullcontext(f"http://127.0.0.1:{port}") as address:
            yield Site(address, owner, browser)
    owner.dispose()
    drop_database(server_url, name)


def open_round(tab: Tab, name: str, starts: str = "2024-01-01", ends: str = "2024-12-31") -> None:
    """Opens a round by the form, which leads to its page."""
    tab.get_by_role("link", name="Vasti", exact=True).click()
    opener = tab.locator("details.box")
    if opener.get_attribute("open") is None:
        opener.locator("summary").click()
    tab.get_by_label("Name of the round").fill(name)
    tab.get_by_label("First day of the interviews").fill(starts)
    tab.get_by_label("Last day").fill(ends)
    tab.get_by_label("Who was asked").select_option("every household")
    tab.get_by_role("button", name="Open the round").click()
    expect(tab.get_by_role("heading", level=1)).to_contain_text(name)


def send(tab: Tab, path: Path, of: str = "Survey file") -> None:
    """Sends a file by the form with this label, which leads to the upload's page."""
    form = tab.locator("form", has=tab.get_by_label(of))
    form.get_by_label(of).set_input_files(path)
    form.get_by_role("button", name="Send and check").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text(path.name)


def expect_state(tab: Tab, words: str | re.Pattern[str]) -> None:
    """Waits until an upload's page says this of it."""
    expect(tab.locator("#state")).to_have_text(words, timeout=WORK_MS)


def expect_checked(tab: Tab) -> None:
    """Waits until an upload's file was checked, whatever was found."""
    expect_state(tab, re.compile("^(Checked|Waits for you)$"))


def look(tab: Tab, name: str) -> None:
    """Keeps a picture of the page in the folder VASTI_LOOK names, for whoever wants to see it."""
    if folder := os.environ.get("VASTI_LOOK"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        tab.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
