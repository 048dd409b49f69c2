"""What a proposal is: which column holds which field, how sure that is, and why."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from geo.fields import Unit
from geo.ingestion.mapping import (
    FileEvidence,
    Value,
)
from geo.ingestion.suggesting.detail_hints import DetailHint
from geo.ingestion.suggesting.fits import ValueLine
from geo.ingestion.suggesting.share_hints import ShareHint
from geo.messages import Message

Confidence = Literal["sure", "likely", "unsure"]
Section = Literal["position", "boundaries", "fields"]
TARGETS = ("longitude", "latitude", "position")
"""What a column of a file of observations may hold besides a standard field; `position`: both, in one text."""
NOTHING = ""
"""What a column holds of which a person said that it is not to be used."""
DETAIL = "detail"
"""What a column holds that tells more of an answer to another question; several may."""


@dataclass(frozen=True)
class Suggestion:
    """That a column holds a field, how sure that is, and why."""

    target: str
    section: Section
    column: str
    confidence: Confidence
    why: tuple[Message, ...]
    values: tuple[ValueLine, ...] = ()
    format: str | None = None
    unit: str | None = None
    decimal: str | None = None
    separator: str | None = None
    prefer: tuple[Value, ...] = ()
    plus: tuple[str, ...] = ()
    """Further columns, whose numbers are added to the column's."""
    when: tuple[DetailHint, ...] = ()
    """The columns that tell more of some of its answers."""


@dataclass(frozen=True)
class Proposal:
    """A proposed mapping profile, and what it was made from."""

    name: str
    title: str
    file_name: str
    unit: Unit
    suggestions: list[Suggestion]
    shares: list[ShareHint]
    unmapped: list[str]
    notes: list[Message]
    crs: str
    evidence: FileEvidence
    personal: Mapping[str, str] = field(default_factory=dict)
    """Those of the unmapped columns that are about persons, and what they hold: they are not kept."""

    @property
    def rows_read(self) -> int:
        """How many rows it was made from."""
        return self.evidence.rows_read

    @property
    def is_whole(self) -> bool:
        """Whether those were all."""
        return self.evidence.is_whole
