"""Which candidate holds which field: one column for each target, and one target for each column."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from geo.fields import Unit, standard_fields
from geo.ingestion.mapping import (
    FileEvidence,
    on_one_line,
)
from geo.ingestion.mapping.vocabulary import NAMED, NameClaim
from geo.ingestion.suggesting.candidates import Candidate
from geo.ingestion.suggesting.fits import Fit
from geo.ingestion.suggesting.place_codes import CodeChoice, Held, choose_household_code, choose_settlement_columns
from geo.ingestion.suggesting.proposal import Confidence
from geo.messages import Message

_ANY_RANK = 2
"""From this rank on, a column is taken by a name that does not say of what it is the code."""
_DECLARED = ("declared_settlement_code", "declared_settlement_name", "declared_ward_name", "cluster")
PLACES = ("settlement_code", "settlement_name", "ward_code", "ward_name", "longitude", "latitude", "position")


def choose(candidates: Sequence[Candidate], *, is_boundaries: bool, has_geometry: bool, unit: Unit) -> list[Candidate]:
    """One column for each target, the best first; a column serves one target."""
    wanted = _wanted(is_boundaries=is_boundaries, has_geometry=has_geometry, unit=unit)
    renamed = [
        replace(c, target=wanted[c.target][0], rank=c.rank + wanted[c.target][1])
        for c in candidates
        if c.target in wanted
    ]
    chosen: dict[str, Candidate] = {}
    taken: set[str] = set()
    for candidate in sorted(renamed, key=Candidate.order):
        if candidate.target in chosen or candidate.column in taken:
            continue
        rivals = [
            c.column
            for c in renamed
            if c.target == candidate.target and c.column != candidate.column and c.order()[:3] == candidate.order()[:3]
        ]
        if rivals:
            confidence: Confidence = "likely" if candidate.confidence == "sure" else candidate.confidence
            also = Message("column_says_same", column=on_one_line(rivals[0]))
            candidate = replace(candidate, confidence=confidence, why=(*candidate.why, also))  # noqa: PLW2901
        chosen[candidate.target] = candidate
        taken.add(candidate.column)
    # A settlement named by name only is found by it as by a code.
    if "declared_settlement_name" in chosen and "declared_settlement_code" not in chosen:
        named = chosen.pop("declared_settlement_name")
        chosen["declared_settlement_code"] = replace(
            named, target="declared_settlement_code", why=(*named.why, Message("found_by_name_too"))
        )
    order = [*PLACES, *standard_fields()]
    return sorted(chosen.values(), key=lambda c: order.index(c.target))


def _wanted(*, is_boundaries: bool, has_geometry: bool, unit: Unit) -> dict[str, tuple[str, int]]:
    """What each target of the vocabulary is here, and how much it stands back behind others for the same."""
    wanted = {name: (name, 0) for name in standard_fields()}
    if is_boundaries:
        wanted |= {name: (name, 0) for name in PLACES[:4]}
        wanted |= {"any_code": ("settlement_code", _ANY_RANK), "any_name": ("settlement_name", _ANY_RANK)}
        for name in ("household_code", "members", "interviewed_on", "occupation"):
            del wanted[name]
    else:
        wanted |= {
            "settlement_code": ("declared_settlement_code", 0),
            "settlement_name": ("declared_settlement_name", 0),
        }
        if unit == "settlement":
            wanted |= {"any_code": ("declared_settlement_code", 2), "any_name": ("declared_settlement_name", 2)}
            del wanted["household_code"]
        else:
            wanted |= {"any_code": ("household_code", 8), "consent": ("interview_result", 1)}
        wanted |= {"any_date": ("interviewed_on", 1)}
        if not has_geometry:
            wanted |= {name: (name, 0) for name in PLACES[4:]}
    if unit == "settlement":
        wanted |= {"settlement_households": ("weight", 0), "settlement_dwellings": ("weight", 1)}
    return wanted


def with_better_codes(
    chosen: Sequence[Candidate],
    claims: Mapping[str, list[NameClaim]],
    evidence: FileEvidence,
    said: Mapping[str, str],
    *,
    unit: Unit,
    is_boundaries: bool,
    shapes: Sequence[str],
) -> list[Candidate]:
    """The chosen columns with others for the codes of settlements or households, where these would not do."""
    by_target = {c.target: c for c in chosen}
    places = {name: by_target[name].column for name in PLACES[1:4] if name in by_target}
    choices: list[CodeChoice] = []
    if is_boundaries:
        code = by_target.get("settlement_code")
        held = None if code is None else Held(code.column, is_named=code.rank < _ANY_RANK)
        others = {c.column for c in chosen if c.target not in PLACES} | {*shapes, *said}
        choices += choose_settlement_columns(evidence, held, places, others)
    elif unit == "household":
        named = [
            c for c, made in claims.items() if any(m.target == "household_code" and m.strength >= NAMED for m in made)
        ]
        column = by_target["household_code"].column if "household_code" in by_target else next(iter(named), None)
        declared = [by_target[name].column for name in _DECLARED if name in by_target]
        if column is not None and (choice := choose_household_code(evidence, column, declared)) is not None:
            choices.append(choice)
    for choice in choices:
        # What a person said of a column holds.
        if choice.target not in said.values():
            fit = Fit(1.0, is_telling=False)
            by_target[choice.target] = Candidate(
                choice.target, choice.column, choice.confidence, 0.0, _ANY_RANK, fit, choice.why
            )
    order = [*PLACES, *standard_fields()]
    return sorted(by_target.values(), key=lambda c: order.index(c.target))
