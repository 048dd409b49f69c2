"""All that is published of a round made up in memory, with the rules or with others in their place."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from geo.fields import Unit
from geo.indicators.definitions import Definition, catalogue
from geo.indicators.figures import LEVELS, NO_WARD, Block, Cells, Round, finish, make_levels, named
from geo.indicators.figures.compute import Exact, decide_levels
from geo.indicators.figures.disclosure.audit import Counts, Finding, Named, audit, find_of_nobody
from geo.indicators.figures.disclosure.audit import Text as Published
from geo.indicators.figures.disclosure.rules import MIN_HOUSEHOLDS
from geo.indicators.tallies import ALL, UNKNOWN_GROUP
from geo.indicators.tallies.tally import SUMS
from geo.surveys import Mode
from tests.support.tallying import tally_gdf

WELL_OFF: Mapping[str, Any] = {
    **{"members": 4, "rooms": 2, "toilet_type": "flush_septic", "toilet_location": "on_premises"},
    **{"toilet_users": "own", "toilet_working": True, "drainage": "closed", "water_source": "piped_dwelling"},
    **{"water_location": "dwelling", "electricity": "metered", "internet": True, "hazard": "none"},
    **{"wall_permanent": True, "roof_permanent": True, "floor_permanent": True, "tenure_document": True},
    **{"fears_eviction": False, "may_bequeath": True, "head_sex": "male", "has_disability": False},
}
"""The answers of a household that lacks nothing."""

FORMER = 1
"""The number of the former of two publications."""

Cell = tuple[str, str, str]
"""An indicator, a level and a place."""


@dataclass(frozen=True)
class Text:
    """A round's households, in settlements that lie in wards or in none."""

    rows: Sequence[Mapping[str, Any]]
    """Each with `settlement` and its answers; in a register with `weight` and `asked`."""
    wards: Mapping[str, str | None]
    indicators: Sequence[str]
    by: Sequence[str] = ()
    unit: Unit = "household"
    mode: Mode = "census"
    hectares: float = 10.0
    frame: float = np.nan

    @property
    def definitions(self) -> list[Definition]:
        """Those of its indicators."""
        return [catalogue()[name] for name in self.indicators]

    def cells(self, by: str = ALL) -> Cells:
        """The tallies of all its indicators at both levels that are counted."""
        codes = sorted(self.wards)
        frame = pd.DataFrame([{"settlement_id": codes.index(row["settlement"]), **row} for row in self.rows])
        tallies = tally_gdf(frame, self.definitions, by=by, unit=self.unit)
        of_round = Round("town", "2024", self.unit, self.mode, date(2024, 1, 1), date(2024, 3, 31))
        blocks = [Block(of_round, each, level) for each in self.definitions for level in each.counted_levels()]
        heads = pd.DataFrame(
            [(i, block.definition.id, block.counted) for i, block in enumerate(blocks)],
            columns=["block", "indicator_id", "counted"],
        )
        names = sorted({ward for ward in self.wards.values() if ward is not None})
        at = [names.index(ward) if (ward := self.wards[code]) is not None else NO_WARD for code in codes]
        places = pd.DataFrame({"code": codes, "name": codes, "ward": at})
        grid = pd.DataFrame({"settlement_id": range(len(codes)), "place": range(len(codes)), "ward": at})
        groups = pd.DataFrame({"group_code": sorted(set(tallies["group_code"])) or [UNKNOWN_GROUP]})
        cells = (
            heads.merge(grid, how="cross")
            .merge(groups, how="cross")
            .merge(
                tallies.drop(columns=["definition_version", "group_field"]),
                on=["indicator_id", "counted", "settlement_id", "group_code"],
                how="left",
            )
        )
        numbers = [*SUMS, "n_sampled"]
        cells[numbers] = cells[numbers].astype(float).fillna(0.0)
        cells["n_sampled"] = cells.groupby(["block", "place"])["n_sampled"].transform("max" if by == ALL else "sum")
        cells = cells.rename(columns={"group_code": "group"}).assign(
            survey_id=0,
            households=self.frame,
            area_m2=self.hectares * 1e4,
            boundary_id=np.nan,
            clustered=False,
            seats=np.nan,
            nearest_m=np.nan,
        )
        cells = cells.sort_values(["block", "place", "group"], kind="stable", ignore_index=True)
        wards = pd.DataFrame({"code": names, "name": names})
        return Cells(blocks, places, wards, cells, pd.DataFrame(), by)

    def published(self) -> pd.DataFrame:
        """What the public gets."""
        whole = self.cells()
        made, of_whole = [self._said(whole, make_levels(whole, LEVELS, "public"))], decide_levels(whole)
        for by in self.by:
            table = self.cells(by)
            made.append(self._said(table, make_levels(table, LEVELS, "public", of_whole)))
        return pd.concat(made, ignore_index=True)

    def with_withheld(
        self, hidden: Collection[Cell], reason: Callable[[Cell], str] = lambda _: "protected"
    ) -> pd.DataFrame:
        """What the public would get, were these figures withheld and no others."""
        made = []
        for by in (ALL, *self.by):
            table = self.cells(by)
            exact = make_levels(table, LEVELS, "full")
            told = {}
            for level, of_level in exact.items():
                said = named(of_level.figures.assign(status="", rounded_to=np.nan, kept_from=np.nan), table, level)
                cells = zip(said["indicator"], said["level"], said["_code"], strict=True)
                reasons = [reason(cell) if cell in hidden else None for cell in cells]
                figures = of_level.figures.assign(reason=pd.Series(reasons, dtype=object))
                told[level] = replace(of_level, figures=figures, access="public")
            made.append(self._said(table, told))
        return pd.concat(made, ignore_index=True)

    def _said(self, table: Cells, levels: Mapping[Any, Exact]) -> pd.DataFrame:
        return pd.concat([named(finish(exact), table, level) for level, exact in levels.items()], ignore_index=True)

    def audited(
        self, figures: pd.DataFrame, former: pd.DataFrame | None = None, made_from: Mapping[Named, Counts] | None = None
    ) -> list[Finding]:
        """What can be learnt from a text of this round, and from what a former publication of it said."""
        answering = self.answering()
        not_few = {key for key, n in answering.items() if not 0 < n < MIN_HOUSEHOLDS}
        return audit(
            Published(figures, FORMER + 1, not_few, find_of_nobody(answering), made_from or {}),
            self.wards,
            self.definitions,
            dict.fromkeys(self.wards, self.hectares),
            former=None if former is None else Published(former, FORMER),
        )

    def answering(self) -> dict[Named, float]:
        """How many households answered, of each figure."""
        found: dict[Named, float] = {}
        for by in (ALL, *self.by):
            table = self.cells(by)
            for level, exact in make_levels(table, LEVELS, "full").items():
                told = exact.figures.assign(status="", rounded_to=np.nan, kept_from=np.nan)
                said = named(told, table, level).assign(answering=told["answering"].to_numpy())
                for row in said.to_dict("records"):
                    group = row["group"] if by != ALL else None
                    key = (level, row["_code"], row["indicator"], row["counted"], by or None, group)
                    found[key] = row["answering"]
        return found

    def made_from(self) -> dict[Named, Counts]:
        """What the figures of settlements are made from that the public gets."""
        found: dict[Named, Counts] = {}
        whole = decide_levels(self.cells())
        for by in (ALL, *self.by):
            table = self.cells(by)
            exact = make_levels(table, ["settlement"], "public", None if by == ALL else whole)["settlement"].figures
            said = named(exact.assign(status="", rounded_to=np.nan, kept_from=np.nan), table, "settlement")
            for row, counts in zip(said.to_dict("records"), exact.to_dict("records"), strict=True):
                key = ("settlement", row["_code"], row["indicator"], row["counted"], by or None, row["group"] or None)
                found[key] = Counts(*(counts[name] for name in ("answering", "yes", "asked", "sum_ay")))
        return found

    def published_after(self, former: pd.DataFrame, *kept: str) -> pd.DataFrame:
        """What the public gets where, of these places, it is told again what a former publication said."""
        new, old = self.published().assign(kept_from=np.nan), former.assign(kept_from=float(FORMER))
        return pd.concat([new[~_code_of(new).isin(kept)], old[_code_of(old).isin(kept)]], ignore_index=True)


def _code_of(figures: pd.DataFrame) -> "pd.Series[str]":
    return figures["settlement_code"].fillna(figures["ward_code"]).fillna("")


def households(settlement: str, n: int, **answers: Any) -> list[dict[str, Any]]:
    """Households of a settlement that lack nothing, but for these answers; a callable is asked of each number."""
    return [
        {"settlement": settlement, **WELL_OFF, **{k: v(i) if callable(v) else v for k, v in answers.items()}}
        for i in range(n)
    ]


def cells_of(indicators: Iterable[str], *places: str, level: str = "settlement") -> set[Cell]:
    """These indicators in these places."""
    return {(indicator, level, place) for indicator in indicators for place in places}
