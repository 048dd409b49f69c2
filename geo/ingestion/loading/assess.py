"""Figures with no database: boundaries and observations in, the same figures out as PostGIS gives."""

from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely.geometry import Point

from geo.base import STORAGE_CRS, own_ground_m2
from geo.errors import UnreadableFile
from geo.indicators.definitions import Counted, Definition, catalogue
from geo.indicators.figures import (
    COLUMNS,
    DATES,
    LEVELS,
    NO_ANSWERS,
    NO_WARD,
    TOO_MANY_UNKNOWN,
    Access,
    Block,
    Cells,
    Round,
    finish,
    headline,
    make_levels,
    named,
)
from geo.indicators.tallies import UNKNOWN_GROUP, FrameTally
from geo.indicators.tallies.tally import SUMS
from geo.ingestion.findings import Findings
from geo.ingestion.loading.boundaries.rows import BoundariesRead
from geo.ingestion.loading.design_checks import DesignChecks
from geo.ingestion.loading.observe import Progress, ReadSoFar, observe
from geo.ingestion.loading.source import SourceOptions
from geo.ingestion.mapping import Profile
from geo.surveys import Mode

_HELD_BATCHES = 4


@dataclass(frozen=True)
class Assessment:
    """Figures of every settlement, ward and of the whole, and what was found on the way.

    The figures are as in values.FigurePage, but without the days of the round.
    """

    figures: pd.DataFrame
    of_households: pd.DataFrame
    """The same of the indicator that was asked to be mapped, counted in households: what circles on a map count."""
    lacking: Mapping[str, Sequence[str]]
    """Of indicators without a figure for all, the fields the file does not have, where it has others of theirs."""
    boundaries: BoundariesRead
    findings: Findings
    rows_read: int
    rows_kept: int

    def map_frame(self, indicator: str) -> gpd.GeoDataFrame:
        """One indicator's figures by settlement with the boundaries they belong to, in longitude and latitude."""
        chosen = self.figures[(self.figures["level"] == "settlement") & (self.figures["indicator"] == indicator)]
        shapes = self.boundaries.frame.set_index("code")["geom"]
        if "lon" in self.boundaries.frame:
            at = self.boundaries.frame.set_index("code")[["lon", "lat"]]
            shapes = pd.Series([None if np.isnan(x) else Point(x, y) for x, y in at.to_numpy()], index=at.index)
        of_settlements = self.of_households[self.of_households["level"] == "settlement"]
        unserved = of_settlements.set_index("settlement_code")["unserved"].astype(float)
        chosen = chosen.assign(unserved=chosen["settlement_code"].map(unserved).astype(float))
        return gpd.GeoDataFrame(chosen, geometry=list(shapes.loc[chosen["settlement_code"]]), crs=STORAGE_CRS)

    @property
    def city_unserved(self) -> float | None:
        """Households without what the mapped indicator is a share of, in all; None where nothing says it."""
        unserved = self.of_households[self.of_households["level"] == "city"]["unserved"].dropna()
        return None if unserved.empty else float(unserved.iloc[0])


def assess(
    boundaries: BoundariesRead,
    path: Path,
    source: SourceOptions,
    *,
    city: str,
    survey: str,
    mode: Mode,
    counted: Counted | None = None,
    mapped: str = "",
    access: Access = "public",
    progress: Progress | None = None,
) -> Assessment:
    """Places a file's observations in the boundaries and makes every figure of the catalogue that rests on answers.

    `mapped` is the indicator of which a map will be drawn.

    Raises:
        InputError: the file or the profile cannot be used, or none of its rows can.
    """
    definitions = [definition for definition in catalogue().values() if definition.facility is None]
    tally = FrameTally(definitions, len(boundaries.frame), source.unit)
    places = boundaries.places()
    design = DesignChecks(places.codes)
    readings: list[ReadSoFar] = []
    # While a batch is being summed the next is read and checked.
    with ThreadPoolExecutor(max_workers=1) as beside:
        summing: deque[Future[None]] = deque()
        for placed in observe(path, places, source, readings.append, progress):
            seen = placed.observations
            design.add(seen.fields, placed.settlement)
            summing.append(beside.submit(tally.add, seen.fields, placed.settlement, seen.asked, seen.extra))
            if len(summing) > _HELD_BATCHES:
                summing.popleft().result()
        for each in summing:
            each.result()
    (reading,) = readings
    if reading.rows_read == 0:
        raise UnreadableFile("assess_without_rows", file=path.name)
    if source.unit == "household":
        design.check(mode, {}, reading.findings)
    tallies = tally.tallies(np.arange(len(boundaries.frame), dtype=np.int64))
    of_round = Round(city, survey, source.unit, mode, date.min, date.min, members_unknown=_members_unknown(tallies))
    levels = [(definition, counted or headline(definition, [of_round])) for definition in definitions]
    households: list[tuple[Definition, Counted]] = [(d, "households") for d in definitions if d.id == mapped]

    settlements = _settlements(boundaries.frame)

    # All at once, whichever are shown: what may be said of one depends on the others.
    every = [(definition, level) for definition in definitions for level in definition.counted_levels()]
    made = _figures([Block(of_round, each, level) for each, level in every], tallies, settlements, access)

    of_block = pd.MultiIndex.from_frame(made[["indicator", "counted"]])

    def figures(of: Sequence[tuple[Definition, Counted]]) -> pd.DataFrame:
        wanted = [(definition.id, level) for definition, level in of]
        return made[of_block.isin(wanted)].reset_index(drop=True)

    shown = figures(levels)
    return Assessment(
        shown,
        figures(households),
        _lacking(shown, definitions, reading.profile),
        boundaries,
        reading.findings,
        reading.rows_read,
        reading.rows_kept,
    )


