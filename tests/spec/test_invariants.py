"""What must hold of any tallies: roll-ups are sums, and sums of a scan."""

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Connection

from geo.indicators.definitions import catalogue
from geo.indicators.tallies.tally import SUMS
from tests.support.stored import tally_both

ROWS = [
    {
        "settlement": i % 5,
        "weight": 1 + (i % 7) / 3,
        "members": None if i % 11 == 0 else i % 9,
        "toilet_type": ["none", "vip", "flush_open", None][i % 4],
        "toilet_users": [None, "own", "shared", "community", "public"][i % 5],
        "drainage": ["closed", "open", "none", None][i % 4],
        "interview_result": [None, "completed", "absent"][i % 3],
    }
    for i in range(200)
]


@pytest.mark.parametrize("which", [0, 1], ids=["postgis", "frame"])
def test_city_is_the_sum_of_its_settlements(connection: Connection, which: int) -> None:
    definitions = list(catalogue().values())
    apart = tally_both(connection, definitions, ROWS)[which]
    whole = tally_both(connection, definitions, [{**row, "settlement": 0} for row in ROWS])[which]
    summed = apart.groupby(["indicator_id", "counted"])[list(SUMS)].sum()
    pd.testing.assert_frame_equal(summed, whole.droplevel("settlement")[list(SUMS)].sort_index(), rtol=1e-9)


def test_drain_ladder_sums_to_everybody(connection: Connection) -> None:
    """Closed, open only and none share out all who answered; each household stands on one rung."""
    definitions = [catalogue()["drainage_closed"], catalogue()["drainage_any"]]
    interviewed = [row for row in ROWS if row["interview_result"] != "absent"]
    for tallies in tally_both(connection, definitions, ROWS):
        city = tallies.groupby(["indicator_id", "counted"])[list(SUMS)].sum()
        closed, any_ = (city.loc[(d.id, "households")] for d in definitions)
        by_hand = {
            rung: sum(float(str(row["weight"])) for row in interviewed if row["drainage"] == rung)
            for rung in ("closed", "open", "none")
        }
        assert closed["sum_a"] == pytest.approx(sum(by_hand.values()))
        assert closed["sum_ay"] == pytest.approx(by_hand["closed"])
        assert any_["sum_ay"] - closed["sum_ay"] == pytest.approx(by_hand["open"])
        assert any_["sum_a"] - any_["sum_ay"] == pytest.approx(by_hand["none"])


def test_households_in_base_are_answering_and_unknown(connection: Connection) -> None:
    of_all = [definition for definition in catalogue().values() if not definition.narrows_base]
    for tallies in tally_both(connection, of_all, ROWS):
        asked = (tallies["n"] + tallies["n_unknown"]).groupby(["indicator_id", "counted"]).sum()
        interviewed = sum(row["interview_result"] != "absent" for row in ROWS)
        assert np.unique(asked).tolist() == [interviewed]
