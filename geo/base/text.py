"""Names and texts: how they are compared, and what the database holds of them."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Literal

from geo.errors import InputError
from geo.messages import Message

Named = Literal["city", "organisation", "survey"]
"""What has a short name."""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet runs a cell that begins so as a formula, also one that came from a file somebody else wrote."""

_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")


_NO_SLUG: Mapping[Named, str] = {
    "city": "city_slug_invalid",
    "organisation": "organisation_slug_invalid",
    "survey": "survey_slug_invalid",
}


def check_slug(slug: str, of: Named) -> None:
    """Holds a short name against the form every short name has, as the database does.

    Raises:
        InputError: it has another form.
    """
    if not _SLUG.fullmatch(slug):
        raise InputError(Message(_NO_SLUG[of], slug=slug))


# Latin, Greek and Cyrillic accents. The marks of other scripts, such as the vowels of Devanagari, are letters there.
_ACCENTS = re.compile("[\u0300-\u036f]")
_BETWEEN_WORDS = "PSZC"
"""The Unicode categories of punctuation, symbols, blanks and control characters."""


def fold_name(text: str) -> str:
    """A name as it is compared: `  Ñembý, Villa-Rosa ` and `NEMBY VILLA ROSA` are the same."""
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", text))
    words = "".join(" " if unicodedata.category(c)[0] in _BETWEEN_WORDS else c for c in plain).split()
    return unicodedata.normalize("NFKC", " ".join(words)).casefold()


def is_storable(text: str) -> bool:
    """Whether the database can hold a text: it takes neither the character NUL nor half of a pair of surrogates."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def kept_from_formulas(text: str) -> str:
    """A text as a cell of a table: one that a spreadsheet would run as a formula begins with an apostrophe."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def fold(text: str) -> str:
    """A value as profiles compare it: without case, and with single blanks."""
    return " ".join(text.split()).casefold()
