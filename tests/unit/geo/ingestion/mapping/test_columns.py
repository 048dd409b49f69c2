"""Finding the columns a profile names: the file's own names, never a guess."""

import json
from pathlib import Path

import pytest

from geo.errors import MissingColumn
from geo.ingestion.mapping.columns import Found, Wanted, find_columns, names_present
from geo.ingestion.reading import Layer, Note


def layer(*columns: str) -> Layer:
    return Layer(list(columns), None, has_geometry=False, total_rows=0, batches=iter(()))


def find(wanted: str, *columns: str, multiple: bool = False) -> Found:
    asked = Wanted(wanted, "drainage", multiple)
    return find_columns([asked], layer(*columns), file_name="f.csv", named_by="the mapping profile 'p'")[wanted]


@pytest.mark.parametrize(
    ("wanted", "columns", "own"),
    [
        ("drain", ["Drain", "drain"], "drain"),
        ("Tipo de baño", ["TIPO DE BANO", "x"], "TIPO DE BANO"),
        ("water_source", ["Water  source", "water"], "Water  source"),
        ("members", ["household/members", "people/notes"], "household/members"),
        ("members", ["hh:members", "x"], "hh:members"),
        ("members", ["a/b/members", "x"], "a/b/members"),
        ("household/members", ["members", "x"], "members"),
        ("household/members", ["household.members", "x"], "household.members"),
        ("members", ["household.members", "household.code"], "household.members"),
        ("b/members", ["a/b/members", "c/members"], "a/b/members"),
        ("_uuid", ["X_uuid", "x"], "X_uuid"),
        ("toilet_type", ["toilet_typ", "x"], "toilet_typ"),
        ("toilet_type", ["TOILET_TYP", "x"], "TOILET_TYP"),
        ("toilet_type", ["toilet_t_1", "x"], "toilet_t_1"),
        ("toilet_type", ["toilet_ty1", "x"], "toilet_ty1"),
        ("toilet_type", ["toilet_t10", "x"], "toilet_t10"),
        ("toilet_type", ["toilet__10", "x"], "toilet__10"),
        ("sanitation/toilet_type", ["toilet_typ", "x"], "toilet_typ"),
        ("situação_agua", ["situação_", "x"], "situação_"),
        ("situação_agua", ["situação_a", "x"], "situação_a"),
    ],
)
def test_find_columns_by_the_nearest_rule(wanted: str, columns: list[str], own: str) -> None:
    assert find(wanted, *columns).column == own


@pytest.mark.parametrize(
    ("wanted", "columns"),
    [
        ("Q1_1", ["Q11"]),
        ("members", ["How.many.members", "x"]),  # a point between the words of a question is no group
        ("a/source", ["b/source", "x"]),  # the same word in another group is another question
        ("toilet_type", ["toilet_typ", "a name longer than ten"]),  # such names were not cut
        ("toilet", ["toile", "x"]),
        ("toilet_type", ["toilet_wrk", "x"]),
        ("%", ["#"]),
    ],
)
def test_find_columns_does_not_guess(wanted: str, columns: list[str]) -> None:
    with pytest.raises(MissingColumn):
        find(wanted, *columns)


@pytest.mark.parametrize(
    ("wanted", "columns"),
    [
        ("drain", ["Drain", "DRAIN"]),
        ("members", ["a/members", "b/members"]),
        ("pct_esgoto_rede", ["pct_esgoto", "pct_esgot1"]),
        ("water_source", ["water_sour", "water_so_1"]),
    ],
)
def test_find_columns_refuses_several_and_names_them(wanted: str, columns: list[str]) -> None:
    with pytest.raises(MissingColumn) as raised:
        find(wanted, *columns)
    assert all(repr(column) in str(raised.value) for column in columns)


def test_find_columns_leaves_a_column_to_the_name_it_bears() -> None:
    """`domicilios` is itself, so `domicilios_entorno` can only be the other."""
    wanted = [Wanted("domicilios_entorno", "members"), Wanted("domicilios", "weight")]
    shapefile = layer("domicilios", "domicilio1")
    found = find_columns(wanted, shapefile, file_name="f.shp", named_by="p")
    assert {name: each.column for name, each in found.items()} == {
        "domicilios_entorno": "domicilio1",
        "domicilios": "domicilios",
    }
    assert shapefile.notes == [Note("column_matched", "domicilio1", "members")]


