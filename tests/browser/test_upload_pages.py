"""An officer at the pages, in a real browser: from signing in to taking a file back, with and without JavaScript."""

import re
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import pytest
from playwright.sync_api import Browser, expect

from data.sample.city import write_sample
from data.sample.practice import write_practice
from geo.ingestion.profile import read_profile
from tests.browser.offices import (
    PHONE,
    Site,
    expect_state,
    look,
    open_round,
    send,
    site_of,
)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample city's files, and those to practise with."""
    folder = tmp_path_factory.mktemp("files")
    write_sample(folder, households=1_500)
    write_practice(folder, seed=7)
    return folder


@pytest.fixture(scope="module")
def served(
    browser: Browser, database_url: str, files: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """The service on the sample city."""
    frame = gpd.read_file(files / "settlements.zip")
    columns = read_profile("sample-shapefile").boundaries
    assert columns is not None
    names = {columns.settlement_code: "settlement_code", columns.settlement_name: "settlement_name"}
    settlements = frame.rename(columns=names)[["settlement_code", "settlement_name", "geometry"]]
    folder = tmp_path_factory.mktemp("site")
    with site_of(browser, database_url, "upload_pages", folder, settlements) as site:
        yield site


@pytest.fixture
def site(served: Site) -> Iterator[Site]:
    """The same; in the end no browser complained, and none asked another computer for anything."""
    yield served
    assert (served.complaints, served.elsewhere) == ([], [])
    for context in served.browser.contexts:
        context.close()


def test_from_signing_in_to_taking_it_back(site: Site, files: Path) -> None:
    officer = site.signed_in("contributor")
    look(officer, "surveys")
    open_round(officer, "Round 2024")
    look(officer, "survey-empty")
    send(officer, files / "households_2024.csv")
    expect_state(officer, "Checked")
    look(officer, "upload-checked")
    expect(officer.locator("figure .sketch").last).to_be_visible()
    changes = officer.locator("section", has=officer.get_by_role("heading", name="What it would change"))
    toilets = changes.get_by_role("row", name="Households with their own toilet")
    expect(toilets).to_contain_text("–")
    expect(toilets).to_contain_text("%")
    expect(officer.get_by_text(re.compile(r"^\d\d columns that are sure$"))).to_be_visible()
    officer.get_by_role("button", name=re.compile("^Load")).click()
    expect_state(officer, "Loaded")
    look(officer, "upload-loaded")
    officer.get_by_role("link", name="See the round").click()
    expect(officer.get_by_text("A steward of your organisation publishes the round.")).to_be_visible()
    survey = officer.url

    steward = site.signed_in("steward")
    steward.goto(survey)
    steward.get_by_role("button", name="Publish the round").click()
    expect(steward.locator("h1 .tag")).to_have_text("published")
    look(steward, "survey-published")
    # An engineer sees the new figures at once, without signing in.
    engineer = site.open()
    engineer.goto("/maps/coverage?city=pune&survey=round-2024&indicator=household_toilet")
    expect(engineer.locator("path.settlement")).to_have_count(60)

    # What changes published figures the officer leaves to a steward.
    officer.goto(survey)
    officer.get_by_role("link", name="households_2024.csv").click()
    expect(officer.get_by_text("so a steward of your organisation decides")).to_be_visible()
    expect(officer.get_by_text("Take it back…")).to_have_count(0)
    steward.goto(officer.url)
    steward.get_by_text("Take it back…").click()
    steward.get_by_role("button", name="Take back these rows").click()
    expect_state(steward, "Taken back")
    steward.goto(survey)
    expect(steward.get_by_role("row", name="households_2024.csv")).to_contain_text("withdrawn")
    expect(steward.get_by_role("heading", name="Figures of the city")).to_have_count(0)
    assert engineer.goto("/api/v1/values?city=pune&survey=round-2024&level=city&indicator=household_toilet")


def test_the_same_without_javascript_on_a_phone(site: Site, files: Path) -> None:
    officer = site.signed_in("contributor", PHONE, javascript=False)
    open_round(officer, "On a phone")
    send(officer, files / "kobo_export.csv")
    # The page looks again by itself.
    expect(officer.locator("#state")).not_to_have_text("Being checked", timeout=60_000)
    look(officer, "phone-checked")
    assert officer.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    expect(officer.locator("ul.findings li.error").first).to_be_visible()
    officer.get_by_role("button", name=re.compile("^Load")).click()
    expect_state(officer, "Loaded")
    officer.get_by_text("Take it back…").click()
    officer.get_by_role("button", name="Take back these rows").click()
    expect_state(officer, "Taken back")


def test_a_column_said_by_hand_is_remembered(site: Site, tmp_path: Path) -> None:
    def write(name: str, toilet: str) -> Path:
        rows = [f"{name}{i},{toilet},yes,75.17,18.97" for i in range(30)]
        path = tmp_path / f"{name}.csv"
        path.write_text("\n".join(["hh,q12,q13,longitude,latitude", *rows]), encoding="utf-8")
        return path

    officer = site.signed_in("contributor")
    open_round(officer, "By hand")
    send(officer, write("first", "flush to sewer"))
    expect(officer.locator("#state")).not_to_have_text("Being checked", timeout=60_000)
    officer.get_by_label("Another column").first.select_option("q12")
    officer.get_by_label("What the other column holds").first.select_option("toilet_type")
    officer.get_by_role("button", name="Check it again with these").click()
    expect(officer.locator("#state")).not_to_have_text("Being checked", timeout=60_000)
    row = officer.locator("table.columns tr", has=officer.get_by_role("rowheader", name="q12", exact=True))
    expect(row).to_contain_text("you said so")
    look(officer, "columns-said")
