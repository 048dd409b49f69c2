"""Every expression and every reader of a cell, with texts made to keep it busy: twice the text is twice the work."""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from importlib import import_module
from itertools import product
from pathlib import Path
from pkgutil import walk_packages
from types import ModuleType

import pytest

import geo.indicators
import geo.ingestion
import service
from geo.base import read_crs
from geo.errors import UnknownCRS, VastiError
from geo.ingestion.mapping import ColumnEvidence
from geo.ingestion.mapping.quantities import read_number
from geo.ingestion.mapping.text_shapes import LONGEST_POSITION, read_shape
from geo.ingestion.reading import json_tables
from geo.ingestion.reading.encodings import codec_named, text_codec
from geo.ingestion.reading.layer import distinct_names
from geo.messages import Message
from tests.support.asking import seconds_of

SMALL, TIMES = 3_000, 4

LINEAR = 2 * TIMES

PIECES = (
    *("1", "1 ", "-", "1,", "1.", " ", "_", "a", "1_", "1'000", "1 000 ", "[1]", "(", '{"\\', '"\\', '"', "\\", "0F"),
    *("/", ";", "<", "`", " `vasti", "e1", "lat", "POLYGON((", "1 1,", "\n", "\r\n", "\u0300", "select one ", "\\\n"),
    *('"features":0,', '"features": ', "begin group ", "a+", "a:", "=", "٣", "{", "1;"),
)
ENDS = ("", "x")


def expressions() -> Iterator[tuple[str, "re.Pattern[str]"]]:
    """Every expression that a module keeps, by where it is."""

    def of(module: ModuleType) -> Iterator[tuple[str, "re.Pattern[str]"]]:
        for name, kept in vars(module).items():
            for each in (
                [item for part in kept for item in (part if isinstance(part, tuple) else [part])]
                if isinstance(kept, list | tuple)
                else [kept]
            ):
                if isinstance(each, re.Pattern) and isinstance(each.pattern, str):
                    yield f"{module.__name__}.{name}", each

    for package in (geo.ingestion, geo.indicators, service):
        for found in walk_packages(package.__path__, f"{package.__name__}."):
            yield from of(import_module(found.name))


@cache
def _least_s() -> float:
    """What it takes to look at each letter of the longer text a few times over."""
    text = "a" * (SMALL * TIMES)
    return seconds_of(lambda: [re.findall("[^z]", text) for _ in range(3)], 5)


