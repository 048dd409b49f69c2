"""What Vasti understands of a file nobody has described: which column holds what, how sure that is, and its profile."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from geo.fields import Unit
from geo.ingestion.layers import ReadOptions
from geo.ingestion.profile import Profile, parse_profile
from geo.ingestion.profile_text import quote, write_profile
from geo.ingestion.standard_columns import standard_profile
from geo.ingestion.suggest import Confidence, Proposal, suggest_profile

_AXES = ("longitude", "latitude")


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


def understand(path: Path, options: ReadOptions, unit: Unit) -> Understanding:
    """Reads the first rows of a file of observations, and says what its columns seem to hold.

    A column with the name of a standard field holds that field, whatever stands in it: what does not fit is found when
    it is checked.

    Raises:
        InputError: the file cannot be read; the message says what to do.
    """
    proposal = suggest_profile(path, options, unit=unit)
    text = write_profile(proposal)
    columns = list(proposal.evidence.columns)
    named = list(_named_so(columns, parse_profile(text, "proposed"), has_geometry=proposal.evidence.has_geometry))
    axes = [f"{field} = {quote(column)}\n" for field, column in named if field in _AXES]
    text += "".join(["\n[position]\n", *axes] if axes else [])
    text += "".join(f"\n[fields.{f}]\ncolumn = {quote(column)}\n" for f, column in named if f not in _AXES)
    matched = [*_proposed(proposal, {field for field, _ in named})]
    matched += [Matched(column, field, "sure", "it has the name of the field") for field, column in named]
    return Understanding(columns, matched, proposal.notes, text)


def columns_key(columns: Sequence[str]) -> str:
    """What tells files with these columns, in whatever order, from others."""
    return hashlib.sha256("\n".join(sorted(columns)).encode()).hexdigest()


def _named_so(columns: list[str], profile: Profile, *, has_geometry: bool) -> Iterator[tuple[str, str]]:
    """The standard fields and axes, each with the column of its name, that a proposed profile has no column for."""
    standard = standard_profile(columns)
    if not has_geometry and profile.position is None and standard.position is not None:
        yield from zip(_AXES, standard.position.columns(), strict=True)
    taken = {mapping.column for mapping in profile.fields.values()}
    for field, mapping in standard.fields.items():
        if field not in profile.fields and mapping.column not in taken:
            yield field, mapping.column


def _proposed(proposal: Proposal, named: set[str]) -> Iterator[Matched]:
    for made in proposal.suggestions:
        if made.target not in named:
            yield Matched(made.column, made.target, made.confidence, made.why)
