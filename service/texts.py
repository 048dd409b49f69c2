"""Texts that somebody sends: as a database can hold them."""

from typing import Annotated

from fastapi import Form
from pydantic import AfterValidator

from geo.ingestion.names import is_storable


def _storable(text: str) -> str:
    if not is_storable(text):
        raise ValueError("contains a character that no text may hold")
    return text


Text = Annotated[str, AfterValidator(_storable)]

FormText = Annotated[Text, Form(max_length=2_000)]
"""A field of a page's form."""

FormTexts = Annotated[list[Text], Form(max_length=2_000)]
"""A field that a form has several times."""
