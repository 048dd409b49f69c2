"""Fits: how well a column's values agree with what a field holds, and what each of them would mean there."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from geo.base import fold
from geo.fields import Field, Unit, standard_fields
from geo.ingestion.mapping import UNKNOWN, ColumnEvidence, Value, Vocabulary, on_one_line
from geo.ingestion.mapping.dates import day_of_number
from geo.ingestion.mapping.doubtful import is_written_for_none, not_answers
from geo.ingestion.mapping.vocabulary import Answer
from geo.ingestion.mapping.yes_no import yes_or_no
from geo.messages import Message

MOST_ANSWERS = 60
"""A question with more different answers than this is not one with answers to choose from."""

_SEPARATORS = (", ", ";", "|", " ")
_UNIQUE = 0.98
_MOSTLY_DAYS = 0.9
_PLAIN_DATE = "%Y-%m-%d"
_THOUSANDS = re.compile(r"[-+]?\d{1,3}(?:\.\d{3}){2,}")
_FURTHEST_METRES = 2.1e7
"""No CRS has a number so far from its origin."""
_DEGREES = {"latitude": 90, "longitude": 180}
_LONGEST = {True: 40, False: 100}
"""Letters a code (True) or a name has at most."""

_NEAR_WORTH, _UNCLEAR_WORTH = 0.9, 0.6


@dataclass(frozen=True)
class ValueLine:
    """A value of the file and the standard value proposed for it; None: a person must choose."""

    text: str
    value: Value | None
    remark: Message | None = None
    is_guess: bool = False
    """Whether the value was guessed: a person must look at it before it is sure."""


@dataclass(frozen=True)
class Fit:
    """How well values fit a field: the share of them that do, and what there is to say of it."""

    share: float
    says: tuple[Message, ...] = ()
    doubt: bool = False
    """Whether they leave a doubt, however many fit."""
    stop: bool = False
    """Whether they must not be used before a person has looked."""
    is_metric: bool = False
    """Whether they are metres, or another measure of a grid, where degrees are meant."""
    is_telling: bool = True
    """Whether they speak for this field, and not for any."""
    values: tuple[ValueLine, ...] = ()
    format: str | None = None
    unit: str | None = None
    decimal: str | None = None
    separator: str | None = None
    prefer: tuple[Value, ...] = ()


def fit_field(
    target: str,
    seen: ColumnEvidence,
    words: Vocabulary,
    *,
    codes: dict[str, Value] | None = None,
    unit: Unit = "household",
    said: Mapping[str, Value] | None = None,
) -> Fit:
    """How well a column's values fit a field or a part of a position or boundary.

    `codes` are what a scheme's mean, and `said` what a person said of answers.
    """
    known = seen.without(words.is_unknown)
    meant = {fold(text): value for text, value in (said or {}).items()}
    if target == "consent" or (target == "interview_result" and words.asks_consent(seen.name)):
        meant = {fold(text): result for text, _ in seen.counts if (result := words.consent(text)) is not None} | meant
        target = "interview_result" if meant else ""
    if not known.counts or not target:
        return Fit(0)
    if target == "any_date":
        target = "interviewed_on"
    field = standard_fields().get(target)
    if field is None or target in ("declared_settlement_code", "declared_settlement_name"):
        return _fit_place(target, known, unit)
    match field.type:
        case "code" | "boolean":
            return _fit_answers(field, seen, words, codes, meant)
        case "integer" | "number":
            return _fit_numbers(field, seen, known, words, codes)
        case "date":
            return _fit_dates(known)
        case "text":
            return _fit_texts(field, known)


def _fit_answers(
    field: Field, seen: ColumnEvidence, words: Vocabulary, codes: dict[str, Value] | None, said: Mapping[str, Value]
) -> Fit:
    separator = " " if seen.is_choice else None
    counts = list(seen.counts)
    if not seen.is_choice and codes is None:
        separator, counts = _parted(field, seen, words)
    if len(counts) > MOST_ANSWERS:
        return Fit(0)
    if codes is not None:
        answers = {text: Answer("exact", codes[text]) if text in codes else None for text, _ in counts}
    else:
        answers = {text: words.answer(field.name, text, seen.name) for text, _ in counts}
    answers |= {text: Answer("exact", said[fold(text)]) for text, _ in counts if fold(text) in said}
    told = [text for text, _ in counts if not words.is_unknown(text)]
    if (
        codes is None
        and field.type == "code"
        and told
        and all(t.lstrip("-").replace(".", "", 1).isdigit() and fold(t) not in said for t in told)
    ):
        answers = {text: answer if words.is_unknown(text) else None for text, answer in answers.items()}
        says = Message("numbers_without_scheme")
        return Fit(0.2, (says,), doubt=True, stop=True, values=_value_lines(counts, answers))
    worth = {"exact": 1.0, "near": _NEAR_WORTH, "unclear": _UNCLEAR_WORTH}
    scores = [worth[a.kind] if (a := answers[text]) is not None else 0.0 for text in told]
    if not any(scores):
        return Fit(0) if codes is None else Fit(0.2, (Message("no_code_of_scheme"),), stop=True)
    clear = sum(1 for text in told if (a := answers[text]) is not None and a.kind != "unclear")
    clauses = [_part(_KNOWN, clear, len(told))]
    lines = _value_lines(counts, answers)
    if (
        codes is None
        and separator is None
        and all(line.text in field.codes and line.text == line.value for line in lines)
    ):
        lines = ()
    else:
        lines = tuple(line if fold(line.text) in said else _look_at_open(line, field, words) for line in lines)
    is_plain = codes is None and bool(told) and all(yes_or_no(t) is not None and fold(t) not in said for t in told)
    if is_plain and not words.takes_yes_no(field.name, seen.name):
        lines = tuple(replace(line, is_guess=line.value != UNKNOWN) for line in lines)
        return Fit(0.2, (Message("answers_yes_no_only"),), doubt=True, stop=True, values=lines)
    if guessed := [line for line in lines if line.is_guess]:
        clauses.append(Message("answers_to_look_at", answers=[on_one_line(line.text) for line in guessed]))
    meant = {line.value for line in lines if line.value not in (None, UNKNOWN)}
    prefer: tuple[Value, ...] = ()
    if separator is not None:
        clauses.append(Message("several_answers_at_once"))
        order: list[Value] = [*field.codes, True, False]
        prefer = tuple(value for value in order if value in meant)
    return Fit(
        sum(scores) / len(scores),
        tuple(clauses),
        doubt=separator is not None or bool(guessed),
        stop=clear == 0,
        is_telling=field.type == "code" or words.holds_answers(field.name),
        values=lines,
        separator=separator,
        prefer=prefer,
    )


def _parted(field: Field, seen: ColumnEvidence, words: Vocabulary) -> tuple[str | None, list[tuple[str, int]]]:
    """The single answers, and the separator between them, where a cell may hold several of them."""
    whole = {fold(text) for text, _ in seen.counts}
    for separator in _SEPARATORS:
        counts: dict[str, int] = {}
        n_several = 0
        for text, n in seen.counts:
            parts = [part.strip() for part in text.split(separator) if part.strip()]
            alike = [fold(part) in whole or words.answer(field.name, part, seen.name) is not None for part in parts]
            if len(parts) > 1 and words.answer(field.name, text, seen.name) is None and all(alike):
                n_several += 1
            else:
                parts = [text]
            for part in parts:
                counts[part] = counts.get(part, 0) + n
        if n_several and (separator != " " or not any(" " in part for part in counts)):
            return separator, sorted(counts.items(), key=lambda c: (-c[1], c[0]))
    return None, list(seen.counts)


def _value_lines(counts: list[tuple[str, int]], answers: dict[str, Answer | None]) -> tuple[ValueLine, ...]:
    """A line for each value, once where they differ by case and blanks only."""
    lines: dict[str, ValueLine] = {}
    for text, _ in counts:
        answer = answers[text]
        if answer is None:
            line = ValueLine(text, None, Message("answer_not_recognised"))
        elif answer.kind == "unclear":
            line = ValueLine(text, None, Message("answer_may_be", meanings=[str(choice) for choice in answer.choices]))
        elif answer.kind == "near":
            line = ValueLine(text, answer.value, Message("answer_holds_phrase", phrase=answer.phrase), is_guess=True)
        else:
            line = ValueLine(text, answer.value)
        lines.setdefault(fold(text), line)
    return tuple(lines.values())


def _look_at_open(line: ValueLine, field: Field, words: Vocabulary) -> ValueLine:
    """A line whose answer leaves open what decides an indicator, marked so."""
    open_ = words.open_answer(field.name, line.text, line.value)
    if open_ is None or line.is_guess:
        return line
    return replace(line, remark=Message("answer_leaves_open", what=open_), is_guess=True)


def _fit_numbers(
    field: Field, seen: ColumnEvidence, known: ColumnEvidence, words: Vocabulary, codes: dict[str, Value] | None
) -> Fit:
    numbers = [*known.numbers, *known.comma_numbers]
    lines = [ValueLine(text, UNKNOWN) for text, _ in seen.counts if words.is_unknown(text)]
    lines += [ValueLine(text, codes[text]) for text, _ in known.counts if codes and text in codes]
    if not numbers:
        return Fit(0)
    doubt = False
    says: list[Message] = []
    is_weight = field.name == "weight"
    special = set() if codes is not None or is_weight else _not_answers(numbers, field)
    for text, _ in known.counts:
        if (number := _number(text)) in special:
            apart = "answer_below_zero" if number is not None and number < 0 else "answer_far_above"
            lines.append(ValueLine(text, UNKNOWN, Message(apart)))
    given = [n for n in numbers if n not in special and (not codes or f"{n:g}" not in codes)]
    low = 0.0 if is_weight else field.min if field.min is not None else float("-inf")
    high = field.max if field.max is not None else float("inf")
    inside = [n for n in given if low <= n <= high and (field.type != "integer" or n == int(n))]
    share = (len(inside) + len(numbers) - len(given)) / len(known.counts)
    if given:
        says.append(_part(_WITHIN, len(inside), len(given), low=min(given), high=max(given)))
    if is_weight and any(n < 0 for n in given):
        says.append(Message("weights_below_zero", weight=min(given)))
        doubt = True
    elif is_weight and 0 in given:
        says.append(Message("weights_zero"))
    said = words.unit(seen.name)
    unit = said if said in field.units else None
    comma = "," if known.comma_numbers and len(known.comma_numbers) >= len(known.numbers) / 20 else None
    return Fit(share, tuple(says), doubt=doubt, is_telling=False, values=tuple(lines), unit=unit, decimal=comma)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _not_answers(numbers: list[float], field: Field) -> set[float]:
    """Numbers such as 999 and -99 that stand for don't know, where the field can be neither."""
    below = {n for n in numbers if is_written_for_none(-n)} if field.min == 0 else set()
    return not_answers(numbers) | below


