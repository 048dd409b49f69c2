"""Layers, sheets and folders: an upload is a file with what was read of it."""

import pytest

from tests.support.officer import YEAR, Officer

NAMED = ("--code", "settlement_code", "--name", "settlement_name", "--ward", "ward_name")


@pytest.mark.case("field/19-google-my-maps-folders")
def test_folders_are_loaded_one_after_the_other_as_wards(officer: Officer) -> None:
    officer.city("pune")
    load = ("load", "boundaries", "our_settlements.kml", "--city", "pune", "--code", "Name")
    asked = officer.run(*load, code=1).stderr
    assert "Ward A: 2 polygons, Ward B: 2 polygons, Toilet blocks: 4 points" in asked
    assert "--ward Folder" in asked
    for ward in ("Ward A", "Ward B"):
        assert "2 settlements added" in officer.run(*load, "--ward", "Folder", "--layer", ward).stdout
    assert "loaded already" in officer.run(*load, "--layer", "Ward B").stdout
    assert "Folder" in officer.run("suggest", "our_settlements.kml", "--layer", "Ward A").stdout
    survey = ("load", "survey", "../_base_households.csv", "--city", "pune", "--survey", "2024", "--mode", "census")
    officer.run(*survey, *YEAR, "--placement", "position")
    wards = officer.values("pune", "2024", "--indicator", "drainage_any")
    assert sorted(wards[wards["level"] == "ward"]["ward_code"]) == ["Ward A", "Ward B"]
    assert len(wards[wards["level"] == "settlement"]) == 4


@pytest.mark.case("field/19-google-my-maps-folders")
def test_a_second_layer_or_sheet_is_another_upload(officer: Officer) -> None:
    officer.city("pune")
    layers = ("load", "boundaries", "../two_layers.gpkg", "--city", "pune", *NAMED)
    names = officer.run(*layers, code=1).stderr.split("(")[1].split(")")[0].split(", ")
    assert len(names) == 2
    for name in names:
        said = officer.run(*layers, "--layer", name).stdout
        assert "loaded already" not in said
        assert "settlements added" in said
    assert "loaded already" in officer.run(*layers, "--layer", names[0]).stdout
    sheets = ("load", "survey", "../two_sheets.xlsx", "--city", "pune", "--survey", "2024", "--mode", "census", *YEAR)
    names = officer.run(*sheets, code=1).stderr.split("(")[1].split(")")[0].split(", ")
    for name in names:
        assert "loaded already" not in officer.run(*sheets, "--layer", name).stdout
    again = officer.run(*sheets, "--layer", names[1]).stdout
    assert "loaded already" in again
    rows = officer.values("pune", "2024", "--indicator", "drainage_any")
    assert rows[rows["level"] == "city"]["n"].item() == 60
