"""An output format that there is not: what somebody who adds one writes, and no more."""

from service.formats.format import TEXT, Format
from service.formats.rows import Rows


def _write(found: Rows) -> bytes:
    rows = [found.names, *([str(row[name]) for name in found.names] for row in found.plain())]
    return "\n".join("\t".join(row) for row in rows).encode()


FORMAT = Format(
    "tsv", "text/tab-separated-values", "a table of all rows, parted by tabs", _write, saved="attachment", schema=TEXT
)
