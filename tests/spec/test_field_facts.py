"""Figures from the field that a statement of several answers must give."""

from typing import Any

import pytest
from sqlalchemy import Connection

from geo.indicators.definitions import catalogue
from tests.support.stored import Answers, tally_both


def test_toilets_of_laxmi_nagar(connection: Connection) -> None:
    """57 % have a toilet of their own and 55 % of those cannot be used: 25.65 % have one that works.

    Of 10,000 families 5,700 have one, of whom 55 % are 3,135.
    """
    own: Answers = {"toilet_type": "flush_septic", "toilet_users": "own", "toilet_location": "on_premises"}
    of_ten_thousand: list[Answers] = [
        {**own, "toilet_working": True, "weight": 2_565},
        {**own, "toilet_working": False, "weight": 3_135},
        {"toilet_type": "flush_sewer", "toilet_users": "community", "toilet_working": True, "weight": 4_300},
    ]
    definitions = [catalogue()["household_toilet"], catalogue()["household_toilet_working"]]
    for tallies in tally_both(connection, definitions, of_ten_thousand):
        for indicator, percent in (("household_toilet", 57), ("household_toilet_working", 25.65)):
            key: Any = (0, indicator, "households")
            tally = tallies.loc[key]
            assert tally["n_unknown"] == 0
            assert 100 * tally["sum_ay"] / tally["sum_a"] == pytest.approx(percent, rel=1e-12)
