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
from dataclasses import replace
from pathlib import Path

from geo.fields import Unit, standard_fields
from geo.ingestion.findings import finding_params
from geo.ingestion.mapping import (
    ColumnEvidence,
    FileEvidence,
    Meanings,
    Vocabulary,
    read_evidence,
    vocabulary,
)
from geo.ingestion.mapping.made_columns import part_names
from geo.ingestion.mapping.personal import personal_kind
from geo.ingestion.mapping.vocabulary import NAMED, NameClaim
from geo.ingestion.mapping.years import name_years, year_column, years_of
from geo.ingestion.reading import Note, ReadOptions, find_zone
from geo.ingestion.reading.axes import zone_codes
from geo.ingestion.suggesting.candidates import (
    FITS,
    FITS_SOMEWHAT,
    Candidate,
    axis_candidates,
    name_candidates,
    said_candidates,
    scheme_candidates,
)
from geo.ingestion.suggesting.choice import PLACES, choose, with_better_codes
from geo.ingestion.suggesting.detail_hints import DetailHint, hint_detail
from geo.ingestion.suggesting.fits import ValueLine, fit_field
from geo.ingestion.suggesting.household_sums import columns_of_everybody
from geo.ingestion.suggesting.proposal import DETAIL, Proposal, Section, Suggestion
from geo.ingestion.suggesting.proposal_gaps import gaps
from geo.ingestion.suggesting.share_hints import hint_shares
from geo.ingestion.suggesting.ticked_columns import join_choices
from geo.messages import Message

_DERIVED = {"water_location": "water_source"}
"""Fields whose answer the answers to another field may hold."""


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
            candidates += list(scheme_candidates(found, columns, scheme.title, words, answers))
            if scheme.name != "kobo":
                claims |= {column: [] for column in found}
    candidates += [
        c for column, made in claims.items() for c in name_candidates(columns[column], made, unit, words, answers)
    ]
    if not evidence.has_geometry:
        candidates = [*candidates, *axis_candidates(columns, words)]
    several = set(choices.values())
    candidates = [
        replace(c, confidence="likely") if c.column in several and c.confidence == "sure" else c for c in candidates
    ]
    candidates = [c for c in candidates if c.column not in said and c.target not in said.values()]
    candidates += said_candidates(said, columns, unit, words, answers)
    chosen = choose(candidates, is_boundaries=is_boundaries, has_geometry=evidence.has_geometry, unit=unit)
    chosen = with_better_codes(chosen, claims, evidence, said, unit=unit, is_boundaries=is_boundaries, shapes=shapes)
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
        why = Message("members_of_columns", n=len(parts))
        yield Suggestion("members", "fields", parts[0], "likely", (why,), plus=tuple(parts[1:]))


def _said_of_file(note: Note) -> Message:
    said = Message.of_json(note.code, finding_params(note.field, note.value))
    return said if note.row is None else Message("note_of_row", said=said, row=note.row)


def _grid_crs(
    chosen: Sequence[Candidate],
    suggestions: Sequence[Suggestion],
    columns: Mapping[str, ColumnEvidence],
    notes: list[Message],
) -> str | None:
    """The CRS of a position in metres, where a column names its UTM zone; else a note that a person must name it."""
    position = {s.column for s in suggestions if s.section == "position"}
    if not any(c.fit.is_metric and c.fit.share <= FITS_SOMEWHAT for c in chosen if c.column in position):
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
            is_chosen = any(clause.code == "chosen_by_you" for clause in made.why)
            sure = is_chosen and not is_open and not is_answer_open
            yield replace(made, confidence="sure" if sure else "likely", why=(*made.why, hint.why), when=(hint,))
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


def _place(
    chosen: Sequence[Candidate],
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
        for name in PLACES[:4]:
            if name in by_target:
                yield _suggestion(by_target[name], "boundaries")
        for column in [] if has_geometry else shapes[:1]:
            yield Suggestion("shape", "boundaries", column, "sure", (Message("outlines_as_text"),))
        answers = [c for c in chosen if c.target in standard_fields() and standard_fields()[c.target].role == "answer"]
        if not any(c.confidence != "unsure" for c in answers):
            return
        if unit == "settlement" and "settlement_code" in by_target:
            # One table is both: each row of answers is found by the code of its own outline.
            code = replace(by_target["settlement_code"], why=(Message("code_joins_answers"),))
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


def _derived(by_target: Mapping[str, Candidate], columns: Mapping[str, ColumnEvidence]) -> Iterator[Suggestion]:
    """Fields that the answers to another question hold too, where no column asks for them alone."""
    for target, source in _DERIVED.items():
        known = by_target.get(source)
        if target in by_target or known is None or known.confidence == "unsure" or known.fit.separator is not None:
            continue
        fit = fit_field(target, columns[known.column], vocabulary())
        if fit.share >= FITS and fit.is_telling:
            why = (Message("answers_say_this_too", field=source), *fit.says)
            yield _suggestion(Candidate(target, known.column, "likely", known.strength, 1, fit, why), "fields")


def _suggestion(candidate: Candidate, section: Section) -> Suggestion:
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
