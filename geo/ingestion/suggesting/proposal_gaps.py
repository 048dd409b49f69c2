"""Gaps of a proposal: what a person must say before a file can be loaded with it, and how."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from geo.ingestion.mapping import FileEvidence
from geo.messages import Message


class Proposed(Protocol):
    """What a proposal says of a column, as far as it matters here."""

    @property
    def target(self) -> str: ...  # noqa: D102 (as Suggestion has them)

    @property
    def section(self) -> str: ...  # noqa: D102

    @property
    def confidence(self) -> str: ...  # noqa: D102


def gaps(suggestions: Sequence[Proposed], evidence: FileEvidence, *, is_boundaries: bool) -> Iterator[Message]:
    """A message for each thing that is missing; none where the proposal can be loaded as it stands."""
    if evidence.rows_read == 0:
        return
    used = {(s.section, s.target) for s in suggestions if s.confidence != "unsure"}
    if evidence.lacks_crs:
        yield Message("crs_missing_or_wrong")
    if is_boundaries and ("boundaries", "settlement_code") not in used:
        yield Message("settlement_code_unsure")
    has_answers = any(section == "fields" for section, _ in used)
    if is_boundaries and not has_answers:
        return
    names_place = {("fields", "declared_settlement_code"), ("fields", "declared_settlement_name")} & used
    position = [s.confidence for s in suggestions if s.section == "position"]
    has_position = evidence.has_geometry or (bool(position) and "unsure" not in position)
    if not names_place and not has_position:
        yield Message("place_unsure")
