"""Suggest: proposes a mapping profile from a file's column names and values.

Every proposal says how far to trust it:

- sure: the name says the field by itself (its own words, a scheme's name for it, or those cut to ten characters), at
  least 95 % of the different values are what the field holds, and no other column claims it as well.
- likely: the name says the field and at least half of the values fit, or the name holds the field's words among
  others and nine of ten values fit; or it would be sure, but almost nobody answered, several answers may be given at
  once, or another column claims the same.
- unsure: anything less that is worth a look. It is written as a comment, so that nothing is mapped unseen.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from geo.fields import Unit, standard_fields
from geo.ingestion.findings import finding_params
from geo.ingestion.mapping import (
    ColumnEvidence,
    FileEvidence,
    Meanings,
    Value,
    Vocabulary,
    read_evidence,
    shown_name,
    vocabulary,
)
from geo.ingestion.mapping.made_columns import part_names
from geo.ingestion.mapping.personal import personal_kind
from geo.ingestion.mapping.vocabulary import NAMED, NameClaim, SchemeColumn
from geo.ingestion.mapping.years import name_years, year_column, years_of
from geo.ingestion.reading import Note, ReadOptions, find_zone
from geo.ingestion.reading.axes import find_axes, zone_codes
from geo.ingestion.suggesting.detail_hints import DetailHint, hint_detail
from geo.ingestion.suggesting.fits import Fit, ValueLine, fit_field
from geo.ingestion.suggesting.household_sums import columns_of_everybody
from geo.ingestion.suggesting.place_codes import CodeChoice, Held, choose_household_code, choose_settlement_columns
from geo.ingestion.suggesting.proposal_gaps import gaps
from geo.ingestion.suggesting.share_hints import ShareHint, hint_shares
from geo.ingestion.suggesting.ticked_columns import join_choices
from geo.messages import Message

Confidence = Literal["sure", "likely", "unsure"]
Section = Literal["position", "boundaries", "fields"]

_RANK: dict[str, int] = {"sure": 0, "likely": 1, "unsure": 2}
_FITS, _FITS_WELL, _FITS_SOMEWHAT = 0.95, 0.9, 0.5
_HARDLY_ANSWERED = 0.02
_NEVER_SURE = {"any_code", "any_name", "any_date", "settlement_dwellings", "consent"}
_DERIVED = {"water_location": "water_source"}
"""Fields whose answer the answers to another field may hold."""


@dataclass(frozen=True)
class Suggestion:
    """That a column holds a field, how sure that is, and why."""

    target: str
    section: Section
    column: str
    confidence: Confidence
    why: str
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


@dataclass(frozen=True)
class _Candidate:
    target: str
    column: str
    confidence: Confidence
    strength: float
    rank: int
    fit: Fit
    why: str

    def order(self) -> tuple[int, int, float, float, int]:
        """The best first; among equals the one whose values say more."""
        return (_RANK[self.confidence], self.rank, -self.strength, -self.fit.share, -len(self.fit.values))


def suggest_profile(
    path: Path,
    options: ReadOptions,
    *,
    name: str | None = None,
    unit: Unit | None = None,
    said: Mapping[str, str] | None = None,
    of_places: bool = False,
    answers: Meanings | None = None,
    details: Meanings | None = None,
) -> Proposal:
    """Reads the first rows of a file and proposes how to map it; what a person said of it is as propose takes it.

    Raises:
        InputError: the file cannot be read; the message says what to do.
    """
    evidence = read_evidence(path, options)
    return propose(
        evidence,
        path,
        crs=options.crs,
        name=name,
        unit=unit,
        said=said,
        of_places=of_places,
        answers=answers,
        details=details,
    )


TARGETS = ("longitude", "latitude", "position")
"""What a column of a file of observations may hold besides a standard field; `position`: both, in one text."""

NOTHING = ""
"""What a column holds of which a person said that it is not to be used."""

DETAIL = "detail"
"""What a column holds that tells more of an answer to another question; several may."""


def propose(
    evidence: FileEvidence,
    path: Path,
    *,
    crs: str | None = None,
    name: str | None = None,
    unit: Unit | None = None,
    said: Mapping[str, str] | None = None,
    of_places: bool = False,
    answers: Meanings | None = None,
    details: Meanings | None = None,
) -> Proposal:
    """The proposal for what was seen of a file.

    Args:
        evidence: what was seen.
        path: the file, for its name.
        crs: that of its positions, where a person named one.
        name: what the profile is to be called.
        unit: what a row is of; None: what it seems to be.
        said: columns of which a person said what they hold: a standard field, one of TARGETS, DETAIL, or NOTHING.
        of_places: whether a person said that its rows are settlements, drawn or not.
        answers: what a person said that answers mean.
        details: the same of the texts of columns that tell more of an answer.
    """
    words = vocabulary()
    said, answers, details = said or {}, answers or {}, details or {}
    choices, columns = join_choices(evidence.columns, words)
    is_cut = all(len(column) <= 10 for column in evidence.columns)
    claims = {column: words.name_claims(column, is_cut=is_cut) for column in columns}
    shapes = [c for c, seen in columns.items() if not evidence.has_geometry and seen.holds_polygons]
    is_boundaries = of_places or evidence.is_polygons or bool(shapes)
    unit = unit or ("settlement" if is_boundaries or _is_register(claims, columns) else "household")
    notes, candidates = [_said_of_file(note) for note in evidence.notes], []
    for scheme in words.schemes:
        found = scheme.found_in(list(columns))
        if found:
            notes.append(Message("columns_of_scheme", scheme=scheme.title))
            candidates += list(_scheme_candidates(found, columns, scheme.title, words, answers))
            if scheme.name != "kobo":
                claims |= {column: [] for column in found}
    candidates += [
        c for column, made in claims.items() for c in _candidates(columns[column], made, unit, words, answers)
    ]
    if not evidence.has_geometry:
        candidates = [*candidates, *_axis_candidates(columns, words)]
    several = set(choices.values())
    candidates = [
        replace(c, confidence="likely") if c.column in several and c.confidence == "sure" else c for c in candidates
    ]
    candidates = [c for c in candidates if c.column not in said and c.target not in said.values()]
    candidates += _said(said, columns, unit, words, answers)
    chosen = _choose(candidates, is_boundaries=is_boundaries, has_geometry=evidence.has_geometry, unit=unit)
    chosen = _with_codes(chosen, claims, evidence, said, unit=unit, is_boundaries=is_boundaries, shapes=shapes)
    made = {c.column: evidence.made_of(parts) for c in chosen if (parts := part_names(c.column))}
    suggestions = list(
        _place(chosen, columns, shapes, unit=unit, is_boundaries=is_boundaries, has_geometry=evidence.has_geometry)
    )
    if unit == "household" and not is_boundaries:
        free = {name: seen for name, seen in columns.items() if name not in said}
        suggestions += _members_as_sum(suggestions, free, words)
    suggestions = list(_with_details(suggestions, choices, evidence, words, said, details))
    taken = {c for s in suggestions for c in (s.column, *s.plus, *(hint.column for hint in s.when))}
    taken |= {part for column in made for part in part_names(column)}
    grid = None if crs else _grid_crs(chosen, suggestions, columns, notes)
    shares = list(hint_shares(columns, taken, words, is_cut=is_cut)) if unit == "settlement" else []
    used = taken | {column for column, question in choices.items() if question in taken}
    year = year_column(evidence.columns)
    years = years_of(text for text, _ in evidence.columns[year].counts) if year is not None else []
    if len(years) > 1:
        notes.append(_said_of_file(Note("several_years", name_years(years), year)))
    if evidence.rows_read == 0:
        notes.append(Message("file_without_rows_to_tell"))
    if unit == "settlement" and not is_boundaries:
        notes.append(Message("rows_are_settlements"))
    notes += gaps(suggestions, evidence, is_boundaries=is_boundaries)
    stem = path.stem.removesuffix(".tar")
    unmapped = [c for c in evidence.columns if c not in used and c not in {s.column for s in shares}]
    kinds = {column: personal_kind(evidence.columns[column], words) for column in unmapped}
    return Proposal(
        name=name or "-".join(stem.lower().split()) or "proposed",
        title=stem,
        file_name=path.name,
        unit=unit,
        suggestions=suggestions,
        shares=shares,
        unmapped=unmapped,
        notes=notes,
        crs=crs or grid or "EPSG:4326",
        evidence=replace(evidence, columns={**evidence.columns, **columns, **made}),
        personal={column: words.personal_titles[kind] for column, kind in kinds.items() if kind is not None},
    )


def _members_as_sum(
    suggestions: Sequence[Suggestion], columns: Mapping[str, ColumnEvidence], words: Vocabulary
) -> Iterator[Suggestion]:
    """The household's size as a sum of those of an age and sex, where no column has it."""
    if any(s.target == "members" and s.confidence != "unsure" for s in suggestions):
        return
    taken = {s.column for s in suggestions if s.confidence != "unsure"}
    parts = columns_of_everybody({name: seen for name, seen in columns.items() if name not in taken}, words)
    if parts:
        why = f"no column counts members, but {len(parts)} columns count everybody by age or sex, each once"
        yield Suggestion("members", "fields", parts[0], "likely", why, plus=tuple(parts[1:]))


