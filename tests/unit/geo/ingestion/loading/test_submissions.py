"""Exports of KoboToolbox and ODK without a form: reviews, keys that stay, positions, sheets of repeats."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from geo.ingestion.findings import Findings
from geo.ingestion.loading import SourceOptions
from geo.ingestion.loading.observe import Placed, ReadSoFar, observe
from geo.ingestion.mapping.forms.form import build_form
from geo.ingestion.reading import ReadOptions, open_layer
from geo.places import Places
from tests.support import factories as f

PLACES = Places(["01"], ["Gandhinagar"], np.array([shapely.box(73.7, 18.5, 73.9, 18.7)]))
WHERE = {"_gps_latitude": 18.58, "_gps_longitude": 73.75}


def observed(path: Path, **options: Any) -> tuple[list[str | None], Findings, list[Placed]]:
    """The household codes of a file's kept rows, the findings, and the rows."""
    readings: list[ReadSoFar] = []
    placed = list(observe(path, PLACES, SourceOptions(**options), readings.append, None))
    codes = [code for each in placed for code in each.observations.fields["household_code"].to_pylist()]
    assert readings[0].rows_read == readings[0].rows_kept + readings[0].findings.rejected_rows()
    return codes, readings[0].findings, placed


@pytest.mark.parametrize(
    ("column", "rejected", "doubted"),
    [
        ("_validation_status", "validation_status_not_approved", "validation_status_on_hold"),
        ("_validation_status", "Not approved", "On hold"),
        ("__system/reviewState", "rejected", "hasIssues"),
        ("ReviewState", "rejected", "hasIssues"),
        ("X_validation_status", "Not Approved", "On Hold"),
    ],
)
def test_admit_leaves_rejected_submissions_out(tmp_path: Path, column: str, rejected: str, doubted: str) -> None:
    rows = [
        {"_submission_time": "2024-02-03", "_uuid": code, column: state, **WHERE}
        for code, state in (("a", "approved"), ("b", rejected), ("c", doubted), ("d", None))
    ]
    # Whatever else is wrong with a rejected submission is nobody's concern.
    rows[1] |= {"_gps_latitude": 1.0, "_uuid": "a"}
    codes, findings, _ = observed(f.write_csv(tmp_path / "export.csv", rows))
    assert codes == ["a", "c", "d"]
    found = findings.frame()
    assert list(zip(found["row_number"], found["code"], found["value"], strict=True)) == [
        (3, "submission_rejected", rejected),
        (4, "submission_on_hold", doubted),
    ]
    assert not findings.stop_load()


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"_uuid": "edit", "meta/rootUuid": "uuid:root", "_submission_time": "2024"}, "root"),
        ({"_uuid": "edit", "rootUuid": "", "_submission_time": "2024"}, "edit"),
        ({"X_uuid": "edit", "X_submission_time": "2024"}, "edit"),
        ({"KEY": "uuid:first", "meta-instanceID": "uuid:edit", "SubmissionDate": "2024"}, "first"),
        ({"__id": "uuid:first", "__system/submissionDate": "2024"}, "first"),
        ({"meta/instanceID": "uuid:only", "_id": 7}, "only"),
        ({"household_code": "H1", "_uuid": "edit", "_submission_time": "2024"}, "H1"),
    ],
)
def test_complete_keys_a_submission_by_what_stays(tmp_path: Path, row: dict[str, Any], code: str) -> None:
    assert observed(f.write_csv(tmp_path / "export.csv", [row | WHERE]))[0] == [code]


def test_complete_leaves_other_files_alone(tmp_path: Path) -> None:
    path = f.write_csv(tmp_path / "rows.csv", [{"KEY": "1", "longitude": 73.75, "latitude": 18.58}])
    readings: list[ReadSoFar] = []
    (placed,) = observe(path, PLACES, SourceOptions(), readings.append, None)
    assert "household_code" not in placed.observations.fields


@pytest.mark.parametrize(
    "position",
    [
        {"_geolocation": "[18.58, 73.75]"},
        {"_geolocation": "18.58 73.75"},
        {"_a/gps_latitude": 18.58, "_a/gps_longitude": 73.75},
    ],
)
def test_complete_finds_the_position(tmp_path: Path, position: dict[str, Any]) -> None:
    rows = [{"_uuid": "a", "_submission_time": "2024", **position}]
    _, _, (placed,) = observed(f.write_csv(tmp_path / "export.csv", rows))
    assert (placed.observations.lat[0], placed.observations.lon[0]) == (18.58, 73.75)


def test_complete_takes_the_forms_first_place(tmp_path: Path) -> None:
    form = build_form("form", [{"type": "geopoint", "name": "home"}, {"type": "geopoint", "name": "well"}], [], None)
    rows = [{"_uuid": "a", "well": "1.0 1.0 0 0", "home": "18.58 73.75 560 4"}]
    _, _, (placed,) = observed(f.write_csv(tmp_path / "export.csv", rows), form=form)
    assert (placed.observations.lat[0], placed.observations.lon[0]) == (18.58, 73.75)


def test_read_sheet_takes_the_main_sheet(tmp_path: Path) -> None:
    sheets: dict[str, list[list[Any]]] = {
        "main": [["_uuid", "_index"], ["a", 1]],
        "members": [["name", "_parent_index", "_submission__uuid"], ["x", 1, "a"]],
    }
    path = f.write_sheet(tmp_path / "export.xlsx", sheets)
    with open_layer(path, ReadOptions()) as layer:
        assert layer.columns == ["_uuid", "_index"]
    with open_layer(path, ReadOptions(layer="members")) as layer:
        assert layer.columns[0] == "name"
