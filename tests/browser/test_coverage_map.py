"""The coverage map in a real browser, opened from a file as a reader would."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import geopandas as gpd
import pytest
from playwright.sync_api import Browser, Dialog, ElementHandle, Locator, Request, expect
from playwright.sync_api import Page as Tab

from geo.indicators.definitions import catalogue
from maps import coverage
from maps.figures import printable
from tests.support.map_frames import HOSTILE_NAMES, blob, city, frame, row, withheld

DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 360, "height": 640}


@dataclass
class Opened:
    """A tab with a map in it, and all it asked for, complained of and popped up."""

    tab: Tab
    address: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    stopped: dict[str, str | None] = field(default_factory=dict)

    def watch(self) -> None:
        """Note whatever the tab does from now on."""
        self.tab.on("request", lambda request: self.requests.append(request.url))
        self.tab.on("requestfailed", self._note_stopped)
        self.tab.on("console", lambda message: self.complaints.append(message.text))
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.tab.on("dialog", self._dismiss)

    def _note_stopped(self, request: Request) -> None:
        self.stopped[request.url] = request.failure

    def _dismiss(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()


Open = Callable[..., Opened]


@pytest.fixture
def open_map(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Draw a frame, write it, and open the file; in the end no request and no complaint may have come."""
    opened: list[Opened] = []

    def draw_and_open(
        map_frame: gpd.GeoDataFrame,
        *,
        indicator: str = "household_toilet",
        viewport: dict[str, int] = DESKTOP,
        javascript: bool = True,
        wards: gpd.GeoDataFrame | None = None,
    ) -> Opened:
        path = tmp_path / f"map-{len(opened)}.html"
        html = coverage.draw(
            map_frame,
            catalogue()[indicator],
            city_name="पिंपरी चिंचवड",
            survey_name="Round 2",
            generated_on=date(2026, 2, 9),
            wards=wards,
        )
        path.write_text(html, encoding="utf-8")
        context = browser.new_context(
            viewport={"width": viewport["width"], "height": viewport["height"]},
            java_script_enabled=javascript,
        )
        seen = Opened(context.new_page(), path.as_uri())
        seen.watch()
        seen.tab.goto(seen.address)
        opened.append(seen)
        return seen

    yield draw_and_open
    for seen in opened:
        assert [url for url in seen.requests if not url.startswith("data:")] == [seen.address]
        assert seen.complaints == []
        assert seen.dialogs == []
        seen.tab.context.close()


def box(locator: Locator) -> dict[str, float]:
    """Where an element stands on the page, in CSS pixels."""
    found = locator.bounding_box()
    assert found is not None
    x, y, width, height = found["x"], found["y"], found["width"], found["height"]
    return {"x": x, "y": y, "width": width, "height": height, "right": x + width, "bottom": y + height}


def click_middle(tab: Tab, shape: Locator | ElementHandle) -> None:
    """Click into the middle of a shape."""
    place = shape.bounding_box()
    assert place is not None
    tab.mouse.click(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)


def test_map_draws_every_settlement_with_a_boundary(open_map: Open) -> None:
    tab = open_map(city()).tab
    expect(tab.locator("path.settlement")).to_have_count(28)
    expect(tab.locator("path.circle")).to_have_count(25)
    expect(tab.locator("path.settlement.blank")).to_have_count(3)
    fill = tab.locator("path.settlement.blank").first.evaluate("path => getComputedStyle(path).fill")
    assert "#withheld" in fill
    area = box(tab.locator("section.map"))
    for index in range(28):
        place = box(tab.locator("path.settlement").nth(index))
        assert area["x"] <= place["x"] < place["right"] <= area["right"]
        assert area["y"] <= place["y"] < place["bottom"] <= area["bottom"]


def test_click_on_a_settlement_says_its_figure(open_map: Open) -> None:
    tab = open_map(frame(row(0, settlement_name="लक्ष्मीनगर", unserved=None), withheld(1))).tab
    # Held before the first click: a settlement under the mouse comes to the front, and the order changes.
    published, hidden = tab.locator("path.settlement").element_handles()
    click_middle(tab, published)
    popup = tab.locator(".leaflet-popup-content")
    expect(popup).to_contain_text("लक्ष्मीनगर")
    expect(popup).to_contain_text("52 % of households")
    expect(popup).to_contain_text("between 45 % and 59 %")
    tab.keyboard.press("Escape")
    expect(popup).to_have_count(0)
    click_middle(tab, hidden)
    expect(popup).to_contain_text("Withheld: so that no household can be identified")
    expect(popup).not_to_contain_text("%")


def test_hover_shows_the_name_until_the_popup_opens(open_map: Open) -> None:
    tab = open_map(frame(row(0, unserved=None))).tab
    tab.locator("path.settlement").hover()
    expect(tab.locator(".leaflet-tooltip")).to_contain_text("52 % of households")
    click_middle(tab, tab.locator("path.settlement"))
    expect(tab.locator(".leaflet-popup-content")).to_be_visible()
    expect(tab.locator(".leaflet-tooltip")).to_have_count(0)