def test_find_columns_two_names_for_one_column() -> None:
    wanted = [Wanted("toilet_type_used", "toilet_type"), Wanted("toilet_type_seen", "toilet_location")]
    with pytest.raises(MissingColumn, match="'toilet_typ' may be either"):
        find_columns(wanted, layer("toilet_typ", "x"), file_name="f.shp", named_by="p")


def test_find_columns_one_column_for_two_fields_is_told_of_each() -> None:
    wanted = [Wanted("Water", "water_source"), Wanted("Water", "water_location"), Wanted("water", "water_minutes")]
    table = layer("WATER")
    assert {each.column for each in find_columns(wanted, table, file_name="f", named_by="p").values()} == {"WATER"}
    assert [note.field for note in table.notes] == ["water_source", "water_location", "water_minutes"]


def test_find_columns_missing_names_the_nearest() -> None:
    with pytest.raises(MissingColumn) as raised:
        find("toilet_type", "hh", "Toilet kind", "toilet_types", "rooms")
    assert str(raised.value) == (
        "f.csv has no column 'toilet_type', which the mapping profile 'p' names; "
        "the nearest it has: 'toilet_types', 'Toilet kind'."
    )


def test_find_columns_of_choices() -> None:
    """A question with several answers is there by its cell, by its choices' columns, or by both."""
    columns = ["hh/water", "hh/water/borehole", "hh/water/tap", "hh/rooms"]
    choices = {"borehole": "hh/water/borehole", "tap": "hh/water/tap"}
    assert find("water", *columns, multiple=True) == Found("hh/water", choices)
    assert find("water", *columns[1:], multiple=True) == Found(None, choices)
    assert find("hh/water", "water.tap", "water.well", multiple=True).choices == {
        "tap": "water.tap",
        "well": "water.well",
    }
    with pytest.raises(MissingColumn):
        find("water", *columns[1:])


def test_find_columns_of_choices_written_otherwise_is_told() -> None:
    table = layer("hh.water.tap", "hh.water.well", "hh.rooms")
    find_columns([Wanted("water", "water_source", multiple=True)], table, file_name="f", named_by="p")
    assert table.notes == [Note("column_matched", "hh.water", "water_source")]


def test_find_columns_against_a_publishers_own_dictionary(real_files: Path) -> None:
    """Every name of ten layers, before and after a shapefile cut it: the right one, or a refusal that lists it."""
    manifest = json.loads((real_files / "br_ibge_favelas_sao_vicente" / "manifest.json").read_text(encoding="utf-8"))
    found, refused = 0, {}
    for each in manifest["camadas"]:
        cut = {names["geojson"]: names["dbf"] for names in each["campos"]}
        for long, short in cut.items():
            try:
                assert find(long, *cut.values()).column == short
                found += 1
            except MissingColumn as error:
                assert repr(short) in str(error)
                refused[long] = short
        if not refused.keys() & {"pct_esgoto_rede"} & cut.keys():
            wanted = [Wanted(long, "drainage") for long in cut]
            whole = find_columns(wanted, layer(*cut.values()), file_name="f.shp", named_by="p")
            assert {long: own.column for long, own in whole.items()} == cut
    assert found > 90
    # Cut alike: nothing in the file says which is which.
    assert refused == {
        "pct_esgoto_rede": "pct_esgoto",
        "pct_esgoto_inadeq": "pct_esgot1",
        "domicilios_entorno": "domicilio1",
    }


def test_names_present_leaves_out_what_another_name_stands_for() -> None:
    cut = layer("facility_c", "Seats", "k")
    assert names_present(["facility_code", "seats", "kind"], cut) == ["facility_code", "seats"]
    assert names_present(["facility_code", "seats", "kind"], cut, beside=["facility_c"]) == ["seats"]
