"""Reading blocks from the database: the tallies of every settlement, with what figures need besides."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import shapely
from sqlalchemy import ARRAY, Connection, Double, Integer, Text, and_, cast, func, select

from geo.base import own_ground_m2
from geo.database import read_arrays
from geo.database.schema.facilities import FACILITY_KINDS
from geo.database.schema.places import boundary, city, settlement, settlement_ward, ward
from geo.database.schema.surveys import survey, survey_frame
from geo.database.schema.tallies import tally
from geo.indicators.figures.blocks import Block, Cells
from geo.indicators.figures.clusters import sampled_clusters
from geo.indicators.figures.disclosure.protection import NO_WARD
from geo.indicators.tallies import ALL, CLUSTERS, UNKNOWN_GROUP, stratum_of
from geo.indicators.tallies.tally import SUMS
from geo.places import in_ward_on, provision, there_on, valid_on

_NUMBERS = (*SUMS, "n_sampled")


def read_cells(connection: Connection, blocks: Sequence[Block], group_field: str = ALL) -> Cells:
    """The blocks, whole: see blocks.Cells."""
    survey_ids = sorted({block.round.survey_id for block in blocks})
    at = _survey_places(connection, survey_ids)
    if any(block.definition.measure == "density" for block in blocks):
        at = _with_own_ground(connection, at)
    at["place"] = at.groupby(["city", "code", "ward_code"], dropna=False).ngroup()
    places, wards = _places(at)
    at["ward"] = places["ward"].to_numpy()[at["place"]]
    heads = pd.DataFrame({"block": range(len(blocks)), "survey_id": [block.round.survey_id for block in blocks]})
    facts = ["survey_id", "settlement_id", "place", "ward", "boundary_id", "area_m2", "households"]
    grid = heads.merge(at[facts], on="survey_id").sort_values(["block", "place"], ignore_index=True)
    codes = _group_codes(connection, survey_ids, group_field)
    cells = _by_group(grid, _tallies(connection, blocks, group_field, codes), codes)
    clustered = _clustered_blocks(connection, blocks)
    cells["clustered"] = cells["block"].isin(clustered)
    # Clusters are not told apart by group.
    clusters = _clusters(connection, blocks, grid) if clustered and group_field == ALL else pd.DataFrame()
    cells = _with_provision(connection, blocks, cells)
    return Cells(list(blocks), places, wards, cells, clusters, group_field)


def _by_group(grid: pd.DataFrame, tallies: pd.DataFrame, codes: Sequence[str]) -> pd.DataFrame:
    """The blocks and settlements of `grid` by all groups of their round, with the sums of each cell, or zeros.

    In the order of block, place and group. `codes` are in order too; `tallies` name a group by its number among them.
    """
    # By position, without a join: there are millions of cells by groups.
    surveys, survey_of = np.unique(grid["survey_id"], return_inverse=True)
    settlements, settlement_of = np.unique(grid["settlement_id"], return_inverse=True)
    row_of = np.full((int(grid["block"].max()) + 1, len(settlements) + 1), -1)
    row_of[grid["block"], settlement_of] = np.arange(len(grid))
    at = np.searchsorted(settlements, tallies["settlement_id"])
    known = np.isin(tallies["settlement_id"], settlements)
    rows = np.where(known, row_of[tallies["block"], at], -1)
    there, rows, numbers = rows >= 0, rows[rows >= 0], tallies["group"].to_numpy()[rows >= 0]
    has_group = np.zeros((len(surveys), len(codes)), dtype=bool)
    has_group[survey_of[rows], numbers] = True
    # A round without tallies has one group: those of whom it is not known.
    has_group[~has_group.any(axis=1), codes.index(UNKNOWN_GROUP)] = True
    of_row = has_group.sum(axis=1)[survey_of]
    first = np.cumsum(of_row) - of_row
    cell_of = first[rows] + (has_group.cumsum(axis=1) - 1)[survey_of[rows], numbers]
    cells = grid.loc[np.repeat(np.arange(len(grid)), of_row)].reset_index(drop=True)
    cells["group"] = np.array(codes, dtype=object)[np.nonzero(has_group[survey_of])[1]]
    sums = np.zeros((len(cells), len(_NUMBERS)))
    sums[cell_of] = tallies.loc[there, list(_NUMBERS)]
    cells[list(_NUMBERS)] = sums
    cells["n_sampled"] = np.repeat(np.maximum.reduceat(cells["n_sampled"].to_numpy(), first), of_row)
    return cells


def _with_provision(connection: Connection, blocks: Sequence[Block], cells: pd.DataFrame) -> pd.DataFrame:
    """The cells with what facilities provide, where their indicator is about facilities."""
    kinds = np.array([block.definition.facility or "" for block in blocks], dtype=object)[cells["block"]]
    cells = cells.assign(seats=np.nan, nearest_m=np.nan)
    for kind in FACILITY_KINDS:
        about = kinds == kind
        if about.any():
            surveys = sorted(set(cells.loc[about, "survey_id"]))
            found = provision(connection, kind, surveys).set_index(["survey_id", "settlement_id"])
            at = pd.MultiIndex.from_frame(cells.loc[about, ["survey_id", "settlement_id"]])
            of_cells = found.reindex(at)
            cells.loc[about, "seats"] = of_cells["seats_working"].to_numpy()
            cells.loc[about, "nearest_m"] = of_cells["nearest_m"].to_numpy()
    return cells


def _survey_places(connection: Connection, survey_ids: Sequence[int]) -> pd.DataFrame:
    """Each survey's settlements, with the boundary and the ward valid on its first day and the frame size."""
    rows = connection.execute(
        select(
            survey.c.id.label("survey_id"),
            settlement.c.id.label("settlement_id"),
            city.c.slug.label("city"),
            settlement.c.code,
            settlement.c.name,
            ward.c.code.label("ward_code"),
            ward.c.name.label("ward_name"),
            boundary.c.id.label("boundary_id"),
            boundary.c.area_m2,
            survey_frame.c.households,
        )
        .join(city, city.c.id == survey.c.city_id)
        .join(settlement, settlement.c.city_id == city.c.id)
        .outerjoin(settlement_ward, in_ward_on(survey.c.starts_on))
        .outerjoin(ward, ward.c.id == settlement_ward.c.ward_id)
        .outerjoin(boundary, and_(boundary.c.settlement_id == settlement.c.id, valid_on(survey.c.starts_on)))
        .outerjoin(
            survey_frame,
            and_(survey_frame.c.survey_id == survey.c.id, survey_frame.c.settlement_id == settlement.c.id),
        )
        .where(survey.c.id == func.any(list(survey_ids)), there_on(survey.c.starts_on))
    )
    frame = pd.DataFrame(rows.all(), columns=list(rows.keys()))
    return frame.astype({"area_m2": float, "households": float})


