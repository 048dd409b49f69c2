"""Exports of a form: however one is written, the same columns and the same codes come of it."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from geo.ingestion.mapping import Form, read_form
from geo.ingestion.mapping.forms.exports import canonical_layer
from geo.ingestion.mapping.forms.form import build_form
from geo.ingestion.reading import Note, ReadOptions, open_layer
from tests.support import factories as f

FORM = build_form(
    "form",
    [
        {"type": "begin group", "name": "hh", "label::English": "Household", "label::Español": "Hogar"},
        {"type": "text", "name": "head", "label::English": "Who is the head?", "label::Español": "¿Quién manda?"},
        {"type": "select_one yn", "name": "toilet", "label::English": "A toilet?", "label::Español": "¿Un baño?"},
        {"type": "begin group", "name": "water", "label::English": "Water", "label::Español": "Agua"},
        {
            "type": "select_multiple src",
            "name": "from",
            "label::English": "From where?",
            "label::Español": "¿De dónde?",
        },
        {"type": "end group"},
        {"type": "end group"},
        {"type": "geopoint", "name": "gps", "label::English": "Position", "label::Español": "Posición"},
    ],
    [
        {"list_name": "yn", "name": "1", "label::English": "Yes", "label::Español": "Sí"},
        {"list_name": "yn", "name": "NA", "label::English": "Not asked", "label::Español": "Sin preguntar"},
        {"list_name": "src", "name": "tap", "label::English": "Tap", "label::Español": "Grifo"},
        {"list_name": "src", "name": "tank", "label::English": "Water tank, roof", "label::Español": "Tinaco"},
        {"list_name": "src", "name": "shop", "label::English": "Shop", "label::Español": "Tienda"},
    ],
    None,
)
CANONICAL = {"hh/head": "Ana", "hh/toilet": "1", "hh/water/from": "tap tank"}


def canonical(path: Path, form: Form, **read: str) -> tuple[list[dict[str, Any]], list[Note]]:
    """The rows of a file in the form's shape, and the notes."""
    with open_layer(path, ReadOptions(**read)) as opened:
        layer = canonical_layer(opened, form)
        batches = list(layer.batches)
        assert all(list(batch.columns) == layer.columns for batch in batches)
        rows = [row for batch in batches for row in pa.table(batch.columns).to_pylist()]
    return rows, layer.notes


@pytest.mark.parametrize(
    "row",
    [
        {"hh/head": "Ana", "hh/toilet": "1", "hh/water/from": "tap tank"},
        {"hh:head": "Ana", "hh:toilet": "Yes", "hh:water:from": "Tap, Water tank, roof"},
        {"hh.head": "Ana", "hh.toilet": "Sí", "hh.water.from": "Grifo Tinaco"},
        {"hh-head": "Ana", "hh-toilet": " sí ", "hh-water-from": "Tap Water tank, roof"},
        {"head": "Ana", "toilet": "1", "from": "tap tank"},
        {"Who is the head?": "Ana", "A toilet?": "Yes", "From where?": "Tap;tank"},
        {"¿Quién manda?": "Ana", "¿Un baño?": "SÍ", "¿De dónde?": "Grifo|Tinaco"},
        {"Household/Who is the head?": "Ana", "Household/A toilet?": "Yes", "Household/Water/From where?": "tap tank"},
        {"hh/head": "Ana", "hh/toilet": "1", "hh/water/from/tap": "1", "from/tank": "True", "from/shop": "0"},
        {"Hogar/¿Quién manda?": "Ana", "¿Un baño?": "Sí", "¿De dónde?/Grifo": 1, "¿De dónde?/Tinaco": 1},
        {"head": "Ana", "toilet": "Yes", "from": "n/a", "from/tap": 1, "from/Water tank, roof": 1, "from/Shop": 0},
        {"head": "Ana", "toilet": "Yes", "from": "tap tank", "from/shop": 1},
        {"X.U.FEFF.head": "Ana", "toilet": "1", "from.tap": "TRUE", "from.tank": "tank", "from.shop": "FALSE"},
    ],
)
def test_canonical_layer_gives_one_shape(tmp_path: Path, row: Mapping[str, Any]) -> None:
    rows, notes = canonical(f.write_csv(tmp_path / "export.csv", [row]), FORM)
    assert rows == [CANONICAL]
    assert notes == []