def _said_of_file(note: Note) -> Message:
    said = Message.of_json(note.code, finding_params(note.field, note.value))
    return said if note.row is None else Message("note_of_row", said=said, row=note.row)


def _axis_candidates(columns: Mapping[str, ColumnEvidence], words: Vocabulary) -> Iterator[_Candidate]:
    """The two columns that a load takes for a position by their names, which say so together only."""
    axes = find_axes(list(columns))
    if axes is None:
        return
    fits = [fit_field(axis, columns[column], words) for axis, column in zip(TARGETS, axes, strict=False)]
    if all(fit.is_metric for fit in fits):
        # Where the decimal point is lost, the smaller numbers of the two look like metres still.
        lost = [fit for fit in fits if not fit.stop]
        fits = [lost[0]] * 2 if lost else [replace(fit, share=_FITS_SOMEWHAT, stop=False) for fit in fits]
    for axis, column, fit in zip(TARGETS, axes, fits, strict=False):
        if fit.share >= _FITS_SOMEWHAT and not fit.stop:
            other = axes[1] if column == axes[0] else axes[0]
            why = f"its name and that of {shown_name(other)} go together; {fit.says}"
            yield _Candidate(axis, column, "likely", NAMED, 1, fit, why)


def _grid_crs(
    chosen: Sequence[_Candidate],
    suggestions: Sequence[Suggestion],
    columns: Mapping[str, ColumnEvidence],
    notes: list[Message],
) -> str | None:
    """The CRS of a position in metres, where a column names its UTM zone; else a note that a person must name it."""
    position = {s.column for s in suggestions if s.section == "position"}
    if not any(c.fit.is_metric and c.fit.share <= _FITS_SOMEWHAT for c in chosen if c.column in position):
        return None
    zone = find_zone(columns)
    said = [zone_codes(text) for text, _ in columns[zone].counts] if zone is not None else []
    if said and all(len(codes) == 1 for codes in said):
        zones = list(dict.fromkeys(codes[0] for codes in said))
        notes.append(Message("positions_of_zones", zones=zones, column=zone))
        return zones[0]
    if len(said) == 1 and said[0]:
        notes.append(Message("positions_of_one_of_zones", zones=said[0]))
    else:
        notes.append(Message("positions_of_unknown_grid"))
    return None


