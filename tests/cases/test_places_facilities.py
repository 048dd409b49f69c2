"""Facilities without codes."""

import pytest

from tests.support.officer import Officer


@pytest.mark.case("officer/B6-facilities-without-code")
def test_facilities_without_codes(officer: Officer) -> None:
    officer.city("orchard", "settlements.geojson")
    loading = ("load", "facilities", "--city", "orchard", "--kind", "water_point")
    done = officer.run(*loading, "taps.csv")
    assert "14 read, 12 loaded" in done.stdout
    assert "“row 5”, “row 9”" in done.stderr
    assert "(2 rows: 14, 15)" in done.stderr
    # A second file, sorted otherwise, replaces the same facilities.
    header, *rows = (officer.folder / "taps.csv").read_text(encoding="utf-8").splitlines()
    (officer.folder / "again.csv").write_text("\n".join([header, *reversed(rows)]) + "\n", encoding="utf-8")
    again = officer.run(*loading, "again.csv")
    assert "12 loaded" in again.stdout
