"""A city's people at the service under a path of the city's own host, in a real browser."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.support import factories as f
from tests.support.offices import Site, expect_state, open_round, send, site_of
from tests.support.proxies import proxied

PATH = "/apps/vasti"


@pytest.fixture(scope="module", params=[True, False], ids=["the proxy takes the path away", "the proxy leaves it"])
def served(
    request: pytest.FixtureRequest, browser: Browser, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """The service on the small city, which browsers reach under a path, and at no other."""

    @contextmanager
    def proxy(port: int) -> Iterator[str]:
        with proxied(PATH, port, strips=request.param) as (address, strayed):
            yield address
        assert [path for path in strayed if path != "/favicon.ico"] == []

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VASTI_PUBLIC_URL", f"https://city.example.org{PATH}")
        name, folder = f"sub_path_{request.param}".lower(), tmp_path_factory.mktemp("site")
        with site_of(browser, database_url, name, folder, f.small_city(), proxy) as site:
            yield site


def test_from_signing_in_to_the_figures(site: Site, tmp_path: Path) -> None:
    steward = site.signed_in("steward")
    assert {cookie["path"] for cookie in steward.context.cookies()} == {PATH}
    open_round(steward, "Round 2024")
    send(steward, f.write_csv(tmp_path / "homes.csv", f.households(each=12)))
    expect_state(steward, "Checked")
    steward.get_by_role("button", name="Load").first.click()
    expect_state(steward, "Loaded")
    steward.get_by_role("link", name="See the round").click()
    steward.get_by_role("button", name="Publish the round").click()
    expect(steward.locator("h1 .tag")).to_have_text("published")
    # The page looks again by itself until everybody can read the figures.
    expect(steward.get_by_text("Publication 1, made on")).to_be_visible(timeout=60_000)
    for page in ("People", "API keys"):
        steward.get_by_role("link", name=page, exact=True).click()
        expect(steward.get_by_role("heading", level=1)).to_have_text(page)
    steward.get_by_role("link", name="Vasti", exact=True).click()
    steward.get_by_role("link", name="Round 2024").click()
    steward.get_by_role("region", name="Figures of the city").last.get_by_role("link").first.click()
    expect(steward.locator("path.settlement").first).to_be_visible()
    steward.go_back()
    steward.get_by_role("button", name="Sign out").click()
    expect(steward).to_have_title("Sign in · Vasti")
    # The session is gone; what the form for signing in goes with is not.
    assert [cookie["name"] for cookie in steward.context.cookies()] == ["__Secure-vasti-form"]
    assert steward.url == f"{site.address}/sign-in"
