"""What Vasti understands of a file nobody has described: which column holds what, how sure that is, and its profile."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import tomlkit

from geo.database.schema.facilities import FacilityKind
from geo.errors import MissingColumn
from geo.fields import Unit
from geo.ingestion.mapping import (
    STANDARD,
    FacilityColumns,
    Meanings,
    PositionColumns,
    evidence_of,
    parse_profile,
    standard_profile_of,
)
from geo.ingestion.mapping.facility_columns import find_named
from geo.ingestion.mapping.made_columns import part_names
from geo.ingestion.reading import ReadOptions, open_layer
from geo.ingestion.suggesting.profile_text import quote, write_profile
from geo.ingestion.suggesting.proposal import NOTHING, Confidence
from geo.ingestion.suggesting.suggest import propose
from geo.messages import Message


@dataclass(frozen=True)
class Matched:
    """A column, the standard field or the part of a position it holds, and how sure that is."""

    column: str
    field: str
    confidence: Confidence
    why: tuple[Message, ...]


@dataclass(frozen=True)
class Guessed:
    """An answer whose meaning was guessed, and from what."""

    field: str
    text: str
    is_detail: bool
    """Whether it stands in a column that tells more of an answer."""
    why: tuple[Message, ...]


@dataclass(frozen=True)
class Understanding:
    """What was understood of a file."""

    columns: Sequence[str]
    matched: Sequence[Matched]
    notes: Sequence[Message]
    profile: str | None
    """The mapping profile that follows, as TOML: what is unsure is not in it. None: too little is understood."""
    guessed: Sequence[Guessed] = ()
    """The answers to look at."""

    def facts(self) -> dict[str, object]:
        """The same as JSON has it, without the profile."""
        return {
            "columns": list(self.columns),
            "matched": [_as_json(each) for each in self.matched],
            "guessed": [_as_json(each) for each in self.guessed],
            "notes": [note.as_json() for note in self.notes],
        }


def _as_json(told: Matched | Guessed) -> dict[str, Any]:
    return asdict(replace(told, why=())) | {"why": [clause.as_json() for clause in told.why]}


def understand(
    path: Path,
    options: ReadOptions,
    unit: Unit,
    said: Mapping[str, str] | None = None,
    answers: Meanings | None = None,
    details: Meanings | None = None,
) -> Understanding:
    """Reads the first rows of a file of observations, and says what its columns seem to hold.

    A column with the name of a standard field holds that field, whatever stands in it: what does not fit is found when
    it is checked. What a person said of columns and answers is as geo.ingestion.suggesting.suggest.propose takes it.

    Raises:
        InputError: the file cannot be read; the message says what to do.
        MissingColumn: a person said something of a column there is not.
    """
    said = said or {}
    with open_layer(path, options) as layer:
        # The standard columns are looked for in the first rows, which are read on from there.
        standard = standard_profile_of(layer)
        evidence, columns = evidence_of(layer, options), layer.columns
    proposal = propose(evidence, path, crs=options.crs, unit=unit, said=said, answers=answers, details=details)
    text = write_profile(proposal)
    profile = parse_profile(text, "proposed")
    has_position = evidence.has_geometry or profile.position is not None
    _check_said(said, columns, path)
    axes = {} if has_position or standard.position is None else _axes(standard.position)
    if said.keys() & axes.values():
        axes = {}
    taken = {column for mapping in profile.fields.values() for column in mapping.columns()} | said.keys()
    taken |= {detail.column for mapping in profile.fields.values() for detail in mapping.when}
    fields = {
        field: mapping.column
        for field, mapping in standard.fields.items()
        if field not in profile.fields and mapping.column not in taken
    }
    if axes:
        text += "\n[position]\n" + "".join(f"{axis} = {quote(column)}\n" for axis, column in axes.items())
    text += "".join(f"\n[fields.{field}]\ncolumn = {quote(column)}\n" for field, column in fields.items())
    named = axes | fields
    matched = [Matched(s.column, s.target, s.confidence, s.why) for s in proposal.suggestions if s.target not in named]
    matched += _called_so(named)
    guessed = [
        Guessed(s.target, line.text.replace("\x00", ""), is_detail, (line.remark,) if line.remark else s.why)
        for s in proposal.suggestions
        for is_detail, lines in ((False, s.values), (True, [line for hint in s.when for line in hint.values]))
        for line in lines
        if line.is_guess and s.section == "fields" and s.target not in named
    ]
    return Understanding(columns, matched, proposal.notes, text, guessed)


def understand_boundaries(path: Path, options: ReadOptions, said: Mapping[str, str]) -> Understanding:
    """The same of a file of settlements: which columns hold their codes, names and wards.

    Raises:
        as understand.
    """
    of_columns = {column: field for column, field in said.items() if field not in _POINT}
    with open_layer(path, options) as layer:
        called = standard_profile_of(layer)
        evidence, columns = evidence_of(layer, options), layer.columns
    proposal = propose(evidence, path, crs=options.crs, said=of_columns, of_places=True)
    has_shapes = evidence.has_geometry
    standard = called.boundaries
    _check_said(said, columns, path)
    seen = [s for s in proposal.suggestions if s.section == "boundaries"]
    roles = {s.target: s.column for s in seen if s.confidence != "unsure"}
    named = {
        role: column
        for role, column in ({} if standard is None else standard.model_dump(exclude_none=True)).items()
        if role not in roles and column not in {*roles.values(), *said}
    }
    roles |= named
    matched = [Matched(s.column, s.target, s.confidence, s.why) for s in seen if s.target not in named]
    matched += _called_so(named)
    points = {field: column for column, field in said.items() if field in _POINT}
    matched += [Matched(column, field, "sure", (Message("chosen_by_you"),)) for field, column in points.items()]
    at = {} if has_shapes or "shape" in roles or called.position is None else _axes(called.position)
    if not set(at.values()) & {*roles.values(), *said} and not {"longitude", "latitude"} & set(points):
        matched += _called_so({_AXES.get(axis, axis): column for axis, column in at.items()})
        points |= at
    if "radius" in points:
        roles["radius"] = points.pop("radius")
    profile = None
    if "settlement_code" in roles:
        ignored = [column for column, field in said.items() if field == NOTHING]
        written: dict[str, Any] = {"name": "understood", "leave_out": ignored, "boundaries": roles}
        profile = tomlkit.dumps(written | ({"position": points} if points else {}))
    return Understanding(columns, matched, (), profile)


def understand_facilities(
    path: Path, options: ReadOptions, said: Mapping[str, str], kind: FacilityKind | None
) -> Understanding:
    """The same of a file of facilities, all of which are of a `kind` where it is given.

    Raises:
        as understand.
    """
    roles = {name: role for role, name in STANDARD.items()}
    given: dict[str, Any] = {roles.get(field, field): column for column, field in said.items() if field != NOTHING}
    ignored = [column for column, field in said.items() if field == NOTHING]
    with open_layer(path, options) as layer:
        columns = layer.columns
        _check_said(said, columns, path)
        found, axes = find_named(layer, FacilityColumns.model_validate(given | {"ignored": ignored}), path.name)
        position = None if layer.has_geometry or axes else standard_profile_of(layer).position
        seen = {} if "code" in found else evidence_of(layer, options).columns
    found |= axes
    matched = [
        Matched(column, STANDARD.get(role, role), "sure", (Message("chosen_by_you" if role in given else "called_so"),))
        for role, column in found.items()
    ]
    if "code" not in found:
        like = [c for c in seen if seen[c].may_be_code][:1]
        matched += [Matched(c, STANDARD["code"], "unsure", (Message("code_like"),)) for c in like]
    if position is not None:
        matched += _called_so({_AXES.get(axis, axis): column for axis, column in _axes(position).items()})
    used = FacilityColumns.model_validate(found | {"all_of_kind": kind, "ignored": ignored})
    return Understanding(columns, matched, (), _section("facilities", used.model_dump(exclude_defaults=True)))


_POINT = ("longitude", "latitude", "radius")
"""What columns of settlements hold that nobody has drawn."""

_AXES = {"column": "position"}


def _called_so(named: Mapping[str, str]) -> list[Matched]:
    """Columns that bear the name of what they hold, by that."""
    return [Matched(column, field, "sure", (Message("called_so"),)) for field, column in named.items()]


def _section(name: str, roles: Mapping[str, Any]) -> str:
    """A mapping profile of one section."""
    return tomlkit.dumps({"name": "understood", name: roles})


def _check_said(said: Mapping[str, str], columns: Sequence[str], path: Path) -> None:
    there = set(columns)
    if missing := {
        name for name in said if name not in there and not (part_names(name) and there.issuperset(part_names(name)))
    }:
        raise MissingColumn("column_unknown", file=path.name, column=quote(min(missing)), known=columns)


def columns_key(columns: Sequence[str], kind: str | None) -> str:
    """What tells files of a kind with these columns, in whatever order, from others."""
    named = sorted(columns) if kind is None else [kind, *sorted(columns)]
    return hashlib.sha256("\n".join(named).encode()).hexdigest()


def _axes(position: PositionColumns) -> dict[str, str]:
    """What a profile says of a position, without its CRS."""
    return {axis: column for axis in ("longitude", "latitude", "column") if (column := getattr(position, axis))}
