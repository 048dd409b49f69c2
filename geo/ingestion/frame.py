"""Frame sizes: how many households each settlement is known to have, beyond those a survey reached."""

from pathlib import Path

import numpy as np
import pandas as pd
from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert as upsert

from geo.errors import MissingColumn
from geo.ingestion import store
from geo.ingestion.cells import texts
from geo.ingestion.findings import Findings
from geo.ingestion.formats import open_layer
from geo.ingestion.layers import ReadOptions
from geo.ingestion.loads import ErrorsFound, LoadResult
from geo.places import find_city
from geo.schema.places import settlement
from geo.schema.surveys import survey_frame
from geo.surveys import find_survey

CODE, HOUSEHOLDS = "settlement_code", "households"


def load_frame(connection: Connection, path: Path, city_slug: str, survey_slug: str, read: ReadOptions) -> LoadResult:
    """Loads a table of settlement_code and households for a round; a settlement's earlier number is replaced.

    Raises:
        MissingColumn: one of the two columns is not there.
        ErrorsFound: a settlement is unknown or named twice, or its households are no whole number above 0.
    """
    city_id = find_city(connection, city_slug)
    survey_id = find_survey(connection, city_id, survey_slug)["id"]
    with open_layer(path, read) as layer:
        missing = [name for name in (CODE, HOUSEHOLDS) if name not in layer.columns]
        if missing:
            raise MissingColumn(
                f"{path.name} has no column {' and no column '.join(missing)}; a frame has the columns {CODE} and "
                f"{HOUSEHOLDS}. The file has {', '.join(layer.columns)}."
            )
        rows = pd.concat(
            [
                pd.DataFrame(
                    {
                        "row_number": batch.row_numbers,
                        CODE: texts(batch.columns[CODE]).to_pylist(),
                        HOUSEHOLDS: texts(batch.columns[HOUSEHOLDS]).to_pylist(),
                    }
                )
                for batch in layer.batches
            ],
            ignore_index=True,
        )
    ids = {
        row.code: row.id
        for row in connection.execute(select(settlement.c.code, settlement.c.id).where(settlement.c.city_id == city_id))
    }
    findings = Findings()
    rows[CODE] = rows[CODE].str.strip()
    numbers = pd.to_numeric(rows[HOUSEHOLDS], errors="coerce")
    bad = {
        "settlement_unknown": ~rows[CODE].isin(ids.keys()),
        "settlement_duplicate": rows[CODE].duplicated() & rows[CODE].notna(),
        "frame_size_invalid": ~((numbers > 0) & (numbers == np.floor(numbers)) & np.isfinite(numbers)),
    }
    for code, where in bad.items():
        field = HOUSEHOLDS if code == "frame_size_invalid" else CODE
        shown = [None if pd.isna(value) else str(value) for value in rows.loc[where, field]]
        findings.add(code, rows.loc[where, "row_number"].to_numpy(dtype=np.int32), field=field, values=shown)
    rejected = findings.rejected_rows()
    result = LoadResult("loaded", None, len(rows), len(rows) - rejected, 0, rejected, findings)
    if rejected:
        raise ErrorsFound(result, path.name, may_skip=False)
    statement = upsert(survey_frame)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["survey_id", "settlement_id"], set_={"households": statement.excluded.households}
        ),
        [
            {"survey_id": survey_id, "settlement_id": ids[str(code)], "households": int(number)}
            for code, number in zip(rows[CODE], numbers, strict=True)
        ],
    )
    store.raise_data_version(connection)
    return result