@dataclass(frozen=True)
class _Settlements:
    """The settlements in the order of their codes, their wards, and where each stands in a block: see blocks.Cells."""

    places: pd.DataFrame
    wards: pd.DataFrame
    at: pd.DataFrame


def _figures(blocks: list[Block], tallies: pd.DataFrame, settlements: _Settlements, access: Access) -> pd.DataFrame:
    """The figures of every level. Of when the survey was, two files say nothing."""
    columns = [name for name in COLUMNS if name not in DATES]
    table = _cells(blocks, tallies, settlements)
    made = make_levels(table, LEVELS, access)
    figures = [named(finish(exact), table, level) for level, exact in made.items()]
    return pd.concat(figures, ignore_index=True)[columns]


def _lacking(figures: pd.DataFrame, definitions: Sequence[Definition], profile: Profile) -> dict[str, list[str]]:
    """The fields that leave an indicator without a figure for all, where the file has others that it needs."""
    there = set(profile.fields) | {name for share in profile.shares.values() for name in share.fields()}
    without = figures[(figures["level"] == "city") & figures["reason"].isin((NO_ANSWERS, TOO_MANY_UNKNOWN))]
    found = {}
    for definition in definitions:
        missing = [name for name in definition.fields if name not in there]
        if missing and set(definition.fields) & there and (without["indicator"] == definition.id).any():
            found[definition.id] = missing
    return found


def _members_unknown(tallies: pd.DataFrame) -> float:
    """The share of households whose number of members is not known."""
    people = tallies[(tallies["indicator_id"] == "density_persons") & (tallies["counted"] == "persons")]
    everyone = float((people["n"] + people["n_unknown"]).sum())
    return float(people["n_unknown"].sum()) / everyone if everyone else 0.0


def _settlements(frame: pd.DataFrame) -> _Settlements:
    """The settlements of a frame of boundaries."""
    order = frame["code"].astype(str).argsort(kind="stable").to_numpy()
    wards = (
        frame.dropna(subset="ward_code")[["ward_code", "ward_name"]]
        .drop_duplicates("ward_code")
        .sort_values("ward_code", ignore_index=True)
        .rename(columns={"ward_code": "code", "ward_name": "name"})
    )
    number = pd.Series(np.arange(len(wards)), index=wards["code"], dtype=int)
    places = pd.DataFrame(
        {
            "settlement_id": order,
            "code": frame["code"].to_numpy()[order],
            "name": frame["name"].to_numpy()[order],
            "ward": number.reindex(frame["ward_code"].to_numpy()[order]).fillna(NO_WARD).astype(int).to_numpy(),
        }
    )
    at = places[["settlement_id", "ward"]].assign(
        place=np.arange(len(places)),
        survey_id=0,
        boundary_id=np.nan,
        area_m2=own_ground_m2(frame["geom"].to_numpy()[order], frame["area_m2"].to_numpy()[order]),
    )
    return _Settlements(places, wards, at)


def _cells(blocks: list[Block], tallies: pd.DataFrame, settlements: _Settlements) -> Cells:
    """The blocks as the database would give them."""
    heads = pd.DataFrame(
        [(i, block.definition.id, block.counted) for i, block in enumerate(blocks)],
        columns=["block", "indicator_id", "counted"],
    )
    sums = tallies.drop(columns=["definition_version", "group_field", "group_code"])
    cells = heads.merge(settlements.at, how="cross").merge(
        sums, on=["indicator_id", "counted", "settlement_id"], how="left"
    )
    numbers = [*SUMS, "n_sampled"]
    cells[numbers] = cells[numbers].astype(float).fillna(0.0)
    cells = cells.assign(group=UNKNOWN_GROUP, households=np.nan, clustered=False, seats=np.nan, nearest_m=np.nan)
    cells = cells.sort_values(["block", "place"], kind="stable", ignore_index=True)
    return Cells(blocks, settlements.places, settlements.wards, cells, pd.DataFrame())