def _fit_dates(known: ColumnEvidence) -> Fit:
    dates = known.dates
    if dates is None:
        days = known.share_where(day_of_number)
        says = Message("days_of_spreadsheet", share=days)
        return Fit(days, (says,), doubt=True, is_telling=False) if days >= _MOSTLY_DAYS else Fit(0)
    form = dates.format or _PLAIN_DATE
    if dates.other is None:
        return Fit(dates.share, (Message("dates_written", share=dates.share, form=form),), format=dates.format)
    says = Message("dates_written_either", share=dates.share, form=form, other=dates.other)
    return Fit(dates.share, (says,), doubt=True, stop=True, format=dates.format)


def _fit_texts(field: Field, known: ColumnEvidence) -> Fit:
    if field.name == "household_code":
        return _fit_code(known, "household")
    if known.dates is not None or known.share_where(lambda t: len(t) > 80) > 0.1:
        return Fit(0)
    if known.n_distinct > MOST_ANSWERS and known.n_distinct > 0.5 * known.n_given:
        return Fit(0.5, (Message("texts_different", n=known.n_distinct),), is_telling=False)
    return Fit(1.0, (Message("values_come_again", n=known.n_distinct),), is_telling=False)


def _fit_code(known: ColumnEvidence, noun: str) -> Fit:
    """A code that must differ in every row."""
    unique, given = known.n_distinct / known.n_given, known.n_given / known.n_rows
    if unique < 0.5:
        return Fit(0)
    is_whole = unique == given == 1
    says = [Message("in_every_row_different") if is_whole else Message("values_different_share", share=unique)]
    if given < 1:
        says.append(Message("rows_without_value", share=1 - given))
    good = unique >= _UNIQUE and given >= _UNIQUE
    return Fit(1.0 if good else 0.5, tuple(says), is_telling=False, stop=noun == "household" and unique < 0.9)


