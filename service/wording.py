"""Sentences of the core in the words of their readers here."""

import re

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
