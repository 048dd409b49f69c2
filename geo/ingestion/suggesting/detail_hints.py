"""Detail hints: second columns that tell more of an answer, such as where a toilet flushes to or what "other" is.

Such a column is told by two things: it is answered only where the first column has an answer that leaves something
open, and its name or its place says that it belongs to that question.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from geo.base import fold
from geo.fields import standard_fields
from geo.ingestion.mapping import UNKNOWN, FileEvidence, Value, Vocabulary, on_one_line
from geo.ingestion.suggesting.fits import MOST_ANSWERS, ValueLine
from geo.messages import Message

_OPEN = ("other", "flush_unknown")
"""Standard answers that a second column may make another of."""

_STRAY = 0.05
"""How many of a second column's texts may stand beside answers it does not tell more of: slips."""

_MOSTLY = 0.5
_NEAR_BY = 2
"""How many columns behind its question a second column may stand, where its name does not say whose it is."""


@dataclass(frozen=True)
class DetailHint:
    """A second column, the answers it tells more of, and what its texts make of them."""

    column: str
    answers: tuple[str, ...]
    values: tuple[ValueLine, ...]
    why: Message


def hint_detail(
    target: str,
    question: str,
    answers: Sequence[ValueLine],
    candidates: Sequence[str],
    evidence: FileEvidence,
    words: Vocabulary,
    *,
    said: Collection[str] = (),
    claimed: Collection[str] = (),
    meant: Mapping[str, Value],
) -> DetailHint | None:
    """The column that tells more of answers to a question, if one does.

    Args:
        target: the standard field the question is about.
        question: its column.
        answers: what its answers are taken for.
        candidates: the columns that may tell more.
        evidence: what was seen of the file.
        words: the vocabulary.
        said: columns of which a person said that they tell more of another.
        claimed: columns that a field takes: their names and their rows must both say that they tell more.
        meant: what a person said that the second column's texts mean.
    """
    field = standard_fields()[target]
    known = {line.text: line.value for line in answers}
    open_answers = {text: value for text, value in known.items() if value is None or value in _OPEN}
    if field.role != "answer" or question not in evidence.cells or not open_answers:
        return None
    for column in sorted(candidates, key=lambda name: name not in said):
        seen = evidence.columns[column]
        if column not in evidence.cells or seen.n_given == 0 or seen.number_share >= _MOSTLY:
            continue
        is_said = column in said
        is_named = any(words.tells_more(target, value, column) for value in open_answers.values())
        is_partly = seen.n_given < seen.n_rows and (is_named or column not in claimed)
        if not is_said and not (_belongs(question, column, open_answers, evidence, words) and (is_named or is_partly)):
            continue
        if seen.dates is not None:
            continue
        is_sought = is_said or (is_named and column not in claimed)
        hint = _told(target, question, column, open_answers, evidence, words, is_sought, meant)
        if hint is not None:
            return hint
    return None


def _belongs(
    question: str, column: str, open_answers: Collection[str], evidence: FileEvidence, words: Vocabulary
) -> bool:
    """Whether a column's name holds words of the question or of its answers, or it stands right behind it."""
    order = list(evidence.cells)
    behind = order.index(column) - order.index(question)
    named = {word for name in (question, *open_answers) for word in words.words(name)}
    return 0 < behind <= _NEAR_BY or bool(named & set(words.words(column)))


def _told(
    target: str,
    question: str,
    column: str,
    open_answers: Mapping[str, Value | None],
    evidence: FileEvidence,
    words: Vocabulary,
    is_sought: bool,
    meant: Mapping[str, Value],
) -> DetailHint | None:
    pairs = evidence.pairs(question, column)
    rows: dict[str, int] = {}
    given: dict[str, int] = {}
    texts: dict[str, dict[str, int]] = {}
    for (answer, text), n in pairs.items():
        rows[answer] = rows.get(answer, 0) + int(n)
        if text and not words.is_unknown(text):
            given[answer] = given.get(answer, 0) + int(n)
        if text:
            texts.setdefault(answer, {})[text] = int(n)
    told = [
        answer
        for answer in open_answers
        if given.get(answer, 0) and (is_sought or given[answer] >= _MOSTLY * rows[answer])
    ]
    outside = sum(n for answer, n in given.items() if answer not in told)
    # A column that its name asks for may be answered for every row: it counts where it tells more.
    if not told or (not is_sought and outside > _STRAY * sum(given.values())):
        return None
    lines = _lines(target, [(answer, open_answers[answer]) for answer in told], texts, words, meant)
    if lines is None or not (is_sought or any(line.value not in (None, UNKNOWN) for line in lines)):
        return None
    n_given, n_rows = sum(given[answer] for answer in told), sum(rows[answer] for answer in told)
    of = [on_one_line(answer) for answer in told]
    why = Message("detail_tells_more", column=on_one_line(column), given=n_given, rows=n_rows, answers=of)
    return DetailHint(column, tuple(told), lines, why)


def _lines(
    target: str,
    told: Sequence[tuple[str, Value | None]],
    texts: Mapping[str, Mapping[str, int]],
    words: Vocabulary,
    meant: Mapping[str, Value],
) -> tuple[ValueLine, ...] | None:
    """What each text makes of the answers, the most frequent first; None: there are too many to be answers."""
    counts: dict[str, int] = {}
    values: dict[str, Value | None] = {}
    said = {fold(text): value for text, value in meant.items()}
    for answer, value in told:
        for text, n in texts[answer].items():
            counts[text] = counts.get(text, 0) + n
            found = words.detail(target, value, text)
            made = None if found is None or found.kind == "unclear" else found.value
            # What makes one thing of one answer and another of another is for a person to say.
            values[text] = made if values.get(text, made) == made else None
    if len(counts) > MOST_ANSWERS:
        return None
    lines: dict[str, ValueLine] = {}
    for text in sorted(counts, key=lambda text: (-counts[text], text)):
        if fold(text) in said:
            line = ValueLine(text, said[fold(text)])
        elif values[text] is None:
            line = ValueLine(text, None, Message("answer_not_recognised"))
        else:
            line = ValueLine(text, values[text], is_guess=values[text] != UNKNOWN)
        lines.setdefault(fold(text), line)
    return tuple(lines.values())