def test_canonical_layer_keeps_what_the_form_does_not_know(tmp_path: Path) -> None:
    rows, _ = canonical(
        f.write_csv(
            tmp_path / "export.csv",
            [
                {"head": "n/a", "toilet": "NA", "from": "Tap Bucket", "_uuid": "a", "kids[1]/head": "n/a"},
                {"head": " ", "toilet": "maybe", "from": "N/A", "_uuid": "b", "kids[1]/head": "Eva"},
            ],
        ),
        FORM,
    )
    # A code that looks like a blank is a code; a text no label reads stays for the mapper to report.
    assert rows == [
        {"hh/head": None, "hh/toilet": "NA", "hh/water/from": "Tap Bucket", "_uuid": "a", "kids[1]/head": "n/a"},
        {"hh/head": None, "hh/toilet": "maybe", "hh/water/from": None, "_uuid": "b", "kids[1]/head": "Eva"},
    ]


def test_canonical_layer_leaves_what_reads_in_two_ways(tmp_path: Path) -> None:
    labels = {"a": "Water", "b": "Water tank", "c": "Tank"}
    choices = [{"list_name": "l", "name": code, "label": label} for code, label in labels.items()]
    form = build_form("form", [{"type": "select_multiple l", "name": "q", "label": "Q"}], choices, None)
    rows, _ = canonical(f.write_csv(tmp_path / "a.csv", [{"q": "Water tank"}, {"q": "Tank, Water"}]), form)
    assert rows == [{"q": "Water tank"}, {"q": "c a"}]
    rows, _ = canonical(f.write_csv(tmp_path / "b.csv", [{"q": "Water tank", "q/Water tank": 1, "q/Tank": 0}]), form)
    assert rows == [{"q": "b"}]


def test_canonical_layer_tells_labels_of_signs_apart(tmp_path: Path) -> None:
    labels = {"few": "< 5", "many": "> 5", "unknown": "."}
    choices = [{"list_name": "l", "name": code, "label": label} for code, label in labels.items()]
    survey = [{"type": f"select_{kind} l", "name": kind, "label": kind} for kind in ("one", "multiple")]
    form = build_form("form", survey, choices, None)
    path = f.write_csv(tmp_path / "a.csv", [{"one": "> 5", "multiple": "< 5; ."}, {"one": ".", "multiple": "< 5 ."}])
    assert canonical(path, form)[0] == [
        {"one": "many", "multiple": "few unknown"},
        {"one": "unknown", "multiple": "< 5 ."},
    ]


def test_canonical_layer_reports_a_choice_column_that_says_neither(tmp_path: Path) -> None:
    rows, notes = canonical(f.write_csv(tmp_path / "a.csv", [{"from/tap": "some", "from/shop": 1}]), FORM)
    assert rows == [{"hh/water/from": "shop"}]
    assert notes == [Note("choice_column_unreadable", "some", "hh/water/from")]


@pytest.mark.parametrize("companion", ["_gps_latitude", "gps-Latitude", "gps.latitude", "_Position_latitude"])
def test_canonical_layer_names_the_parts_of_a_place(tmp_path: Path, companion: str) -> None:
    rows, _ = canonical(f.write_csv(tmp_path / "a.csv", [{companion: 18.5, "Posición": "18.5 73.8 0 0"}]), FORM)
    assert rows == [{"_gps_latitude": "18.5", "gps": "18.5 73.8 0 0"}]


def test_canonical_layer_reads_geojson(tmp_path: Path) -> None:
    point = {"type": "Point", "coordinates": [73.8, 18.5]}
    path = f.write_geojson(tmp_path / "a.geojson", [(point, {"A toilet?": 1, "from": "Tap"})])
    rows, _ = canonical(path, FORM)
    assert rows == [{"hh/toilet": "1", "hh/water/from": "tap"}]


