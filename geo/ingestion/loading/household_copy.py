"""Writing households and findings: Arrow in, binary COPY out, inside the caller's transaction."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pgpq
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pgpq import schema as pg
from pgpq.encoders import StringEncoderBuilder
from psycopg import sql
from psycopg.copy import QueuedLibpqWriter
from sqlalchemy import (
    Connection,
    Select,
    Update,
    column,
    func,
    insert,
    select,
    table,
    update,
)

from geo.base import STORAGE_SRID
from geo.database import driver_of, index_part, part_name
from geo.database.schema.households import household
from geo.database.schema.tallies import tally
from geo.ingestion.loading.partitions import attach_parts, create_parts, has_partition, is_empty
from geo.ingestion.mapping import Observations

_EWKB_POINT = np.dtype([("byte_order", "u1"), ("type", "<u4"), ("srid", "<u4"), ("x", "<f8"), ("y", "<f8")])
_POINT_WITH_SRID = 0x20000001


def next_upload_id(connection: Connection) -> int:
    """An upload id, taken before the upload's row is written."""
    return int(connection.execute(select(func.nextval(func.pg_get_serial_sequence("upload", "id")))).scalar_one())


class HouseholdCopy:
    """Copies observations of one upload beside `household`, of which they become a part once all are there.

    What was received before, and is the first of its survey, goes straight into the survey's part: its rows may refer
    to the upload already.
    """

    def __init__(self, connection: Connection, survey_id: int, upload_id: int, *, is_received: bool) -> None:
        self._connection = connection
        self._survey_id = survey_id
        self._upload_id = upload_id
        self._is_new = not has_partition(connection, survey_id)
        self.is_first = self._is_new or is_empty(connection, survey_id)
        """Whether the survey has no rows yet."""
        self._is_straight = self._is_new or (self.is_first and is_received)
        self._table = part_name(household, survey_id) if self._is_straight else f"incoming_{upload_id}"
        if self._is_new:
            create_parts(connection, survey_id)
        elif not self._is_straight:
            driver_of(connection).execute(
                sql.SQL("CREATE TEMPORARY TABLE {} (LIKE household INCLUDING DEFAULTS INCLUDING CONSTRAINTS)").format(
                    sql.Identifier(self._table)
                )
            )

    def copy(self, batches: Iterator[tuple[Observations, NDArray[np.int64]]]) -> None:
        """Copies all batches: observations, and each one's settlement id. Reading and sending overlap."""
        first = next(batches, None)
        if first is None:
            return
        names = list(self._columns(*first))
        statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
            sql.Identifier(self._table), sql.SQL(", ").join(map(sql.Identifier, names))
        )
        with (
            driver_of(self._connection).cursor() as cursor,
            # The queue's thread sends one batch while the next is being read.
            cursor.copy(statement, writer=QueuedLibpqWriter(cursor)) as copy,
        ):
            batch = self._batch(*first)
            encoder = _encoder(batch.schema)
            copy.write(encoder.write_header())
            # The writer cuts what it is given into pieces, and a view is cut without being copied.
            copy.write(memoryview(encoder.write_batch(batch)))
            for observations, settlement_id in batches:
                copy.write(memoryview(encoder.write_batch(self._batch(observations, settlement_id))))
            copy.write(encoder.finish())

    def _batch(self, observations: Observations, settlement_id: NDArray[np.int64]) -> pa.RecordBatch:
        columns = self._columns(observations, settlement_id)
        return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))

    def _columns(self, observations: Observations, settlement_id: NDArray[np.int64]) -> dict[str, pa.Array]:
        n = len(observations.row_numbers)
        columns = {
            "survey_id": pa.array(np.full(n, self._survey_id, dtype=np.int32)),
            "upload_id": pa.array(np.full(n, self._upload_id, dtype=np.int32)),
            "row_number": pa.array(observations.row_numbers),
            "settlement_id": pa.array(settlement_id.astype(np.int32)),
            "geom": _ewkb_points(observations.lon, observations.lat),
            **observations.fields,
        }
        if observations.extra is not None:
            columns["extra"] = observations.extra
        if observations.part is not None and observations.asked is not None:
            columns["part"] = pa.array(observations.part)
            columns["asked"] = observations.asked.dictionary_decode()
        return columns

    def finish(self) -> list[int] | None:
        """Makes the rows part of `household`; they replace live ones of the same code from earlier uploads.

        A part that is new is indexed, and stays beside until `attach`. Returns the ids of the settlements whose
        households changed, or None for a survey's first load.
        """
        if self._is_new:
            index_part(self._connection, household, self._survey_id)
        if self._is_straight:
            return None
        incoming = table(self._table, *(column(c.name, c.type) for c in household.columns))
        replaced = _settlements_of(
            update(household)
            .where(
                household.c.survey_id == self._survey_id,
                household.c.is_live,
                household.c.household_code == incoming.c.household_code,
            )
            .values(is_live=False, superseded_by=self._upload_id)
        )
        touched = set(self._connection.execute(replaced).scalars())
        touched |= set(self._connection.execute(select(incoming.c.settlement_id).distinct()).scalars())
        names = [c.name for c in household.columns]
        self._connection.execute(insert(household).from_select(names, select(*(incoming.c[name] for name in names))))
        driver_of(self._connection).execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(self._table)))
        return None if self.is_first else sorted(touched)

    def attach(self) -> None:
        """Attaches new parts once the survey's tallies are in theirs."""
        if self._is_new:
            index_part(self._connection, tally, self._survey_id)
            attach_parts(self._connection, self._survey_id)


