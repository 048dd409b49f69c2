"""Mapping: from a file's columns and values to the standard fields. What is not mapped is kept in `extra`."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyproj
import shapely
from numpy.typing import NDArray

from geo.base import STORAGE_CRS, Extent, fold, positions_to_storage, read_crs
from geo.fields import Field, standard_fields
from geo.indicators.tallies import took_part
from geo.ingestion.findings import Findings
from geo.ingestion.mapping.answers import map_answer, map_text
from geo.ingestion.mapping.answers_seen import AnswersSeen
from geo.ingestion.mapping.cells import FieldCells, texts
from geo.ingestion.mapping.columns import Found, Wanted, find_columns, find_others
from geo.ingestion.mapping.dates import map_date
from geo.ingestion.mapping.details import DetailColumn, map_with_details
from geo.ingestion.mapping.doubtful import NumberChecks
from geo.ingestion.mapping.personal import PersonalColumns
from geo.ingestion.mapping.profile import FieldMapping, PositionColumns, Profile, Value, value_table
from geo.ingestion.mapping.quantities import in_range, is_huge_weight, is_no_weight, map_number, read_coordinates
from geo.ingestion.mapping.questions import Question
from geo.ingestion.mapping.text_shapes import ShapeColumn
from geo.ingestion.mapping.ticks import Ticks
from geo.ingestion.mapping.utm_zones import UtmZones
from geo.ingestion.reading import Batch, Layer, ReadOptions, as_mask, check_crs, read_shapes
from geo.messages import Message

_WKB_POINT = np.dtype([("byte_order", "u1"), ("type", "<u4"), ("x", "<f8"), ("y", "<f8")])
_WKB_POINT_TYPE = 1

_ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


@dataclass
class Observations:
    """Rows of a file in standard fields: positions are longitude and latitude in degrees, NaN where there is none."""

    row_numbers: NDArray[np.int32]
    fields: dict[str, pa.Array]
    extra: pa.Array | None
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    rejected: NDArray[np.bool_]
    part: NDArray[np.int16] | None = None
    """Which part of its row's households each stands for, where a profile has shares; 0 is the row as a whole."""
    asked: pa.DictionaryArray | None = None
    """The standard fields each part answers, as a dictionary of lists. None: all of them."""


