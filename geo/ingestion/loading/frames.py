"""Frame sizes: how many households each settlement has, or how many clusters each stratum, sampled or not."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Table, func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from geo.database import lock_places, raise_data_version
from geo.database.schema.places import settlement
from geo.database.schema.surveys import stratum_frame, survey, survey_frame
from geo.database.schema.tallies import tally
from geo.errors import MissingColumn
from geo.indicators.tallies import ALL, CLUSTERS, stratum_of
from geo.ingestion.findings import Findings
from geo.ingestion.loading.design_checks import note_small_frames
from geo.ingestion.loading.load import ErrorsFound, LoadResult
from geo.ingestion.mapping import texts
from geo.ingestion.mapping.quantities import MOST_HOUSEHOLDS
from geo.ingestion.reading import Layer, ReadOptions, open_layer
from geo.places import find_city, there_on
from geo.surveys import find_survey, frame_sizes


@dataclass(frozen=True)
class _Kind:
    """What a frame counts: the columns of its file, the table it is kept in, and what is said of a wrong name."""

    name: str
    size: str
    table: Table
    key: str
    unknown: str
    duplicate: str
    least: int
    """A settlement may have no household; a stratum without a cluster is none."""


_HOUSEHOLDS = _Kind(
    "settlement_code", "households", survey_frame, "settlement_id", "settlement_unknown", "settlement_duplicate", 0
)
_CLUSTERS = _Kind("stratum", "clusters", stratum_frame, "stratum", "stratum_unknown", "stratum_duplicate", 1)


def load_frame(connection: Connection, path: Path, city_slug: str, survey_slug: str, read: ReadOptions) -> LoadResult:
    """Loads a round's frame sizes: a table of settlement_code and households, or of stratum and clusters.

    An earlier number is replaced. A design without strata has one, whose name is blank.

    Raises:
        MissingColumn: the columns are neither.
        ErrorsFound: a settlement or stratum is unknown or named twice, or its size is no whole number that can be.
    """
    city_id = find_city(connection, city_slug)
    survey_id = find_survey(connection, city_id, survey_slug)["id"]
    lock_places(connection, city_id, "they stay")
    with open_layer(path, read) as layer:
        kind = _kind(layer, path.name)
        rows = _rows(layer, kind)
        findings = Findings()
        findings.add_remarks(layer)
    keys = _strata(connection, survey_id) if kind is _CLUSTERS else _settlements(connection, survey_id)
    numbers = pd.to_numeric(rows[kind.size], errors="coerce")
    bad = {
        (kind.unknown, kind.name): ~rows[kind.name].isin(keys.keys()),
        (kind.duplicate, kind.name): rows[kind.name].duplicated() & rows[kind.name].notna(),
        ("frame_size_invalid", kind.size): ~(numbers.between(kind.least, MOST_HOUSEHOLDS) & (numbers % 1 == 0)),
    }
    for (code, field), where in bad.items():
        shown = [None if pd.isna(value) else str(value) for value in rows.loc[where, field]]
        findings.add(code, rows.loc[where, "row_number"].to_numpy(dtype=np.int32), field=field, values=shown)
    rejected = findings.rejected_rows()
    result = LoadResult("loaded", None, len(rows), len(rows) - rejected, 0, rejected, findings)
    if rejected:
        raise ErrorsFound(result, path.name, may_skip=False)
    statement = upsert(kind.table)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["survey_id", kind.key], set_={kind.size: statement.excluded[kind.size]}
        ),
        [
            {"survey_id": survey_id, kind.key: keys[str(name)], kind.size: int(number)}
            for name, number in zip(rows[kind.name], numbers, strict=True)
        ],
    )
    if kind is _HOUSEHOLDS:
        note_small_frames(_sampled(connection, survey_id), frame_sizes(connection, survey_id), findings)
    raise_data_version(connection, city_id)
    return result


def _kind(layer: Layer, file_name: str) -> _Kind:
    """Which frame the columns are those of."""
    for kind in (_HOUSEHOLDS, _CLUSTERS):
        if kind.name in layer.columns and kind.size in layer.columns:
            return kind
    meant = _CLUSTERS if {_CLUSTERS.name, _CLUSTERS.size} & set(layer.columns) else _HOUSEHOLDS
    missing = [name for name in (meant.name, meant.size) if name not in layer.columns]
    raise MissingColumn("frame_column_missing", file=file_name, missing=missing, known=layer.columns)


def _rows(layer: Layer, kind: _Kind) -> pd.DataFrame:
    batches = [
        pd.DataFrame(
            {
                "row_number": batch.row_numbers,
                kind.name: texts(batch.columns[kind.name]).to_pylist(),
                kind.size: texts(batch.columns[kind.size]).to_pylist(),
            }
        )
        for batch in layer.batches
    ]
    rows = pd.concat(batches, ignore_index=True)
    names = rows[kind.name].astype(object).str.strip()
    return rows.assign(**{kind.name: names.fillna("") if kind is _CLUSTERS else names})


def _settlements(connection: Connection, survey_id: int) -> Mapping[str, int]:
    """The settlements that are there when the survey begins."""
    rows = connection.execute(
        select(settlement.c.code, settlement.c.id)
        .join(survey, survey.c.city_id == settlement.c.city_id)
        .where(survey.c.id == survey_id, there_on(survey.c.starts_on))
    )
    return {row.code: row.id for row in rows}


def _strata(connection: Connection, survey_id: int) -> Mapping[str, str]:
    """The strata of the survey's sample."""
    clusters = select(tally.c.group_code).where(tally.c.survey_id == survey_id, tally.c.group_field == CLUSTERS)
    strata = {stratum_of(code) for code in connection.execute(clusters.distinct()).scalars()}
    return {stratum: stratum for stratum in strata}


def _sampled(connection: Connection, survey_id: int) -> "pd.Series[int]":
    """How many households were surveyed in each settlement, by its code."""
    rows = connection.execute(
        select(settlement.c.code, func.max(tally.c.n_sampled).label("n"))
        .join(tally, tally.c.settlement_id == settlement.c.id)
        .where(tally.c.survey_id == survey_id, tally.c.group_field == ALL)
        .group_by(settlement.c.code)
    ).all()
    return pd.Series({row.code: row.n for row in rows}, dtype=int)
