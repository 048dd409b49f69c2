"""What is told of a whole file in one sentence, and the grammar of it."""

import pytest

from tests.support.officer import Officer


@pytest.mark.case("officer/C7-national-outlines")
def test_a_national_file_is_told_once(officer: Officer) -> None:
    officer.city("nation")
    done = officer.run("load", "boundaries", "outlines.geojson", "--city", "nation", "--dry-run")
    told = [line for line in done.stderr.splitlines() if "km" in line]
    assert len(told) == 1
    assert "3 groups 203 to 710 km apart" in told[0]
    assert "(8 rows" not in done.stderr


@pytest.mark.case("officer/C11-one-other-values")
def test_the_grammar_of_several_values(officer: Officer) -> None:
    done, _ = officer.assess("settlements.geojson", "households.csv", "--mode", "census")
    assert "and 1 other value are not values the mapping profile knows" in done.stderr
