"""The words people use for standard fields and answers, read from data/catalogue/vocabulary."""

import dataclasses
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, Literal

from geo.base import fold_name
from geo.fields import standard_fields
from geo.ingestion.mapping.profile import UNKNOWN, Value
from geo.ingestion.mapping.yes_no import yes_and_no_words, yes_or_no

NAMED = 0.85
"""From this strength on, a column's name says the field by itself: the same words, or those cut to ten characters."""

_SAME_WORDS, _HINTED = 0.95, 0.6
_SHORTEST_CUT = 3
_CUT_LETTERS = 9
_NEAR_SHARE = 0.5
"""How much of an answer a known phrase must make up to explain it."""

_OTHER = "other"
"""An answer that holds the word is not on that account the answer "other"."""

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_GROUPS = re.compile(r"[/.:]")
_ENUMERATED = re.compile(r"^\s*(?:\d+|[A-Za-z])\s*[.):\-–=]+\s*(?=[^\W\d])")
# R writes a name that starts with an underscore or a byte order mark in its own way.
_R_PREFIX = re.compile(r"^X(?:\.U\.FEFF\.)?(?=[_a-z])")


@dataclass(frozen=True)
class Phrase:
    """Some words for something, and where they are used."""

    text: str
    words: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class NameClaim:
    """That a column's name means a field, how strongly (0 to 1), and in which words."""

    target: str
    strength: float
    phrase: Phrase
    n_extra: int = 0
    """How many words of the name the phrase leaves unexplained."""


@dataclass(frozen=True)
class Answer:
    """What an answer of a file means.

    exact: its words are known. near: they hold a known phrase. unclear: known, and it may mean any of `choices`.
    """

    kind: Literal["exact", "near", "unclear"]
    value: Value | None
    choices: tuple[Value, ...] = ()
    phrase: str = ""


@dataclass(frozen=True)
class SchemeColumn:
    """A column of a scheme: its field, if it has one, and what its codes mean."""

    field: str | None = None
    codes: Mapping[str, Value] = dataclasses.field(default_factory=dict)
    rank: int = 1
    """Which of several columns for one field to take: the lowest."""
    note: str = ""
    unsure: bool = False


@dataclass(frozen=True)
class Scheme:
    """A survey scheme known by the names of its columns."""

    name: str
    title: str
    needs: int
    columns: Mapping[str, SchemeColumn]

    def found_in(self, columns: Sequence[str]) -> dict[str, SchemeColumn]:
        """The file's columns that are the scheme's, if there are enough to tell; else none."""
        found = {column: self.columns[key] for column in columns if (key := plain_name(column).lower()) in self.columns}
        return found if len(found) >= self.needs else {}


@dataclass(frozen=True)
class Persons:
    """Whom a word means: the sexes (f, m), and the ages from and to where it says any."""

    sexes: frozenset[str]
    ages: tuple[int, int] | None


@dataclass(frozen=True)
class People:
    """The words by which columns count people of an age and a sex."""

    who: Mapping[str, Persons]
    numbers: Mapping[str, int]
    over: frozenset[str]
    under: frozenset[str]
    other: frozenset[str]
    """Words that say nothing of whom."""


def plain_name(column: str) -> str:
    """A column's name as the form has it, without what R put before it."""
    return _R_PREFIX.sub("", column)


