"""Values: what a finding says stands in a row, as a text of the file or as a message, and as either is stored."""

import json
from collections.abc import Sequence

from geo.ingestion.findings.kinds import RULES
from geo.messages import Message

Value = str | Message


def kept_value(code: str, value: Value) -> str:
    """A value as a finding of this kind stores it: as JSON where the kind has messages.

    Raises:
        TypeError: it is a message, and the kind has texts of the file.
    """
    if not RULES[code].has_messages:
        if isinstance(value, Message):
            raise TypeError(f"findings of kind {code} hold texts of the file")
        return value
    message = value if isinstance(value, Message) else Message.of_json("as_told", {"text": value})
    return json.dumps(message.as_json(), ensure_ascii=False, sort_keys=True)


def told_value(code: str, kept: str) -> Value:
    """A value that was stored; earlier versions stored every one as a text."""
    if code not in RULES or not RULES[code].has_messages:
        return kept
    try:
        stored = json.loads(kept)
    except ValueError:
        return kept
    is_message = isinstance(stored, dict) and stored.keys() == {"code", "params"}
    return Message.of_json(stored["code"], stored["params"]) if is_message else kept


def few(values: Sequence[Value], most: int) -> Message:
    """The first of several values, and how many more there are."""
    if len(values) <= most:
        return Message("values_listed", values=values)
    return Message("values_and_more", values=values[:most], n=len(values) - most)
