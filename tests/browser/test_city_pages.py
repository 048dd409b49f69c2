"""A steward at the page of a city: settlements and facilities are sent, looked at on the map, loaded, taken back."""

import re
from pathlib import Path

from playwright.sync_api import expect

from geo.people import add_account, make_link
from tests.support import factories as f
from tests.support.offices import PHONE, Site, expect_checked, expect_state, look, open_round, send
from tests.support.two_organisations import PASSWORD, set_password


def test_settlements_from_the_file_to_the_first_household_in_them(site: Site, tmp_path: Path) -> None:
    """A file without codes waits, a likely column is said on the page, the next survey is placed in what was added."""
    frame = f.small_city(12).iloc[[0, 10, 11]].rename(columns={"settlement_code": "Key", "settlement_name": "Called"})
    steward = site.signed_in("steward")
    steward.get_by_role("link", name="pune").click()
    expect(steward.get_by_role("figure")).to_contain_text("outlines of the city's settlements")
    look(steward, "city")
    city_page = steward.url
    none = f.write_boundaries(tmp_path / "no codes.gpkg", frame.drop(columns=["Key", "Called"]))
    send(steward, none, "File of settlements")
    expect_state(steward, "Waits for you")
    expect(steward.locator("p.problem")).to_contain_text("name the one that holds it with the form “Its columns”")
    look(steward, "boundaries-waiting")
    steward.goto(city_page)
    send(steward, f.write_boundaries(tmp_path / "new settlements.gpkg", frame), "File of settlements")
    expect_state(steward, "Checked")
    key = steward.locator("table.columns tr", has=steward.get_by_label("Key", exact=True))
    expect(key).to_contain_text("it is different in every row")
    steward.get_by_label("Key", exact=True).select_option("settlement_code")
    steward.get_by_role("button", name="Check it again with these").click()
    expect_state(steward, "Checked")
    changes = steward.locator("section", has=steward.get_by_role("heading", name="What it would change"))
    expect(changes).to_have_text(re.compile(r"2 added\s+0 redrawn\s+0 moved to another ward\s+1 as they are"))
    expect(steward.get_by_role("figure")).to_contain_text("In blue the file's outlines (3 of them drawn)")
    look(steward, "boundaries-checked")
    steward.get_by_role("button", name="Load 3 rows").click()
    expect_state(steward, "Loaded")
    steward.get_by_role("link", name="See the city").click()
    expect(steward.locator("dl.facts")).to_contain_text("6")
    page = steward.url

    officer = site.signed_in("contributor")
    officer.goto(page)
    expect(officer.get_by_text("A steward of your organisation sends settlements and facilities.")).to_be_visible()
    open_round(officer, "In the new settlements")
    send(officer, f.write_csv(tmp_path / "homes.csv", [f.household(i, 10) for i in range(12)]))
    expect_state(officer, "Checked")
    officer.get_by_role("button", name="Load 12 rows").click()
    expect_state(officer, "Loaded")

    # Households live there now: it cannot be taken back from under them, and the page says so.
    steward.get_by_role("link", name="new settlements.gpkg").click()
    steward.get_by_text("Take it back…").click()
    steward.get_by_role("button", name="Take back these rows").click()
    expect(steward.locator("p.problem")).to_contain_text("Households have been placed", timeout=60_000)
    expect(steward.locator("#state")).to_have_text("Loaded")


def test_facilities_without_javascript_on_a_phone(site: Site, tmp_path: Path) -> None:
    blocks = [{k: v for k, v in f.facility(i, i).items() if k != "kind"} for i in range(4)]
    steward = site.signed_in("steward", PHONE, javascript=False)
    steward.goto("/cities/pune")
    look(steward, "phone-city")
    assert steward.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    send(steward, f.write_csv(tmp_path / "blocks.csv", blocks), "File of facilities")
    expect_checked(steward)
    expect(steward.locator("p.problem")).to_contain_text("say what all its facilities are with “What all of them are”")
    steward.get_by_label("What all of them are").select_option("community_toilet")
    steward.get_by_role("button", name="Check it again", exact=True).last.click()
    expect_state(steward, "Checked")
    look(steward, "phone-facilities")
    assert steward.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    steward.get_by_role("button", name="Load 4 rows").click()
    expect_state(steward, "Loaded")
    steward.goto("/cities/pune")
    toilets = steward.locator("dl.facts div", has_text="Community toilets")
    expect(toilets).to_contain_text("4")
    steward.get_by_role("link", name="blocks.csv").click()
    steward.get_by_text("Take it back…").click()
    steward.get_by_role("button", name="Take back these rows").click()
    expect_state(steward, "Taken back")
    steward.goto("/cities/pune")
    expect(toilets).to_contain_text("0")


def test_a_missing_city_is_asked_for_and_added_without_javascript_on_a_phone(site: Site) -> None:
    steward = site.signed_in("steward", PHONE, javascript=False)
    if not steward.get_by_label("Name of the round").is_visible():
        steward.get_by_text("Open a new round").click()
    steward.get_by_role("link", name="ask for it").click()
    steward.get_by_label("Name of the city").fill("Pimpri")
    steward.get_by_label("What the operator should know").fill("We survey there from May on.")
    steward.get_by_role("button", name="Ask for the city").click()
    expect(steward.get_by_text("waits for the operator")).to_be_visible()
    look(steward, "phone-city-asked")
    assert steward.evaluate("document.documentElement.scrollWidth") <= PHONE[0]

    with site.owner.begin() as connection:
        account_id = add_account(connection, "operator@north.org", "Operator", "operator", "north")
        set_password(connection, make_link(connection, account_id)[0], PASSWORD)
    operator = site.signed_in("operator", PHONE, javascript=False)
    operator.get_by_role("link", name="Cities", exact=True).click()
    asked = operator.get_by_role("listitem").filter(has_text="We survey there from May on.")
    look(operator, "phone-city-requests")
    assert operator.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    asked.get_by_label("What the steward is told with it").fill("Send its settlements next.")
    asked.get_by_role("button", name="Add the city").click()
    expect(operator.get_by_role("link", name="Pimpri")).to_be_visible()

    steward.reload()
    expect(steward.get_by_text("Send its settlements next.")).to_be_visible()
    steward.get_by_role("link", name="Pimpri").click()
    expect(steward.get_by_role("heading", level=1)).to_have_text("Pimpri")
