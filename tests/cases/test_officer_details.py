"""Questions whose detail stands in a second column, as an officer's files have them."""

from pathlib import Path

import pandas as pd
import pytest

from geo.ingestion.mapping import read_profile
from tests.support.officer import Officer, figure


def _proposed(officer: Officer) -> tuple[Path, str]:
    """The profile that `vasti suggest` writes, and what it prints of trust."""
    path = officer.folder / "proposed.toml"
    return path, officer.run("suggest", "households.csv", "--out", path).stdout


def _figures(officer: Officer, profile: Path) -> pd.DataFrame:
    return officer.figures("settlements.geojson", "households.csv", "--profile", profile, "--mode", "census")


def _trust(printed: str, field: str) -> str:
    (line,) = [line for line in printed.splitlines() if f" {field} " in line]
    return line.partition(f" {field} ")[2].split()[0]


@pytest.mark.case("officer/A5-flush-destination-column")
def test_where_it_flushes_to_is_read_from_the_second_column(officer: Officer) -> None:
    profile, printed = _proposed(officer)
    assert _trust(printed, "toilet_type") == "likely"
    figures = _figures(officer, profile)
    for indicator, right in (("improved", 51.52), ("unimproved", 33.33), ("basic", 51.52)):
        assert figure(figures, f"sanitation_{indicator}")["value"] == pytest.approx(right, abs=0.005)
    assert figure(figures, "open_defecation")["value"] == pytest.approx(15.15, abs=0.005)


@pytest.mark.case("officer/A5-other-specify-column")
def test_other_is_read_from_the_column_that_spells_it_out(officer: Officer) -> None:
    profile, printed = _proposed(officer)
    assert _trust(printed, "toilet_type") == "likely"
    assert "15 of 16 rows" in " ".join(printed.split())
    # A detail without a known meaning waits for a person; until then the answer alone counts.
    said = {"ring pit, cement cover": "pit_slab", "behind the houses on the beach": "none"}
    text = profile.read_text(encoding="utf-8")
    for answer, meaning in said.items():
        text = text.replace(f'# "{answer}" = ""', f'"{answer}" = "{meaning}"')
    profile.write_text(text, encoding="utf-8")
    assert set(said) <= set(read_profile(str(profile)).fields["toilet_type"].when[0].values)
    figures = _figures(officer, profile)
    for indicator, right in (
        ("sanitation_improved", 50.0),
        ("sanitation_unimproved", 16.67),
        ("open_defecation", 33.33),
    ):
        assert figure(figures, indicator)["value"] == pytest.approx(right, abs=0.005)
