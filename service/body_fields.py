"""Texts that somebody sends: as a database can hold them."""

import re
import unicodedata
from typing import Annotated

from fastapi import Form
from pydantic import AfterValidator

from geo.base import is_storable
from geo.errors import Fault


def _storable(text: str) -> str:
    if not is_storable(text):
        raise Fault("text_unstorable")
    return text


Text = Annotated[str, AfterValidator(_storable)]

FormText = Annotated[Text, Form(max_length=2_000)]
"""A field of a page's form."""

FormTexts = Annotated[list[Text], Form(max_length=2_000)]
"""A field that a form has several times."""


def slug_of(name: str) -> str:
    """A short name made of a name, where that has letters of the alphabet short names have."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:100]
