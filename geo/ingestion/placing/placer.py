"""Placement: which settlement each observation belongs to."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.base import METRES_PER_DEGREE, extent_of, geodesic_area_m2, geodesic_distance_m
from geo.ingestion.findings import Findings
from geo.ingestion.mapping import Observations
from geo.ingestion.placing.distances import Ground, about
from geo.ingestion.placing.labels import NOWHERE, Joined, Label, Labels
from geo.ingestion.placing.slips import SLIPS, Diagnosis, diagnose, explanations
from geo.ingestion.reading import as_mask
from geo.messages import Message
from geo.places import Places

Placement = Literal["position", "declared", "position-then-declared", "declared-then-position"]

GPS_TOLERANCE_M = 15.0
"""A phone's GPS is rarely better: a household this near a settlement belongs to it."""

_DECLARED = ("declared_settlement_code", "declared_settlement_name", "declared_ward_name")

_CELL_DEGREES = 0.001
"""About a hundred metres: a few cells cover a settlement."""


@dataclass(frozen=True)
class _Declared:
    """The settlements rows name: what became of each different label, and which label each row bears."""

    joined: list[Joined]
    label: NDArray[np.intp]
    said: list[Label]

    @property
    def settlement(self) -> NDArray[np.intp]:
        """The index of each row's settlement, or NOWHERE."""
        found: NDArray[np.intp] = np.array([each.settlement for each in self.joined], dtype=np.intp)[self.label]
        return found

    def report(self, where: NDArray[np.bool_], rows: NDArray[np.int32], findings: Findings) -> None:
        """Reports what is to be said of the labels of some rows."""
        for code in sorted({each.finding for each in self.joined if each.finding}):
            at = np.flatnonzero(where & np.array([each.finding == code for each in self.joined])[self.label])
            values = [self.joined[label].value for label in self.label[at]]
            findings.add(code, rows[at], field="settlement", values=values)


def is_declared(fields: Collection[str]) -> bool:
    """Whether these standard fields name the settlement, by code or by name."""
    return "declared_settlement_code" in fields or "declared_settlement_name" in fields


def _names_none(observations: Observations) -> NDArray[np.bool_]:
    """Which rows name no settlement, by code or by name."""
    named = [observations.fields[name] for name in _DECLARED[:2] if name in observations.fields]
    none = np.ones(len(observations.row_numbers), dtype=bool)
    for column in named:
        none &= as_mask(column.is_null())
    return none


