"""Rings of a KML file: a program that puts several holes into one tag loses all but the first in GDAL."""

import re
import tempfile
import zipfile
import zlib
from contextlib import ExitStack
from pathlib import Path

_TAG = re.compile(rb"<(/?)((?:\w{1,20}:)?)(innerBoundaryIs|outerBoundaryIs|LinearRing)\b[^<>]{0,1000}>")
_MAX_BYTES = 256 << 20
"""A file is rewritten from memory; a larger one is read as GDAL reads it."""


def look_at_rings(path: Path, stack: ExitStack) -> tuple[Path, bool]:
    """The file to read, and whether the tag of an outline holds several rings, of which GDAL keeps one.

    Where the tag of a hole does, that is a copy in which each hole has a tag of its own. A second ring of an outline is
    left as it is: nobody can say whether it is a hole or another part.
    """
    text = _text_of(path)
    if text is None:
        return path, False
    mended, has_outer = _mended(text)
    if mended is None:
        return path, has_outer
    copy = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vasti-"))) / f"{path.stem}.kml"
    copy.write_bytes(mended)
    return copy, has_outer


def _text_of(path: Path) -> bytes | None:
    """The text of a .kml, or of the one in a .kmz; None where there is none to look at."""
    if path.suffix.lower() == ".kml":
        return path.read_bytes() if path.stat().st_size <= _MAX_BYTES else None
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.lower().endswith(".kml")]
            if len(names) != 1 or archive.getinfo(names[0]).file_size > _MAX_BYTES:
                return None
            return archive.read(names[0])
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError):
        return None


def _mended(text: bytes) -> tuple[bytes | None, bool]:
    """The text with a tag of its own around each hole, None where that is so already; and whether outlines have two."""
    pieces: list[bytes] = []
    done, n_rings, has_outer = 0, 0, False
    around: tuple[bytes, bytes] | None = None
    for tag in _TAG.finditer(text):
        is_end, prefix, name = bool(tag[1]), tag[2], tag[3]
        if name != b"LinearRing":
            around, n_rings = (None if is_end else (prefix, name)), 0
        elif not is_end and around is not None:
            n_rings += 1
            has_outer |= n_rings > 1 and around[1] == b"outerBoundaryIs"
            if n_rings > 1 and around[1] == b"innerBoundaryIs":
                pieces += [text[done : tag.start()], b"</%b%b><%b%b>" % (*around, *around)]
                done = tag.start()
    return (b"".join([*pieces, text[done:]]) if pieces else None), has_outer
