"""Cases of a proposal that a load does not take: what load knows by itself, suggest knows too."""

import pytest

from tests.support.officer import Officer, figure


@pytest.mark.case("officer/B3-position-in-brackets")
def test_positions_in_brackets_are_proposed_as_they_are_loaded(officer: Officer) -> None:
    officer.run("suggest", "visits.csv", "--out", "p.toml")
    profile = (officer.folder / "p.toml").read_text(encoding="utf-8")
    assert "[position]" in profile
    figures = officer.figures("settlements.geojson", "visits.csv", "--mode", "census", "--profile", "p.toml")
    for place, expected in {"": 67.07, "OR-1": 63.27, "OR-2": 72.73}.items():
        assert figure(figures, "sanitation_basic", place)["value"] == expected
    done, _ = officer.assess("settlements.geojson", "visits.csv", "--mode", "census", "--profile", "p.toml")
    assert "22 read, 22 counted" in done.stdout
