"""What rows name: settlements of another ward, places the city lacks, and positions that contradict both."""

import pandas as pd
import pytest

from tests.support.officer import Officer, figure


def found(officer: Officer) -> pd.DataFrame:
    table = pd.read_csv(officer.folder / "report" / "findings.csv")
    return table[["row_number", "code", "value"]]


@pytest.mark.case("officer/A8-same-name-other-ward")
def test_a_name_found_only_in_another_ward(officer: Officer) -> None:
    columns = ("--code", "ref", "--name", "place", "--ward", "ward", "--profile", "register.toml")
    files = ("settlements.geojson", "register.csv", *columns, "--unit", "settlement", "--mode", "census")
    done, _ = officer.assess(*files, code=1)
    assert "“Riverside is in North Quay only; the row says Old Fort”" in done.stderr
    assert "“Riversde (did you mean Riverside, L-07?)”" in done.stderr
    done, _ = officer.assess(*files, "--skip-errors")
    assert "4 counted" in done.stdout


@pytest.mark.case("officer/B9-unknown-place-named")
def test_rows_that_name_what_the_city_lacks(officer: Officer) -> None:
    figures = officer.figures("settlements.geojson", "households.csv", "--mode", "census")
    assert figure(figures, "electricity_access", "PK1")["value"] == 75
    told = {(row.row_number, row.code): row.value for row in found(officer).itertuples()}
    assert told[4, "declared_differs"].startswith("Nutmeg (PK2) named, Anchor Yard (PK3) found, ")
    for row, place in ((6, "Nutmeg (PK2)"), (15, "Nutmeg (PK2)"), (22, "Anchor Yard (PK3)")):
        assert told[row, "named_place_unknown"] == f"Lighthouse; it lies in {place}"
    assert told[11, "named_place_unknown"] == ("Peek Road (did you mean Peak Road, PK1?); it lies in Peak Road (PK1)")
    for row in (7, 19):
        assert told[row, "named_ward_unknown"] == "Cane Fields; it lies in Anchor Yard (PK3)"
    assert told[13, "named_place_differs"] == (
        "Nutmeg is in Harbour only; the row says Hillside; it lies in Anchor Yard (PK3)"
    )
    assert len(told) == 8
