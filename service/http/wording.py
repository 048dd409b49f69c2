"""Sentences of the core in the words of their readers here."""

import re
from collections.abc import Mapping

# What the two columns of a position are called is one choice wherever there are no options.
OPTION = re.compile(r"--([a-z]+(?:-[a-z]+)*)(?: and --latitude)?")
"""An option of the command, as the core's sentences name it."""

OF_COLUMNS = ("code", "name", "ward", "kind-column", "longitude", "latitude")
"""Options that say what a column is called: elsewhere that is one choice."""


def in_request_words(sentence: str) -> str:
    """A sentence that names the options of the command, with the names a request has for the same choices."""
    return OPTION.sub(
        lambda option: "`columns`" if option[1] in OF_COLUMNS else f"`{option[1].replace('-', '_')}`", sentence
    )


_OPTIONS: Mapping[str, str] = {
    "skip-errors": "“Load the rows without errors”",
    "keep": "the tick boxes under “Columns that are not used” below",
    "fix": "“Correct positions that are certain to be wrong”",
    "crs": "CRS",
    "encoding": "Encoding",
    "layer": "Layer",
    "placement": "the placement",
    "profile": "a mapping profile",
    "starts": "first day",
    "ends": "last day",
    "unit": "the round's unit",
    "mode": "“Who was asked”",
    **dict.fromkeys(OF_COLUMNS, "the form “Its columns” below"),
    "kind": "“What all of them are” below",
    "valid-from": "“They hold from” below",
    "moved": "“They did move” below",
    "new-settlements": "“Make settlements of what rows name” below",
}

_PHRASES: Mapping[str, str] = {
    "add the value to the profile and load the file again": "say what it means, under “What answers mean” below",
    "add it with `vasti city add`": "an operator adds it on the page “Cities”, and a steward asks for it there",
}

_COMMAND = re.compile(r"((?:^|(?<=[.;]))[^ .;]*+) [^.;]*`vasti [^`]*+`[^.;]*+[.;]?")
"""A clause that names a command, which the reader of a page may not have at hand."""


def for_page(sentence: str) -> str:
    """A sentence of the core, which names options of the command, as a page says it."""
    named = OPTION.sub(lambda option: _OPTIONS.get(option[1], option[1].replace("-", " ")), sentence)
    for phrase, words in _PHRASES.items():
        named = named.replace(phrase, words)
    told = _COMMAND.sub(r"\1", named).strip().rstrip(";:,")
    return told if told.endswith((".", "!", "?")) else f"{told}."
