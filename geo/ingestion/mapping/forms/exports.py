"""Exports of a form: however the export is written, its columns and answers come into one canonical shape.

A column is called by its question's groups and name, parted by `/`; an answer is a choice's code, several are codes
parted by a blank; what was not asked is blank. What the form does not know stays as it is.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from geo.base import fold, fold_name
from geo.ingestion.mapping.cells import texts
from geo.ingestion.mapping.forms.form import Choice, Form, FormQuestion, Labels
from geo.ingestion.reading import Batch, Layer, Note

BLANKS = ("", "n/a", "N/A", "NA")
"""What exports write where a question was not asked or not answered."""

_GIVEN = frozenset({"1", "1.0", "true", "yes"})
_NOT_GIVEN = frozenset({"0", "0.0", "false", "no"})

_PLACE_PART = re.compile(r"_?(.+?)[_./:-](latitude|longitude|altitude|precision|accuracy)", re.IGNORECASE)
_REPEAT_COUNT = re.compile(r"\[\d+\]")
_REPEATED_NAME = re.compile(r"(.+)_(\d+)")
# R writes X before a name that starts with no letter, and spells a byte order mark out.
_MANGLED = re.compile(r"^(?:\ufeff|X\.U\.FEFF\.|X(?=[_.]))")


@dataclass
class _Sources:
    """The columns of a file that hold one question's answers: its text, and for several answers one a choice."""

    text: str | None = None
    choices: dict[str, str] = field(default_factory=dict)
    """Choice code to column."""


def canonical_layer(layer: Layer, form: Form) -> Layer:
    """The layer with its columns called, and its answers coded, as the form does."""
    sources, renamed = _resolve(layer.columns, form)
    question_of = {
        column: question for question, each in sources.items() for column in (each.text, *each.choices.values())
    }
    sources_named = {question.column for question in sources}
    columns: dict[str, Callable[[Batch], pa.Array]] = {}
    for column in layer.columns:
        question = question_of.get(column)
        if question is None:
            name = renamed.get(column, column)
            # Another column that reads as the same question is kept beside it.
            columns[f"{name}_2" if name in sources_named else name] = _as_given(column)
        elif question.column not in columns:
            # A question's column stands where the first of its own stood.
            columns[question.column] = _answers(question, sources[question], form, layer)
    batches = (
        replace(batch, columns={name: answers(batch) for name, answers in columns.items()}) for batch in layer.batches
    )
    # Bad rows and notes stay the same lists: they fill while the batches are read.
    return replace(layer, columns=list(columns), batches=batches)


def _as_given(column: str) -> Callable[[Batch], pa.Array]:
    return lambda batch: batch.columns[column]


def _answers(question: FormQuestion, sources: _Sources, form: Form, layer: Layer) -> Callable[[Batch], pa.Array]:
    """How a question's answers are made from the columns of a batch."""
    choices = form.choices(question)
    blanks = [blank for blank in BLANKS if blank not in {choice.code for choice in choices}]
    if question.type == "select_one":
        meaning: Callable[[str], str] = _one_code(choices)
    elif question.type in ("select_multiple", "rank"):
        meaning = _several_codes(choices)
    else:
        meaning = str
    is_select = bool(choices)

    def answers(batch: Batch) -> pa.Array:
        text = None
        if sources.text is not None:
            text = batch.columns[sources.text]
            if is_select or pa.types.is_string(text.type):
                text = _without(texts(text), blanks)
            if is_select:
                text = _translate(text, meaning)
        if not sources.choices:
            return text
        of_choices = {choice.code: sources.choices[choice.code] for choice in choices if choice.code in sources.choices}
        told = _joined_choices(question, of_choices, batch, layer)
        return told if text is None else pc.coalesce(_known(text, choices), told, text)

    return answers


def _without(column: pa.Array, blanks: Sequence[str]) -> pa.Array:
    is_blank = pc.is_in(pc.utf8_trim_whitespace(column), value_set=pa.array(blanks))
    return pc.if_else(is_blank, pa.scalar(None, pa.string()), column) if pc.any(is_blank).as_py() else column


def _translate(column: pa.Array, meaning: Callable[[str], str]) -> pa.Array:
    coded = column.dictionary_encode()
    distinct = coded.dictionary.to_pylist()
    codes = [meaning(text) for text in distinct]
    return column if codes == distinct else pa.array(codes, type=pa.string()).take(coded.indices)


