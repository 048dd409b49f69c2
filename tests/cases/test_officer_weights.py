"""Cases of weights: 0, enormous, and no number."""

from pathlib import Path

import pytest

from tests.support.officer import Officer, figure, read_figures

SAMPLE = ("--mode", "sample", "--indicator", "electricity_access")


@pytest.mark.case("officer/B8-zero-weight")
def test_a_household_of_weight_0_is_kept_and_counts_for_nobody(officer: Officer) -> None:
    said, out = officer.assess("settlements.geojson", "drawn.csv", *SAMPLE)
    city = figure(read_figures(out), "electricity_access")
    assert (city["value"], city["n"]) == (75.29, 30)
    assert "weight is 0" in said.stdout + said.stderr
    assert "32 counted" in said.stdout
    officer.city("case", "settlements.geojson")
    dates = ("--starts", "2025-01-01", "--ends", "2025-12-31")
    officer.run("load", "survey", "drawn.csv", "--city", "case", "--survey", "2025", *dates, "--mode", "sample")
    stored = figure(officer.values("case", "2025"), "electricity_access")
    assert (stored["value"], stored["n"], round(stored["low"], 1)) == (75.29, 30, 54.2)


@pytest.mark.case("officer/B8-zero-weight")
@pytest.mark.parametrize("weight", ["-1", "heavy", "", "1e19", "1e308", "inf"])
def test_other_weights_that_cannot_be_are_errors(officer: Officer, weight: str) -> None:
    lines = (officer.folder / "drawn.csv").read_text(encoding="utf-8").splitlines()
    at = lines[0].split(",").index("weight")
    cells = lines[4].split(",")
    cells[at] = weight
    lines[4] = ",".join(cells)
    path = officer.folder / "wrong.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    said, _ = officer.assess("settlements.geojson", path, *SAMPLE, code=1)
    assert "row" in said.stderr
    assert "weight" in said.stdout + said.stderr


@pytest.mark.case("officer/B8-zero-households")
def test_settlements_without_households_are_known_to_have_none(officer: Officer) -> None:
    suggested = officer.run("suggest", "register.csv", "--out", "p.toml")
    assert "would be rejected" not in suggested.stdout
    assert "4 of 7 rows are above 0, 3 are 0" in suggested.stdout + Path(officer.folder / "p.toml").read_text("utf-8")
    columns = ("--code", "Settlement code", "--name", "Settlement name")
    said, out = officer.assess(
        "settlements.geojson",
        "register.csv",
        *columns,
        "--unit",
        "settlement",
        "--mode",
        "census",
        "--profile",
        "p.toml",
    )
    assert "7 read, 7 counted" in said.stdout
    officer.city("case", "settlements.geojson", *columns)
    dates = ("--starts", "2025-01-01", "--ends", "2025-12-31", "--mode", "census")
    round_of = ("--city", "case", "--survey", "2025", *dates, "--unit", "settlement", "--profile", "p.toml")
    officer.run("load", "survey", "register.csv", *round_of)
    stored = officer.values("case", "2025", "--counted", "households")
    city = figure(stored, "electricity_access")
    assert (city["value"], city["n"]) == (91.99, 437)
    for figures in (read_figures(out), stored):
        for place in ("HF01", "HF04", "HF07"):
            assert figure(figures, "density_households", place)["value"] == 0
    assert figure(stored, "electricity_access", "HF01")["reason"] == "no_answers"
