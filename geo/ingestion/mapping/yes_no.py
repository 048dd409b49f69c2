"""Yes and no in the words of many languages, as spreadsheets and phones write them: one list for proposal and load."""

import re
import tomllib
from functools import cache
from importlib.resources import files

from geo.base import fold_name

_NUMBER = re.compile(r"\+?([01])(?:[.,]0{1,12})?")
"""1 and 0, with the decimals that a program adds to a column of numbers."""


def yes_or_no(text: str) -> bool | None:
    """What an answer says that is a yes or a no and nothing else; None: it is neither."""
    number = _NUMBER.fullmatch(text.strip())
    return number[1] == "1" if number else yes_and_no_words().get(fold_name(text))


@cache
def yes_and_no_words() -> dict[str, bool]:
    """Every word for yes and no, as names are compared."""
    words = tomllib.loads(files("data").joinpath("catalogue/vocabulary/words.toml").read_text(encoding="utf-8"))
    return {
        fold_name(text): answer
        for answer in (True, False)
        for texts in words["yes" if answer else "no"].values()
        for text in texts
    }