def grown(work: Callable[[str], object], piece: str, end: str) -> float:
    """How many times the work is done for a text TIMES as long; 0.0: no more than its letters take."""

    def text(size: int) -> str:
        return piece * (size // len(piece)) + end

    ratio = 0.0
    # What looks slow is looked at again: others use this machine too.
    for times in (1, 3):
        second = seconds_of(lambda: work(text(SMALL * TIMES)), times)
        if second <= LINEAR * _least_s():
            return 0.0
        ratio = second / max(seconds_of(lambda: work(text(SMALL)), times), _least_s())
        if ratio <= LINEAR:
            return 0.0
    return ratio


def methods(name: str) -> Iterator[str]:
    """How an expression may be asked, by its name: whether it is searched for is told by the program's own text."""
    yield from ("fullmatch", "match")
    if re.search(rf"\b{name}\.(?:search|sub|split|finditer|findall)\(", _sources()):
        yield "search"


@cache
def _sources() -> str:
    modules = (geo.ingestion, geo.indicators, service)
    return "\n".join(path.read_text() for package in modules for path in Path(package.__path__[0]).rglob("*.py"))


def test_m9_no_expression_works_longer_than_its_text_is() -> None:
    wrong = []
    seen = set()
    for name, pattern in expressions():
        for method in methods(name.rpartition(".")[2]):
            if (method, pattern) in seen:
                continue
            seen.add((method, pattern))
            for piece, end in product(PIECES, ENDS):
                if ratio := grown(getattr(pattern, method), piece, end):
                    wrong.append(f"{name}.{method} {piece!r}{end!r}: {ratio:.0f}")
    assert len(seen) > 80
    assert not wrong, "\n".join(wrong)


def _quietly(read: Callable[[str], object]) -> Callable[[str], None]:
    def work(text: str) -> None:
        with suppress(VastiError, ValueError, LookupError):
            read(text)

    return work


READERS: dict[str, Callable[[str], object]] = {
    "a shape": read_shape,
    "a number": lambda text: read_number(text, None, point_divides=False),
    "a number with a comma": lambda text: read_number(text, ",", point_divides=False),
    "a CRS": lambda text: read_crs(f"+proj=longlat {text}"),
    "an encoding": codec_named,
    "the head of JSON": lambda text: json_tables._is_geojson(b"{" + text.encode()),
    "what a column holds": lambda text: _evidence(ColumnEvidence("a", 1, 1, 1, [(text, 1)])),
    "a sentence on a page": lambda text: Message("file_missing", file=text).say("page"),
    "names of columns": lambda text: distinct_names(["a"] * len(text)),
}


def _evidence(column: ColumnEvidence) -> object:
    return (column.numbers, column.comma_numbers, column.dates, column.holds_positions, column.holds_polygons)


@pytest.mark.parametrize("name", READERS)
def test_m9_no_reader_of_a_cell_works_longer_than_the_cell_is(name: str) -> None:
    wrong = [
        f"{piece!r}{end!r}: {ratio:.0f}"
        for piece in PIECES
        for end in ENDS
        if (ratio := grown(_quietly(READERS[name]), piece, end))
    ]
    assert not wrong, "\n".join(wrong)


def test_a_cell_of_more_than_a_thousand_letters_is_no_position() -> None:
    shape = read_shape("18.5 73.8 " + "0" * 900)
    assert shape is not None
    assert read_shape("18.5 73.8 " + "0" * LONGEST_POSITION) is None
    assert read_shape("73." + "8" * LONGEST_POSITION + ",18.5") is None


@pytest.mark.parametrize(
    "name", ["zlib", "zlib_codec", "base64", "hex", "bz2", "rot13", "uu", "quopri", "idna", "punycode", "a\0"]
)
def test_l7_what_is_no_encoding_of_text_files_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(LookupError):
        text_codec(name)
    assert codec_named(name) is None


@pytest.mark.parametrize("name", ["utf-8", "cp1252", "latin-1", "utf-16", "big5", "iso8859-2"])
def test_encodings_of_text_files_are_known(name: str) -> None:
    assert text_codec(name)


@pytest.mark.parametrize(
    "text",
    [
        *("+proj=longlat +nadgrids=/etc/passwd", "+proj=longlat +nadgrids=@null,/etc/passwd +type=crs"),
        *("+proj=longlat +geoidgrids = http://example.org/a.tif", "+init=/etc/passwd:1", "init=passwd:1"),
        *("https://example.org/crs", "file:///etc/passwd", "/etc/passwd", "./crs.wkt", "@/etc/passwd"),
        *("+proj=pipeline +step +proj=hgridshift +grids=a", "+proj=tinshift +file=a.json"),
        'BOUNDCRS[ABRIDGEDTRANSFORMATION[PARAMETERFILE["Latitude and longitude difference file","a.gsb"]]]',
    ],
)
def test_l7_a_crs_that_names_a_file_is_refused(text: str) -> None:
    with pytest.raises(UnknownCRS, match="names a file or an address on the network"):
        read_crs(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "EPSG:32643",
            "4326",
            "urn:ogc:def:crs:EPSG::4326",
            "http://www.opengis.net/def/crs/EPSG/0/4326",
            "OGC:CRS84",
        ),
        *(
            "+proj=utm +zone=43 +datum=WGS84",
            "+init=epsg:32643",
            "+proj=merc +a=6378137 +b=6378137 +nadgrids=@null +wktext",
        ),
        read_crs("EPSG:3857").to_wkt("WKT1_GDAL"),
        read_crs("EPSG:32643").to_wkt(),
        read_crs("EPSG:32643").to_json(),
    ],
)
@pytest.mark.filterwarnings("ignore:.*init=")
def test_a_crs_as_people_and_files_write_it_is_read(text: str) -> None:
    assert read_crs(text) is not None
