"""The text of GeoJSON where GDAL would lose something of it: coordinates in quotation marks become numbers."""

import re
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import orjson

from geo.errors import UnreadableFile

_QUOTED = re.compile(rb'"coordinates"\s{0,40}:(?:\s{0,40}\[){1,4}\s{0,40}"')
_CHUNK, _OVERLAP = 1 << 22, 512
_MAX_BYTES = 256 << 20
"""The file is rewritten from memory."""


def unquoted(path: Path, stack: ExitStack) -> Path:
    """The file itself or, where its coordinates are written as text, a copy in which they are numbers.

    Raises:
        UnreadableFile: it is too large to be copied so.
    """
    if not _is_quoted(path):
        return path
    if path.stat().st_size > _MAX_BYTES:
        raise UnreadableFile("coordinates_as_text", file=path.name, most_mb=_MAX_BYTES >> 20)
    whole = path.read_bytes()
    try:
        documents = [orjson.loads(whole)]
    except orjson.JSONDecodeError:
        try:
            documents = [orjson.loads(line) for line in whole.replace(b"\x1e", b"").splitlines() if line.strip()]
        except orjson.JSONDecodeError:
            return path  # its reader says where it is damaged
    copy = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vasti-"))) / path.name
    copy.write_bytes(b"\n".join(orjson.dumps(_with_numbers(document)) for document in documents))
    return copy


def _is_quoted(path: Path) -> bool:
    before = b""
    with path.open("rb") as source:
        while chunk := source.read(_CHUNK):
            if _QUOTED.search(before + chunk):
                return True
            before = chunk[-_OVERLAP:]
    return False


def _with_numbers(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_numbers(inner) for inner in value]
    if isinstance(value, dict):
        return {k: _numbers(v) if k == "coordinates" else _with_numbers(v) for k, v in value.items()}
    return value


def _numbers(value: Any) -> Any:
    """Coordinates as numbers; text that is none is left, and its feature has no shape."""
    if isinstance(value, list):
        return [_numbers(inner) for inner in value]
    if not isinstance(value, str):
        return value
    text = value.strip()
    try:
        return float(text if "." in text else text.replace(",", "."))
    except ValueError:
        return value