@dataclass(frozen=True)
class _Source:
    """Where one standard field comes from in the file at hand, and what its values mean."""

    field: Field
    mapping: FieldMapping
    found: Found
    plus: Sequence[str]
    table: dict[str, Value | None]
    blanks: frozenset[str]
    checks: Mapping[str | None, NumberChecks]
    """What looks at its numbers, by column; those of a sum under None."""
    details: tuple[DetailColumn, ...] = ()

    def map(
        self, batch: Batch, findings: Findings, asked: NDArray[np.bool_]
    ) -> tuple[pa.Array, dict[str | None, FieldCells]]:
        """The field's column of a batch, and the cells it was read from by their columns; `asked`: who was."""
        columns = [self.found.column, *self.plus]
        parts = {column: self._map(column, batch, findings) for column in columns}
        cells = {column: each for column, (_, each) in parts.items()}
        numbers = [self._checked(column, *part, asked) for column, part in parts.items()]
        if not self.plus:
            return numbers[0], cells
        _report_gaps(self.field, numbers, cells, findings)
        total = reduce(pc.add, [each.cast(pa.float64()) for each in numbers])
        whole = FieldCells(self.field.name, total, batch.row_numbers, findings)
        total = self._checked(None, in_range(self.field, total, whole), whole, asked)
        if whole.misread is not None:
            for part in cells.values():
                part.mark(whole.misread)
        return total, cells

    def _checked(self, column: str | None, numbers: pa.Array, cells: FieldCells, asked: NDArray[np.bool_]) -> pa.Array:
        checks = self.checks.get(column)
        return numbers if checks is None else checks.check(numbers, cells, asked)

    def _map(self, name: str | None, batch: Batch, findings: Findings) -> tuple[pa.Array, FieldCells]:
        rows = batch.row_numbers
        column = pa.nulls(len(rows), pa.string()) if name is None else batch.columns[name]
        cells = FieldCells(self.field.name, column, rows, findings, self.blanks)
        if self.mapping.multiple is not None:
            choices = {choice: batch.columns[name] for choice, name in self.found.choices.items()}
            return Question(self.field, self.mapping.multiple, self.table).map(cells, choices), cells
        match self.field.type:
            case "code" | "boolean":
                if self.details:
                    return map_with_details(self.field, self.mapping, self.table, cells, self.details, batch), cells
                return map_answer(self.field, self.mapping, self.table, cells), cells
            case "integer" | "number":
                return map_number(self.field, self.mapping, self.table, cells), cells
            case "date":
                return map_date(self.mapping, self.table, cells), cells
            case "text":
                return map_text(self.table, cells), cells

    def count_answers(self, batch: Batch, seen: AnswersSeen) -> None:
        """Counts a batch's answers, where the field has answers to choose from."""
        if self.field.type not in ("code", "boolean"):
            return
        name, column = self.field.name, self.mapping.column
        for choice, of_choice in self.found.choices.items():
            ticked = pc.sum(pc.is_in(pc.utf8_lower(texts(batch.columns[of_choice])), pa.array(["1", "true", "yes"])))
            if n := ticked.as_py():
                seen.add_one(name, column, choice, n, self.table)
        if self.found.column is None:
            return
        cells = batch.columns[self.found.column]
        if self.mapping.multiple is not None:
            question = Question(self.field, self.mapping.multiple, self.table)
            cells = pa.array(
                [answer for text in texts(cells).drop_null().to_pylist() for answer in question.split(text)]
            )
        seen.add(
            name, column, cells.cast(pa.string()) if pa.types.is_null(cells.type) else cells, self.table, self.blanks
        )
        for detail in self.details:
            seen.add(name, detail.column, detail.asked(cells, batch), detail.table, detail.blanks, is_detail=True)


