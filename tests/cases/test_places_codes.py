"""Codes of settlements and households: one code for several places, names as codes, row numbers, codes of columns."""

import pytest

from tests.support.officer import YEAR, Officer, figure
from tests.support.outlines import outlines


@pytest.mark.case("field/29-numbers-restart-in-each-ward")
def test_numbers_that_restart_in_each_ward(officer: Officer) -> None:
    officer.city("pune")
    named = ("--code", "Slum_No", "--name", "Slum_Name", "--ward", "Ward")
    refused = officer.run("load", "boundaries", "settlements.geojson", *named, "--city", "pune", code=1)
    assert "“1: Indira Nagar in Ward 12 (row 1), Ganesh Basti in Ward 13 (row 3), 0.8 km apart”" in refused.stderr
    assert "Shanti Colony in Ward 12 (row 2), Milan Vasti in Ward 13 (row 4)" in refused.stderr
    assert "“Ward + Slum_No”" in refused.stderr
    assert "parts" not in refused.stderr
    whole = ("--code", "Ward + Slum_No", *named[2:])
    loaded = officer.run("load", "boundaries", "settlements.geojson", *whole, "--city", "pune")
    assert "4 settlements added" in loaded.stdout
    profile = officer.folder / "households.toml"
    profile.write_text(
        """name = "h"
[fields.household_code]
column = "household_code"
[fields.declared_settlement_code]
column = "Ward + Slum_No"
[fields.members]
column = "members"
[fields.drainage]
column = "drainage"
""",
        encoding="utf-8",
    )
    of_round = ("--city", "pune", "--survey", "s", *YEAR, "--mode", "census", "--profile", profile)
    officer.run("load", "survey", "households.csv", *of_round)
    figures = officer.values("pune", "s")
    assert [
        figure(figures, "drainage_any", f"Ward {ward}_{number}")["n"] for ward in (12, 13) for number in (1, 2)
    ] == [
        15,
        15,
        15,
        15,
    ]


@pytest.mark.case("field/29-numbers-restart-in-each-ward")
def test_suggest_makes_the_code_of_ward_and_number(officer: Officer) -> None:
    officer.run("suggest", "settlements.geojson", "--out", "p.toml")
    officer.city("pune")
    loaded = officer.run("load", "boundaries", "settlements.geojson", "--profile", "p.toml", "--city", "pune")
    assert "4 settlements added" in loaded.stdout


@pytest.mark.case("officer/A9-same-name-far-apart")
def test_a_name_as_code_that_repeats_far_apart(officer: Officer) -> None:
    officer.city("molle")
    named = ("--code", "Place name", "--name", "Place name", "--ward", "District", "--city", "molle")
    refused = officer.run("load", "boundaries", "outlines.geojson", *named, "--dry-run")
    errors = [line for line in refused.stderr.splitlines() if line.startswith("error")]
    assert len(errors) == 1
    assert "Santa Rufina" in errors[0]
    assert all(district in errors[0] for district in ("Costa", "Sierra", "Selva"))
    assert "(3 rows: 1, 2, 3)" in errors[0]
    joined = [line for line in refused.stderr.splitlines() if "joined" in line]
    assert len(joined) == 1
    assert "El Molle" in joined[0]
    assert "(2 rows: 4, 5)" in joined[0]
    whole = ("--code", "District + Place name", *named[2:])
    loaded = officer.run("load", "boundaries", "outlines.geojson", *whole)
    assert "5 settlements added" in loaded.stdout


