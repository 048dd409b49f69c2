"""Messages: a code with parameters where something is raised or stored, and its words where somebody reads them.

The words are in `data/messages/`, a folder for each language: whole sentences by code, with named placeholders. What a
control is called depends on where the reader is, and so may the sentence.
"""

import re
import string
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, reduce
from importlib.resources import files
from math import isfinite
from numbers import Integral, Real
from pathlib import PurePath
from typing import Any, Literal, Union

Audience = Literal["command", "api", "page"]
"""Who reads: a person at the command line, a program or its author, a person before a page."""

LANGUAGES = ("en",)

Param = Union[str, int, float, bool, date, PurePath, Sequence["str | Message"], "Message", None]
"""What a message may be about. Dates and paths are kept as texts."""

_LONGEST_TEXT, _MOST_LISTED = 8_000, 50
_LONGEST_QUOTE, _MOST_QUOTED = 80, 5
_FEW = 2

_PLURALS: Mapping[str, Callable[[float], str]] = {"en": lambda n: "one" if n == 1 else "other"}
"""Which form of a sentence a number asks for, by language; the categories are those of Unicode's CLDR."""

_CODE = re.compile(r"[a-z][a-z0-9_]*")


class Message:
    """What there is to say: a code of the table, and its parameters as JSON has them. What is kept is never long."""

    __slots__ = ("code", "params")

    def __init__(self, code: str, /, **params: Param) -> None:
        """Raises:
        LookupError: the table has no such code.
        TypeError: the parameters are others than those of its sentences.
        """
        wanted, given = message_params(code), params.keys()
        if wanted != given:
            raise TypeError(f"message {code} takes {sorted(wanted)}, not {sorted(given)}")
        self.code = code
        self.params: dict[str, Any] = dict(_kept(params))

    def say(self, audience: Audience = "command", language: str = "en", *, parameter: str | None = None) -> str:
        """Its words. What an earlier version kept and this one has no words for is said by its code.

        `parameter` is what the reader calls the parameter that is refused, if it is one.
        """
        table = _table(language)
        if self.code in table.findings:
            return say_finding(self.code, self.params, audience, language)
        if self.code not in table.sentences:
            return self.code
        return table.sentences[self.code].say(table, audience, self.params | {"parameter": parameter})

    def __str__(self) -> str:
        return self.say()

    def is_said_apart(self, audience: Audience, language: str = "en") -> bool:
        """Whether it has words for this audience alone: of a parameter, a whole sentence that names it."""
        table = _table(language)
        return self.code in table.sentences and audience in table.sentences[self.code].variants

    def as_json(self) -> dict[str, Any]:
        """Its code and parameters, as they are stored and sent."""
        return {"code": self.code, "params": params_as_json(self.params)}

    @classmethod
    def of_json(cls, code: str, params: Mapping[str, Any]) -> "Message":
        """A message that was kept, perhaps by an earlier version, or a finding as one."""
        message = cls.__new__(cls)
        message.code = code
        message.params = {name: _of_json(value) for name, value in params.items()}
        return message


def say_clauses(clauses: Sequence[Message], audience: Audience = "command", language: str = "en") -> str:
    """Several clauses in one line; nothing where there are none."""
    said = [clause.say(audience, language) for clause in clauses]
    return reduce(lambda first, last: list_phrase("clauses", language, first=first, last=last), said) if said else ""


def clauses_of_json(kept: str | Sequence[Mapping[str, Any]]) -> tuple[Message, ...]:
    """Clauses that were kept; earlier versions kept one text in their place."""
    if isinstance(kept, str):
        return (Message.of_json("as_told", {"text": kept}),) if kept else ()
    return tuple(Message.of_json(each["code"], each["params"]) for each in kept)


