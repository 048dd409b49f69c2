"""What each column may hold: by its name, by the scheme it belongs to, beside another, or as a person has chosen."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from geo.fields import Unit
from geo.ingestion.mapping import (
    ColumnEvidence,
    Meanings,
    Vocabulary,
    on_one_line,
)
from geo.ingestion.mapping.made_columns import part_names
from geo.ingestion.mapping.vocabulary import NAMED, NameClaim, SchemeColumn
from geo.ingestion.reading.axes import find_axes
from geo.ingestion.suggesting.fits import Fit, fit_field
from geo.ingestion.suggesting.proposal import DETAIL, NOTHING, TARGETS, Confidence
from geo.messages import Message

_RANK: dict[str, int] = {"sure": 0, "likely": 1, "unsure": 2}
FITS, FITS_WELL, FITS_SOMEWHAT = 0.95, 0.9, 0.5
_HARDLY_ANSWERED = 0.02
_NEVER_SURE = {"any_code", "any_name", "any_date", "settlement_dwellings", "consent"}


@dataclass(frozen=True)
class Candidate:
    """That a column may hold a target, how sure that is, and how well its values fit."""

    target: str
    column: str
    confidence: Confidence
    strength: float
    rank: int
    fit: Fit
    why: tuple[Message, ...]

    def order(self) -> tuple[int, int, float, float, int]:
        """The best first; among equals the one whose values say more."""
        return (_RANK[self.confidence], self.rank, -self.strength, -self.fit.share, -len(self.fit.values))


def name_candidates(
    seen: ColumnEvidence, claims: Sequence[NameClaim], unit: Unit, words: Vocabulary, answers: Meanings
) -> Iterator[Candidate]:
    """What a column may hold by its name, held against its values."""
    for claim in claims:
        if claim.target.startswith("any_") and claim.strength < NAMED:
            continue
        fit = fit_field(claim.target, seen, words, unit=unit, said=answers.get(claim.target))
        if fit.share == 0 or (claim.strength < NAMED and fit.share < FITS_SOMEWHAT):
            continue
        confidence = _confidence(claim, fit)
        why = (_says(claim, words), *fit.says)
        if seen.n_rows and seen.n_given < _HARDLY_ANSWERED * seen.n_rows:
            confidence = "likely" if confidence == "sure" else confidence
            why += (Message("rows_given", given=seen.n_given, rows=seen.n_rows),)
        yield Candidate(claim.target, seen.name, confidence, claim.strength, 1, fit, why)


def _confidence(claim: NameClaim, fit: Fit) -> Confidence:
    if claim.strength >= NAMED:
        if fit.share >= FITS and not fit.doubt and claim.target not in _NEVER_SURE:
            return "sure"
        return "likely" if fit.share >= FITS_SOMEWHAT and not fit.stop else "unsure"
    return "likely" if fit.share >= FITS_WELL and fit.is_telling and not fit.stop else "unsure"


def _says(claim: NameClaim, words: Vocabulary) -> Message:
    field = claim.target.removeprefix("any_")
    where = words.sources.get(claim.phrase.source)
    if claim.strength < NAMED:
        return Message("name_holds_words", words=claim.phrase.text, field=field)
    if where is None or claim.phrase.text == field.replace("_", " "):
        return Message("name_means", field=field)
    code = "name_cut_means_where" if claim.strength == NAMED else "name_means_where"
    return Message(code, field=field, where=where)


def scheme_candidates(
    found: Mapping[str, SchemeColumn],
    columns: Mapping[str, ColumnEvidence],
    title: str,
    words: Vocabulary,
    answers: Meanings,
) -> Iterator[Candidate]:
    """What the columns of a scheme hold by its rules, held against their values."""
    for column, meant in found.items():
        if meant.field is None:
            continue
        said = answers.get(meant.field)
        fit = fit_field(meant.field, columns[column], words, codes=dict(meant.codes), said=said)
        if fit.share == 0 and columns[column].n_given == 0:
            continue
        confidence: Confidence = "sure" if fit.share >= FITS else "likely" if fit.share >= FITS_SOMEWHAT else "unsure"
        if confidence == "sure" and (meant.note or any(line.is_guess for line in fit.values)):
            confidence = "likely"
        if meant.unsure:
            confidence = "unsure"
        noted = (Message("column_in_scheme", note=meant.note),) if meant.note else ()
        why = (Message("column_of_scheme", scheme=title), *noted, *fit.says)
        yield Candidate(meant.field, column, confidence, 1.0, meant.rank, fit, why)


def axis_candidates(columns: Mapping[str, ColumnEvidence], words: Vocabulary) -> Iterator[Candidate]:
    """The two columns that a load takes for a position by their names, which say so together only."""
    axes = find_axes(list(columns))
    if axes is None:
        return
    fits = [fit_field(axis, columns[column], words) for axis, column in zip(TARGETS, axes, strict=False)]
    if all(fit.is_metric for fit in fits):
        # Where the decimal point is lost, the smaller numbers of the two look like metres still.
        lost = [fit for fit in fits if not fit.stop]
        fits = [lost[0]] * 2 if lost else [replace(fit, share=FITS_SOMEWHAT, stop=False) for fit in fits]
    for axis, column, fit in zip(TARGETS, axes, fits, strict=False):
        if fit.share >= FITS_SOMEWHAT and not fit.stop:
            other = axes[1] if column == axes[0] else axes[0]
            why = (Message("names_go_together", column=on_one_line(other)), *fit.says)
            yield Candidate(axis, column, "likely", NAMED, 1, fit, why)


def said_candidates(
    said: Mapping[str, str],
    columns: Mapping[str, ColumnEvidence],
    unit: Unit,
    words: Vocabulary,
    answers: Meanings,
) -> Iterator[Candidate]:
    """What a person chose for columns, each with what its values mean."""
    for column, target in said.items():
        parts = part_names(column)
        if target in (NOTHING, DETAIL) or not (column in columns or (parts and all(p in columns for p in parts))):
            continue
        seen = columns.get(column)
        fit = Fit(1.0) if seen is None else fit_field(target, seen, words, unit=unit, said=answers.get(target))
        # What the column holds was said; what its answers mean was not.
        confidence: Confidence = "likely" if any(line.is_guess for line in fit.values) else "sure"
        yield Candidate(target, column, confidence, 1.0, -1, fit, (Message("chosen_by_you"), *fit.says))
