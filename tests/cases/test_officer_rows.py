"""Cases of rows that are the same as another."""

import pandas as pd
import pytest

from tests.support.officer import Officer


@pytest.mark.case("officer/C6-which-earlier-row")
def test_a_row_that_repeats_another_says_which(officer: Officer) -> None:
    done, out = officer.assess("settlements.geojson", "households.csv", "--mode", "census")
    for said in ("row 11 repeats row 4 (h3)", "row 15 repeats row 8 (h7)"):
        assert said in done.stderr
    found = pd.read_csv(out / "findings.csv")
    repeated = found[found["code"] == "position_repeated"].set_index("row_number")["value"]
    assert repeated.to_dict() == {11: "row 11 repeats row 4 (h3)", 15: "row 15 repeats row 8 (h7)"}


@pytest.mark.case("officer/C6-which-earlier-row")
def test_a_code_that_stands_twice_says_where(officer: Officer) -> None:
    lines = (officer.folder / "households.csv").read_text(encoding="utf-8").splitlines()
    (officer.folder / "twice.csv").write_text("\n".join([*lines, lines[2]]), encoding="utf-8")
    done, _ = officer.assess("settlements.geojson", "twice.csv", "--mode", "census", code=1)
    assert f"{lines[2].split(',')[0]} (row 3)" in done.stderr
