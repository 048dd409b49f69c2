"""Submissions: what the exports of KoboToolbox and ODK say of each row besides its answers.

The columns are known by their names, so that this needs no form: the state of a review, the key that stays with a
submission when it is edited, and the position.
"""

import re
from collections.abc import Iterable
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from geo.base import fold_name
from geo.ingestion.findings import Findings
from geo.ingestion.mapping.cells import texts
from geo.ingestion.mapping.forms.form import Form
from geo.ingestion.mapping.profile import FieldMapping, PositionColumns, Profile
from geo.ingestion.reading import Batch, Layer

_REVIEWS = (
    "validation status",
    "validation status uid",
    "validation status label",
    "reviewstate",
    "system reviewstate",
)
_LEFT_OUT = ("validation status not approved", "not approved", "rejected")
_DOUBTED = ("validation status on hold", "on hold", "hasissues", "has issues")

_KEYS = ("meta rootuuid", "rootuuid", "id", "key", "uuid", "meta instanceid", "instanceid")
"""What stays with a submission first, as far as an export says it; `_uuid` changes with every edit in KoboToolbox."""

_MARKS = ("submission time", "submissiondate", "system submissiondate", "instanceid", "meta instanceid", "rootuuid")
"""A column that only an export of submissions has. KEY or _uuid alone could be anything."""

KEY = "submission"
"""The column in which a submission's key is handed on."""

_NUMBER = r"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?"
_TWO_NUMBERS = rf"^\s*\[?\s*(?P<latitude>{_NUMBER})[\s,]+(?P<longitude>{_NUMBER})(?:[\s,\]].*)?$"


class Submissions:
    """The rows of one layer as submissions; of a layer that is no such export, everything stays as it is."""

    def __init__(self, layer: Layer, form: Form | None) -> None:
        folded = {fold_name(column.removeprefix("X_")): column for column in reversed(layer.columns)}
        is_export = form is not None or any(mark in folded or f"meta {mark}" in folded for mark in _MARKS)
        self._review = next((folded[name] for name in _REVIEWS if name in folded), None)
        self._keys = [folded[name] for name in _KEYS if name in folded and _is_key(folded[name])] if is_export else []
        self._place = None if layer.has_geometry or not is_export else _place(layer.columns, form)
        if KEY in layer.columns:
            self._keys = []
        added = [*([KEY] if self._keys else []), *(_parts(self._place) if self._place else [])]
        columns = list(dict.fromkeys([*layer.columns, *added]))
        self.layer = replace(layer, columns=columns, batches=map(self._completed, layer.batches)) if added else layer

    def complete(self, profile: Profile) -> Profile:
        """The profile, with the key and the position of the submission where it names none."""
        if self._keys and "household_code" not in profile.fields:
            profile = profile.model_copy(
                update={"fields": {**profile.fields, "household_code": FieldMapping(column=KEY)}}
            )
        if self._place is not None and profile.position is None:
            latitude, longitude = _parts(self._place)
            position = PositionColumns(latitude=latitude, longitude=longitude)
            profile = profile.model_copy(update={"position": position})
        return profile

    def _completed(self, batch: Batch) -> Batch:
        columns = dict(batch.columns)
        if self._keys:
            told = [_filled(texts(columns[key])) for key in self._keys]
            columns[KEY] = pc.replace_substring_regex(pc.coalesce(*told), "^uuid:", "")
        if self._place is not None and not set(_parts(self._place)).issubset(columns):
            columns |= _positions(texts(columns[self._place]), self._place)
        return replace(batch, columns=columns)

    def admit(self, batch: Batch, findings: Findings) -> Batch:
        """The batch without the submissions a reviewer has rejected; both they and the doubted are reported."""
        if self._review is None or self._review not in batch.columns:
            return batch
        coded = texts(batch.columns[self._review]).dictionary_encode()
        states = [fold_name(state) for state in coded.dictionary.to_pylist()]
        given = coded.dictionary_decode()
        for code, meant in (("submission_rejected", _LEFT_OUT), ("submission_on_hold", _DOUBTED)):
            where = pc.fill_null(
                pa.array([state in meant for state in states], type=pa.bool_()).take(coded.indices), False
            )
            rows = batch.row_numbers[where.to_numpy(zero_copy_only=False)]
            findings.add(code, rows, values=given.filter(where).to_pylist())
            if code == "submission_rejected" and len(rows):
                batch, coded = _without(batch, where), coded.filter(pc.invert(where))
                given = coded.dictionary_decode()
        return batch


def _without(batch: Batch, where: pa.Array) -> Batch:
    keep = pc.invert(where)
    return Batch(
        batch.row_numbers[keep.to_numpy(zero_copy_only=False)],
        {name: column.filter(keep) for name, column in batch.columns.items()},
        None if batch.geometry is None else batch.geometry.filter(keep),
    )


def _is_key(column: str) -> bool:
    """`_id` and `id` count submissions of one server; ODK's `__id` is the key itself."""
    return fold_name(column) != "id" or column == "__id"


def _filled(column: pa.Array) -> pa.Array:
    trimmed = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.is_in(trimmed, value_set=pa.array(["", "n/a", "NA"])), pa.scalar(None, pa.string()), trimmed)


def _place(columns: Iterable[str], form: Form | None) -> str | None:
    """The column with the position: the form's first geopoint that is there, else what KoboToolbox makes of it.

    Without a form, the only column that comes with a latitude and a longitude of its own is one too.
    """
    there = set(columns)
    if form is not None:
        for question in form.questions:
            if question.type == "geopoint" and (question.column in there or there.issuperset(_parts(question.column))):
                return question.column
    if "_geolocation" in there:
        return "_geolocation"
    named = [found[1] for column in columns if (found := re.fullmatch(r"_(.+)_latitude", column))]
    whole = [name for name in named if f"_{name}_longitude" in there]
    return whole[0] if len(whole) == 1 else None


def _parts(place: str) -> tuple[str, str]:
    """The columns of a place's latitude and longitude."""
    name = place.removeprefix("_")
    return f"_{name}_latitude", f"_{name}_longitude"


def _positions(column: pa.Array, place: str) -> dict[str, pa.Array]:
    """Latitude and longitude out of `lat lon altitude accuracy` or `[lat, lon]`; blank where it is neither."""
    parts = pc.extract_regex(column, _TWO_NUMBERS)
    return dict(zip(_parts(place), (pc.struct_field(parts, name) for name in ("latitude", "longitude")), strict=True))