def _said(
    said: Mapping[str, str],
    columns: Mapping[str, ColumnEvidence],
    unit: Unit,
    words: Vocabulary,
    answers: Meanings,
) -> Iterator[_Candidate]:
    for column, target in said.items():
        parts = part_names(column)
        if target in (NOTHING, DETAIL) or not (column in columns or (parts and all(p in columns for p in parts))):
            continue
        seen = columns.get(column)
        fit = Fit(1.0) if seen is None else fit_field(target, seen, words, unit=unit, said=answers.get(target))
        # What the column holds was said; what its answers mean was not.
        confidence: Confidence = "likely" if any(line.is_guess for line in fit.values) else "sure"
        yield _Candidate(target, column, confidence, 1.0, -1, fit, f"you chose it; {fit.says}".rstrip("; "))


def _with_details(
    suggestions: Sequence[Suggestion],
    choices: Mapping[str, str],
    evidence: FileEvidence,
    words: Vocabulary,
    said: Mapping[str, str],
    details: Meanings,
) -> Iterator[Suggestion]:
    """The suggestions, each with the column that tells more of its answers, if there is one."""
    fields = standard_fields()
    claimed = {s.column for s in suggestions if s.confidence != "unsure"}
    left = [c for c in evidence.cells if c not in choices and said.get(c, DETAIL) == DETAIL]
    hints: dict[str, DetailHint] = {}
    for made in suggestions:
        asked = fields.get(made.target)
        if asked is None or made.section != "fields" or made.separator is not None or made.confidence == "unsure":
            continue
        if made.column not in evidence.columns:
            continue
        answers = made.values or [ValueLine(text, text) for text, _ in evidence.columns[made.column].counts]
        hint = asked.type in ("code", "boolean") and hint_detail(
            made.target,
            made.column,
            answers,
            [column for column in left if column != made.column],
            evidence,
            words,
            claimed=claimed,
            said=[column for column, target in said.items() if target == DETAIL],
            meant=details.get(made.target, {}),
        )
        if hint:
            hints[made.target] = hint
            left.remove(hint.column)
    told = {hint.column for hint in hints.values()}
    for made in suggestions:
        if made.target in hints and made.section == "fields":
            hint = hints[made.target]
            is_open = any(line.is_guess or line.value is None for line in hint.values)
            is_answer_open = any(line.is_guess and line.text not in hint.answers for line in made.values)
            sure = made.why.startswith("you chose it") and not is_open and not is_answer_open
            yield replace(made, confidence="sure" if sure else "likely", why=f"{made.why}; {hint.why}", when=(hint,))
        elif made.column not in told:
            yield made


