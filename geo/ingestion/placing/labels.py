"""Labels: the settlement a row names by code, name and ward, and what it may have meant where there is none."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from geo.base import fold, fold_name
from geo.messages import Message

NOWHERE = -1

CLOSE = 85
"""How alike two names must be, of 100, for one to be proposed for the other. Nothing is ever joined by likeness."""

MAX_PROPOSED = 10_000
"""For how many different labels of a file a close one is looked for; beyond, the file is of another place."""

_LOOKED_AT = 5
"""Of names that are alike, the likest."""


@dataclass(frozen=True)
class Label:
    """What a row says of the settlement it belongs to."""

    code: str | None
    name: str | None = None
    ward: str | None = None

    def shown(self) -> str:
        """The label as a finding quotes it."""
        return " ".join(part.strip() for part in (self.code, self.name) if part)


@dataclass(frozen=True)
class Joined:
    """The settlement of a label: its index or NOWHERE, a finding to make of it if any, and the finding's value."""

    settlement: int
    finding: str | None = None
    value: str | Message | None = None
    may_be: tuple[int, ...] = ()
    """Where it is none for certain: those that bear the name."""
    ward: str | None = None
    """The ward the label names, where the city has no such ward."""


class Labels:
    """A city's settlements by code, and by the names and wards they are known under."""

    def __init__(self, codes: Sequence[str], names: Sequence[str], wards: Sequence[Sequence[str]] = ()) -> None:
        self._codes, self._names = codes, names
        self._wards = [{fold_name(ward) for ward in of_one} for of_one in wards] or [set() for _ in codes]
        self._ward_names = [of_one[-1] if of_one else None for of_one in wards] or [None for _ in codes]
        self._all_wards: set[str] = set().union(*self._wards)
        self._by_code = {fold(code): i for i, code in enumerate(codes)}
        self._by_plain_code: dict[str, list[int]] = defaultdict(list)
        for i, code in enumerate(codes):
            self._by_plain_code[_plain_code(code)].append(i)
        self._by_name: dict[str, list[int]] = defaultdict(list)
        for i, name in enumerate(names):
            self._by_name[fold_name(name)].append(i)
        self._n_proposed = 0

    def join(self, label: Label, *, has_codes: bool) -> Joined:
        """The settlement a label means: by code, or without one by a name that only one bears in the city or the ward.

        `has_codes` says whether the file names settlements by code, so that joining by name is worth a word.
        """
        code = fold(label.code) if label.code else None
        if code in self._by_code:
            return self._by_its_code(self._by_code[code], label)
        bearers = self._bearers(label.code, label.ward)
        if len(bearers) == 1:
            return Joined(bearers[0])
        # A code that is not known here contradicts the name: which of the two is wrong, only a person can say.
        by_name = self._bearers(label.name, label.ward) if label.code is None else []
        if len(by_name) == 1:
            said = f"{label.shown()} ({self._codes[by_name[0]]})"
            return Joined(by_name[0], "joined_by_name" if has_codes else None, said)
        bearers = by_name or bearers
        if bearers:
            codes = ", ".join(self._codes[i] for i in bearers)
            return Joined(NOWHERE, "name_ambiguous", f"{label.name or label.code}: {codes}", tuple(bearers))
        return self._joined_to_none(label)

    def _joined_to_none(self, label: Label) -> Joined:
        """What to say of a label that means no settlement of the city, or of the ward it names."""
        unknown_ward = None if not label.ward or self._is_ward(label.ward) or not self._all_wards else label.ward
        if label.code is None and label.name is None:
            return Joined(NOWHERE, "settlement_missing", ward=unknown_ward)
        elsewhere = self._bearers(label.code, None) or (self._bearers(label.name, None) if label.code is None else [])
        if elsewhere:
            return Joined(NOWHERE, "settlement_in_other_ward", self._elsewhere(label, elsewhere), ward=unknown_ward)
        return Joined(NOWHERE, "settlement_unknown", self._proposing(label), ward=unknown_ward)

    def is_in_ward(self, settlement: int, ward: str) -> bool:
        """Whether a settlement lies in a ward, as far as is known: unknown for a name that is no ward of the city."""
        return not self._wards[settlement] or not self._is_ward(ward) or fold_name(ward) in self._wards[settlement]

    def _is_ward(self, ward: str) -> bool:
        return fold_name(ward) in self._all_wards

    def _by_its_code(self, settlement: int, label: Label) -> Joined:
        known = self._names[settlement]
        if label.name is not None and fold_name(label.name) != fold_name(known):
            return Joined(settlement, "name_differs", Message("name_in_boundaries", name=label.name, known=known))
        if label.ward is not None and not self.is_in_ward(settlement, label.ward):
            of_city = self._ward_names[settlement]
            said = Message("ward_in_boundaries", label=label.shown(), ward=label.ward, known=of_city)
            return Joined(settlement, "ward_differs", said)
        return Joined(settlement)

    def _elsewhere(self, label: Label, bearers: Sequence[int]) -> Message:
        """Where a settlement is that the ward a row names does not have."""
        wards = [ward or Message("ward_none") for ward in dict.fromkeys(self._ward_names[i] for i in bearers)]
        return Message("ward_other_only", name=label.name or label.code, wards=wards, ward=label.ward)

    def _bearers(self, name: str | None, ward: str | None) -> list[int]:
        """The settlements of this name; where the row says the ward, not those known to lie in another."""
        found = self._by_name.get(fold_name(name), []) if name else []
        return [i for i in found if self._may_be_in(i, ward)]

    def _may_be_in(self, settlement: int, ward: str | None) -> bool:
        """Whether a settlement is not known to lie in another ward than the one a row names."""
        return not ward or not self._wards[settlement] or fold_name(ward) in self._wards[settlement]

    def _proposing(self, label: Label) -> str | Message:
        """The label, and the settlement it may have meant."""
        close = self._close(label)
        if close is None:
            return label.shown()
        return Message("settlement_meant", label=label.shown(), name=self._names[close], code=self._codes[close])

    def _close(self, label: Label) -> int | None:
        """The one settlement whose code differs by what spreadsheets do to codes, or whose name is most alike.

        Never one of another ward than the row names: that is another place, whatever it is called.
        """
        alike = self._by_plain_code.get(_plain_code(label.code), []) if label.code else []
        alike = [i for i in alike if self._may_be_in(i, label.ward)]
        if len(alike) == 1:
            return alike[0]
        self._n_proposed += 1
        if self._n_proposed > MAX_PROPOSED:
            return None
        for text in (label.name, label.code):
            folded = fold_name(text) if text else ""
            if not any(character.isalpha() for character in folded):
                continue
            found = process.extract(
                folded, self._by_name.keys(), scorer=fuzz.ratio, score_cutoff=CLOSE, limit=_LOOKED_AT
            )
            for name, *_ in found:
                near = [i for i in self._by_name[name] if self._may_be_in(i, label.ward)]
                if near:
                    return near[0]
        return None


def _plain_code(code: str) -> str:
    """A code without what a spreadsheet adds to a number, `205.0`, or takes from it: the zeros of `007`."""
    folded = fold(code)
    whole, point, decimals = folded.partition(".")
    if point and decimals.strip("0") == "" and whole.isdigit():
        folded = whole
    return folded.lstrip("0") or "0"
