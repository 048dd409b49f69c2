"""Columns by their whole name: what is asked of another thing than the home, and whether somebody agreed to answer."""

import pandas as pd
import pytest

from geo.ingestion.mapping import read_profile
from tests.support.officer import YEAR, Officer, figure


@pytest.mark.case("officer/A6-roof-of-the-toilet")
def test_the_roof_of_the_toilet_is_not_the_homes(officer: Officer) -> None:
    path = officer.folder / "proposed.toml"
    officer.run("suggest", "households.csv", "--out", path)
    roof = read_profile(str(path)).fields["roof_permanent"]
    assert (roof.column, roof.values) == ("Dwelling roof", {"Concrete slab": True, "Thatch": False})
    figures = officer.figures("settlements.geojson", "households.csv", "--profile", path, "--mode", "census")
    assert figure(figures, "not_durable")["value"] == pytest.approx(41.67, abs=0.005)


@pytest.mark.case("field/15-refused-consent")
def test_who_did_not_agree_is_a_refusal(officer: Officer) -> None:
    path = officer.folder / "proposed.toml"
    officer.run("suggest", "households.csv", "--out", path)
    asked = read_profile(str(path)).fields["interview_result"]
    assert (asked.column, asked.values) == ("Consent", {"Yes": "completed", "No": "refused"})
    columns = ("--code", "settlement_code", "--name", "settlement_name")
    officer.city("k", officer.folder.parent / "_base_boundaries.geojson", *columns)
    named = ("--city", "k", "--survey", "2024", "--mode", "census", *YEAR, "--profile", path)
    officer.run("load", "survey", "households.csv", *named)
    frame = "settlement_code,households\n" + "".join(f"K0{i},15\n" for i in range(1, 5))
    (officer.folder / "frame.csv").write_text(frame, encoding="utf-8")
    officer.run("load", "frame", "frame.csv", "--city", "k", "--survey", "2024")
    values: pd.DataFrame = officer.values("k", "2024", "--counted", "households")
    for place in ("K01", "K02", "K03", "K04"):
        drained = figure(values, "drainage_any", place)
        assert (drained["n"], drained["n_unknown"]) == (10, 0)
    response = figure(values, "drainage_any")
    assert response["n"] == 40
    assert response["response_rate"] == pytest.approx(66.67, abs=0.4)
