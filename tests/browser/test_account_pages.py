"""A steward brings somebody in by the pages alone, who makes a key for a dashboard; and what either is refused."""

import re
from pathlib import Path

import httpx
from playwright.sync_api import expect

from tests.support.offices import PHONE, Site, look

NEW_PASSWORD = "a good long password"


def test_somebody_is_brought_in_and_let_go(site: Site, tmp_path: Path) -> None:
    steward = site.signed_in("steward")
    steward.get_by_role("link", name="People").click()
    steward.get_by_label("Name", exact=True).fill("<b>Asha</b>")
    steward.get_by_label("E-mail address", exact=True).fill("asha@north.org")
    steward.get_by_role("combobox", name="Role", exact=True).select_option("contributor")
    steward.get_by_role("button", name="Add and make a link").click()
    address = steward.locator("code.once").inner_text()
    look(steward, "accounts-link")
    assert address.startswith(f"{site.address}/password#link=")
    # It is shown once.
    steward.goto("/accounts")
    expect(steward.locator("code.once")).to_have_count(0)
    row = steward.get_by_role("row", name="<b>Asha</b>")
    expect(row).to_contain_text("contributor")

    asha = site.open()
    asha.goto(address)
    asha.get_by_label("New password").fill(NEW_PASSWORD)
    asha.get_by_label("The same again").fill(NEW_PASSWORD)
    asha.get_by_role("button", name="Set it").click()
    asha.get_by_label("E-mail address").fill("asha@north.org")
    asha.get_by_label("Password").fill(NEW_PASSWORD)
    asha.get_by_role("button", name="Sign in").click()
    expect(asha.get_by_role("link", name="People")).to_have_count(0)

    row.get_by_role("combobox", name="Role of <b>Asha</b>").select_option("viewer")
    row.get_by_role("button", name="Set the role").click()
    expect(row.get_by_role("cell", name="viewer", exact=True)).to_be_visible()
    look(steward, "accounts")
    asha.goto("/surveys")
    expect(asha.get_by_role("navigation")).to_contain_text("viewer of north")
    row.get_by_role("button", name="Close").click()
    expect(row).to_contain_text("closed")
    # Signed out at once.
    asha.goto("/surveys")
    expect(asha.get_by_role("heading", level=1)).to_have_text("Sign in")

    steward.get_by_label("Name", exact=True).fill("Asha again")
    steward.get_by_label("E-mail address", exact=True).fill("asha@north.org")
    steward.get_by_role("button", name="Add and make a link").click()
    expect(steward.get_by_role("alert")).to_have_text("There is an account asha@north.org already.")
    expect(steward.get_by_label("Name", exact=True)).to_have_value("Asha again")


def test_a_key_is_shown_once_and_ends(site: Site) -> None:
    """On a phone, without JavaScript."""
    officer = site.signed_in("contributor", PHONE, javascript=False)
    officer.get_by_role("link", name="API keys").click()
    officer.get_by_label("What it is for").fill("dashboard")
    officer.get_by_role("button", name="Make the key").click()
    key = officer.locator("code.once").inner_text()
    look(officer, "phone-keys")
    assert officer.evaluate("document.documentElement.scrollWidth") <= PHONE[0]

    def asks() -> int:
        headers = {"authorization": f"Bearer {key}"}
        return httpx.get(f"{site.address}/api/v1/session", headers=headers).status_code

    assert asks() == 200
    officer.goto("/keys")
    expect(officer.locator("code.once")).to_have_count(0)
    officer.get_by_role("button", name="End dashboard").click()
    expect(officer.get_by_role("row", name="dashboard")).to_contain_text(re.compile("ended"))
    assert asks() == 401