def _is_register(claims: Mapping[str, list[NameClaim]], columns: Mapping[str, ColumnEvidence]) -> bool:
    """Whether the rows seem to be settlements: they count households, and no column counts members."""
    named: dict[str, list[str]] = defaultdict(list)
    for column, made in claims.items():
        for claim in made:
            if claim.strength >= NAMED:
                named[claim.target].append(column)
    named_counts = [*named["settlement_households"], *named["settlement_dwellings"]]
    counts = [c for c in named_counts if columns[c].number_share > 0.9]
    return bool(counts) and not named["members"]


def _scheme_candidates(
    found: Mapping[str, SchemeColumn],
    columns: Mapping[str, ColumnEvidence],
    title: str,
    words: Vocabulary,
    answers: Meanings,
) -> Iterator[_Candidate]:
    for column, meant in found.items():
        if meant.field is None:
            continue
        said = answers.get(meant.field)
        fit = fit_field(meant.field, columns[column], words, codes=dict(meant.codes), said=said)
        if fit.share == 0 and columns[column].n_given == 0:
            continue
        confidence: Confidence = "sure" if fit.share >= _FITS else "likely" if fit.share >= _FITS_SOMEWHAT else "unsure"
        if confidence == "sure" and (meant.note or any(line.is_guess for line in fit.values)):
            confidence = "likely"
        if meant.unsure:
            confidence = "unsure"
        why = f"it is a column of {title}" + (f"; it {meant.note}" if meant.note else "") + f"; {fit.says}"
        yield _Candidate(meant.field, column, confidence, 1.0, meant.rank, fit, why)