def params_as_json(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a message, as they are stored and sent."""
    return {name: _as_json(value) for name, value in params.items()}


def _as_json(value: Any) -> Any:
    if isinstance(value, list):
        return [_as_json(each) for each in value]
    return value.as_json() if isinstance(value, Message) else value


def _of_json(value: Any) -> Any:
    if isinstance(value, list):
        return [_of_json(each) for each in value]
    return Message.of_json(value["code"], value["params"]) if isinstance(value, dict) else value


def _kept(params: Mapping[str, Param]) -> Iterator[tuple[str, Any]]:
    """Parameters as JSON has them. Of a long list the first are kept, and the number of the others beside them."""
    for name, value in params.items():
        match value:
            case str():
                yield name, shortened(value, _LONGEST_TEXT)
            case None | bool() | Message():
                yield name, value
            case Integral():
                yield name, int(value)
            case Real():
                # JSON has no number without end.
                yield name, float(value) if isfinite(value) else str(value)
            case date():
                yield name, value.isoformat()
            case PurePath():
                yield name, str(value)
            case Sequence():
                yield (
                    name,
                    [
                        each if isinstance(each, Message) else shortened(str(each), _LONGEST_TEXT)
                        for each in value[:_MOST_LISTED]
                    ],
                )
                if len(value) > _MOST_LISTED:
                    yield f"{name}{_MORE}", len(value) - _MOST_LISTED


_MORE = "_more"


def shortened(text: str, most: int = _LONGEST_QUOTE) -> str:
    """A text that came from outside, as long as an error or a log may have it."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def message_params(code: str) -> frozenset[str]:
    """The parameters of a message.

    Raises:
        LookupError: the table has no such code.
    """
    sentences = _table("en").sentences
    if code not in sentences:
        raise LookupError(f"no message {code!r} in data/messages")
    return sentences[code].params


def message_codes(language: str = "en") -> frozenset[str]:
    """Every code a language has words for."""
    return frozenset(_table(language).sentences)


def say_finding(code: str, params: Mapping[str, Any], audience: Audience = "command", language: str = "en") -> str:
    """A kind of finding and what to do about it.

    `params` are the standard field it is in, if any, the first of its values, and how many different ones there are.
    """
    table = _table(language)
    said = {part: say_part_of_finding(code, part, params, audience, language) for part in ("says", "do")}
    said["says"] = said["says"][0].upper() + said["says"][1:]
    return table.phrase("finding", **said)


def say_part_of_finding(
    code: str, part: str, params: Mapping[str, Any], audience: Audience = "command", language: str = "en"
) -> str:
    """As a clause: what a kind of finding says (`says`), or what to do about it (`do`)."""
    table = _table(language)
    # Where there is no value it is spoken of in the singular, as a blank.
    told = {"field": params["field"] or table.phrase("no_field"), "n_values": max(1, params["n_values"])}
    return table.findings[code][part].say(table, audience, {**params, **told})


def finding_codes(language: str = "en") -> frozenset[str]:
    """Every kind of finding a language has words for."""
    return frozenset(_table(language).findings)


def add_words(sentences: Mapping[str, str], findings: Mapping[str, Mapping[str, str]], language: str = "en") -> None:
    """Takes in words that stand elsewhere: of messages by code, and of findings what each says and what to do."""
    table = _table(language)
    table.sentences.update({code: read_entry(of) for code, of in sentences.items()})
    table.findings.update(
        {code: {part: read_entry(of[part]) for part in ("says", "do")} for code, of in findings.items()}
    )


def list_phrase(phrase: str, language: str = "en", /, **params: Any) -> str:
    """One of the phrases that put several things into one line."""
    return _table(language).phrase(phrase, **params)


def control(name: str, audience: Audience, language: str = "en") -> str:
    """What a choice is called where the reader makes it; by its own name, where the table has none."""
    named = _table(language).controls.get(name)
    return name if named is None else named[audience]


def field_name(name: str, audience: Audience, language: str = "en") -> str:
    """What a field of a request is called: on a page as its form has it, elsewhere by its own name."""
    return _table(language).fields.get(name, name.replace("_", " ")) if audience == "page" else name


@dataclass(frozen=True)
class _Variant:
    """A sentence for one audience: its plural forms, those for one number alone (`=2`), and what chooses among them."""

    forms: Mapping[str, str]
    counted: str | None

    def form(self, params: Mapping[str, Any], language: str) -> str:
        if self.counted is None:
            return self.forms["other"]
        n = params.get(self.counted, 0)
        n = len(n) + params.get(f"{self.counted}{_MORE}", 0) if isinstance(n, list) else n
        return self.forms.get(f"={n}") or self.forms.get(_PLURALS[language](n), self.forms["other"])


@dataclass(frozen=True)
class Entry:
    """What a code says, to each audience that is told otherwise; `text` is for all others."""

    variants: Mapping[str, _Variant]
    params: frozenset[str]

    def say(self, table: "_Table", audience: Audience, params: Mapping[str, Any]) -> str:
        """Its words for an audience."""
        variant = self.variants.get(audience) or self.variants["text"]
        return _Words(table, audience, params).vformat(variant.form(params, table.language), (), params)


@dataclass(frozen=True)
class _Table:
    """The words of one language."""

    language: str
    sentences: dict[str, Entry]
    findings: dict[str, Mapping[str, Entry]]
    controls: Mapping[str, Mapping[str, str]]
    fields: Mapping[str, str]
    terms: Mapping[str, str]
    lists: Mapping[str, Entry]

    def phrase(self, phrase: str, /, **params: Any) -> str:
        """Several things in one line."""
        return self.lists[phrase].say(self, "command", params)


@cache
def _table(language: str) -> _Table:
    """Reads the words of a language, once, when something is to be said."""
    folder = files("data").joinpath("messages", language)
    parts = {
        file.name.removesuffix(".toml"): tomllib.loads(file.read_text(encoding="utf-8"))
        for file in sorted(folder.iterdir(), key=lambda each: each.name)
        if file.name.endswith(".toml")
    }
    controls, fields = parts.pop("controls"), parts.pop("fields")
    findings: dict[str, Mapping[str, Entry]] = {
        code: {"says": read_entry(of["says"]), "do": read_entry(of["do"])} for code, of in parts.pop("findings").items()
    }
    terms = parts["lists"].pop("terms")
    lists = {name: read_entry(entry) for name, entry in parts.pop("lists").items()}
    sentences: dict[str, Entry] = {}
    for name, part in parts.items():
        for code, entry in part.items():
            if code in sentences or code in findings or not _CODE.fullmatch(code):
                raise ValueError(f"{name}.toml: the code {code} is taken, or is no code")
            sentences[code] = read_entry(entry)
    return _Table(language, sentences, findings, controls, fields, terms, lists)


def read_entry(entry: str | Mapping[str, Any]) -> Entry:
    """An entry of the table: a sentence, its plural forms, or either by audience.

    Raises:
        ValueError: it is none of these.
    """
    if isinstance(entry, str) or "other" in entry:
        entry = {"text": entry}
    beside = set(entry.get("beside", ()))
    variants = {name: _read_variant(variant) for name, variant in entry.items() if name != "beside"}
    if "text" not in variants or not variants.keys() <= _VARIANTS:
        raise ValueError(f"a message has a text, and others for page, api or command: {entry}")
    named = {name for variant in variants.values() for text in variant.forms.values() for name in placeholders(text)}
    counted = {variant.counted for variant in variants.values() if variant.counted is not None}
    return Entry(variants, frozenset((named | counted | beside) - _GIVEN))


_VARIANTS = {"text", "page", "api", "command"}
_GIVEN = {"control", "parameter"}
"""Placeholders that are no parameters: what the reader's controls are called, and the parameter that was refused."""


def _read_variant(variant: str | Mapping[str, str]) -> _Variant:
    if isinstance(variant, str):
        return _Variant({"other": variant}, None)
    return _Variant({name: text for name, text in variant.items() if name != "count"}, variant["count"])


def placeholders(text: str) -> set[str]:
    """The names that a sentence has places for."""
    return {re.split(r"[.\[]", name)[0] for _, name, _, _ in string.Formatter().parse(text) if name is not None}


_OPEN = "…"
"""Stands for a parameter that an earlier version did not keep."""


class _Words(string.Formatter):
    """Fills the places of a sentence, each by the rule that stands in it."""

    def __init__(self, table: _Table, audience: Audience, params: Mapping[str, Any]) -> None:
        self._table = table
        self._audience = audience
        self._params = params

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> Any:  # noqa: ARG002 (the signature is Formatter's)
        """A parameter, or the name of one of the reader's controls. One that was not kept is left open."""
        first, _, rest = field_name.partition(".")
        if first == "control":
            return self._control(rest), field_name
        return (self._said(self._params.get(first, _OPEN)), self._params.get(first + _MORE, 0)), field_name

    def _said(self, value: Any) -> Any:
        """A parameter with the messages in it put into words."""
        if isinstance(value, list):
            return [self._said(each) for each in value]
        return value.say(self._audience, self._table.language) if isinstance(value, Message) else value

    def _control(self, name: str) -> str:
        return control(name, self._audience, self._table.language)

    def format_field(self, value: Any, format_spec: str) -> str:
        """A value as its rule writes it."""
        if isinstance(value, str):
            return value
        given, more = value
        if format_spec in _LISTS:
            return _LISTS[format_spec](self, given if isinstance(given, list) else [str(given)], more)
        if isinstance(given, int | float):
            return _NUMBERS[format_spec](given)
        if format_spec in _TEXTS:
            return _TEXTS[format_spec](self, given)
        if format_spec == "clock" and given != _OPEN:
            return f"{datetime.fromisoformat(given):%H:%M}"
        return "" if given is None else str(given)

    def _quoted(self, values: Sequence[str], more: int) -> str:
        """The first few of these values in quotes, each shortened, and the number of the others."""
        return self._joined(
            [repr(shortened(value)) for value in values[:_MOST_QUOTED]], len(values[_MOST_QUOTED:]) + more, "and"
        )

    def _cells(self, values: Sequence[str], more: int) -> str:
        """What stands in cells, and the number of other values."""
        if not values:
            return self._table.phrase("blank")
        shown = self._table.phrase("separator").join(_named(values))
        more = self._params.get("n_values", len(values)) - len(values)
        return (
            self._table.phrase("and", first=shown, last=self._table.phrase("other_values", n=more)) if more else shown
        )

    def _joined(self, values: Sequence[str], more: int, how: str) -> str:
        """A list in the words of the language; how many more there are stands at its end."""
        if not values:
            return self._table.phrase("none")
        separator = self._table.phrase("separator")
        *first, last = [*values, *([self._table.phrase("more", n=more)] if more else [])]
        if not first or (how == "list" and not more):
            return separator.join([*first, last])
        return self._table.phrase("or" if how == "or" else "and", first=separator.join(first), last=last)

    def _few(self, values: Sequence[str], more: int) -> str:
        """The first two of these values, and the number of the others."""
        return self._joined(_named(values[:_FEW]), len(values[_FEW:]) + more, "list")

    def _date_form(self, form: str) -> str:
        """How dates are written, as people say it."""
        return re.sub(r"%\w", lambda part: self._table.terms.get(part[0], part[0]), form)

    def _columns(self, values: Sequence[str], more: int) -> str:
        """The columns that a file has."""
        return self._joined(values, more, "list") if values else self._table.phrase("no_columns")

    def _of_controls(self, names: Sequence[str], more: int) -> str:
        """The reader's controls of these names."""
        return self._joined([self._control(name) for name in names], more, "and")

    def _of_terms(self, values: Sequence[str], more: int) -> str:
        """Words that the table has, of which one is meant."""
        return self._joined([self._table.terms.get(value, value) for value in values], more, "or")

    def _either(self, values: Sequence[str], more: int) -> str:
        """These values in quotes, of which one is meant."""
        return self._joined([repr(value) for value in values], more, "or")


_LISTS: Mapping[str, Callable[[_Words, Sequence[str], int], str]] = {
    "list": lambda words, values, more: words._joined(values, more, "list"),
    "and": lambda words, values, more: words._joined(values, more, "and"),
    "or": lambda words, values, more: words._joined(values, more, "or"),
    "either": _Words._either,
    "terms": _Words._of_terms,
    "quoted": _Words._quoted,
    "named": lambda words, values, more: words._joined(_named(values), more, "and"),
    "few": _Words._few,
    "controls": _Words._of_controls,
    "cells": _Words._cells,
    "columns": _Words._columns,
}
"""How a list is written."""


def _named(values: Sequence[str]) -> list[str]:
    return [f"“{value}”" for value in values]


_TEXTS: Mapping[str, Callable[[_Words, str], str]] = {
    "term": lambda words, text: words._table.terms.get(text, text),
    "words": lambda _, name: name.replace("_", " "),
    "date_form": _Words._date_form,
}
"""How a text that is a code is written."""


def _distance(metres: float) -> str:
    if metres < 1_000:
        return f"{metres:,.0f} m"
    return f"{metres / 1_000:,.0f} km" if metres >= 10_000 else f"{metres / 1_000:.1f} km"


_NUMBERS: Mapping[str, Callable[[float], str]] = {
    "": str,
    "count": "{:,}".format,
    "tenths": "{:,.1f}".format,
    "short": "{:g}".format,
    "percent": "{:.0%}".format,
    "percent_tenths": "{:.1%}".format,
    "percent_apart": lambda n: f"{100 * n:.0f} %",
    "distance": _distance,
    "size": lambda n: f"{n / 1_000_000:,.0f} MB" if n >= 1_000_000 else f"{n / 1_000:,.0f} KB",
}
"""How a number is written."""
