"""GeoJSON sequences: a feature a line, or each behind a mark, none of which may be lost."""

import codecs
from collections.abc import Iterator
from pathlib import Path

import orjson

from geo.errors import UnreadableFile
from geo.ingestion.reading.layer import Batch

_MAX_LINE = 1 << 24


def is_sequence_file(path: Path) -> bool:
    """Whether GeoJSON comes a feature a line; GDAL would take the first line for all there is."""
    with path.open("rb") as source:
        line = source.readline(_MAX_LINE).removeprefix(codecs.BOM_UTF8)
        if line.startswith(b"\x1e") or path.suffix.lower() not in (".geojson", ".json"):
            return True
        try:
            feature = orjson.loads(line)
        except orjson.JSONDecodeError:
            return False
        return feature.get("type") == "Feature" and bool(source.read(_MAX_LINE).strip())


def every_line(path: Path, batches: Iterator[Batch]) -> Iterator[Batch]:
    """The batches of a file with a feature a line: GDAL leaves out a line that is none without a word.

    Raises:
        UnreadableFile: fewer features came than the file has.
    """
    n_read = 0
    for batch in batches:
        n_read += len(batch.row_numbers)
        yield batch
    with path.open("rb") as source:
        is_marked = source.read(4).removeprefix(codecs.BOM_UTF8).startswith(b"\x1e")
        source.seek(0)
        n_given = sum(line.count(b"\x1e") if is_marked else bool(line.strip()) for line in source)
        if n_read == n_given:
            return
        source.seek(0)
        broken = next((i for i, line in enumerate(source, start=1) if not is_marked and not _is_json(line)), None)
    if broken:
        raise UnreadableFile("line_without_feature", file=path.name, line=broken)
    raise UnreadableFile("features_missing", file=path.name, features_read=n_read, features=n_given)


def _is_json(line: bytes) -> bool:
    try:
        return not line.strip() or isinstance(orjson.loads(line.removeprefix(codecs.BOM_UTF8)), dict)
    except orjson.JSONDecodeError:
        return False
