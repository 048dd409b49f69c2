"""Answers hold whatever number a figure can be."""

import json
import math

import orjson
import pandas as pd
import pytest

from service.formats.csv_tables import csv_text, plain_rows


@pytest.mark.parametrize("count", [math.inf, -math.inf, 1e19, 1e160, 1e308, 2.0**63, math.nan])
def test_counts_no_integer_holds_are_said_all_the_same(count: float) -> None:
    frame = pd.DataFrame({"population": [count, 12.0], "value": [count, 3.5]})
    rows = plain_rows(frame)
    assert json.loads(orjson.dumps(rows))[1] == {"population": 12, "value": 3.5}
    assert rows[0]["population"] == (count if math.isfinite(count) else None)
    assert "12,3.5" in csv_text(frame, ["population", "value"])