def _candidates(
    seen: ColumnEvidence, claims: Sequence[NameClaim], unit: Unit, words: Vocabulary, answers: Meanings
) -> Iterator[_Candidate]:
    for claim in claims:
        if claim.target.startswith("any_") and claim.strength < NAMED:
            continue
        fit = fit_field(claim.target, seen, words, unit=unit, said=answers.get(claim.target))
        if fit.share == 0 or (claim.strength < NAMED and fit.share < _FITS_SOMEWHAT):
            continue
        confidence = _confidence(claim, fit)
        why = f"the name {_says(claim, words)}; {fit.says}"
        if seen.n_rows and seen.n_given < _HARDLY_ANSWERED * seen.n_rows:
            confidence = "likely" if confidence == "sure" else confidence
            why += f"; only {seen.n_given:,} of {seen.n_rows:,} rows have it"
        yield _Candidate(claim.target, seen.name, confidence, claim.strength, 1, fit, why)


def _confidence(claim: NameClaim, fit: Fit) -> Confidence:
    if claim.strength >= NAMED:
        if fit.share >= _FITS and not fit.doubt and claim.target not in _NEVER_SURE:
            return "sure"
        return "likely" if fit.share >= _FITS_SOMEWHAT and not fit.stop else "unsure"
    return "likely" if fit.share >= _FITS_WELL and fit.is_telling and not fit.stop else "unsure"


def _says(claim: NameClaim, words: Vocabulary) -> str:
    meaning = claim.target.removeprefix("any_").replace("_", " ")
    where = words.sources.get(claim.phrase.source)
    if claim.strength < NAMED:
        return f"holds the words “{claim.phrase.text}”, {meaning}"
    if where is None or claim.phrase.text == meaning:
        return f"means {meaning}"
    return f"means {meaning} {where}" + (" (cut short)" if claim.strength == NAMED else "")


def _choose(
    candidates: Sequence[_Candidate], *, is_boundaries: bool, has_geometry: bool, unit: Unit
) -> list[_Candidate]:
    """One column for each target, the best first; a column serves one target."""
    wanted = _wanted(is_boundaries=is_boundaries, has_geometry=has_geometry, unit=unit)
    renamed = [
        replace(c, target=wanted[c.target][0], rank=c.rank + wanted[c.target][1])
        for c in candidates
        if c.target in wanted
    ]
    chosen: dict[str, _Candidate] = {}
    taken: set[str] = set()
    for candidate in sorted(renamed, key=_Candidate.order):
        if candidate.target in chosen or candidate.column in taken:
            continue
        rivals = [
            c.column
            for c in renamed
            if c.target == candidate.target and c.column != candidate.column and c.order()[:3] == candidate.order()[:3]
        ]
        if rivals:
            confidence: Confidence = "likely" if candidate.confidence == "sure" else candidate.confidence
            also = f"{candidate.why}; column {shown_name(rivals[0])} says the same"
            candidate = replace(candidate, confidence=confidence, why=also)  # noqa: PLW2901
        chosen[candidate.target] = candidate
        taken.add(candidate.column)
    # A settlement named by name only is found by it as by a code.
    if "declared_settlement_name" in chosen and "declared_settlement_code" not in chosen:
        named = chosen.pop("declared_settlement_name")
        chosen["declared_settlement_code"] = replace(
            named, target="declared_settlement_code", why=f"{named.why}; a settlement is found by name too"
        )
    order = [*_PLACES, *standard_fields()]
    return sorted(chosen.values(), key=lambda c: order.index(c.target))


_ANY_RANK = 2
"""From this rank on, a column is taken by a name that does not say of what it is the code."""

_DECLARED = ("declared_settlement_code", "declared_settlement_name", "declared_ward_name", "cluster")

_PLACES = ("settlement_code", "settlement_name", "ward_code", "ward_name", "longitude", "latitude", "position")