def _known(column: pa.Array, choices: Sequence[Choice]) -> pa.Array:
    """The answers of which every part is a code; the others null, for the columns of the choices tell them."""
    codes = {choice.code for choice in choices}
    coded = column.dictionary_encode()
    known = [text if codes.issuperset(text.split()) else None for text in coded.dictionary.to_pylist()]
    return pa.array(known, type=pa.string()).take(coded.indices)


def _joined_choices(question: FormQuestion, choices: dict[str, str], batch: Batch, layer: Layer) -> pa.Array:
    """The codes whose columns say yes, parted by blanks; null where none does."""
    joined = np.full(len(batch.row_numbers), "", dtype=object)
    for code, column in choices.items():
        coded = texts(batch.columns[column]).dictionary_encode()
        given, strange = [], []
        for text in coded.dictionary.to_pylist():
            word = text.strip().casefold()
            given.append(word in _GIVEN or text.strip() == code)
            if word not in _GIVEN | _NOT_GIVEN and text.strip() not in {*BLANKS, code}:
                strange.append(text.strip())
        note = Note("choice_column_unreadable", field=question.column)
        if strange and not any(n.code == note.code and n.field == note.field for n in layer.notes):
            layer.notes.append(replace(note, value=strange[0]))
        says_yes = pc.fill_null(pa.array(given, type=pa.bool_()).take(coded.indices), False)
        joined[says_yes.to_numpy(zero_copy_only=False)] += f" {code}"
    return pa.array([text[1:] or None for text in joined], type=pa.string())


def _one_code(choices: Sequence[Choice]) -> Callable[[str], str]:
    """From an answer to its code: a code as it is, a label in any language; any other text stays."""
    codes = {choice.code for choice in choices}
    labelled = [(label, choice.code) for choice in choices for label in choice.labels.values()]
    by_label = _unique((fold(label), code) for label, code in labelled)
    by_words = _unique((fold_name(label), code) for label, code in labelled)

    def meaning(text: str) -> str:
        plain = text.strip()
        if plain in codes:
            return plain
        return by_label.get(fold(plain)) or by_words.get(fold_name(plain), text)

    return meaning


def _several_codes(choices: Sequence[Choice]) -> Callable[[str], str]:
    """From several answers in one text to their codes; a text that can be read in two ways, or in none, stays."""
    codes = {choice.code for choice in choices}
    one = _one_code(choices)
    by_words = {
        tuple(label.split()): code
        for label, code in _unique(
            (label, choice.code) for choice in choices for label in (*_names(choice.labels), fold_name(choice.code))
        ).items()
    }
    # A label of signs alone, such as a dot, leaves no word behind: nothing would tell that it was there.
    has_signs = any(not label for choice in choices for label in _names(choice.labels))
    longest = 0 if has_signs else max(map(len, by_words), default=0)

    def meaning(text: str) -> str:
        parts = text.split()
        if codes.issuperset(parts):
            return " ".join(parts)
        pieces = [one(piece) for piece in map(str.strip, re.split(r"[,;|\n]", text)) if piece]
        if len(pieces) > 1 and codes.issuperset(pieces):
            return " ".join(pieces)
        words = tuple(fold_name(text).split())

        @cache
        def readings(start: int) -> tuple[tuple[str, ...], ...]:
            """Up to two ways to read the words from here on as labels."""
            if start == len(words):
                return ((),)
            found: list[tuple[str, ...]] = []
            for end in range(start + 1, min(start + longest, len(words)) + 1):
                code = by_words.get(words[start:end])
                if code is not None:
                    found += [(code, *rest) for rest in readings(end)]
            return tuple(dict.fromkeys(found))[:2]

        found = readings(0) if 0 < len(words) <= _MOST_WORDS else ()
        return " ".join(found[0]) if len(found) == 1 else text

    return meaning


_MOST_WORDS = 300
"""A longer text is no list of labels, and reading it as one would nest too deeply."""


