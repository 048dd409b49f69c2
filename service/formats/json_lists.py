"""Rows as JSON: a page of them under their own name, how many there are, and links."""

import orjson

from service.formats.format import Format
from service.formats.rows import Rows


def _write(found: Rows) -> bytes:
    counts = {"total": found.total, "returned": found.returned, "data_version": found.data_version, "note": found.note}
    return orjson.dumps({found.name: found.plain(), **found.about, **counts, "links": found.links})


FORMAT = Format("json", "application/json", "a page of rows, with a link to the next", _write, is_paged=True)
