"""Real files at the pages, sent by an officer who says nothing of them."""

import re
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from playwright.sync_api import Browser, expect

from tests.support.offices import PHONE, Site, expect_state, look, open_round, send, site_of


@pytest.fixture(scope="module")
def site(
    browser: Browser, database_url: str, real_files: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A service on a city that is Malawi in squares."""
    cells = [shapely.box(32 + i / 2, -18 + j / 2, 32.5 + i / 2, -17.5 + j / 2) for i in range(9) for j in range(19)]
    codes = [f"A{i}" for i in range(len(cells))]
    settlements = gpd.GeoDataFrame({"settlement_code": codes}, geometry=cells, crs="EPSG:4326")
    with site_of(browser, database_url, "real_upload_pages", tmp_path_factory.mktemp("site"), settlements) as site:
        yield site
        assert (site.complaints, site.elsewhere) == ([], [])


def test_latitudes_that_lost_their_minus(site: Site, real_files: Path) -> None:
    officer = site.signed_in("contributor", PHONE)
    open_round(officer, "Dowa", "2000-01-01", "2026-01-01")
    send(officer, real_files / "mw_dowa_latrines" / "Dowa Household Latrine survey.csv")
    expect_state(officer, "Waits for you")
    look(officer, "dowa-waits")
    expect(officer.locator("ul.findings li.error")).to_contain_text("Error, 89 times")
    # All of them lie in another country: the city is a ring beside them, or they stand at the edge.
    expect(officer.locator("figure", has_text="Where rows lie whose positions have findings")).to_be_visible()
    expect(officer.get_by_role("button", name=re.compile("^Load"))).to_have_count(0)
    officer.get_by_role("button", name="Correct 89 positions and check again").click()
    expect_state(officer, "Checked")
    look(officer, "dowa-fixed")
    officer.get_by_text("Read it otherwise").click()
    expect(officer.get_by_label("Correct positions that are certain to be wrong")).to_be_checked()
    officer.get_by_role("button", name="Load 89 rows").click()
    expect_state(officer, "Loaded")


def test_malawi_households(site: Site, real_files: Path) -> None:
    """23,112 households whose columns nobody named for Vasti; 151 rows repeat an earlier one."""
    officer = site.signed_in("contributor")
    open_round(officer, "Malawi", "2000-01-01", "2026-01-01")
    send(officer, real_files / "mw_sdg_households" / "washmalawi.xlsx")
    # Live: the rows that have been checked so far, before it is over.
    expect(officer.locator("section.state")).to_contain_text(re.compile(r"Checked: [\d,]+"), timeout=60_000)
    expect_state(officer, "Waits for you")
    look(officer, "malawi-checked")
    expect(officer.locator("p.counts")).to_have_text(
        re.compile(r"23,112 rows read\s+22,961 can be loaded\s+[\d,]+ of them with warnings\s+151 with errors")
    )
    expect(officer.get_by_role("heading", name="What it would change")).to_be_visible()
    officer.get_by_role("button", name="Load the rows without errors: 22,961, leaving out 151").click()
    expect_state(officer, "Loaded")
    officer.get_by_role("link", name="row by row").click()
    expect(officer.get_by_role("heading", level=1)).to_contain_text("findings")
    expect(officer.locator("tbody tr")).to_have_count(200)
    officer.get_by_role("link", name="The next").click()
    expect(officer.locator("tbody tr").first).to_be_visible()
    look(officer, "malawi-findings")