class Vocabulary:
    """The phrases of every field and answer, ready to compare."""

    def __init__(self, words: Mapping[str, Any], targets: Mapping[str, Any], schemes: Mapping[str, Any]) -> None:
        self.sources: Mapping[str, str] = words["sources"]
        self._abbreviations: Mapping[str, str] = words["abbreviations"]
        self._stop = frozenset(words["stop"]["words"])
        self._negations = frozenset(words["negations"]["words"])
        self._another = frozenset(self._expand(words["another_question"]["words"]))
        self._elsewhere = frozenset(self._expand(words["elsewhere"]["words"]))
        self._parts = frozenset(self._expand(words["parts"]["words"]))
        self._specify = frozenset(self._expand(words["specify"]["words"]))
        self._personal = frozenset(words["personal"]["words"])
        kinds = words["personal"]["kinds"]
        self.personal_titles: Mapping[str, str] = {kind: table["title"] for kind, table in kinds.items()}
        self._personal_phrases: dict[str, list[frozenset[str]]] = {
            kind: [frozenset(self._plain_words(phrase)) for phrase in table["phrases"]] for kind, table in kinds.items()
        }
        self._names, self._persons = (frozenset(kinds["name"][key]) for key in ("names", "persons"))
        self._beside = self._persons | self._names | self._stop | frozenset(kinds["name"]["beside"])
        self._unknown = {fold_name(text) for text, _ in _texts(words["unknown"])}
        self._yes_no = yes_and_no_words() | {"1": True, "0": False}
        self._scale = {
            fold_name(text): step for step in ("all", "some", "none") for text, _ in _texts(words["scale"][step])
        }
        self._units: Mapping[str, str] = {word: unit for unit, texts in words["units"].items() for word in texts}
        people = words["people"]
        self.people = People(
            {
                word: Persons(frozenset(entry["sexes"]), tuple(entry["ages"]) if "ages" in entry else None)
                for entry in people["who"]
                for word in entry["words"]
            },
            people["numbers"],
            *(frozenset(people[kind]) for kind in ("over", "under", "other")),
        )
        self._targets = targets
        self.schemes = [
            Scheme(name, table["title"], table["needs"], {k: SchemeColumn(**v) for k, v in table["columns"].items()})
            for name, table in schemes.items()
        ]

    @cached_property
    def _by_word(self) -> dict[str, list[tuple[str, Phrase]]]:
        """The names of every field under each of their words."""
        index: dict[str, list[tuple[str, Phrase]]] = {}
        for target in {**self._targets, **standard_fields()}:
            standard = [(target.replace("_", " "), "standard")] if target in standard_fields() else []
            for text, source in [*standard, *_texts(self._targets.get(target, {}).get("names", {}))]:
                words = self.words(text)
                for word in set(words):
                    index.setdefault(word, []).append((target, Phrase(fold_name(text), words, source)))
        return index

    def words(self, name: str) -> tuple[str, ...]:
        """The words of a name that carry meaning, each spelt out."""
        plain = fold_name(_CAMEL.sub(" ", name)).split()
        telling = [word for word in plain if word not in self._stop]
        return tuple(self._expand(telling or plain))

    def _expand(self, words: Iterable[str]) -> list[str]:
        return [self._abbreviations.get(word, word) for word in words]

    def name_claims(self, column: str, *, is_cut: bool) -> list[NameClaim]:
        """What a column's name may mean, the strongest claim for each field; `is_cut`: names end after ten letters."""
        column = plain_name(column)
        *groups, last = [part for part in _GROUPS.split(column) if part.strip()] or [column]
        best: dict[str, NameClaim] = {}
        around = {word for group in groups for word in self.words(group)}
        for text in dict.fromkeys([last, " ".join([*groups[-1:], last])]):
            words = self.words(text)
            for target, phrase in self._candidates(words, is_cut=is_cut):
                strength, extra = self._strength(fold_name(text), words, phrase, is_cut=is_cut)
                known = best.get(target)
                if not strength or (known is not None and strength <= known.strength):
                    continue
                if not self._is_of_another(target, set(words) - set(phrase.words), around):
                    best[target] = NameClaim(target, strength, phrase, extra)
        return sorted(best.values(), key=lambda claim: -claim.strength)

    def _is_of_another(self, target: str, extra: set[str], around: set[str]) -> bool:
        """Whether other words of a name, or its groups, say that it is about another thing than the home."""
        of_part = extra | (around if self._targets.get(target, {}).get("of_dwelling") else set())
        others = ((extra | around) & self._elsewhere) | (of_part & self._parts)
        return bool(others - self._own_words(target))

    @cache  # noqa: B019 (as of _answers)
    def _own_words(self, target: str) -> frozenset[str]:
        """Every word of a field's phrases."""
        names = self._targets.get(target, {}).get("names", {})
        return frozenset(word for text, _ in _texts(names) for word in self.words(text))

    def _candidates(self, words: tuple[str, ...], *, is_cut: bool) -> Iterator[tuple[str, Phrase]]:
        for word in set(words):
            yield from self._by_word.get(word, ())
            if is_cut and len(word) >= _SHORTEST_CUT:
                for known, phrases in self._by_word.items():
                    if known != word and known.startswith(word):
                        yield from phrases

    def _strength(self, folded: str, words: tuple[str, ...], phrase: Phrase, *, is_cut: bool) -> tuple[float, int]:
        if folded == phrase.text or words == phrase.words:
            return 1.0, 0
        ours, theirs = set(words), set(phrase.words)
        if ours - set(self._units) == theirs - set(self._units):
            return _SAME_WORDS, 0
        if is_cut and len(words) == len(phrase.words) and all(map(_is_cut_of, words, phrase.words)):
            # A name shorter than a .dbf allows was not cut by it: somebody abbreviated, or means something else.
            return (NAMED if len(folded) >= _CUT_LETTERS else _HINTED), 0
        extra = ours - theirs
        if not theirs <= ours or extra & self._another or len(theirs) < len(extra):
            return 0.0, 0
        return _HINTED + 0.2 * len(theirs) / len(ours), len(extra)

    def unit(self, column: str) -> str | None:
        """What a column's numbers count, where its name says so."""
        return next((self._units[word] for word in self.words(plain_name(column)) if word in self._units), None)

    def is_personal(self, column: str) -> bool:
        """Whether a column seems to say who somebody is or how to reach them."""
        return not self._personal.isdisjoint(fold_name(_CAMEL.sub(" ", plain_name(column))).split())

    def personal_kind(self, column: str) -> str | None:
        """Which kind of personal data a column's name speaks of; None: of none, or its values must say."""
        for words in self._wordings(column):
            for kind, phrases in self._personal_phrases.items():
                if any(phrase <= words and words - phrase <= self._beside for phrase in phrases):
                    return kind
            if words & self._names and words & self._persons and words <= self._beside:
                return "name"
        return None

    def may_be_person(self, column: str) -> bool:
        """Whether a column may hold names of people, which only its values can say: it is called name, or owner."""
        telling = self._wordings(column)[0] - self._stop
        return bool(telling) and (telling <= self._names or telling <= self._persons | {"household"})

    def _wordings(self, column: str) -> list[frozenset[str]]:
        """The words of a column's name, without the groups of its form and with them: a point may also end a word."""
        name = plain_name(column)
        last = next((part for part in reversed(_GROUPS.split(name)) if part.strip()), name)
        return [frozenset(self._plain_words(text)) for text in (last, name)]

    def _plain_words(self, name: str) -> list[str]:
        """Every word of a name, each spelt out."""
        return self._expand(fold_name(_CAMEL.sub(" ", name)).split())

    def is_unknown(self, text: str) -> bool:
        """Whether an answer is no answer."""
        folded = fold_name(text)
        return not folded or folded in self._unknown

    def takes_yes_no(self, target: str, column: str) -> bool:
        """Whether yes and no answer a field in the column of this name: a roof may be there, and of nothing lasting."""
        asked = self._targets.get(target, {}).get("yes_no")
        return asked is None or not set(asked).isdisjoint(self.words(plain_name(column)))

    def asks_consent(self, column: str) -> bool:
        """Whether a column's name asks whether somebody agreed to be interviewed."""
        return any(claim.target == "consent" for claim in self.name_claims(column, is_cut=False))

    def consent(self, text: str) -> Value | None:
        """The result of a visit that an answer to that means; None: not known."""
        yes = yes_or_no(text)
        if yes is not None:
            return "completed" if yes else "refused"
        exact, phrases = self._phrases(self._targets["consent"]["values"])
        folded = fold_name(_ENUMERATED.sub("", text))
        if folded in exact:
            return exact[folded]
        found = self._near(folded, _Answers(exact, phrases, {}))
        return None if found is None else found.value

    def scale_step(self, text: str) -> str | None:
        """Which step of a scale a word stands for: all, some, none, or None."""
        return self._scale.get(fold_name(text))

    def answer(self, target: str, text: str, column: str | None = None) -> Answer | None:
        """What an answer means for a field, in the column of this name; None: not known."""
        folded = fold_name(_ENUMERATED.sub("", text))
        table = self._answers(target)
        asked = self._asked(target, column) if column is not None else {}
        if folded in asked:
            return Answer("exact", asked[folded])
        if folded in table.exact:
            return Answer("exact", table.exact[folded])
        if folded in table.unclear:
            return Answer("unclear", None, table.unclear[folded])
        if self.is_unknown(text):
            return Answer("exact", UNKNOWN)
        answer = yes_or_no(text) if standard_fields()[target].type == "boolean" else None
        if answer is not None:
            return Answer("exact", answer)
        return self._near(folded, table)

    def _near(self, folded: str, table: "_Answers") -> Answer | None:
        """An answer by the longest known phrase in it, where there is only one such and it says most of it."""
        words = {_singular(word) for word in folded.split()}
        telling = words - self._stop
        negated = words & self._negations
        held = [
            (len(phrase), text, value)
            for phrase, text, value in table.phrases
            if value != _OTHER
            and phrase <= words
            and negated == phrase & self._negations
            and len(phrase) >= _NEAR_SHARE * len(telling)
        ]
        longest = max((n for n, _, _ in held), default=0)
        meant = {value: text for n, text, value in held if n == longest}
        if len(meant) != 1:
            return None
        ((value, phrase),) = meant.items()
        return Answer("near", value, phrase=phrase)

    @cache  # noqa: B019 (there is one vocabulary, and it lives as long as the process)
    def _answers(self, target: str) -> "_Answers":
        entry = self._targets.get(target, {})
        source = self._targets[entry["values_of"]] if "values_of" in entry else entry
        known: dict[str, Value] = {fold_name(code): code for code in standard_fields()[target].codes}
        exact, phrases = self._phrases(source.get("values", {}))
        unclear = {fold_name(text): tuple(choices) for text, choices in source.get("unclear", {}).items()}
        return _Answers(known | exact, phrases, unclear)

    def _phrases(self, values: Mapping[str, Any]) -> tuple[dict[str, Value], list[tuple[frozenset[str], str, Value]]]:
        """Texts by what they mean, folded, and the words of each."""
        exact: dict[str, Value] = {}
        phrases = []
        for code, texts in values.items():
            value: Value = code == "true" if code in ("true", "false") else code
            for text, _ in _texts(texts):
                exact[fold_name(text)] = value
                words = frozenset(_singular(word) for word in fold_name(text).split()) - self._stop
                if words:
                    phrases.append((words, text, value))
        return exact, phrases

    def _asked(self, target: str, column: str) -> dict[str, Value]:
        """What yes and no mean, where the name asks in a way that turns them into other answers."""
        for question in self._targets.get(target, {}).get("asked", ()):
            names = {frozenset(self.words(name)) for name in question["names"]}
            last = _GROUPS.split(plain_name(column))[-1]
            if frozenset(self.words(last)) in names:
                return {
                    folded: question["yes" if answer else "no"]
                    for folded, answer in self._yes_no.items()
                    if ("yes" if answer else "no") in question
                }
        return {}

    def detail(self, target: str, value: Value | None, text: str) -> Answer | None:
        """What a second column makes of an answer that leaves the field open, such as where it flushes to."""
        if self.is_unknown(text):
            return Answer("exact", UNKNOWN)
        if value not in self._details(target):
            found = self.answer(target, text)
            return None if found is None or found.value == _OTHER else found
        folded = fold_name(_ENUMERATED.sub("", text))
        table = self._details(target)[value]
        return Answer("exact", table.exact[folded]) if folded in table.exact else self._near(folded, table)

    @cache  # noqa: B019 (as of _answers)
    def _details(self, target: str) -> Mapping[Value | None, "_Answers"]:
        entry = self._targets.get(target, {})
        return {
            value: _Answers(*self._phrases(table["values"]), {}) for value, table in entry.get("details", {}).items()
        }

    def tells_more(self, target: str, value: Value | None, column: str) -> bool:
        """Whether a column's name asks for what an answer to a field leaves open."""
        words = set(self.words(plain_name(column)))
        if value == _OTHER and words & self._specify:
            return True
        names = self._targets.get(target, {}).get("details", {}).get(value, {}).get("names", {})
        return any(set(self.words(text)) <= words for text, _ in _texts(names))

    def open_answer(self, target: str, text: str, value: Value | None) -> str | None:
        """Why an answer by itself leaves open what decides an indicator; None: it does not, or says it is not known."""
        folded = f" {fold_name(text)} "
        if any(f" {unknown} " in folded for unknown in self._unknown):
            return None
        why: str | None = self._targets.get(target, {}).get("open", {}).get(value)
        return why

    def holds_answers(self, target: str) -> bool:
        """Whether the field has phrases of its own for its answers, beyond yes and no."""
        return bool(self._answers(target).phrases)


@dataclass(frozen=True)
class _Answers:
    exact: dict[str, Value]
    phrases: list[tuple[frozenset[str], str, Value]]
    unclear: dict[str, tuple[Value, ...]]


def _texts(table: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Every phrase of a table of languages, with its language."""
    for source, texts in table.items():
        for text in texts:
            yield text, source


def _is_cut_of(cut: str, word: str) -> bool:
    return cut == word or (len(cut) >= _SHORTEST_CUT and word.startswith(cut))


def _singular(word: str) -> str:
    return word[:-1] if len(word) > _SHORTEST_CUT and word.endswith("s") else word


@cache
def vocabulary() -> Vocabulary:
    """The vocabulary that is shipped."""
    folder = files("data").joinpath("catalogue/vocabulary")
    tables = {
        entry.name: tomllib.loads(entry.read_text(encoding="utf-8"))
        for entry in folder.iterdir()
        if entry.name.endswith(".toml")
    }
    words, schemes = tables.pop("words.toml"), tables.pop("schemes.toml")
    return Vocabulary(words, {name: table for file in tables.values() for name, table in file.items()}, schemes)