def test_parts_of_one_name_and_ward_kilometres_apart_are_refused(at_desk: Officer) -> None:
    file = outlines(
        at_desk.folder / "o.geojson",
        ({"code": "A", "name": "Alpha", "ward": "1"}, 10, 0),
        ({"code": "A", "name": "Alpha", "ward": "1"}, 10.005, 0),
        ({"code": "A", "name": "Alpha", "ward": "1"}, 10.1, 0),
        ({"code": "B", "name": "Beta", "ward": "1"}, 10, 0.1),
        ({"code": "B", "name": "Beta", "ward": None}, 10.005, 0.1),
    )
    at_desk.city("c")
    refused = at_desk.run("load", "boundaries", file, "--city", "c", code=1)
    assert "“A: Alpha in 1 (rows 1, 2, 3), 11 km apart”" in refused.stderr
    assert "(2 rows: 4, 5)" in next(line for line in refused.stderr.splitlines() if "joined" in line)


@pytest.mark.case("officer/A9-row-number-as-code")
def test_a_row_number_is_not_proposed_and_a_mass_jump_is_stopped(officer: Officer) -> None:
    officer.run("suggest", "outlines_2022.geojson", "--out", "p.toml")
    text = (officer.folder / "p.toml").read_text(encoding="utf-8")
    assert 'settlement_code = "Sheet"' in text
    assert 'settlement_name = "Place name"' in text
    assert '"gid"' not in text.split("[boundaries]")[1].split("# No field")[0]
    officer.city("weir")
    to_weir = ("--city", "weir", "--profile", "p.toml", "--valid-from")
    officer.run("load", "boundaries", "outlines_2022.geojson", *to_weir, "2022-01-01")
    second = officer.run("load", "boundaries", "outlines_2025.geojson", *to_weir, "2025-01-01")
    assert "0 settlements added, 7 redrawn, 0 unchanged" in second.stdout

    officer.city("other")
    by_row = ("--code", "gid", "--name", "Place name", "--city", "other", "--valid-from")
    officer.run("load", "boundaries", "outlines_2022.geojson", *by_row, "2022-01-01")
    stopped = officer.run("load", "boundaries", "outlines_2025.geojson", *by_row, "2025-01-01", code=4)
    assert "would lie where they did not lie before" in stopped.stderr
    assert "--moved" in stopped.stderr
    officer.run("load", "boundaries", "outlines_2025.geojson", *by_row, "2025-01-01", "--moved")


@pytest.mark.case("officer/B3-boundaries-name-only")
def test_outlines_with_a_name_only(officer: Officer) -> None:
    officer.city("almond")
    for file in ("outlines.geojson", "outlines_bare.geojson", "outlines_repeated.geojson"):
        officer.run("suggest", file, "--out", f"{file}.toml")
        loading = ("load", "boundaries", file, "--city", "almond", "--profile", f"{file}.toml", "--dry-run")
        assert "6 would load" in officer.run(*loading).stdout


@pytest.mark.case("field/28-name-typo-code-right")
def test_a_rename_is_told(officer: Officer) -> None:
    named = ("--code", "settlement_code", "--name", "settlement_name", "--ward", "ward_name")
    officer.city("pune", "round1.geojson", *named)
    again = officer.run("load", "boundaries", "round2.geojson", *named, "--city", "pune")
    assert "“K02: Shanti Colony -> Shanti Coloni”" in again.stderr
    assert "0 settlements added, 1 redrawn, 3 unchanged" in again.stdout


def test_a_file_without_names_takes_none_away_and_lacking_settlements_are_told(at_desk: Officer) -> None:
    rows = [({"code": f"{i}", "name": f"Place {i}"}, 10 + i / 100, 0) for i in range(5)]
    at_desk.city("c", outlines(at_desk.folder / "a.geojson", *rows))
    bare = [({"code": p["code"]}, x, y) for p, x, y in rows[:4]]
    again = at_desk.run("load", "boundaries", outlines(at_desk.folder / "b.geojson", *bare), "--city", "c")
    assert "has had another name" not in again.stderr
    assert "“Place 4 (4)”" in again.stderr
    few = outlines(at_desk.folder / "few.geojson", ({"code": "0", "name": "Other"}, 10, 0.0001))
    assert "no longer has" not in at_desk.run("load", "boundaries", few, "--city", "c").stderr
