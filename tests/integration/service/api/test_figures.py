"""Values and changes over HTTP: the figures, the threshold, CSV and GeoJSON."""

import csv
import io
from typing import Any

import pytest
from fastapi.testclient import TestClient

from geo.indicators.definitions import catalogue
from geo.indicators.figures.compute import NUMBERS
from tests.support.published_city import FORMULA_NAME, HOUSEHOLDS, OWN_TOILETS

TOILETS = "/api/v1/values?city=khandesh&survey=2024&indicator=household_toilet"
TOILET_CHANGES = "/api/v1/changes?city=khandesh&from=2019&to=2024&indicator=household_toilet"


def _values(client: TestClient, query: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = client.get(query).json()["values"]
    return rows


def _csv(client: TestClient, query: str) -> tuple[list[str], list[dict[str, str]]]:
    text = client.get(f"{query}&hxl=true").text
    assert text.endswith("\r\n")
    header, tags, *rows = csv.reader(io.StringIO(text, newline=""))
    return tags, [dict(zip(header, row, strict=True)) for row in rows]


def to_five(count: int) -> int:
    """A count as the public sees it."""
    return 5 * round(count / 5)


def test_values_are_what_was_surveyed(client: TestClient) -> None:
    figures = {row["settlement_code"]: row for row in _values(client, TOILETS)}
    assert list(figures) == list(HOUSEHOLDS)
    # The second goes with the first, which has nine.
    assert [figures[code]["reason"] for code in ("S01", "S02")] == ["protected", "protected"]
    for code in ("S03", "S04", "S05", "S06"):
        own, n = OWN_TOILETS["2024"][code], HOUSEHOLDS[code]
        assert figures[code]["value"] == round(100 * own / n)
        # Everybody was asked: there is no interval.
        assert (figures[code]["low"], figures[code]["high"], figures[code]["method"]) == (None, None, "enumeration")
        assert (figures[code]["n"], figures[code]["n_unknown"]) == (to_five(n), 0)
        assert (figures[code]["population"], figures[code]["unserved"]) == (to_five(n), to_five(n - own))
        assert isinstance(figures[code]["n"], int)


def test_values_at_ward_and_city_are_sums(client: TestClient) -> None:
    ward_b = _values(client, f"{TOILETS}&level=ward")[1]
    assert (ward_b["ward_code"], ward_b["settlement_code"], ward_b["n"]) == ("B", None, to_five(30 + 25 + 12))
    (city,) = _values(client, f"{TOILETS}&level=city")
    assert city["n"] == to_five(sum(HOUSEHOLDS.values()))
    assert city["unserved"] == to_five(sum(HOUSEHOLDS.values()) - sum(OWN_TOILETS["2024"].values()))
    (persons,) = _values(client, f"{TOILETS}&level=city&counted=persons")
    assert persons["population"] > city["population"]


def test_filters_can_be_repeated(client: TestClient) -> None:
    query = "/api/v1/values?survey=2019&survey=2024&indicator=household_toilet&indicator=drainage_any&settlement=S02"
    rows = _values(client, f"{query}&settlement=S04")
    assert {(r["survey"], r["indicator"], r["settlement_code"]) for r in rows} == {
        (survey, indicator, code)
        for survey in ("2019", "2024")
        for indicator in ("household_toilet", "drainage_any")
        for code in ("S02", "S04")
    }
    assert client.get("/api/v1/values").json()["total"] == 2 * len(HOUSEHOLDS) * len(catalogue())


@pytest.mark.parametrize("indicator", ["household_toilet", "open_defecation", "drainage_any", "density_persons"])
def test_nine_households_are_withheld_and_eleven_are_shown_in_every_format(client: TestClient, indicator: str) -> None:
    query = f"/api/v1/values?survey=2024&indicator={indicator}&settlement=S01&settlement=S03"
    nine, eleven = _values(client, query)
    geo_nine, geo_eleven = (f["properties"] for f in client.get(f"{query}&format=geojson").json()["features"])
    _, (csv_nine, csv_eleven) = _csv(client, f"{query}&format=csv")
    for withheld in (nine, geo_nine):
        assert (withheld["status"], withheld["reason"]) == ("withheld", "protected")
        assert withheld["reason_text"] == "so that no household can be identified"
        assert [withheld[name] for name in NUMBERS] == [None] * len(NUMBERS)
    assert (csv_nine["status"], csv_nine["reason"]) == ("withheld", "protected")
    assert [csv_nine[name] for name in NUMBERS] == [""] * len(NUMBERS)
    for shown in (eleven, geo_eleven):
        assert (shown["status"], shown["reason"], shown["n"]) == ("published", None, 10)
        assert shown["value"] is not None
    assert (csv_eleven["status"], csv_eleven["n"]) == ("published", "10")
    assert float(csv_eleven["value"]) == eleven["value"]


def test_a_question_nobody_was_asked_is_no_zero(client: TestClient) -> None:
    rows = _values(client, "/api/v1/values?survey=2024&indicator=internet_home&level=city")
    assert [(r["status"], r["value"]) for r in rows] == [("withheld", None)]
    assert rows[0]["reason_text"]


def test_changes_are_later_less_earlier_and_withheld_under_ten(client: TestClient) -> None:
    changes = {row["settlement_code"]: row for row in client.get(TOILET_CHANGES).json()["changes"]}
    assert list(changes) == list(HOUSEHOLDS)
    withheld = changes["S01"]
    assert (withheld["status"], withheld["reason"]) == ("withheld", "protected")
    for name in ("from_value", "to_value", "change", "low", "high", "n", "n_before"):
        assert withheld[name] is None
    said = changes["S03"]
    assert (said["from_value"], said["to_value"], said["change"]) == (27.0, 64.0, 37.0)
    assert (said["low"], said["high"], said["method"]) == (None, None, "enumeration")
    assert (said["n_before"], said["n"]) == (10, 10)
    assert (said["group_by"], said["group"]) == (None, None)
    assert (said["from_survey"], said["to_survey"]) == ("2019", "2024")
    tags, rows = _csv(client, f"{TOILET_CHANGES}&format=csv")
    assert [row["change"] for row in rows] == ["", "", *(str(changes[code]["change"]) for code in list(HOUSEHOLDS)[2:])]
    assert "#indicator+num+change" in tags


def test_changes_backwards_are_numbers_in_csv(client: TestClient) -> None:
    answer = client.get("/api/v1/changes?city=khandesh&from=2024&to=2019&indicator=household_toilet&format=csv")
    assert ",-40.0," in answer.text


def test_csv_has_hxl_tags_and_a_file_name(client: TestClient) -> None:
    answer = client.get(f"{TOILETS}&format=csv&hxl=true")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert answer.headers["content-disposition"] == 'attachment; filename="values-khandesh-2024-household_toilet.csv"'
    header, tags = list(csv.reader(io.StringIO(answer.text, newline="")))[:2]
    tagged = dict(zip(header, tags, strict=True))
    assert tagged["settlement_code"].startswith("#loc+settlement")
    assert (tagged["survey"], tagged["indicator"]) == ("#date+round", "#indicator+code")
    assert tagged["value"] == "#indicator+num+pct"
    assert (tagged["low"], tagged["high"]) == ("#indicator+num+ci_low", "#indicator+num+ci_high")
    assert tagged["population"] == "#population+hh"
    plain = client.get(f"{TOILETS}&format=csv").text.splitlines()
    assert plain == [line for line in answer.text.splitlines() if not line.startswith("#")]
    assert "शांती नगर" in answer.text


def test_csv_tags_a_density_as_no_percentage(client: TestClient) -> None:
    tags, _ = _csv(client, "/api/v1/values?indicator=density_persons&format=csv")
    assert "#indicator+num" in tags
    assert "#indicator+num+pct" not in tags


def test_csv_is_whole_without_limit_and_paged_with_it(client: TestClient) -> None:
    total = client.get("/api/v1/values?limit=1").json()["total"]
    assert len(_csv(client, "/api/v1/values?format=csv")[1]) == total
    answer = client.get("/api/v1/values?format=csv&limit=5")
    assert len(answer.text.splitlines()) == 1 + 5
    assert 'rel="next"' in answer.headers["link"]


def test_csv_runs_nothing_in_a_spreadsheet(client: TestClient) -> None:
    _, rows = _csv(client, f"{TOILETS}&format=csv")
    assert [row["settlement_name"] for row in rows if row["settlement_code"] == "S05"] == [f"'{FORMULA_NAME}"]
    for row in rows:
        assert not any(cell.startswith(("=", "+", "@", "\t", "\r")) for cell in row.values())
    assert FORMULA_NAME in [row["settlement_name"] for row in _values(client, TOILETS)]


def test_figures_by_group(client: TestClient) -> None:
    """Of each settlement's households the 1st, 4th ... are headed by a woman."""
    women = sum(-(-n // 3) for n in HOUSEHOLDS.values())
    rows = _values(client, f"{TOILETS}&by=head_sex&level=city")
    assert [(row["group_by"], row["group"], row["n"]) for row in rows] == [
        ("head_sex", "female", to_five(women)),
        ("head_sex", "male", to_five(sum(HOUSEHOLDS.values()) - women)),
    ]
    earlier = _values(client, f"{TOILETS.replace('2024', '2019')}&by=head_sex&level=city")
    changes = client.get(f"{TOILET_CHANGES}&by=head_sex&level=city").json()["changes"]
    assert [(row["group"], row["change"]) for row in changes] == [
        (row["group"], row["value"] - before["value"]) for row, before in zip(rows, earlier, strict=True)
    ]