class Mapper:
    """Applies one profile to the batches of one layer."""

    def __init__(
        self, layer: Layer, profile: Profile, options: ReadOptions, file_name: str, city: Extent | None = None
    ) -> None:
        """Checks that the profile fits the layer; columns written otherwise than it says are noted on the layer.

        Short plus codes are positions in or near `city`.

        Raises:
            MissingColumn: the profile names a column the layer lacks.
            UnknownCRS: the layer has positions but nothing says in which CRS.
        """
        self.profile = profile
        self._position = None if layer.has_geometry else profile.position
        wanted = [
            Wanted(column, name, m.multiple is not None) for name, m in profile.fields.items() for column in m.columns()
        ]
        wanted += [Wanted(detail.column, name) for name, m in profile.fields.items() for detail in m.when]
        axes = {} if self._position is None else _axes(self._position)
        wanted += [Wanted(column, axis) for axis, column in axes.items()]
        in_shares = [Wanted(column, name) for name, share in profile.shares.items() for column in share.columns()]
        wanted += in_shares
        named_by = Message("by_profile", profile=profile.name)
        found = find_columns(wanted, layer, file_name=file_name, named_by=named_by)
        blanks = frozenset(fold(word) for word in profile.blank)
        self._sources = [_source(name, mapping, found, blanks) for name, mapping in profile.fields.items()]
        # Whether somebody was asked is known before it matters.
        self._sources.sort(key=lambda source: source.field.name != "interview_result")
        self._axes = {axis: str(found[column].column) for axis, column in axes.items()}
        self.blanks = blanks
        self.share_columns = {each.column: found[each.column] for each in in_shares}
        # Of several answers only one becomes the standard one: all are kept.
        read = {source.found.column for source in self._sources if source.mapping.multiple is None}
        read |= {column for source in self._sources for column in source.plus} | set(self._axes.values())
        read -= {source.found.column for source in self._sources if source.mapping.multiple is not None}
        self._ticks = Ticks(layer.columns, {s.found.column for s in self._sources if s.mapping.multiple is None})
        keep, leave_out = (
            find_others(names, layer, file_name=file_name, named_by=Message("by_profile_or_load"))
            for names in (profile.keep, profile.leave_out)
        )
        self._unmapped = [column for column in layer.columns if column not in read and column not in leave_out]
        self._left_out = leave_out
        used = {each.column for each in found.values()} | {c for each in found.values() for c in each.choices.values()}
        self.personal = PersonalColumns([column for column in self._unmapped if column not in used], keep)
        self.crs = _layer_crs(layer, self._position.crs if self._position else None, options, file_name)
        self.has_position = layer.has_geometry or self._position is not None
        self._zones = UtmZones(layer.columns, self.crs)
        self._shapes = None
        if self._position and self._position.column:
            self._shapes = ShapeColumn(self._axes["position"], self.crs or STORAGE_CRS, near=city)

    def map(self, batch: Batch, findings: Findings) -> Observations:
        """The batch in standard fields; what cannot be understood becomes a finding."""
        rejected = np.zeros(len(batch.row_numbers), dtype=bool)
        fields = {}
        misread: dict[str, NDArray[np.bool_]] = {}
        asked = np.ones(len(batch.row_numbers), dtype=bool)
        unasked = self._ticks.unasked(batch.columns)
        for source in self._sources:
            name = source.field.name
            fields[name], read = source.map(batch, findings, asked)
            if source.found.column in unasked and source.mapping.multiple is None:
                question, where = unasked[source.found.column]
                read[source.found.column].report("question_not_asked", where, [question] * int(where.sum()))
                fields[name] = pc.if_else(pa.array(where), pa.scalar(None, fields[name].type), fields[name])
            if name == "interview_result":
                asked = took_part(fields, len(batch.row_numbers))
            if name == "weight":
                rejected |= _reject_weights(fields[name], read[source.found.column])
            for column, cells in read.items():
                self._remember(misread, column, cells)
        lon, lat = self._positions(batch, findings, rejected, misread)
        return Observations(batch.row_numbers, fields, self._extra(batch, misread), lon, lat, rejected)

    def count_answers(self, batch: Batch, seen: AnswersSeen) -> None:
        """Counts the answers of a batch, and those of columns that tell more of them."""
        for source in self._sources:
            source.count_answers(batch, seen)

    def _positions(
        self,
        batch: Batch,
        findings: Findings,
        rejected: NDArray[np.bool_],
        misread: dict[str, NDArray[np.bool_]],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        x, y = self._given_positions(batch, findings, rejected, misread)
        no_fix = (x == 0) & (y == 0)
        if no_fix.any():
            findings.add("position_no_fix", batch.row_numbers[no_fix], field="position")
            x, y = np.where(no_fix, np.nan, x), np.where(no_fix, np.nan, y)
        given = ~(np.isnan(x) | np.isnan(y))
        lon, lat = x, y
        if self.crs is not None:
            lon, lat = positions_to_storage(x, y, self.crs)
        # Degrees outside the world may be swapped: placement finds out.
        impossible = given & ~(np.isfinite(lon) & np.isfinite(lat))
        if impossible.any():
            shown = [f"{a:.6g}, {b:.6g}" for a, b in zip(x[impossible], y[impossible], strict=True)]
            findings.add("position_impossible", batch.row_numbers[impossible], values=shown)
            rejected |= impossible
        unknown = ~given | impossible
        return np.where(unknown, np.nan, lon), np.where(unknown, np.nan, lat)

    def given_positions(self, batch: Batch) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The positions as the file has them, in its own CRS; NaN where there is none."""
        return self._given_positions(batch, Findings(), np.zeros(len(batch.row_numbers), dtype=bool), {})

    def _given_positions(
        self,
        batch: Batch,
        findings: Findings,
        rejected: NDArray[np.bool_],
        misread: dict[str, NDArray[np.bool_]],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if batch.geometry is not None:
            return _points(batch.geometry)
        if self._shapes:
            column = batch.columns[self._shapes.name]
            wkb, unreadable = self._shapes.read(column, self.blanks, batch.row_numbers, findings)
            rejected |= unreadable
            return _points(wkb)
        if self._position:
            x, y = (self._coordinates(batch, findings, axis, misread) for axis in ("longitude", "latitude"))
            return self._zones.to_one(batch, x, y, findings)
        nowhere = np.full(len(batch.row_numbers), np.nan)
        return nowhere, nowhere

    def _coordinates(
        self, batch: Batch, findings: Findings, axis: str, misread: dict[str, NDArray[np.bool_]]
    ) -> NDArray[np.float64]:
        column = self._axes[axis]
        cells = FieldCells(axis, batch.columns[column], batch.row_numbers, findings, self.blanks)
        numbers = read_coordinates(cells, are_degrees=self.crs is None or self.crs.is_geographic)
        self._remember(misread, column, cells)
        return numbers

    def _remember(self, misread: dict[str, NDArray[np.bool_]], column: str | None, cells: FieldCells) -> None:
        """Where a column that is not kept anyway holds something that was not understood."""
        if cells.misread is None or column is None or column in self._left_out:
            return
        if column not in self._unmapped:
            misread[column] = cells.misread | misread.get(column, np.False_)

    def _extra(self, batch: Batch, misread: dict[str, NDArray[np.bool_]]) -> pa.Array:
        """What no field holds, as JSON: the other columns, and of mapped ones what was not understood."""
        n = len(batch.row_numbers)
        self.personal.look(batch)
        left_out = self.personal.left_out()
        others = {name: batch.columns[name] for name in self._unmapped if name not in left_out}
        lines: list[str | None] = [None] * n
        if others:
            lines = [*_json_lines(others)]
        elif not misread:
            return pa.nulls(n, pa.string())
        for column, where in misread.items():
            kept = _json_lines({column: batch.columns[column].filter(pa.array(where))})
            for at, line in zip(np.flatnonzero(where), kept, strict=True):
                other = lines[at]
                lines[at] = line if other is None else f"{other[:-1]},{line[1:]}"
        return pa.array(lines, type=pa.string())


def _axes(position: PositionColumns) -> dict[str, str]:
    """The columns of a position, by what each is called in findings."""
    named = {"longitude": position.longitude, "latitude": position.latitude, "position": position.column}
    return {axis: column for axis, column in named.items() if column is not None}


def _source(name: str, mapping: FieldMapping, found: Mapping[str, Found], blanks: frozenset[str]) -> _Source:
    own = {fold(text) for text in mapping.values}
    plus = [str(found[column].column) for column in mapping.plus]
    field, table = standard_fields()[name], value_table(name, mapping)
    checks: dict[str | None, NumberChecks] = {}
    if field.type in ("integer", "number") and field.max is not None:
        factor = field.units.get(mapping.unit or "", 1.0)
        of_part = replace(field, least=None, large=None) if plus else field
        own_column = found[mapping.column].column
        checks = {column: NumberChecks(of_part, factor, frozenset(table)) for column in (own_column, *plus)}
        if plus:
            checks[None] = NumberChecks(field, factor, frozenset())
    details = tuple(
        DetailColumn(
            frozenset(map(fold, detail.answers())),
            str(found[detail.column].column),
            value_table(name, detail),
            blanks - {fold(text) for text in detail.values},
        )
        for detail in mapping.when
    )
    return _Source(field, mapping, found[mapping.column], plus, table, blanks - own, checks, details)


def _report_gaps(
    field: Field, numbers: Sequence[pa.Array], cells: Mapping[str | None, FieldCells], findings: Findings
) -> None:
    """Tells which parts of a sum are blank in rows that have others."""
    blank = [as_mask(each.is_null()) for each in numbers]
    every = np.logical_and.reduce(blank)
    for where, (column, part) in zip(blank, cells.items(), strict=True):
        gap = where & ~every & (True if part.misread is None else ~part.misread)
        findings.add("part_missing", part.rows[gap], field=field.name, values=[str(column)] * int(gap.sum()))


def _json_lines(columns: dict[str, pa.Array]) -> list[str]:
    """Each row of some columns as a JSON object."""
    frame = pd.DataFrame({name: _json_ready(column) for name, column in columns.items()})
    lines: str = frame.to_json(orient="records", lines=True, date_format="iso", double_precision=15, force_ascii=False)
    if "\\u0000" in lines:
        # PostgreSQL has no way to store the character U+0000; spelt out after a backslash, it is plain text.
        lines = _ESCAPED_NUL.sub(r"\1", lines)
    return lines.removesuffix("\n").split("\n")


def _layer_crs(layer: Layer, table_crs: str | None, options: ReadOptions, file_name: str) -> pyproj.CRS | None:
    if options.crs is not None:
        return read_crs(options.crs)
    if not layer.has_geometry:
        return None if table_crs is None else read_crs(table_crs)
    check_crs(layer, options, None, file_name)
    return layer.crs


def _points(wkb: pa.Array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coordinates of point shapes; a shape that is no point stands for a point on it, a missing one for NaN."""
    if wkb.null_count:
        x, y = np.full((2, len(wkb)), np.nan)
        given = wkb.is_valid().to_numpy(zero_copy_only=False)
        x[given], y[given] = _points(wkb.drop_null())
        return x, y
    plain = _plain_points(wkb)
    if plain is not None:
        return plain["x"].copy(), plain["y"].copy()
    shapes = read_shapes(wkb)
    shapes[shapely.is_empty(shapes)] = None
    not_points = ~shapely.is_missing(shapes) & (shapely.get_type_id(shapes) != shapely.GeometryType.POINT)
    if not_points.any():
        shapes[not_points] = shapely.point_on_surface(shapes[not_points])
    return shapely.get_x(shapes), shapely.get_y(shapes)


def _plain_points(wkb: pa.Array) -> NDArray[np.void] | None:
    """The shapes where they lie, if all are plain 2D points, as in nearly every file: no object is made of each."""
    if not pa.types.is_binary(wkb.type):
        return None
    _, offsets, shapes = wkb.buffers()
    starts = np.frombuffer(offsets, dtype=np.int32)[wkb.offset : wkb.offset + len(wkb) + 1]
    if len(wkb) == 0 or (np.diff(starts) != _WKB_POINT.itemsize).any():
        return None
    points = np.frombuffer(shapes, dtype=_WKB_POINT, count=len(wkb), offset=int(starts[0]))
    is_plain = (points["byte_order"] == 1) & (points["type"] == _WKB_POINT_TYPE)
    return points if is_plain.all() else None


def _reject_weights(weights: pa.Array, cells: FieldCells) -> NDArray[np.bool_]:
    """A household without a usable weight cannot count, and must not count as one."""
    bad, huge = is_no_weight(weights), is_huge_weight(weights)
    for code, where in (("weight_invalid", bad), ("weight_implausible", huge)):
        if where.any():
            given = texts(cells.column.filter(pa.array(where))).to_pylist()
            cells.findings.add(code, cells.rows[where], field="weight", values=given)
    return bad | huge


def _json_ready(column: pa.Array) -> pd.Series:
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        return pd.Series([None] * len(column), dtype=object)
    if pa.types.is_date(column.type) or pa.types.is_time(column.type):
        column = column.cast(pa.string())
    # A whole number stays whole where others of its column are missing.
    return column.to_pandas(integer_object_nulls=True)