def transport_form(folder: Path) -> Form:
    """The form of the transportation exports, as their headers tell it: names from one, labels from another."""
    texts = [(folder / f"transportation_{kind}.csv").read_text() for kind in ("without_na", "labels_only")]
    heads = [next(csv.reader([text.splitlines()[0]])) for text in texts]
    named = list(zip(*heads, strict=True))
    question = "available_transportation_types_to_referral_facility"
    options = [(n.rsplit("/", 1)[1], lab.split("/", 1)[1]) for n, lab in named if f"{question}/" in n]
    survey = [
        {"type": "begin group", "name": "transport"},
        {"type": "select_multiple means or_other", "name": question},
    ]
    for name, label in named:
        if name.endswith("/frequency_to_referral_facility"):
            _, loop, option, leaf = name.split("/")
            survey += [{"type": "begin group", "name": part} for part in (loop, option)]
            survey += [{"type": "select_one often", "name": leaf, "label": label}]
            survey += [{"type": "end group"}] * 2
    survey.append({"type": "end group"})
    choices = [{"list_name": "means", "name": code, "label": label} for code, label in options]
    often = [{"list_name": "often", "name": code, "label": code.title()} for code in ("daily", "weekly")]
    return build_form("transport", survey, [*choices, *often], None)


def test_canonical_layer_makes_the_transportation_exports_alike(real_files: Path) -> None:
    folder = real_files / "kobo_ona_exports"
    form = transport_form(folder)
    expected = [question.column for question in form.questions]
    assert len(expected) == 11
    found = {}
    for kind in ("all", "without_na", "no_group_names", "labels_only"):
        rows, _ = canonical(folder / f"transportation_{kind}.csv", form)
        columns = [column for column in rows[0] if column.startswith("transport/")]
        found[kind] = [{column: row[column] for column in columns} for row in rows]
        assert columns == expected, kind
    # One holds four submissions, the others the first of them: nothing, written as n/a or left blank.
    assert found["no_group_names"] == found["labels_only"] == found["without_na"] == found["all"][:1]
    assert found["all"][0] == dict.fromkeys(expected)
    assert {text for row in found["all"] for text in row.values()} > {"daily", "weekly"}


def test_canonical_layer_reads_a_settlement_profile(real_files: Path) -> None:
    folder = real_files / "kobo_ona_exports"
    form = read_form(folder / "form_with_multiple_select.xlsx")
    with (folder / "csv_import_with_multiple_select.csv").open(encoding="utf-8") as handle:
        header = next(csv.reader(handle))
    (row,), notes = canonical(folder / "csv_import_with_multiple_select.csv", form)
    assert list(row) == header
    assert (row["section_D/water_source"], notes) == ("taps borehole wells", [])
    assert row["section_D/sanitation"] == "flash pit_latrine blair bucket bush"


@pytest.mark.parametrize("language", ["English (en)", "Arabic (ar)"])
def test_canonical_layer_gives_codes_back_for_labels(tmp_path: Path, real_files: Path, language: str) -> None:
    """A household export in codes, written in labels as another export would, comes back to its codes."""
    folder = real_files / "iq_reach_kobo"
    form = read_form(folder / "xlsform.xlsx")
    coded, _ = canonical(folder / "raw_data.csv", form)
    assert len(coded) == 632
    by_column = {question.column: question for question in form.questions}
    known = [column for column in coded[0] if column in by_column]
    assert len(known) > 150
    assert {"start", "hh_info/hhh_r"}.issubset(known)
    labelled = []
    for row in coded:
        shown: dict[str, Any] = {}
        for column in known:
            question, text = by_column[column], row[column]
            labels = {choice.code: choice.labels.get(language, choice.code) for choice in form.choices(question)}
            if text is not None and question.type == "select_one":
                text = labels.get(text, text)
            if text is not None and question.type == "select_multiple":
                codes = text.split()
                if set(codes).issubset(labels):
                    head = question.labels.get(language, question.column)
                    shown |= {f"{head}/{label}": int(code in codes) for code, label in labels.items()}
                    text = "; ".join(labels[code] for code in codes)
            shown[column] = text
        labelled.append(shown)
    heads: Sequence[str] = list(dict.fromkeys(head for row in labelled for head in row))
    with (tmp_path / "labels.csv").open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, heads)
        writer.writeheader()
        writer.writerows(labelled)
    again, _ = canonical(tmp_path / "labels.csv", form)
    different = {
        column: (row[column], back[column])
        for row, back in zip(coded, again, strict=True)
        for column in known
        if sorted((row[column] or "").split()) != sorted((back[column] or "").split())
    }
    assert different == {}
