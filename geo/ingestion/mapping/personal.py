"""Personal columns: names, telephone numbers, identity numbers and the like, told by a column's name and by its values.

They are not kept with the rows unless somebody says so: no figure needs them.
"""

import re
from collections.abc import Callable, Mapping, Sequence

from geo.ingestion.mapping.evidence import ColumnEvidence, column_evidence
from geo.ingestion.mapping.vocabulary import Vocabulary, vocabulary
from geo.ingestion.mapping.yes_no import yes_or_no
from geo.ingestion.reading import Batch, Note

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+")
_IPV4 = re.compile(r"(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)")
_IPV6 = re.compile(r"(?=.*::|(?:[^:]*:){7})[0-9a-f:]{3,39}", re.IGNORECASE)
_MAC = re.compile(r"(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}", re.IGNORECASE)
_TELEPHONE = re.compile(r"(?:\+|00)\d[\d ().-]{6,20}|\(\d{2,4}\) ?\d{3,4}[-. ]?\d{3,4}|\d{3,4}[-. ]\d{3}[-. ]\d{4}")
_IDENTITY = re.compile(r"\d{3}\.\d{3}\.\d{3}-\d{2}|\d{4} \d{4} \d{4}")
_SHAPES: Mapping[str, Callable[[str], object]] = {
    "network": lambda text: _IPV4.fullmatch(text) or _IPV6.fullmatch(text),
    "email": _EMAIL.fullmatch,
    "device": _MAC.fullmatch,
    "identity": _IDENTITY.fullmatch,
    "telephone": _TELEPHONE.fullmatch,
}
"""How values of a kind look that nothing else looks like."""

_DIGITS = re.compile(r"\d")
_FEWEST_DIGITS = {"telephone": 6, "identity": 4}
_MOSTLY, _HALF = 0.8, 0.5
_FEWEST_NAMES = 2
"""With fewer, nothing tells whether they come again."""


def personal_kind(seen: ColumnEvidence, words: Vocabulary) -> str | None:
    """Which kind of personal data a column holds, as the vocabulary calls it; None: none."""
    known = seen.without(words.is_unknown)
    by_shape = next((kind for kind, is_one in _SHAPES.items() if known.share_where(is_one) >= _MOSTLY), None)
    if by_shape is not None:
        return by_shape
    named = words.personal_kind(seen.name)
    if named is not None and not _says_otherwise(named, known):
        return named
    if not words.may_be_person(seen.name) or known.n_given < _FEWEST_NAMES or _says_otherwise("name", known):
        return None
    # Answers come again; people seldom do.
    is_of_people = known.number_share < _HALF and known.dates is None and known.n_distinct > _HALF * known.n_given
    return "name" if is_of_people else None


def _says_otherwise(kind: str, known: ColumnEvidence) -> bool:
    """Whether values speak against what a name says: a household that is asked for a telephone says yes or no."""
    if not known.counts:
        return False
    if known.share_where(lambda text: yes_or_no(text) is not None) >= _HALF:
        return True
    if kind in ("email", "network"):
        return known.share_where(_SHAPES[kind]) < _HALF
    fewest = _FEWEST_DIGITS.get(kind, 0)
    return known.share_where(lambda text: len(_DIGITS.findall(text)) >= fewest) < _HALF


class PersonalColumns:
    """Which of a file's columns are about persons: looked at batch by batch until each has had values."""

    def __init__(self, columns: Sequence[str], keep: set[str]) -> None:
        self.found: dict[str, str] = {}
        self._undecided = list(columns)
        self._keep = keep
        self._words = vocabulary()

    def look(self, batch: Batch) -> None:
        """Looks at the columns that have had no values yet."""
        undecided = []
        for name in self._undecided:
            seen = column_evidence(name, [batch.columns[name]], len(batch.row_numbers))
            kind = personal_kind(seen, self._words)
            if kind is not None:
                self.found[name] = self._words.personal_titles[kind]
            elif seen.n_given == 0:
                undecided.append(name)
        self._undecided = undecided

    def left_out(self) -> set[str]:
        """The columns that are not kept."""
        return self.found.keys() - self._keep

    def note(self) -> Note | None:
        """What is to be said of them."""
        named = [f"{name} ({title})" for name, title in self.found.items() if name not in self._keep]
        return Note("personal_left_out", value="; ".join(named)) if named else None
