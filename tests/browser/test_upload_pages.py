"""An officer at the pages, in a real browser: from signing in to taking a file back, with and without JavaScript."""

import re
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from playwright.sync_api import Browser, FilePayload, Route, expect

from data.sample.city import write_sample
from data.sample.practice import write_practice
from geo.ingestion.mapping import read_profile
from geo.people import add_account, make_link
from tests.support import factories as f
from tests.support.map_frames import HOSTILE_NAMES
from tests.support.offices import PHONE, Site, expect_checked, expect_state, look, open_round, send, site_of
from tests.support.two_organisations import PASSWORD


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
    expect(steward.get_by_text("Publication 1, made on")).to_be_visible(timeout=60_000)
    look(steward, "survey-published")
    # An engineer sees the new figures then, without signing in.
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
    expect_checked(officer)
    look(officer, "phone-checked")
    assert officer.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    expect(officer.locator("ul.findings li.error").first).to_be_visible()
    officer.get_by_role("button", name=re.compile("^Load")).click()
    expect_state(officer, "Loaded")
    officer.get_by_text("Take it back…").click()
    officer.get_by_role("button", name="Take back these rows").click()
    expect_state(officer, "Taken back")


def test_a_column_said_by_hand_is_remembered(site: Site, tmp_path: Path, files: Path) -> None:
    inside = gpd.read_file(files / "settlements.zip").to_crs(4326).geometry.iloc[0].representative_point()

    def write(name: str, toilet: str) -> Path:
        rows = [f"{name}{i},{toilet},yes,{inside.x},{inside.y}" for i in range(30)]
        path = tmp_path / f"{name}.csv"
        path.write_text("\n".join(["hh,q12,q13,longitude,latitude", *rows]), encoding="utf-8")
        return path

    officer = site.signed_in("contributor")
    open_round(officer, "By hand")
    send(officer, write("first", "flush to sewer"))
    expect_checked(officer)
    officer.get_by_label("Another column").first.select_option("q12")
    officer.get_by_label("What the other column holds").first.select_option("toilet_type")
    officer.get_by_role("button", name="Check it again with these").click()
    expect_checked(officer)
    row = officer.locator("table.columns tr", has=officer.get_by_role("rowheader", name="q12", exact=True))
    expect(row).to_contain_text("you chose it")
    look(officer, "columns-said")
    officer.get_by_role("button", name=re.compile("^Load")).click()
    expect_state(officer, "Loaded")
    officer.get_by_role("link", name="See the round").click()
    send(officer, write("second", "flush to sewer"))
    expect_checked(officer)
    row = officer.locator("table.columns tr", has=officer.get_by_role("rowheader", name="q12", exact=True))
    if not row.is_visible():
        officer.get_by_text("columns that are sure").click()
    expect(row).to_contain_text("as for the last file with these columns")
    expect(row.get_by_role("combobox")).to_have_value("toilet_type")


def test_an_answer_said_by_hand_counts(site: Site, tmp_path: Path, files: Path) -> None:
    """Without JavaScript, on a phone: what is chosen in the form is what counts."""
    inside = gpd.read_file(files / "settlements.zip").to_crs(4326).geometry.iloc[0].representative_point()
    where = {"longitude": inside.x, "latitude": inside.y}
    rows = [f.household(i, drainage='nala "x"' if i % 2 else "closed", **where) for i in range(30)]
    path = f.write_csv(
        tmp_path / "nala.csv", [{k: v for k, v in row.items() if k != "settlement_code"} for row in rows]
    )
    officer = site.signed_in("contributor", PHONE, javascript=False)
    open_round(officer, "Answers")
    send(officer, path)
    expect_checked(officer)
    look(officer, "answers-asked")
    officer.get_by_role("combobox", name='nala "x" drainage, 15 rows').select_option("open")
    assert officer.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    officer.get_by_role("button", name="Check it again with these answers").click()
    expect(officer.locator("#state")).to_have_text("Checked", timeout=60_000)
    expect(officer.get_by_role("combobox", name='nala "x" drainage, 15 rows; you chose it')).to_have_value("open")
    changes = officer.locator("section", has=officer.get_by_role("heading", name="What it would change"))
    expect(changes.get_by_role("row", name="Households with drainage")).to_contain_text("100 %")
    look(officer, "answers-said")