def _encoder(schema: pa.Schema) -> pgpq.ArrowToPostgresBinaryEncoder:
    encoders = {
        field.name: StringEncoderBuilder.new_with_output(field, pg.Jsonb())
        if field.name == "extra"
        else pgpq.ArrowToPostgresBinaryEncoder.infer_encoder(field)
        for field in schema
    }
    return pgpq.ArrowToPostgresBinaryEncoder.new_with_encoders(schema, encoders)


def _ewkb_points(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> pa.Array:
    """Points as PostGIS reads them, built in one piece: a fixed 25 bytes each."""
    points = np.empty(len(lon), dtype=_EWKB_POINT)
    points["byte_order"] = 1
    points["type"] = _POINT_WITH_SRID
    points["srid"] = STORAGE_SRID
    points["x"], points["y"] = lon, lat
    known = pa.array(~(np.isnan(lon) | np.isnan(lat)))
    array = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(_EWKB_POINT.itemsize), len(lon), [None, pa.py_buffer(points.tobytes())]
    )
    return pc.if_else(known, array, pa.scalar(None, array.type)).cast(pa.binary())


def withdraw_households(connection: Connection, survey_id: int, upload_id: int) -> list[int]:
    """Takes an upload's rows out and brings back what they replaced; returns the settlements that changed.

    A household that a still later upload replaced too stays replaced, now by that one.
    """
    own = household.alias("own")
    of_upload = (household.c.survey_id == survey_id, household.c.upload_id == upload_id)
    gone = _settlements_of(update(household).where(*of_upload).values(is_live=False))
    touched = set(connection.execute(gone).scalars())
    restored = _settlements_of(
        update(household)
        .where(
            household.c.survey_id == survey_id,
            own.c.survey_id == survey_id,
            own.c.upload_id == upload_id,
            household.c.superseded_by == upload_id,
            household.c.household_code == own.c.household_code,
        )
        .values(superseded_by=own.c.superseded_by, is_live=own.c.superseded_by.is_(None))
    )
    touched |= set(connection.execute(restored).scalars())
    connection.execute(update(household).where(*of_upload).values(superseded_by=None))
    return sorted(touched)


def _settlements_of(changed: Update) -> Select[Any]:
    """Carries out an update of households and gives the settlements they are in, each once."""
    rows = changed.returning(household.c.settlement_id).cte("changed")
    return select(rows.c.settlement_id).distinct()