def _with_own_ground(connection: Connection, at: pd.DataFrame) -> pd.DataFrame:
    """The settlements of surveys with, as area_m2, the ground that each has to itself."""
    drawn = at.dropna(subset="boundary_id").sort_values(["survey_id", "code"])
    ids = sorted(set(drawn["boundary_id"].astype(int)))
    shapes = select(boundary.c.id, func.ST_AsBinary(boundary.c.geom)).where(boundary.c.id == func.any(ids))
    geoms = {row[0]: shapely.from_wkb(bytes(row[1])) for row in connection.execute(shapes)}
    own: dict[tuple[int, int], float] = {}
    for survey_id, of_survey in drawn.groupby("survey_id"):
        numbers = of_survey["boundary_id"].astype(int)
        polygons = np.array([geoms[number] for number in numbers], dtype=object)
        ground = own_ground_m2(polygons, of_survey["area_m2"].to_numpy(dtype=np.float64))
        own |= {(survey_id, number): float(m2) for number, m2 in zip(numbers, ground, strict=True)}
    keys = zip(at["survey_id"], at["boundary_id"], strict=True)
    return at.assign(area_m2=[own.get(key, np.nan) for key in keys])


def _places(at: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The settlements, once for each ward that a round has them in, and the wards of the cities, by their codes."""
    places = at.drop_duplicates("place").sort_values("place", ignore_index=True)
    wards = (
        places.dropna(subset="ward_code")[["city", "ward_code", "ward_name"]]
        .drop_duplicates(["city", "ward_code"])
        .sort_values(["city", "ward_code"], ignore_index=True)
    )
    number = pd.Series(np.arange(len(wards)), index=pd.MultiIndex.from_frame(wards[["city", "ward_code"]]), dtype=int)
    keys = pd.MultiIndex.from_frame(places[["city", "ward_code"]])
    places["ward"] = number.reindex(keys).fillna(NO_WARD).astype(int).to_numpy()
    wards = wards.rename(columns={"ward_code": "code", "ward_name": "name"})
    return places[["settlement_id", "city", "code", "name", "ward"]], wards


def _group_codes(connection: Connection, survey_ids: Sequence[int], group_field: str) -> list[str]:
    """The codes of the groups that the surveys have tallies of, and of the unknown one, in their order."""
    if group_field == ALL:
        return [UNKNOWN_GROUP]
    found = select(tally.c.group_code).where(
        tally.c.survey_id == func.any(list(survey_ids)), tally.c.group_field == group_field
    )
    return sorted({UNKNOWN_GROUP, *connection.execute(found.distinct()).scalars()})


def _tallies(connection: Connection, blocks: Sequence[Block], group_field: str, codes: Sequence[str]) -> pd.DataFrame:
    """The tallies of blocks, named by the number of the block, the settlement and the number of the group's code."""
    survey_ids = [block.round.survey_id for block in blocks]
    keys = {
        "survey_id": cast(survey_ids, ARRAY(Integer)),
        "indicator_id": cast([block.definition.id for block in blocks], ARRAY(Text)),
        "counted": cast([block.counted for block in blocks], ARRAY(Text)),
        "definition_version": cast([block.definition.version for block in blocks], ARRAY(Integer)),
    }
    asked = func.unnest(*keys.values()).table_valued(*keys, with_ordinality="block").render_derived(name="asked")
    named = func.unnest(cast(list(codes), ARRAY(Text))).table_valued("code", with_ordinality="number")
    named = named.render_derived(name="named")
    rows = (
        select(
            cast(asked.c.block - 1, Integer).label("block"),
            tally.c.settlement_id,
            cast(named.c.number - 1, Integer).label("group"),
            *(cast(tally.c[name], Double).label(name) for name in _NUMBERS),
        )
        .join(asked, and_(*(tally.c[name] == asked.c[name] for name in keys)))
        .join(named, tally.c.group_code == named.c.code)
        .where(tally.c.group_field == group_field, tally.c.survey_id == func.any(sorted(set(survey_ids))))
    )
    return pd.DataFrame(read_arrays(connection, rows))


def _clustered_blocks(connection: Connection, blocks: Sequence[Block]) -> set[int]:
    """The blocks of rounds whose sample was drawn by clusters."""
    asked = sorted({block.round.survey_id for block in blocks})
    found = select(tally.c.survey_id).where(tally.c.survey_id == func.any(asked), tally.c.group_field == CLUSTERS)
    surveys = set(connection.execute(found.distinct()).scalars())
    return {i for i, block in enumerate(blocks) if block.round.survey_id in surveys}


def _clusters(connection: Connection, blocks: Sequence[Block], grid: pd.DataFrame) -> pd.DataFrame:
    """The tallies of clusters, as blocks.Cells has them."""
    survey_ids = sorted({block.round.survey_id for block in blocks})
    codes = _group_codes(connection, survey_ids, CLUSTERS)
    tallies = _tallies(connection, blocks, CLUSTERS, codes)
    clusters = tallies.merge(
        grid[["block", "place", "ward", "survey_id", "settlement_id"]], on=["block", "settlement_id"]
    )
    keeps = np.array([block.definition.unknown == "unserved" for block in blocks], dtype=bool)[clusters["block"]]
    clusters["a"] = clusters["sum_a"] + clusters["sum_a_unknown"].where(keeps, 0.0)
    clusters["ay"] = clusters["sum_ay"]
    clusters["used"] = clusters["n"] + clusters["n_unknown"].where(keeps, 0)
    for name, of_codes in (("psu", codes), ("stratum", [stratum_of(code) if code else "" for code in codes])):
        clusters[name] = np.array(of_codes, dtype=object)[clusters["group"]]
    clusters["group"] = UNKNOWN_GROUP
    sampled = sampled_clusters(connection, sorted(set(clusters["survey_id"])))
    return clusters.merge(sampled, on=["survey_id", "stratum"])
