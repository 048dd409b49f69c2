"""Text encodings: which one a file's bytes are in, where the file does not say or says it wrongly."""

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from geo.errors import ChoiceNeeded
from geo.ingestion.reading.layer import no_encoding

_CHUNK = 1 << 22
_HEAD = 1 << 16

_BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}

_NAMED_OTHERWISE = {
    "big5": "cp950",
    "shiftjis": "cp932",
    "sjis": "cp932",
    "koi8r": "koi8-r",
    "koi8u": "koi8-u",
    "874": "cp874",
    "windows874": "cp874",
}
"""Names people write in a .cpg that Python does not know, or knows more narrowly than those who write it."""


@dataclass(frozen=True)
class TextForm:
    """What looking at a text file's bytes tells."""

    encoding: str
    is_guessed: bool
    n_quotes: int
    """How many quotation marks there are: of an odd number, one may not be closed."""


def look_at_text(path: Path, encoding: str | None) -> TextForm:
    """The encoding of a text file: the one a person named, else UTF-8, UTF-16 or, failing those, Windows-1252.

    Raises:
        UnreadableFile: the bytes are not in the encoding named, which does not exist, or are no text at all.
    """
    with path.open("rb") as source:
        head = source.read(_HEAD)
    found = encoding or next((name for mark, name in _BOMS.items() if head.startswith(mark)), None)
    if found is None and b"\x00" in head:
        found = _wide(head)
    candidates = [found] if found else ["utf-8", "cp1252", "latin-1"]
    for candidate in candidates:
        quotes = _count_quotes(path, candidate)
        if quotes is None:
            continue
        if candidate in ("cp1252", "latin-1") and encoding is None and _is_binary(head):
            break
        return TextForm(candidate, encoding is None and not candidate.startswith("utf-8"), quotes)
    if encoding is None:
        raise ChoiceNeeded("encoding_untold", file=path.name)
    raise ChoiceNeeded("encoding_wrong", file=path.name, encoding=encoding)


def _wide(head: bytes) -> str | None:
    """UTF-16 without a mark, which Latin text shows by a zero in every other byte."""
    half = len(head) // 2
    if half and head[1::2].count(0) > 0.4 * half and head[::2].count(0) < 0.05 * half:
        return "utf-16-le"
    if half and head[::2].count(0) > 0.4 * half and head[1::2].count(0) < 0.05 * half:
        return "utf-16-be"
    return None


def _is_binary(head: bytes) -> bool:
    return b"\x00" in head or head.startswith((b"\x89PNG", b"%PDF", b"PK\x03\x04"))


def _count_quotes(path: Path, encoding: str) -> int | None:
    """How many quotation marks the text has; None where the bytes are not in this encoding."""
    try:
        decoder = codecs.getincrementaldecoder(text_codec(encoding))()
    except LookupError as error:
        raise ChoiceNeeded(no_encoding(encoding)) from error
    is_utf8 = encoding.lower().replace("_", "-").startswith("utf-8")
    quotes = 0
    pending = False
    with path.open("rb") as source:
        while chunk := source.read(_CHUNK):
            quotes += chunk.count(b'"')
            # Plain ASCII is by far the most frequent and needs no decoding.
            if is_utf8 and not pending and chunk.isascii():
                continue
            try:
                decoder.decode(chunk)
            except UnicodeError:
                return None
            pending = bool(decoder.getstate()[0])
    try:
        decoder.decode(b"", final=True)
    except UnicodeError:
        return None
    return quotes


def codec_named(text: str) -> str | None:
    """The encoding a .cpg, .cst or person names, by Python's name for it; None where it names none.

    Seen: `UTF-8`, `1252`, `ANSI 1250`, `88591`, `ISO 8859-1`, `latin2`, `Big-5`, `LDID/87`, and whole web pages.
    """
    name = text.strip().strip("\ufeff\x00").strip().casefold()
    if not name or len(name) > 40:
        return None
    if ldid := re.fullmatch(r"ldid/(\d+)", name):
        return language_codec(int(ldid[1]))
    squeezed = re.sub(r"[^a-z0-9]", "", name)
    pages = re.fullmatch(r"(?:ansi|oem|cp|windows|win|ibm|ms)?(\d{3,5})", squeezed)
    latin = re.fullmatch(r"(?:iso)?8859(\d{1,2})", squeezed)
    tries = [_NAMED_OTHERWISE.get(squeezed)]
    if latin:
        tries.append(f"iso8859-{latin[1]}")
    if pages:
        tries.append("utf-8" if pages[1] == "65001" else f"cp{pages[1]}")
    for candidate in (*tries, name, squeezed):
        try:
            if candidate:
                return text_codec(candidate)
        except LookupError:
            continue
    return None


def text_codec(name: str) -> str:
    """Python's name for an encoding of text files.

    Raises:
        LookupError: there is none of this name, or it is something else: `zlib` makes hundreds of bytes of one, past
            all limits of size, and `idna` takes longer the longer a line is.
    """
    try:
        found = codecs.lookup(name)
    except ValueError as error:
        raise LookupError(name) from error
    if not getattr(found, "_is_text_encoding", True) or found.name in _NO_FILES:
        raise LookupError(name)
    return found.name


_NO_FILES = ("idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined")
"""Encodings of names and of programs' texts."""


def language_codec(code: int) -> str | None:
    """The encoding that the language byte of a .dbf stands for."""
    return _LANGUAGE_BYTES.get(code)


_LANGUAGE_BYTES = {
    number: codec
    for codec, numbers in {
        "cp437": (0x01, 0x09, 0x0B, 0x0D, 0x0F, 0x11, 0x15, 0x18, 0x19, 0x1B),
        "cp850": (0x02, 0x0A, 0x0E, 0x10, 0x12, 0x14, 0x16, 0x1A, 0x1D, 0x25, 0x37),
        "cp1252": (0x03, 0x57, 0x58, 0x59),
        "cp865": (0x08, 0x17, 0x66),
        "cp932": (0x13, 0x7B),
        "cp863": (0x1C, 0x6C),
        "cp852": (0x1F, 0x22, 0x23, 0x40, 0x64, 0x87),
        "cp860": (0x24,),
        "cp866": (0x26, 0x65),
        "cp936": (0x4D, 0x7A),
        "cp949": (0x4E, 0x79),
        "cp950": (0x4F, 0x78),
        "cp874": (0x50, 0x7C),
        "cp861": (0x67,),
        "cp737": (0x6A, 0x86),
        "cp857": (0x6B, 0x88),
        "cp1250": (0xC8,),
        "cp1251": (0xC9,),
        "cp1254": (0xCA,),
        "cp1253": (0xCB,),
        "cp1257": (0xCC,),
    }.items()
    for number in numbers
}
