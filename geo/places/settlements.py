"""Settlements as files and observations are held against them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
from numpy.typing import NDArray


@dataclass(frozen=True)
class Places:
    """The settlements observations can be placed in, valid at one time. Shapes are lon/lat; None: no boundary."""

    codes: Sequence[str]
    names: Sequence[str]
    shapes: NDArray[Any]
    wards: Sequence[Sequence[str]] = ()
    """What each settlement's ward is called: code and name. Empty: no ward is known of any."""


@dataclass(frozen=True)
class OthersGround:
    """What other organisations drew in a city, and what its wards are called."""

    theirs: frozenset[str]
    """The codes of settlements another organisation gave: it drew the newest outline or, where none is, listed them."""
    codes: Sequence[str]
    """Of each outline another organisation drew, now or earlier, its settlement's code,"""
    shapes: NDArray[Any]
    """its shape in longitude and latitude,"""
    until: Sequence[date | None]
    """and the day from which it no longer holds; None: it holds until further notice."""
    wards: Mapping[str, str]
    """Names of wards by their codes."""
    valid_from_on: date | None
    """From which day the file's outlines hold, as the sender said; None: new settlements for all earlier rounds too,"""
    today: date
    """and redrawn ones from today."""


def is_named(frame: pd.DataFrame) -> "pd.Series[bool]":
    """Which rows say what their ward is called, beside its code."""
    return frame["ward_name"].notna() & (frame["ward_name"] != frame["ward_code"])