def _fit_place(target: str, known: ColumnEvidence, unit: Unit) -> Fit:
    if target in _DEGREES:
        return _fit_degrees(known, _DEGREES[target])
    if target == "position":
        return Fit(float(known.holds_positions), (Message("positions_as_text"),))
    if target in ("settlement_households", "settlement_dwellings"):
        return _fit_households(known)
    is_code = target in ("settlement_code", "any_code", "declared_settlement_code")
    if known.dates is not None or known.holds_polygons or known.share_where(lambda t: len(t) > _LONGEST[is_code]) > 0.1:
        return Fit(0)
    if is_code and (unit == "settlement" or target == "any_code"):
        return _fit_code(known, "settlement")
    is_idle = target.startswith("ward") and known.n_distinct == 1
    says = Message("in_every_row_same") if is_idle else Message("values_different", n=known.n_distinct)
    return Fit(0.6 if is_idle else 1.0, (says,), is_telling=False)


def _fit_degrees(known: ColumnEvidence, limit: int) -> Fit:
    numbers = [*known.numbers, *known.comma_numbers, *known.angles, *_without_point(known)]
    if len(numbers) < len(known.counts) / 2:
        return Fit(0)
    if sum(1 for n in numbers if abs(n) > _FURTHEST_METRES) > len(numbers) / 2:
        return Fit(0.6, (Message("decimal_point_of_values_lost"),), doubt=True, is_metric=True)
    inside, low, high = sum(1 for n in numbers if abs(n) <= limit), min(numbers), max(numbers)
    if inside < len(numbers) / 2:
        is_metric = sum(1 for n in numbers if abs(n) > _DEGREES["longitude"]) > len(numbers) / 2
        says = Message("values_metric" if is_metric else "values_no_degrees", low=low, high=high)
        return Fit(0.3, (says,), doubt=True, stop=True, is_metric=is_metric)
    says = _part(_IN_DEGREES, inside, len(known.counts), low=low, high=high)
    return Fit(inside / len(known.counts), (says,), is_telling=False)