def test_hostile_names_stay_text(open_map: Open) -> None:
    rows = [row(i, settlement_name=name, ward_name=name) for i, name in enumerate(HOSTILE_NAMES)]
    wards = gpd.GeoDataFrame(
        {"ward_name": HOSTILE_NAMES}, geometry=[blob(i) for i in range(len(HOSTILE_NAMES))], crs=4326
    )
    seen = open_map(frame(*rows), wards=wards)
    tab = seen.tab
    scripts = tab.locator("script").count()
    for name, shape in zip(HOSTILE_NAMES, tab.locator("path.settlement").element_handles(), strict=True):
        shape.dispatch_event("mouseover")
        shape.dispatch_event("click")
        # The popup before fades out for a moment; the last is the one just opened.
        expect(tab.locator(".leaflet-popup-content h2").last).to_have_text(str(printable(name)))
    assert tab.locator("script").count() == scripts == 3
    assert tab.locator("img, iframe, svg[onload], [onerror]").count() == 0
    assert seen.dialogs == []


def test_policy_stops_what_escaping_might_miss(open_map: Open) -> None:
    seen = open_map(frame(row(0)))
    seen.tab.evaluate(
        """() => {
            const probe = document.createElement("div");
            document.body.append(probe);
            probe.innerHTML = '<img src="http://example.invalid/x.png" onerror="alert(1)">';
            return new Promise((resolve) => setTimeout(resolve, 300));
        }"""
    )
    assert seen.dialogs == []
    # The browser names the request, but the policy stopped it before it left.
    assert seen.stopped == {"http://example.invalid/x.png": "csp"}
    assert len([complaint for complaint in seen.complaints if "Content Security Policy" in complaint]) == 2
    seen.requests.remove("http://example.invalid/x.png")
    seen.complaints.clear()


def test_layers_toggle(open_map: Open) -> None:
    tab = open_map(city()).tab
    tab.get_by_label("Circles: households without").uncheck()
    expect(tab.locator("path.circle")).to_have_count(0)
    expect(tab.locator("path.settlement")).to_have_count(28)
    tab.get_by_label("Circles: households without").check()
    tab.get_by_label("Shading").uncheck()
    expect(tab.locator("path.settlement")).to_have_count(0)
    # Without the shading the circle itself takes the click.
    click_middle(tab, tab.locator("path.circle").first)
    expect(tab.locator(".leaflet-popup-content")).to_contain_text("PCM-029")


def test_legend_stands_beside_the_map(open_map: Open) -> None:
    tab = open_map(city()).tab
    legend = tab.locator("details.legend")
    expect(legend).to_be_visible()
    expect(legend).to_contain_text("Higher is better")
    assert box(legend)["x"] >= box(tab.locator("section.map"))["right"]


@pytest.mark.parametrize("indicator", ["household_toilet", "open_defecation", "density_persons"])
def test_phone_legend_does_not_cover_the_map(open_map: Open, indicator: str) -> None:
    tab = open_map(city(), indicator=indicator, viewport=PHONE).tab
    legend, area = tab.locator("details.legend"), tab.locator("section.map")
    assert box(legend)["y"] >= box(area)["bottom"]
    assert box(area)["height"] >= 300
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360
    open_height = box(legend)["height"]
    legend.locator("summary").click()
    assert box(legend)["height"] < open_height / 3


def test_print_shows_map_and_table_and_returns(open_map: Open) -> None:
    tab = open_map(city()).tab
    table = tab.locator("details.figures table")
    expect(table).not_to_be_visible()
    tab.emulate_media(media="print")
    expect(table).to_be_visible()
    expect(tab.locator("details.figures tbody tr")).to_have_count(30)
    expect(tab.locator(".leaflet-control-zoom")).not_to_be_visible()
    area = box(tab.locator("section.map"))
    last = box(tab.locator("path.settlement").last)
    assert (round(area["width"]), round(area["height"])) == (770, 600)
    assert last["right"] <= area["right"]
    tab.emulate_media(media="screen")
    expect(table).not_to_be_visible()


def test_table_works_without_javascript(open_map: Open) -> None:
    tab = open_map(city(), javascript=False).tab
    expect(tab.locator("noscript p")).to_be_visible()
    tab.locator("details.figures summary").click()
    expect(tab.locator("details.figures tbody tr")).to_have_count(30)
    expect(tab.locator("details.figures table")).to_be_visible()


def test_map_without_boundaries_says_so(open_map: Open) -> None:
    tab = open_map(frame(row(0, geometry=None))).tab
    expect(tab.get_by_text("No settlement has a boundary to draw.")).to_be_visible()


def test_two_thousand_settlements_draw_quickly(open_map: Open) -> None:
    rows = [row(i, geometry=blob(i, points=40)) for i in range(2000)]
    tab = open_map(frame(*rows)).tab
    expect(tab.locator("path.settlement")).to_have_count(2000)
    timing = "performance.getEntriesByType('navigation')[0].loadEventEnd"
    assert tab.evaluate(timing) < 10_000
