"""Blocks built by hand: settlements with the sums a tally would hold, for tests of what is made of them."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from geo.fields import Unit
from geo.indicators.definitions import Counted, Definition, catalogue
from geo.indicators.figures import LEVELS, NO_WARD, Access, Block, Cells, Level, Round, finish, make_levels
from geo.indicators.figures.compute import Decided, decide_levels, make_exact
from geo.indicators.tallies import ALL, UNKNOWN_GROUP
from geo.indicators.tallies.tally import SUMS
from geo.surveys import Mode


def counts(yes: float, n: float, unknown: float = 0, *, weight: float = 1, **more: Any) -> dict[str, Any]:
    """The sums of n households of one weight, `yes` of which say yes, and of more that do not say."""
    return {
        "n": n,
        "n_unknown": unknown,
        "n_yes": yes,
        "n_sampled": n + unknown,
        "sum_w": n * weight,
        "sum_a": n * weight,
        "sum_ay": yes * weight,
        "sum_a2": n * weight**2,
        "sum_a2y": yes * weight**2,
        "sum_a2y2": yes * weight**2,
        "sum_a_unknown": unknown * weight,
        "sum_a2_unknown": unknown * weight**2,
        "sum_w_unknown": unknown * weight,
        **more,
    }


def table(
    cells: Sequence[dict[str, Any]],
    indicator: str | Definition = "drainage_any",
    *,
    counted: Counted | None = None,
    mode: Mode = "census",
    unit: Unit = "household",
    group_field: str = ALL,
) -> Cells:
    """One block. Each cell has `counts`, and may have settlement (its index), ward, group, households, area_m2."""
    definition = catalogue()[indicator] if isinstance(indicator, str) else indicator
    of_round = Round("city", "round", unit, mode, date(2024, 1, 1), date(2024, 12, 31))
    block = Block(of_round, definition, counted or definition.counted)
    rows = [
        {
            "block": 0,
            "survey_id": 0,
            "place": cell.get("settlement", i),
            "ward": cell.get("ward", NO_WARD),
            "group": cell.get("group", UNKNOWN_GROUP),
            "households": cell.get("households", np.nan),
            "area_m2": cell.get("area_m2", 1e6),
            "boundary_id": cell.get("settlement", i),
            "seats": cell.get("seats", np.nan),
            "nearest_m": cell.get("nearest_m", np.nan),
            "clustered": False,
            **{name: cell.get(name, 0.0) for name in (*SUMS, "n_sampled")},
        }
        for i, cell in enumerate(cells)
    ]
    frame = pd.DataFrame(rows).astype(dict.fromkeys([*SUMS, "n_sampled", "households"], float))
    places = frame.drop_duplicates("place")[["place", "ward"]].sort_values("place", ignore_index=True)
    codes = [f"S{place}" for place in places["place"]]
    wards = sorted(set(places["ward"]) - {NO_WARD})
    return Cells(
        [block],
        pd.DataFrame({"code": codes, "name": codes, "ward": places["ward"]}),
        pd.DataFrame({"code": [f"W{ward}" for ward in wards], "name": [f"W{ward}" for ward in wards]}),
        frame.sort_values(["block", "place", "group"], ignore_index=True),
        pd.DataFrame(),
        group_field,
    )


def figures(
    made: Cells, level: Level = "settlement", access: Access = "full", whole: Cells | None = None
) -> list[dict[str, Any]]:
    """The figures of a table's one block, a mapping each."""
    found: list[dict[str, Any]] = finish(make_exact(made, level, access, _decided(whole))).to_dict("records")
    return found


def figures_by_level(made: Cells, access: Access, whole: Cells | None = None) -> dict[Level, list[dict[str, Any]]]:
    """The same at every level, computed once for all of them."""
    exact = make_levels(made, LEVELS, access, _decided(whole))
    return {level: finish(of_level).to_dict("records") for level, of_level in exact.items()}


def _decided(whole: Cells | None) -> dict[Level, Decided] | None:
    return None if whole is None else decide_levels(whole)
