"""Reading blocks from the database: the tallies of every settlement, with what figures need besides."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import shapely
from sqlalchemy import Connection, Select, and_, func, select, tuple_

from geo.base import own_ground_m2
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

_TALLY = ["survey_id", "indicator_id", "counted", "version", "settlement_id"]


def read_cells(connection: Connection, blocks: Sequence[Block], group_field: str = ALL) -> Cells:
    """The blocks, whole: see blocks.Cells."""
    survey_ids = sorted({block.round.survey_id for block in blocks})
    at = _survey_places(connection, survey_ids)
    if any(block.definition.measure == "density" for block in blocks):
        at = _with_own_ground(connection, at)
    at["place"] = at.groupby(["city", "code", "ward_code"], dropna=False).ngroup()
    places, wards = _places(at)
    at["ward"] = places["ward"].to_numpy()[at["place"]]
    heads = pd.DataFrame(
        [(i, b.round.survey_id, b.definition.id, b.counted, b.definition.version) for i, b in enumerate(blocks)],
        columns=["block", *_TALLY[:-1]],
    )
    grid = heads.merge(at, on="survey_id")
    tallies = _tallies(connection, blocks, group_field)
    if group_field == ALL:
        grid["group"] = UNKNOWN_GROUP
    else:
        codes = tallies[["survey_id", "group"]].drop_duplicates()
        without = heads.loc[~heads["survey_id"].isin(codes["survey_id"]), ["survey_id"]].drop_duplicates()
        grid = grid.merge(pd.concat([codes, without.assign(group=UNKNOWN_GROUP)]), on="survey_id")
    cells = grid.merge(tallies, on=[*_TALLY, "group"], how="left")
    numbers = [*SUMS, "n_sampled"]
    cells[numbers] = cells[numbers].astype(float).fillna(0.0)
    cells["n_sampled"] = cells.groupby(["block", "place"])["n_sampled"].transform("max")
    clustered = _clustered_blocks(connection, blocks)
    cells["clustered"] = cells["block"].isin(clustered)
    # Clusters are not told apart by group.
    clusters = _clusters(connection, blocks, cells) if clustered and group_field == ALL else pd.DataFrame()
    cells = _with_provision(connection, blocks, cells)
    cells = cells.sort_values(["block", "place", "group"], kind="stable", ignore_index=True)
    return Cells(list(blocks), places, wards, cells, clusters, group_field)


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


def _of_blocks(blocks: Sequence[Block], group_field: str) -> Select[Any]:
    keys = {(b.round.survey_id, b.definition.id, b.counted, b.definition.version) for b in blocks}
    key = tuple_(tally.c.survey_id, tally.c.indicator_id, tally.c.counted, tally.c.definition_version)
    return select(
        tally.c.survey_id,
        tally.c.indicator_id,
        tally.c.counted,
        tally.c.definition_version.label("version"),
        tally.c.settlement_id,
        tally.c.group_code.label("group"),
        tally.c.n_sampled,
        *(tally.c[name] for name in SUMS),
    ).where(tally.c.group_field == group_field, key.in_(sorted(keys)))


def _tallies(connection: Connection, blocks: Sequence[Block], group_field: str) -> pd.DataFrame:
    rows = connection.execute(_of_blocks(blocks, group_field))
    return pd.DataFrame(rows.all(), columns=list(rows.keys()))


def _clustered_blocks(connection: Connection, blocks: Sequence[Block]) -> set[int]:
    """The blocks of rounds whose sample was drawn by clusters."""
    asked = sorted({block.round.survey_id for block in blocks})
    found = select(tally.c.survey_id).where(tally.c.survey_id == func.any(asked), tally.c.group_field == CLUSTERS)
    surveys = set(connection.execute(found.distinct()).scalars())
    return {i for i, block in enumerate(blocks) if block.round.survey_id in surveys}


def _clusters(connection: Connection, blocks: Sequence[Block], cells: pd.DataFrame) -> pd.DataFrame:
    """The tallies of clusters, as blocks.Cells has them."""
    tallies = _tallies(connection, blocks, CLUSTERS)
    of_blocks = cells[["block", "place", "ward", *_TALLY]].drop_duplicates(["block", "place"])
    clusters = tallies.merge(of_blocks, on=_TALLY)
    keeps = np.array([block.definition.unknown == "unserved" for block in blocks], dtype=bool)[clusters["block"]]
    clusters["a"] = clusters["sum_a"] + clusters["sum_a_unknown"].where(keeps, 0.0)
    clusters["ay"] = clusters["sum_ay"]
    clusters["used"] = clusters["n"] + clusters["n_unknown"].where(keeps, 0)
    clusters["psu"] = clusters["group"]
    clusters["stratum"] = [stratum_of(code) for code in clusters["group"]]
    clusters["group"] = UNKNOWN_GROUP
    sampled = sampled_clusters(connection, sorted(set(clusters["survey_id"])))
    return clusters.merge(sampled, on=["survey_id", "stratum"])