def test_a_file_without_crs_shows_which_would_fit(site: Site, tmp_path: Path) -> None:
    rows = [{"hh_code": f"H{i}", "x": 75.17 + i / 10_000, "y": 18.97} for i in range(40)]
    points = gpd.GeoDataFrame(rows, geometry=gpd.points_from_xy(*zip(*[(r["x"], r["y"]) for r in rows], strict=True)))
    frame = points.drop(columns=["x", "y"]).set_crs(4326).to_crs(32643)
    (tmp_path / "parts").mkdir()
    frame.to_file(tmp_path / "parts" / "points.shp")
    (tmp_path / "parts" / "points.prj").unlink()
    officer = site.signed_in("contributor")
    open_round(officer, "No CRS")
    send(officer, f.zip_folder(tmp_path / "points.zip", tmp_path / "parts"))
    expect_state(officer, "Waits for you")
    look(officer, "no-crs")
    expect(officer.locator(".problem")).to_contain_text("does not say which coordinate reference system")
    expect(officer.locator(".problem")).not_to_contain_text("--")
    expect(officer.get_by_label("CRS")).to_have_value("EPSG:32643")
    officer.get_by_role("button", name="Check it again", exact=True).last.click()
    expect(officer.locator("dl.facts")).to_contain_text("EPSG:32643 (WGS 84 / UTM zone 43N)", timeout=60_000)
    expect(officer.locator("figure .sketch").last).to_be_visible()
    look(officer, "crs-chosen")


def test_a_workbook_of_several_sheets_offers_them(site: Site, tmp_path: Path) -> None:
    with pd.ExcelWriter(tmp_path / "sheets.xlsx") as book:
        for name in ("Ward A", "Ward B"):
            rows = pd.DataFrame(f.households(1, 5))
            rows.to_excel(book, sheet_name=name, index=False)
    officer = site.signed_in("contributor")
    open_round(officer, "Sheets")
    send(officer, tmp_path / "sheets.xlsx")
    expect_state(officer, "Waits for you")
    officer.get_by_label("Layer").select_option("Ward B")
    officer.get_by_role("button", name="Check it again", exact=True).last.click()
    expect(officer.locator("dl.facts")).to_contain_text("Ward B", timeout=60_000)


def test_a_line_that_breaks_off_goes_on_where_it_stopped(site: Site, tmp_path: Path, files: Path) -> None:
    text = (files / "households_2024.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    path = tmp_path / "long.csv"
    path.write_text("".join([text[0], *text[1:] * 8]), encoding="utf-8")
    officer = site.signed_in("contributor")
    open_round(officer, "Slow line")
    parts = []

    def break_off_once(route: Route) -> None:
        if route.request.method != "PATCH":
            route.continue_()
            return
        parts.append(route.request.headers["upload-offset"])
        if len(parts) == 2:
            route.abort("connectionreset")
        else:
            route.continue_()

    officer.route("**/api/v1/incoming/*", break_off_once)
    officer.get_by_label("Survey file").set_input_files(path)
    officer.get_by_role("button", name="Send and check").click()
    expect(officer.get_by_text("The line broke off")).to_be_visible()
    look(officer, "broken-line")
    expect(officer.get_by_role("heading", level=1)).to_have_text("long.csv", timeout=60_000)
    # What had come was not sent again.
    assert parts[1] == parts[2] != "0"
    with officer.expect_download() as kept:
        officer.get_by_role("link", name="the file itself").click()
    assert Path(kept.value.path()).read_bytes() == path.read_bytes()


def test_a_dropped_file_is_the_chosen_one(site: Site) -> None:
    officer = site.signed_in("contributor")
    open_round(officer, "Dropped")
    officer.locator("form.drop").evaluate(
        """form => {
            const dropped = new DataTransfer();
            dropped.items.add(new File(["household_code\\n1\\n"], "dropped.csv"));
            form.dispatchEvent(new DragEvent("drop", { dataTransfer: dropped, bubbles: true, cancelable: true }));
        }"""
    )
    assert officer.get_by_label("Survey file").evaluate("input => input.files[0].name") == "dropped.csv"


def test_pages_are_walked_by_keyboard(site: Site) -> None:
    tab = site.open()
    tab.goto("/sign-in")
    email, password = tab.get_by_label("E-mail address"), tab.get_by_label("Password")
    # A browser gives a field its focus when it first draws the page; what is typed before goes nowhere.
    expect(email).to_be_focused()
    tab.keyboard.type("contributor@north.org")
    expect(email).to_have_value("contributor@north.org")
    tab.keyboard.press("Tab")
    expect(password).to_be_focused()
    tab.keyboard.type(PASSWORD)
    expect(password).to_have_value(PASSWORD)
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("heading", level=1)).to_have_text("Surveys")
    tab.keyboard.press("Tab")
    expect(tab.get_by_role("link", name="Skip to the page")).to_be_focused()


