"""Keyset paging: a page, the true total, and a cursor that stays right while rows come and go."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Row,
    Select,
    cast,
    func,
    literal,
    select,
    tuple_,
)
from sqlalchemy.sql import ColumnElement

from geo.errors import InvalidParameter, InvalidParameters

DEFAULT_LIMIT = 1_000
MAX_LIMIT = 10_000


@dataclass(frozen=True)
class PageRequest:
    """How many rows, and after which. `limit` None: all of them."""

    limit: int | None = DEFAULT_LIMIT
    cursor: str | None = None


@dataclass(frozen=True)
class Page:
    """Some rows of a longer list, and the cursor that asks for the next; None at the end."""

    rows: Sequence[Row[Any]]
    total: int
    next_cursor: str | None


def fetch_page(
    connection: Connection, rows: Select[Any], key: Sequence[ColumnElement[Any]], request: PageRequest
) -> Page:
    """One page of `rows` in the order of `key`, whose columns identify a row and are never null.

    Raises:
        InvalidParameters: the cursor is not one this list gave.
    """
    total = connection.execute(select(func.count()).select_from(rows.order_by(None).subquery())).scalar_one()
    page = rows.order_by(*key)
    if request.cursor is not None:
        after = _decode(request.cursor, key)
        page = page.where(tuple_(*key) > tuple_(*(cast(literal(v), c.type) for v, c in zip(after, key, strict=True))))
    if request.limit is None:
        return Page(connection.execute(page).all(), total, None)
    labels = [f"_key_{i}" for i in range(len(key))]
    page = page.add_columns(*(column.label(label) for column, label in zip(key, labels, strict=True)))
    found = connection.execute(page.limit(request.limit + 1)).all()
    shown = found[: request.limit]
    more = len(found) > request.limit
    return Page(shown, total, encode_cursor([shown[-1]._mapping[label] for label in labels]) if more else None)


def encode_cursor(key: Sequence[Any]) -> str:
    """A cursor that stands for the key of a row."""
    text = json.dumps([str(part) for part in key], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(cursor: str, key: Sequence[ColumnElement[Any]]) -> list[Any]:
    """The key a cursor stands for. A cursor comes from outside: whatever is in it, the database sees proper values."""
    parts = decode_cursor(cursor, len(key))
    try:
        return [_typed(part, column) for part, column in zip(parts, key, strict=True)]
    except ValueError:
        raise _not_a_cursor() from None


def _typed(part: str, column: ColumnElement[Any]) -> Any:
    """A part of a key as its column has it.

    Raises:
        ValueError: the column cannot hold it.
    """
    kind = column.type.python_type
    if kind is date:
        return date.fromisoformat(part)
    if kind is int:
        number, bits = int(part), 63 if isinstance(column.type, BigInteger) else 31
        if not -(1 << bits) <= number < 1 << bits:
            raise ValueError("more than the column holds")
        return number
    return part


def decode_cursor(cursor: str, parts: int) -> list[str]:
    """The key of so many parts a cursor stands for.

    Raises:
        InvalidParameters: the cursor is not one this list gave.
    """
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(key, list) or len(key) != parts:
            raise ValueError("no list of this length")
        for part in key:
            if not isinstance(part, str) or "\0" in part:
                raise ValueError("no text the database can hold")
            part.encode()
    except (binascii.Error, ValueError, RecursionError):
        raise _not_a_cursor() from None
    return key


def _not_a_cursor() -> InvalidParameters:
    return InvalidParameters([InvalidParameter("cursor", "cursor_unknown")])


@dataclass(frozen=True)
class Listing:
    """Some rows of a longer list by column name, how many there are, and the cursor that asks for the next."""

    rows: list[dict[str, Any]]
    total: int
    next_cursor: str | None


def listing(page: Page) -> Listing:
    """The rows of a page by column name."""
    # The columns named _key_... are the paging's own.
    rows = [{str(n): v for n, v in row._mapping.items() if not n.startswith("_")} for row in page.rows]
    return Listing(rows, page.total, page.next_cursor)
