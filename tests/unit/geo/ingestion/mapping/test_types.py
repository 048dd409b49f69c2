"""Mapping columns and values to standard fields."""

import numpy as np
import pyarrow as pa
import pytest

from geo.ingestion.findings import Findings
from geo.ingestion.mapping import Mapper, Observations, Profile
from geo.ingestion.mapping.profile import FieldMapping
from geo.ingestion.reading import Batch, Layer, ReadOptions


def _map(column: pa.Array, field: str, mapping: FieldMapping) -> tuple[Observations, Findings]:
    layer = Layer([mapping.column], None, has_geometry=False, total_rows=len(column), batches=iter(()))
    mapper = Mapper(layer, Profile(name="test", fields={field: mapping}), ReadOptions(), "file.csv")
    findings = Findings()
    rows = np.arange(2, 2 + len(column), dtype=np.int32)
    return mapper.map(Batch(rows, {mapping.column: column}, None), findings), findings


@pytest.mark.parametrize(
    "column",
    [pa.array([12, 999, None], pa.int64()), pa.array([12.0, 999.0, None]), pa.array(["12", "999", ""])],
    ids=["integers", "floats", "texts"],
)
def test_map_number_with_a_code_for_unknown(column: pa.Array) -> None:
    mapping = FieldMapping(column="WATER_MIN", values={"999": "unknown"})
    observations, findings = _map(column, "water_minutes", mapping)
    assert observations.fields["water_minutes"].to_pylist() == [12.0, None, None]
    assert findings.counts == {"error": 0, "warning": 0}


def test_map_number_typed_has_no_marks_to_read() -> None:
    """A decimal comma is said of the texts of a column; real numbers are what they are."""
    column = pa.array([1.5, 1.125, 999.0])
    for mapping in (FieldMapping(column="q", decimal=","), FieldMapping(column="q", decimal=",", values={"998": 1})):
        observations, findings = _map(column, "weight", mapping)
        assert observations.fields["weight"].to_pylist() == [1.5, 1.125, 999.0]
        assert findings.counts["warning"] == 0


def test_map_number_typed_with_a_blank_that_is_one() -> None:
    layer = Layer(["q"], None, has_geometry=False, total_rows=2, batches=iter(()))
    profile = Profile(name="p", blank=["999"], fields={"water_minutes": FieldMapping(column="q")})
    mapper, rows = Mapper(layer, profile, ReadOptions(), "f.csv"), np.arange(2, 4, dtype=np.int32)
    observations = mapper.map(Batch(rows, {"q": pa.array([12, 999])}, None), Findings())
    assert observations.fields["water_minutes"].to_pylist() == [12.0, None]


def test_map_yes_no_of_a_batch_in_which_nobody_answered() -> None:
    observations, _ = _map(pa.nulls(3, pa.string()), "internet", FieldMapping(column="NET"))
    assert observations.fields["internet"].type == pa.bool_()


@pytest.mark.parametrize("name", ["members", "water_minutes"])
def test_map_number_that_no_float_holds_exactly(name: str) -> None:
    """A number of sixteen digits is none of the possible ones: a finding, and no fault."""
    observations, findings = _map(pa.array([3, 2**53 + 1, 2**63 - 1], pa.int64()), name, FieldMapping(column="q"))
    assert observations.fields[name].to_pylist() == [3, None, None]
    assert findings.counts == {"error": 0, "warning": 2}


def test_map_weight_that_no_float_holds_exactly() -> None:
    observations, _ = _map(pa.array([3, 2**53 + 1], pa.int64()), "weight", FieldMapping(column="q"))
    assert observations.fields["weight"].to_pylist() == [3.0, float(2**53)]
