"""Households put straight into the database, past every check, for tests of what is computed from them."""

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection, insert, text

from geo.database.schema.households import household
from geo.database.schema.places import city, organisation, settlement
from geo.database.schema.surveys import survey
from geo.database.schema.uploads import upload
from geo.fields import Unit, standard_fields
from geo.indicators.definitions import Definition
from geo.indicators.tallies import tally_survey
from geo.indicators.tallies.tally import SUMS
from tests.support.factories import ENDS, STARTS
from tests.support.tallying import tally_gdf

_NUMBERS = count(1)

Answers = Mapping[str, Any]


def store(connection: Connection, rows: Sequence[Answers], unit: Unit = "household") -> tuple[int, list[int]]:
    """Stores rows, whose `settlement` counts from 0; returns the survey's id and the settlements' ids."""
    slug = f"stored-{next(_NUMBERS)}"
    organisation_id = _add(connection, organisation, slug=slug, name=slug)
    city_id = _add(connection, city, slug=slug, name=slug)
    n_settlements = 1 + max((row.get("settlement", 0) for row in rows), default=0)
    places = [{"city_id": city_id, "code": str(i), "name": str(i)} for i in range(n_settlements)]
    ids = list(connection.execute(insert(settlement).returning(settlement.c.id), places).scalars())
    survey_id = _add(
        connection,
        survey,
        organisation_id=organisation_id,
        city_id=city_id,
        slug=slug,
        name=slug,
        starts_on=STARTS,
        ends_on=ENDS,
        unit=unit,
        mode="census",
    )
    upload_id = _add(
        connection,
        upload,
        organisation_id=organisation_id,
        city_id=city_id,
        content="survey",
        survey_id=survey_id,
        sha256=f"{survey_id:064x}",
        file_name="stored",
        size_bytes=1,
        uploaded_by="tester",
        profile={},
        rows_read=len(rows),
        rows_loaded=len(rows),
        rows_warned=0,
        rows_rejected=0,
    )
    connection.execute(text(f"CREATE TABLE household_{survey_id} PARTITION OF household FOR VALUES IN ({survey_id})"))
    whole = [
        {
            **dict.fromkeys([*standard_fields(), "asked", "extra"]),
            "weight": 1.0,
            **{name: value for name, value in row.items() if name != "settlement"},
            "survey_id": survey_id,
            "upload_id": upload_id,
            "row_number": number,
            "settlement_id": ids[row.get("settlement", 0)],
        }
        for number, row in enumerate(rows, start=1)
    ]
    if whole:
        connection.execute(insert(household), whole)
    return survey_id, ids


def _add(connection: Connection, table: Any, **values: Any) -> int:
    return int(connection.execute(insert(table).returning(table.c.id), values).scalar_one())


def frame_of(rows: Sequence[Answers], ids: Sequence[int]) -> gpd.GeoDataFrame:
    """The same rows as a frame with the settlements' ids."""
    whole = [
        {
            **dict.fromkeys([*standard_fields(), "asked", "extra"]),
            "weight": 1.0,
            **row,
            "settlement_id": ids[row.get("settlement", 0)],
        }
        for row in rows
    ]
    beside = [name for name in ("asked", "extra") if any(name in row for row in rows)]
    columns = ["settlement_id", *standard_fields(), *beside]
    return gpd.GeoDataFrame({name: pd.Series([row[name] for row in whole], dtype=object) for name in columns}).astype(
        {"settlement_id": "int64"}
    )


def tally_both(
    connection: Connection, definitions: Sequence[Definition], rows: Sequence[Answers], unit: Unit = "household"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows' tallies by PostGIS and by the frame engine, indexed by settlement, indicator and what is counted."""
    survey_id, ids = store(connection, rows, unit)
    tables = (tally_survey(connection, definitions, survey_id), tally_gdf(frame_of(rows, ids), definitions))
    position = {settlement_id: index for index, settlement_id in enumerate(ids)}
    ready = []
    for tallies in tables:
        keyed = tallies.assign(settlement=[position[i] for i in tallies["settlement_id"]])
        keyed = keyed.set_index(["settlement", "indicator_id", "counted"]).sort_index()
        ready.append(keyed[["definition_version", "n_sampled", *SUMS]].astype(float))
    return ready[0], ready[1]
