"""Sentences of the core in the words of whoever reads them here."""

import re

_OPTION = re.compile(r"--([a-z]+(?:-[a-z]+)*)")


def in_request_words(sentence: str) -> str:
    """A sentence that names the options of the command, with the names a request has for the same choices."""
    return _OPTION.sub(lambda option: f"`{option[1].replace('-', '_')}`", sentence)