def _wanted(*, is_boundaries: bool, has_geometry: bool, unit: Unit) -> dict[str, tuple[str, int]]:
    """What each target of the vocabulary is here, and how much it stands back behind others for the same."""
    wanted = {name: (name, 0) for name in standard_fields()}
    if is_boundaries:
        wanted |= {name: (name, 0) for name in _PLACES[:4]}
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
            wanted |= {name: (name, 0) for name in _PLACES[4:]}
    if unit == "settlement":
        wanted |= {"settlement_households": ("weight", 0), "settlement_dwellings": ("weight", 1)}
    return wanted


def _place(
    chosen: Sequence[_Candidate],
    columns: Mapping[str, ColumnEvidence],
    shapes: Sequence[str],
    *,
    unit: Unit,
    is_boundaries: bool,
    has_geometry: bool,
) -> Iterator[Suggestion]:
    """The chosen columns in the sections of a profile."""
    by_target = {c.target: c for c in chosen}
    if is_boundaries:
        for name in _PLACES[:4]:
            if name in by_target:
                yield _suggestion(by_target[name], "boundaries")
        for column in [] if has_geometry else shapes[:1]:
            yield Suggestion("shape", "boundaries", column, "sure", "its values are outlines written as text")
        answers = [c for c in chosen if c.target in standard_fields() and standard_fields()[c.target].role == "answer"]
        if not any(c.confidence != "unsure" for c in answers):
            return
        if unit == "settlement" and "settlement_code" in by_target:
            # One table is both: each row of answers is found by the code of its own outline.
            code = replace(by_target["settlement_code"], why="the settlements' code, which joins the answers to them")
            yield _suggestion(replace(code, target="declared_settlement_code"), "fields")
    elif "longitude" in by_target and "latitude" in by_target:
        for name in ("longitude", "latitude"):
            yield _suggestion(by_target[name], "position")
    elif "position" in by_target:
        yield replace(_suggestion(by_target["position"], "position"), target="column")
    for candidate in chosen:
        if candidate.target in standard_fields():
            yield _suggestion(candidate, "fields")
    yield from _derived(by_target, columns)


def _derived(by_target: Mapping[str, _Candidate], columns: Mapping[str, ColumnEvidence]) -> Iterator[Suggestion]:
    """Fields that the answers to another question hold too, where no column asks for them alone."""
    for target, source in _DERIVED.items():
        known = by_target.get(source)
        if target in by_target or known is None or known.confidence == "unsure" or known.fit.separator is not None:
            continue
        fit = fit_field(target, columns[known.column], vocabulary())
        if fit.share >= _FITS and fit.is_telling:
            why = f"the answers for {source} say this too; {fit.says}"
            yield _suggestion(_Candidate(target, known.column, "likely", known.strength, 1, fit, why), "fields")


def _with_codes(
    chosen: Sequence[_Candidate],
    claims: Mapping[str, list[NameClaim]],
    evidence: FileEvidence,
    said: Mapping[str, str],
    *,
    unit: Unit,
    is_boundaries: bool,
    shapes: Sequence[str],
) -> list[_Candidate]:
    """The chosen columns with others for the codes of settlements or households, where these would not do."""
    by_target = {c.target: c for c in chosen}
    places = {name: by_target[name].column for name in _PLACES[1:4] if name in by_target}
    choices: list[CodeChoice] = []
    if is_boundaries:
        code = by_target.get("settlement_code")
        held = None if code is None else Held(code.column, is_named=code.rank < _ANY_RANK)
        others = {c.column for c in chosen if c.target not in _PLACES} | {*shapes, *said}
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
            by_target[choice.target] = _Candidate(
                choice.target, choice.column, choice.confidence, 0.0, _ANY_RANK, fit, choice.why
            )
    order = [*_PLACES, *standard_fields()]
    return sorted(by_target.values(), key=lambda c: order.index(c.target))


def _suggestion(candidate: _Candidate, section: Section) -> Suggestion:
    fit = candidate.fit
    return Suggestion(
        candidate.target,
        section,
        candidate.column,
        candidate.confidence,
        candidate.why,
        fit.values,
        fit.format,
        fit.unit,
        fit.decimal,
        fit.separator,
        fit.prefer,
    )