def _unique(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What a text stands for, for those that stand for one thing only."""
    meanings: dict[str, set[str]] = defaultdict(set)
    for text, code in pairs:
        if text:
            meanings[text].add(code)
    return {text: codes.pop() for text, codes in meanings.items() if len(codes) == 1}


def _names(labels: Labels) -> list[str]:
    return [fold_name(label) for label in labels.values()]


def _resolve(columns: Sequence[str], form: Form) -> tuple[dict[FormQuestion, _Sources], dict[str, str]]:
    """Which columns hold which question, and the new names of columns that come with a place."""
    headers = _Headers(form)
    found: dict[FormQuestion, _Sources] = {}
    renamed: dict[str, str] = {}
    exact = {question.column for question in form.questions}
    # The plainest header is a question's own; one that only folds to the same words comes later.
    for column in sorted(columns, key=lambda name: (name not in exact, len(name))):
        plain = _MANGLED.sub("", column)
        for name in dict.fromkeys((column, plain)):
            target = headers.find(name, columns)
            if target is None:
                continue
            question, part = target
            sources = found.setdefault(question, _Sources())
            if question.type == "geopoint" and part is not None:
                renamed[column] = f"_{question.column}_{part}"
            elif part is not None:
                sources.choices.setdefault(part, column)
            elif sources.text is None:
                sources.text = column
            break
        else:
            if plain != column and plain not in columns:
                renamed[column] = plain
    return {question: each for question, each in found.items() if each.text or each.choices}, renamed


class _Headers:
    """What each question of a form may be called in a header: by names or labels, with groups or without."""

    def __init__(self, form: Form) -> None:
        self._by_path: dict[str, list[tuple[FormQuestion, str | None]]] = defaultdict(list)
        self._by_label: dict[str, list[tuple[FormQuestion, str | None]]] = defaultdict(list)
        for question in form.questions:
            # A repeat's answers are several a household: they are no column of it.
            if question.is_repeated or question.type in ("note", "calculate_note"):
                continue
            tails = [question.path[start:] for start in range(len(question.path))]
            # ODK Central's service spells a name that holds other characters with `_`.
            plain = [[re.sub(r"\W", "_", name) for name in tail] for tail in tails]
            names = {_path_key("/".join(tail)) for tail in (*tails, *plain)}
            labels = set(_label_headers(question))
            self._add(self._by_path, names, (question, None))
            self._add(self._by_label, labels, (question, None))
            if question.type not in ("select_multiple", "rank"):
                continue
            for choice in form.choices(question):
                spelt = {fold_name(choice.code), *_names(choice.labels)}
                self._add(
                    self._by_path, {f"{name}/{_path_key(choice.code)}" for name in names}, (question, choice.code)
                )
                whole = {f"{head} {tail}" for head in {*labels, *map(fold_name, names)} for tail in spelt if tail}
                self._add(self._by_label, whole, (question, choice.code))

    @staticmethod
    def _add(
        table: dict[str, list[tuple[FormQuestion, str | None]]], keys: set[str], target: tuple[FormQuestion, str | None]
    ) -> None:
        for key in sorted(keys - {""}):
            table[key].append(target)

    def find(self, header: str, columns: Sequence[str]) -> tuple[FormQuestion, str | None] | None:
        """The question a header is of, with the choice or the part of a place; None where it is not sure."""
        if _REPEAT_COUNT.search(header):
            return None
        for key, table in ((_path_key(header), self._by_path), (fold_name(header), self._by_label)):
            if len(table.get(key, ())) == 1:
                return table[key][0]
            alike = self._alike(header, key, table, columns)
            if alike is not None:
                return alike
        place = _PLACE_PART.fullmatch(header)
        if place is not None:
            whole = self.find(place[1], columns)
            if whole is not None and whole[0].type == "geopoint" and whole[1] is None:
                part = place[2].lower()
                return whole[0], "precision" if part == "accuracy" else part
        return None

    @staticmethod
    def _alike(
        header: str, key: str, table: dict[str, list[tuple[FormQuestion, str | None]]], columns: Sequence[str]
    ) -> tuple[FormQuestion, str | None] | None:
        """A question whose name stands on several: the first column of that name is the first of them, and so on."""
        numbered = _REPEATED_NAME.fullmatch(header)
        name, position = header, 0
        if key not in table and numbered and columns.count(numbered[1]):
            name, position = numbered[1], int(numbered[2]) - 1
            key = _path_key(name) if _path_key(name) in table else fold_name(name)
        targets = table.get(key, ())
        named = {name, *(f"{name}_{number}" for number in range(2, len(targets) + 1))}
        if len(targets) < 2 or not named.issubset(columns) or f"{name}_{len(targets) + 1}" in columns:
            return None
        return targets[position] if position < len(targets) else None


def _path_key(header: str) -> str:
    """Names as every export writes them: `/`, `:`, `.` and `-` all part."""
    return re.sub(r"[^\w]+", "/", header).strip("/")


def _label_headers(question: FormQuestion) -> Iterator[str]:
    """The question's labels in each language, alone and after its groups' labels or names."""
    for language, label in question.labels.items():
        yield fold_name(label)
        groups = [
            labels.get(language) or next(iter(labels.values()), name)
            for name, labels in zip(question.path, question.group_labels, strict=False)
        ]
        for start in range(len(groups)):
            yield fold_name(" ".join([*groups[start:], label]))
