"""A headless Chromium for each module: while Playwright runs, the thread has an event loop of its own."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.support import factories as f
from tests.support.offices import Site, site_of


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium, kept from calling home."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ],
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def served(
    request: pytest.FixtureRequest, browser: Browser, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A service on the small city."""
    name = request.module.__name__.rpartition(".")[2]
    with site_of(browser, database_url, name, tmp_path_factory.mktemp("site"), f.small_city()) as site:
        yield site


@pytest.fixture
def site(served: Site) -> Iterator[Site]:
    """The same; in the end no browser complained, and none asked another computer for anything."""
    yield served
    assert (served.complaints, served.elsewhere) == ([], [])
    for context in served.browser.contexts:
        context.close()
