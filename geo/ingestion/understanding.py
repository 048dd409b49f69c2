"""What Vasti understands of a file nobody has described: which column holds what, how sure that is, and its profile."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from geo.errors import MissingColumn
from geo.fields import Unit
from geo.ingestion.formats import open_layer
from geo.ingestion.layers import ReadOptions
from geo.ingestion.profile import PositionColumns, parse_profile
from geo.ingestion.profile_text import quote, write_profile
from geo.ingestion.suggest import Confidence, suggest_profile
from geo.ingestion.text_shapes import standard_profile_of


@dataclass(frozen=True)
class Matched:
    """A column, the standard field or the part of a position it holds, and how sure that is."""

    column: str
    field: str
    confidence: Confidence
    why: str


@dataclass(frozen=True)
class Understanding:
    """What was understood of a file."""

    columns: Sequence[str]
    matched: Sequence[Matched]
    notes: Sequence[str]
    profile: str
    """The mapping profile that follows, as TOML: what is unsure is not in it."""

    def facts(self) -> dict[str, object]:
        """The same as JSON has it, without the profile."""
        facts = asdict(self)
        del facts["profile"]
        return facts


def understand(path: Path, options: ReadOptions, unit: Unit, said: Mapping[str, str] | None = None) -> Understanding:
    """Reads the first rows of a file of observations, and says what its columns seem to hold.

    A column with the name of a standard field holds that field, whatever stands in it: what does not fit is found when
    it is checked. `said` is what a person said of columns, as geo.ingestion.suggest.propose takes it.

    Raises:
        InputError: the file cannot be read; the message says what to do.
        MissingColumn: a person said something of a column there is not.
    """
    said = said or {}
    proposal = suggest_profile(path, options, unit=unit, said=said)
    text = write_profile(proposal)
    profile = parse_profile(text, "proposed")
    with open_layer(path, options) as layer:
        standard = standard_profile_of(layer)
        columns, has_position = layer.columns, layer.has_geometry or profile.position is not None
    if missing := said.keys() - set(columns):
        raise MissingColumn(f"{path.name} has no column {quote(min(missing))}; it has {', '.join(columns)}.")
    axes = {} if has_position or standard.position is None else _axes(standard.position)
    if said.keys() & axes.values():
        axes = {}
    taken = {mapping.column for mapping in profile.fields.values()} | said.keys()
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
    matched += [Matched(column, field, "sure", "it is called so") for field, column in named.items()]
    return Understanding(columns, matched, proposal.notes, text)


def columns_key(columns: Sequence[str]) -> str:
    """What tells files with these columns, in whatever order, from others."""
    return hashlib.sha256("\n".join(sorted(columns)).encode()).hexdigest()


def _axes(position: PositionColumns) -> dict[str, str]:
    """What a profile says of a position, without its CRS."""
    return {axis: column for axis in ("longitude", "latitude", "column") if (column := getattr(position, axis))}