class Placer:
    """Places observations in a fixed set of settlements."""

    def __init__(
        self, places: Places, placement: Placement, tolerance_m: float = GPS_TOLERANCE_M, *, fix: bool = False
    ) -> None:
        self.places = places
        self.placement = placement
        self.tolerance_m = tolerance_m
        self.fix = fix
        self.positions = 0
        """How many positions there have been,"""
        self.positions_lost = 0
        """and how many of them lay far from the city, for no reason that could be found."""
        self.extent = extent_of(places.shapes)
        drawn = [i for i, shape in enumerate(places.shapes) if shape is not None]
        # Smallest first: where boundaries nest, the first that contains a position is the one it belongs to.
        areas = geodesic_area_m2(places.shapes[drawn])
        self._drawn = np.array(drawn, dtype=np.intp)[np.argsort(areas, kind="stable")]
        self._shapes = places.shapes[self._drawn]
        shapely.prepare(self._shapes)
        self._tree = shapely.STRtree(self._shapes)
        self._labels = Labels(places.codes, places.names, places.wards)
        self._shown = [
            code if name == code else f"{name} ({code})" for code, name in zip(places.codes, places.names, strict=True)
        ]

    def place(self, observations: Observations, findings: Findings) -> NDArray[np.intp]:
        """The index of each observation's settlement; those placed nowhere are rejected with a finding."""
        open_rows = ~observations.rejected
        if self.placement == "declared":
            placed = self._as_declared(observations, open_rows, findings)
        elif self.placement == "declared-then-position":
            unnamed = open_rows & _names_none(observations)
            placed = self._as_declared(observations, open_rows & ~unnamed, findings)
            by_position = self._by_position(observations, unnamed, findings)
            explained = self._explain(observations, by_position, None, unnamed, findings)
            self._settle_the_rest(observations, by_position, None, unnamed & ~explained, findings)
            placed = np.where(unnamed, by_position, placed)
        else:
            placed = self._by_position(observations, open_rows, findings)
            declared = None
            if any(name in observations.fields for name in _DECLARED):
                declared = self._find_declared(observations)
            named = None if declared is None else declared.settlement
            explained = self._explain(observations, placed, named, open_rows, findings)
            self._settle_the_rest(observations, placed, declared, open_rows & ~explained, findings)
        observations.rejected |= placed == NOWHERE
        return placed

    def _as_declared(
        self, observations: Observations, open_rows: NDArray[np.bool_], findings: Findings
    ) -> NDArray[np.intp]:
        """The settlements rows name, whatever their positions are; a position that cannot be is told."""
        self._leave_out_digits(observations, open_rows, findings)
        impossible = self._report_impossible(observations, open_rows & _impossible(observations), findings)
        placed = self._declared(observations, open_rows & ~impossible, findings)
        return np.where(impossible, NOWHERE, placed)

    def _report_impossible(
        self, observations: Observations, where: NDArray[np.bool_], findings: Findings
    ) -> NDArray[np.bool_]:
        """Says that positions lie outside the world; returns which."""
        if where.any():
            lon, lat = observations.lon[where], observations.lat[where]
            shown = [f"{a:.6g}, {b:.6g}" for a, b in zip(lon, lat, strict=True)]
            findings.add("position_impossible", observations.row_numbers[where], values=shown)
        return where

    def _explain(
        self,
        observations: Observations,
        placed: NDArray[np.intp],
        declared: NDArray[np.intp] | None,
        open_rows: NDArray[np.bool_],
        findings: Findings,
    ) -> NDArray[np.bool_]:
        """Finds out why positions far from the city are there, and corrects them where asked to and certain.

        Returns the rows that are done with: rejected, with the reason said.
        """
        has_position = ~np.isnan(observations.lon)
        self.positions += int(np.count_nonzero(has_position & open_rows))
        done = np.zeros(len(placed), dtype=bool)
        missing = np.flatnonzero(open_rows & has_position & (placed == NOWHERE))
        if len(missing) == 0 or self.extent is None:
            return done | self._report_impossible(observations, open_rows & _impossible(observations), findings)
        lon, lat = observations.lon[missing], observations.lat[missing]
        diagnosis = diagnose(lon, lat, self.extent, lambda x, y: self._find(x, y)[0])
        is_explained = diagnosis.slip != NOWHERE
        self.positions_lost += int(np.count_nonzero(~is_explained & ~self.extent.holds(lon, lat)))
        if self.fix:
            certain = diagnosis.is_certain
            if declared is not None:
                # Where the row itself names another settlement, nobody can say which of the two is right.
                named = declared[missing]
                certain = certain & ((named == NOWHERE) | (named == diagnosis.settlement))
            self._correct(observations, placed, missing, diagnosis, certain, findings)
            is_explained = is_explained & ~certain
        values = explanations(diagnosis, lon, lat, self.extent, self.places.codes)
        falls_back = np.zeros(len(missing), dtype=bool)
        if declared is not None and self.placement == "position-then-declared":
            falls_back = declared[missing] != NOWHERE
        impossible = _impossible(observations)[missing]
        for number, slip in enumerate(SLIPS):
            of_slip = is_explained & (diagnosis.slip == number)
            counts = falls_back & (~impossible | slip.is_of_digits)
            rejected = np.flatnonzero(of_slip & ~counts)
            rows = observations.row_numbers[missing]
            findings.add(slip.code, rows[rejected], field="position", values=[values[i] for i in rejected])
            kept = np.flatnonzero(of_slip & counts)
            shown = [Message(slip.undone, place=values[i]) for i in kept]
            findings.add("position_correctable", rows[kept], field="position", values=shown)
            if slip.is_of_digits:
                self._forget_positions(observations, missing[kept])
            done[missing[rejected]] = True
        done |= self._report_impossible(observations, open_rows & ~done & _impossible(observations), findings)
        return done

    def _leave_out_digits(self, observations: Observations, open_rows: NDArray[np.bool_], findings: Findings) -> None:
        """Where rows are placed by the settlement they name, leaves out positions whose numbers are spoilt."""
        at = np.flatnonzero(open_rows & _impossible(observations))
        if len(at) == 0 or self.extent is None:
            return
        lon, lat = observations.lon[at], observations.lat[at]
        diagnosis = diagnose(lon, lat, self.extent, lambda x, y: self._find(x, y)[0])
        values = explanations(diagnosis, lon, lat, self.extent, self.places.codes)
        spoilt = [i for i, slip in enumerate(diagnosis.slip) if slip != NOWHERE and SLIPS[slip].is_of_digits]
        shown = [Message(SLIPS[diagnosis.slip[i]].undone, place=values[i]) for i in spoilt]
        findings.add("position_correctable", observations.row_numbers[at[spoilt]], field="position", values=shown)
        self._forget_positions(observations, at[spoilt])

    def _forget_positions(self, observations: Observations, at: NDArray[np.intp]) -> None:
        """Leaves out positions that lie nowhere on Earth as they stand."""
        observations.lon, observations.lat = observations.lon.copy(), observations.lat.copy()
        observations.lon[at] = observations.lat[at] = np.nan

    def _correct(
        self,
        observations: Observations,
        placed: NDArray[np.intp],
        missing: NDArray[np.intp],
        diagnosis: Diagnosis,
        certain: NDArray[np.bool_],
        findings: Findings,
    ) -> None:
        """Puts positions where they belong, and says so."""
        if not certain.any():
            return
        at = missing[certain]
        # The arrays may be the file's own.
        observations.lon, observations.lat = observations.lon.copy(), observations.lat.copy()
        observations.lon[at], observations.lat[at] = diagnosis.lon[certain], diagnosis.lat[certain]
        corrected = np.zeros(len(placed), dtype=bool)
        corrected[at] = True
        placed[at] = self._by_position(observations, corrected, findings)[at]
        shown = [
            Message(SLIPS[slip].undone, place=self.places.codes[settlement])
            for slip, settlement in zip(diagnosis.slip[certain], diagnosis.settlement[certain], strict=True)
        ]
        findings.add("position_fixed", observations.row_numbers[at], field="position", values=shown)

    def _declared(
        self, observations: Observations, open_rows: NDArray[np.bool_], findings: Findings
    ) -> NDArray[np.intp]:
        if not is_declared(observations.fields):
            findings.add("settlement_missing", observations.row_numbers[open_rows], field="settlement")
            return np.full(len(observations.row_numbers), NOWHERE, dtype=np.intp)
        declared = self._find_declared(observations)
        declared.report(open_rows, observations.row_numbers, findings)
        return declared.settlement

    def _find_declared(self, observations: Observations) -> "_Declared":
        """The settlement each row names. Every different label is looked up once, however many rows bear it."""
        named = [name for name in _DECLARED if name in observations.fields]
        # Each row's labels as one number, whose digits are places in the columns' dictionaries.
        key = np.zeros(len(observations.row_numbers), dtype=np.int64)
        dictionaries: list[list[str | None]] = []
        for name in named:
            coded = observations.fields[name].dictionary_encode()
            dictionaries.append([*coded.dictionary.to_pylist(), None])
            key *= len(dictionaries[-1])
            key += coded.indices.fill_null(len(dictionaries[-1]) - 1).to_numpy(zero_copy_only=False)
        # In most files there is one column, whose dictionary lists the labels already.
        distinct, label = (
            np.unique(key, return_inverse=True) if len(named) != 1 else (np.arange(len(dictionaries[0])), key)
        )
        places_in = np.unravel_index(distinct, [len(texts) for texts in dictionaries])
        has_codes = named[0] == "declared_settlement_code"
        joined, labels = [], []
        for positions in zip(*places_in, strict=True):
            said = dict.fromkeys(_DECLARED) | {
                name: texts[at] for name, texts, at in zip(named, dictionaries, positions, strict=True)
            }
            labels.append(Label(*said.values()))
            joined.append(self._labels.join(labels[-1], has_codes=has_codes))
        return _Declared(joined, label, labels)

    def _by_position(
        self, observations: Observations, open_rows: NDArray[np.bool_], findings: Findings
    ) -> NDArray[np.intp]:
        placed = np.full(len(observations.row_numbers), NOWHERE, dtype=np.intp)
        in_world = ~np.isnan(observations.lon) & ~_impossible(observations)
        candidates = np.flatnonzero(open_rows & in_world)
        if len(candidates) == 0 or len(self._shapes) == 0:
            return placed
        found, nested, near = self._find(observations.lon[candidates], observations.lat[candidates])
        placed[candidates] = found
        self._report("in_nested_settlements", observations, candidates[nested], placed, findings)
        self._report("near_settlement", observations, candidates[near], placed, findings)
        return placed

    def _find(
        self, lon: NDArray[np.float64], lat: NDArray[np.float64]
    ) -> tuple[NDArray[np.intp], NDArray[np.bool_], NDArray[np.intp]]:
        """The settlement of each position, which lie in more than one, and which lie only near one."""
        found = np.full(len(lon), NOWHERE, dtype=np.intp)
        which, shape = self._containing(lon, lat)
        smallest = np.full(len(lon), len(self._shapes), dtype=np.intp)
        np.minimum.at(smallest, which, shape)
        inside = smallest < len(self._shapes)
        found[inside] = self._drawn[smallest[inside]]
        nested = np.bincount(which, minlength=len(lon)) > 1
        outside = np.flatnonzero(~inside)
        near, at = self._within_tolerance(np.asarray(shapely.points(lon[outside], lat[outside])))
        found[outside[near]] = self._drawn[at]
        return found, nested, outside[near]

    def _containing(
        self, lon: NDArray[np.float64], lat: NDArray[np.float64]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Which positions lie in which settlements, in pairs.

        Neighbours share one search of the tree: households stand close together, and a search costs more than
        looking whether a shape contains a position, as does making a shape of each position.
        """
        column, row = np.floor(lon / _CELL_DEGREES), np.floor(lat / _CELL_DEGREES)
        _, first, cell = np.unique(column * 1e6 + row, return_index=True, return_inverse=True)
        west, south = column[first] * _CELL_DEGREES, row[first] * _CELL_DEGREES
        # A little wider, so that no rounding leaves a position outside its own cell.
        wider = _CELL_DEGREES * 1e-6
        boxes = shapely.box(west - wider, south - wider, west + _CELL_DEGREES + wider, south + _CELL_DEGREES + wider)
        searched, found = self._tree.query(boxes)
        order = np.argsort(searched, kind="stable")
        n_found = np.bincount(searched, minlength=len(first))
        # Each position meets every shape found for its cell: a run of `found` that starts where the cell's does.
        n_met = n_found[cell]
        which = np.repeat(np.arange(len(lon)), n_met)
        nth = np.arange(len(which)) - np.repeat(np.cumsum(n_met) - n_met, n_met)
        start = (np.cumsum(n_found) - n_found)[cell]
        shape = found[order][np.repeat(start, n_met) + nth]
        inside = shapely.intersects_xy(self._shapes[shape], lon[which], lat[which])
        return which[inside], shape[inside]

    def _within_tolerance(self, points: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Which points lie within the tolerance of a settlement, and the nearest for each.

        The search is in degrees, wide enough at any latitude; the decision is a geodesic distance.
        """
        none = np.array([], dtype=np.intp)
        if len(points) == 0 or self.tolerance_m <= 0:
            return none, none
        lat = shapely.get_y(points)
        reach = self.tolerance_m * 1.02 / (METRES_PER_DEGREE * 0.99 * np.cos(np.radians(np.minimum(np.abs(lat), 89.0))))
        which, shape = self._tree.query(points, predicate="dwithin", distance=reach)
        # A degree of longitude is shorter than one of latitude: squeezed by cos(lat), nearest is nearest in metres.
        squeeze = np.cos(np.radians(lat[which]))
        distance = np.empty(len(which))
        for i, (p, s) in enumerate(zip(which, shape, strict=True)):
            point, near = _squeezed(points[p], squeeze[i]), _squeezed(self._shapes[s], squeeze[i])
            (x1, y1), (x2, y2) = shapely.get_coordinates(shapely.shortest_line(point, near))
            distance[i] = geodesic_distance_m(x1 / squeeze[i], y1, x2 / squeeze[i], y2)
        order = np.argsort(distance, kind="stable")
        order = order[distance[order] <= self.tolerance_m]
        near_points, first = np.unique(which[order], return_index=True)
        return near_points, shape[order][first]

    def _settle_the_rest(
        self,
        observations: Observations,
        placed: NDArray[np.intp],
        declared: "_Declared | None",
        open_rows: NDArray[np.bool_],
        findings: Findings,
    ) -> None:
        """Compares position with declaration, falls back on it where asked to, and reports who is left."""
        rows = observations.row_numbers
        unplaced = open_rows & (placed == NOWHERE)
        has_position = ~np.isnan(observations.lon)
        if declared is not None:
            named = declared.settlement
            in_one = open_rows & (placed != NOWHERE)
            self._report_contradictions(observations, in_one, placed, declared, findings)
            if self.placement == "position-then-declared":
                fallback = unplaced & (named != NOWHERE)
                placed[fallback] = named[fallback]
                # Of a settlement that nobody has drawn no position is outside.
                drawn = np.isin(placed, self._drawn)
                outside = np.flatnonzero(fallback & has_position & drawn)
                away = self._distances(observations, outside, placed[outside])
                shown = [_away(self._shown[i], m) for i, m in zip(placed[outside], away, strict=True)]
                findings.add("placed_as_declared", rows[outside], field="settlement", values=shown)
                unplaced &= ~fallback
                declared.report(fallback | (unplaced & ~has_position), rows, findings)
                unplaced &= has_position
        outside = np.flatnonzero(unplaced & has_position)
        findings.add("outside_every_settlement", rows[outside], values=self._nearest(observations, outside))
        findings.add("position_missing", rows[unplaced & ~has_position])

    def _report_contradictions(
        self,
        observations: Observations,
        where: NDArray[np.bool_],
        placed: NDArray[np.intp],
        declared: "_Declared",
        findings: Findings,
    ) -> None:
        """Says of rows that lie in a settlement what they name instead: another, one the city lacks, another ward."""
        rows = observations.row_numbers
        named = declared.settlement
        differs = np.flatnonzero(where & (named != NOWHERE) & (placed != named))
        away = self._distances(observations, differs, named[differs])
        shown = [
            _named_found(self._shown[named[row]], self._shown[placed[row]], metres)
            for row, metres in zip(differs, away, strict=True)
        ]
        findings.add("declared_differs", rows[differs], field="settlement", values=shown)
        # Each label and place once, however many rows they have.
        at = np.flatnonzero(where & (named == NOWHERE))
        pairs, pair = np.unique(np.stack([declared.label[at], placed[at]]), axis=1, return_inverse=True)
        told = [self._contradiction(declared, label, place) for label, place in pairs.T]
        for code in sorted({each[0] for each in told if each is not None}):
            of_code = np.array([each is not None and each[0] == code for each in told], dtype=bool)[pair.ravel()]
            values = [each[1] for number in pair.ravel()[of_code] if (each := told[number]) is not None]
            findings.add(code, rows[at[of_code]], field="settlement", values=values)

    def _contradiction(self, declared: "_Declared", label: int, place: int) -> tuple[str, Message] | None:
        """The finding and its value where a row with a label that names no settlement of the city lies in one."""
        joined, said = declared.joined[label], declared.said[label]
        lies = self._shown[place]
        if joined.finding == "settlement_missing":
            if joined.ward is not None:
                return "named_ward_unknown", Message("place_named_lies", named=joined.ward, place=lies)
            if said.ward is not None and not self._labels.is_in_ward(place, said.ward):
                return "named_place_differs", Message("ward_named_lies", ward=said.ward, place=lies)
            return None
        if place in joined.may_be:
            return None
        code = "named_place_unknown" if joined.finding == "settlement_unknown" else "named_place_differs"
        return code, Message("place_named_lies", named=joined.value, place=lies)

    def _distances(
        self, observations: Observations, at: NDArray[np.intp], settlement: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        """How far rows lie from settlements; NaN from one without a shape."""
        away = np.full(len(at), np.nan)
        order = np.full(len(self.places.codes), NOWHERE, dtype=np.intp)
        order[self._drawn] = np.arange(len(self._drawn))
        shape = order[settlement]
        measured = (shape != NOWHERE) & ~_impossible(observations)[at]
        if measured.any():
            lon, lat = observations.lon[at[measured]], observations.lat[at[measured]]
            away[measured] = self._ground.distance_m(shape[measured], lon, lat)
        return away

    def _nearest(self, observations: Observations, at: NDArray[np.intp]) -> list[Message]:
        """The settlement nearest to each row, and how far it is."""
        if len(self._drawn) == 0 or len(at) == 0:
            return [Message("place_nearest_none")] * len(at)
        shape, metres = self._ground.nearest(observations.lon[at], observations.lat[at])
        return [
            Message("place_nearest", metres=about(m), place=self._shown[self._drawn[i]])
            for i, m in zip(shape, metres, strict=True)
        ]

    @cached_property
    def _ground(self) -> Ground:
        return Ground(self._shapes, 0.0 if self.extent is None else self.extent.centre()[1])

    def _report(
        self,
        code: str,
        observations: Observations,
        at: NDArray[np.intp],
        settlement: NDArray[np.intp],
        findings: Findings,
    ) -> None:
        values = [self._shown[i] for i in settlement[at]]
        findings.add(code, observations.row_numbers[at], field="settlement", values=values)


def _away(place: str, metres: float) -> str | Message:
    """The settlement that a row names, and how far away it is, where that is known."""
    if np.isnan(metres):
        return place
    return (
        Message("place_away", place=place, metres=about(metres))
        if metres > 0
        else Message("place_in_both", place=place)
    )


def _named_found(named: str, found: str, metres: float) -> Message:
    """The settlement that a row names beside the one it lies in, and how far away that is, where it is known."""
    if np.isnan(metres):
        return Message("place_named_found", named=named, found=found)
    if metres > 0:
        return Message("place_named_found_away", named=named, found=found, metres=about(metres))
    return Message("place_named_found_in_both", named=named, found=found)


def _impossible(observations: Observations) -> NDArray[np.bool_]:
    """Which positions lie outside the world; no position does not."""
    return np.asarray((np.abs(observations.lon) > 180) | (np.abs(observations.lat) > 90), dtype=bool)


def _squeezed(shape: Any, factor: float) -> Any:
    return shapely.transform(shape, lambda coordinates: coordinates * (factor, 1.0))