def _without_point(known: ColumnEvidence) -> list[float]:
    """Numbers such as 73.800.200, of which a spreadsheet has made thousands."""
    return [float(text.replace(".", "")) for text, _ in known.counts if _THOUSANDS.fullmatch(text)]


def _fit_households(known: ColumnEvidence) -> Fit:
    share = sum(1 for n in known.numbers if n >= 0 and n == int(n)) / len(known.counts)
    zeros = sum(n for text, n in known.counts if _number(text) == 0)
    if not zeros:
        return Fit(share if share > 0.5 else 0, (Message("households_whole_numbers", share=share),), is_telling=False)
    above = sum(n for text, n in known.counts if (_number(text) or 0) > 0)
    says = Message("households_some_zero", above=above, rows=known.n_rows, zeros=zeros)
    return Fit(share if share > 0.5 else 0, (says,), is_telling=False)


@dataclass(frozen=True)
class _PartCodes:
    """What says how many are so: all of them, some, or a share of many."""

    all: str
    some: str
    share: str


_KNOWN = _PartCodes("answers_known_all", "answers_known_some", "answers_known_share")
_WITHIN = _PartCodes("values_within_all", "values_within_some", "values_within_share")
_IN_DEGREES = _PartCodes("values_degrees_all", "values_degrees_some", "values_degrees_share")
_MANY = 100


def _part(codes: _PartCodes, part: int, whole: int, **params: float) -> Message:
    """How many of all are so."""
    if part == whole:
        return Message(codes.all, n=whole, **params)
    if whole < _MANY:
        return Message(codes.some, known=part, n=whole, **params)
    return Message(codes.share, share=part / whole, n=whole, **params)