def test_hostile_names_stay_text(site: Site, tmp_path: Path) -> None:
    """Names of rounds, files and columns, and values."""
    typed = [name for name in HOSTILE_NAMES if name.isprintable()]
    officer = site.signed_in("contributor")
    for number, name in enumerate(typed):
        officer.goto("/surveys")
        officer.locator("details.box summary").click()
        officer.get_by_label("Name of the round").fill(name)
        officer.get_by_label("Short name").fill(f"hostile-{number}")
        officer.get_by_label("First day of the interviews").fill("2024-01-01")
        officer.get_by_label("Last day").fill("2024-12-31")
        officer.get_by_label("Who was asked").select_option("every household")
        officer.get_by_role("button", name="Open the round").click()
        expect(officer.get_by_role("heading", level=1)).to_contain_text(name)
    answers = {name.replace("\0", ""): name for name in HOSTILE_NAMES} | {"toilet_type": typed[0], "drainage": typed[1]}
    rows = [row | answers for row in f.households(3, 5)]
    content = f.write_csv(tmp_path / "hostile.csv", rows).read_bytes()
    officer.get_by_label("Survey file").set_input_files(
        [FilePayload(name="<img src=x onerror=alert(4)>.csv", mimeType="text/csv", buffer=content)]
    )
    officer.get_by_role("button", name="Send and check").click()
    expect(officer.locator("#state")).to_have_text(re.compile("^(Checked|Waits for you)$"), timeout=60_000)
    expect(officer.get_by_role("heading", level=1)).to_have_text("<img src=x onerror=alert(4)>.csv")
    expect(officer.locator("ul.findings")).to_contain_text(typed[0])
    for address in (officer.url, f"{officer.url}/findings", "/surveys"):
        officer.goto(address)
        assert officer.locator("main script, main img, main iframe, [onerror], [onload]").count() == 0


def test_a_link_sets_a_password(site: Site) -> None:
    with site.owner.begin() as connection:
        account_id = add_account(connection, "asha@north.org", "Asha", "contributor", "north")
        link, _ = make_link(connection, account_id)
    tab = site.open()
    tab.goto(f"/password#link={link}")
    look(tab, "password")
    tab.get_by_label("New password").fill("a good long password")
    tab.get_by_label("The same again").fill("another")
    tab.get_by_role("button", name="Set it").click()
    expect(tab.get_by_role("alert")).to_have_text("The two passwords differ: type the same twice.")
    tab.get_by_label("New password").fill("a good long password")
    tab.get_by_label("The same again").fill("a good long password")
    tab.get_by_role("button", name="Set it").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Sign in")
    tab.get_by_label("E-mail address").fill("asha@north.org")
    tab.get_by_label("Password").fill("wrong")
    tab.get_by_role("button", name="Sign in").click()
    expect(tab.get_by_role("alert")).to_have_text("The e-mail address or the password is wrong.")
    tab.get_by_label("Password").fill("a good long password")
    tab.get_by_role("button", name="Sign in").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Surveys")
    tab.get_by_role("button", name="Sign out").click()
    tab.goto("/surveys")
    expect(tab.get_by_role("heading", level=1)).to_have_text("Sign in")
