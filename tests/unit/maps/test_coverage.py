"""The document as bytes: self-contained, stable, and silent about what is withheld."""

import base64
import hashlib
import json
import re
from datetime import date
from html.parser import HTMLParser
from typing import Any

import geopandas as gpd
import pytest
from shapely.geometry import Point, Polygon

from geo.errors import MissingColumn, UnknownCRS
from geo.indicators.definitions import catalogue
from maps import coverage, leaflet
from tests.support.map_frames import HOSTILE_NAMES, blob, city, frame, row, withheld

DEFINITION = catalogue()["household_toilet"]
ADDRESSES = ("src", "href", "srcset", "action", "data", "poster", "xlink:href", "background", "formaction")


class Page(HTMLParser):
    """A document's elements, its scripts, and the cells of its tables."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.text = ""
        self._inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""
        if tag in ("td", "th", "p", "h1", "li", "tr"):
            self.text += "\n"

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[-1] += data
        elif self._inside != "style":
            self.text += data


def draw(map_frame: gpd.GeoDataFrame, definition_id: str = "household_toilet", **changes: Any) -> str:
    options: dict[str, Any] = {
        "city_name": "पिंपरी चिंचवड",
        "survey_name": "Round 2",
        "generated_on": date(2026, 2, 9),
    }
    return coverage.draw(map_frame, catalogue()[definition_id], **(options | changes))


def features(html: str, layer: str) -> list[dict[str, Any]]:
    """The GeoJSON features embedded for a layer."""
    embedded: list[dict[str, Any]] = json.loads(Page(html).scripts[0])[layer]
    return embedded


def test_draw_same_input_same_bytes() -> None:
    wards = gpd.GeoDataFrame({"ward_name": ["A"]}, geometry=[blob(5)], crs=4326)
    assert draw(city(), wards=wards) == draw(city(), wards=wards)


def test_draw_asks_no_other_host() -> None:
    page = Page(draw(city()))
    addresses = [value for _, attrs in page.elements for name, value in attrs.items() if name in ADDRESSES]
    assert addresses == ["data:,"]
    assert not re.search(r"@import|url\((?!data:|#)", leaflet.leaflet_css())
    assert "sourceMappingURL" not in leaflet.leaflet_script()
    policy = next(a["content"] for _, a in page.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline' 'sha256-")


def test_draw_policy_knows_every_script_by_its_hash() -> None:
    html = draw(city())
    page = Page(html)
    for code in page.scripts[1:]:
        digest = base64.b64encode(hashlib.sha256(code.encode("utf-8")).digest()).decode("ascii")
        assert f"&#39;sha256-{digest}&#39;" in html


def test_draw_says_what_it_shows() -> None:
    html = draw(city())
    text = Page(html).text
    assert html.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert "<title>Households with their own toilet · पिंपरी चिंचवड · Round 2</title>" in html
    for words in (
        DEFINITION.description,
        "Map made on 9 February 2026.",
        "Higher is better. The darker the area, the larger the gap.",
        "% of households",
        f"Source of the definition: {DEFINITION.source}. household_toilet, version 1.",
        "26 of 30 settlements have a figure.",
        "2 have no boundary and stand in the table only.",
        "Withheld: so that no household can be identified",
    ):
        assert words in text


def test_draw_withheld_is_never_zero() -> None:
    html = draw(frame(row(0), withheld(1, settlement_name="Hidden")))
    hidden = features(html, "settlements")[1]["properties"]
    assert hidden["fill"] == "url(#withheld)"
    assert "Withheld: so that no household can be identified" in hidden["popup"]
    assert not re.search(r"\d\s*%|Households that answered", hidden["popup"])
    table_row = re.search(r"<tr><th scope=\"row\"><bdi>Hidden.*?</tr>", html, re.DOTALL)
    assert table_row is not None
    assert Page(table_row[0]).text.split("\n")[3] == "Withheld: so that no household can be identified"
    assert len(features(html, "circles")) == 1


def test_draw_drops_numbers_of_withheld_rows() -> None:
    leaky = row(1, status="withheld", reason="protected", value=77.7, low=71.7, n=9173, unserved=8642.0)
    html = draw(frame(row(0), leaky))
    shown = html.replace(leaflet.leaflet_script(), "").replace(leaflet.leaflet_css(), "")
    for number in ("77.7", "78 %", "71.7", "9173", "9,173", "8642", "8,642"):
        assert number not in shown


def test_draw_hostile_names_add_no_element() -> None:
    rows = [row(i, settlement_name=name, ward_name=name) for i, name in enumerate(HOSTILE_NAMES)]
    plain = [row(i, settlement_name="x", ward_name="x") for i in range(len(HOSTILE_NAMES))]
    for name in HOSTILE_NAMES:
        hostile_page = Page(draw(frame(*rows), city_name=name, survey_name=name))
        plain_page = Page(draw(frame(*plain), city_name="x", survey_name="x"))
        assert [tag for tag, _ in hostile_page.elements] == [tag for tag, _ in plain_page.elements]
        assert not set("<>&`\u2028\u2029") & set(hostile_page.scripts[0])
        # Folium's script is a template to branca: what it says may not depend on what a survey says.
        assert hostile_page.scripts[1:] == plain_page.scripts[1:]


def test_draw_rounds_and_keeps_shapes() -> None:
    html = draw(city())
    drawn = features(html, "settlements")
    assert len(drawn) == 28
    assert drawn[3]["geometry"]["type"] == "MultiPolygon"
    first = Polygon(drawn[0]["geometry"]["coordinates"][0])
    assert first.symmetric_difference(blob(0)).area / blob(0).area < 0.001
    assert all(round(x, 6) == x for x, _ in first.exterior.coords)


def test_draw_circles_stand_inside_the_largest_lowest() -> None:
    html = draw(city())
    circles = features(html, "circles")
    radii = [c["properties"]["radius"] for c in circles]
    assert radii == sorted(radii, reverse=True)
    assert blob(29).contains(Point(circles[0]["geometry"]["coordinates"]))


def test_draw_table_puts_most_left_to_do_first() -> None:
    html = draw(frame(row(0, settlement_name="few", unserved=3.0), row(1, settlement_name="many")))
    assert html.index('<th scope="row"><bdi>many') < html.index('<th scope="row"><bdi>few')


def test_draw_density_has_no_circles_and_its_own_unit() -> None:
    rows = [row(i, value=12_000.0 * (i + 1), low=None, high=None, unserved=None) for i in range(9)]
    html = draw(frame(*rows), "density_persons")
    assert features(html, "circles") == []
    assert "people/km²" in Page(html).text
    assert "Neither high nor low is better" in html


def test_draw_without_rows_or_boundaries() -> None:
    assert "0 of 0 settlements have a figure." in Page(draw(frame())).text
    text = Page(draw(frame(row(0, geometry=None)))).text
    assert "1 has no boundary and stands in the table only." in text
    assert "No settlement has a boundary to draw." in text


def test_draw_mends_a_crossed_boundary() -> None:
    bow = Polygon([(73.8, 18.6), (73.81, 18.61), (73.81, 18.6), (73.8, 18.61)])
    drawn = features(draw(frame(row(0, geometry=bow))), "settlements")
    assert drawn[0]["geometry"]["type"] == "MultiPolygon"


def test_draw_refuses_other_coordinates() -> None:
    with pytest.raises(UnknownCRS, match="EPSG:32643"):
        draw(city().to_crs(32643))
    with pytest.raises(UnknownCRS, match="does not say"):
        draw(city().set_crs(None, allow_override=True))


def test_draw_refuses_a_missing_column() -> None:
    with pytest.raises(MissingColumn, match="n_unknown, unserved"):
        draw(city().drop(columns=["n_unknown", "unserved"]))
    with pytest.raises(MissingColumn, match="ward_name"):
        draw(city(), wards=city()[["geometry"]])


def test_draw_escapes_an_organisations_own_definition() -> None:
    own = DEFINITION.model_copy(update={"name": "<b>x", "description": "<i>y", "source": "<u>z", "unit": "<s>%"})
    html = coverage.draw(city(), own, city_name="c", survey_name="s")
    assert not {"i", "u", "s"} & {tag for tag, _ in Page(html).elements}
    assert "<b>x" not in html


def test_draw_two_thousand_settlements_stay_small() -> None:
    rows = [row(i, geometry=blob(i, points=40), settlement_name=f"वस्ती क्रमांक {i}") for i in range(2000)]
    html = draw(frame(*rows))
    assert len(html.encode("utf-8")) < 5_000_000
