"""The codebook of a publication: each column of its files, and each indicator with what it asks and of whom."""

import csv
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, select

from geo.base import kept_from_formulas
from geo.database.schema.publications import published_block
from geo.indicators.definitions import Definition, read_catalogue
from geo.indicators.figures import KNOWN_COLUMNS
from geo.messages import Message
from geo.publications.canonical import COLUMNS
from geo.publications.downloads.layers import PARTS, PLACE_COLUMNS, name_columns

_HEADER = (
    *("file", "column", "means", "indicator", "definition_version", "counted", "unit", "direction"),
    *("numerator", "denominator", "unknown_answers", "source"),
)

_OWN_WORDS = {
    "publication": Message("download_column_publication"),
    "code": Message("download_column_code"),
    "area_m2": Message("download_column_area"),
}
"""Columns that no other list of figures has."""

_OF_FIGURES, _OF_LAYERS = "figures.csv, figures.xlsx", "settlements, wards"

Row = dict[str, str | int]


def write_codebook(connection: Connection, publication_id: int, path: Path) -> None:
    """Writes the codebook as CSV: UTF-8, each line ending with a line feed."""
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, _HEADER, restval="", lineterminator="\n")
        out.writeheader()
        for row in _rows(connection, publication_id):
            out.writerow({name: kept_from_formulas(str(value)) for name, value in row.items()})


def _rows(connection: Connection, publication_id: int) -> Iterator[Row]:
    for name in COLUMNS:
        yield {"file": _OF_FIGURES, "column": name, "means": _means(name)}
    for name in PLACE_COLUMNS:
        yield {"file": _OF_LAYERS, "column": name, "means": _means(name)}
    block, catalogue = published_block.c, read_catalogue(connection)
    headlines = select(block.indicator_id, block.definition_version, block.counted, block.indicator_name).where(
        block.publication_id == publication_id, block.group_field == "", block.is_headline
    )
    blocks = sorted(connection.execute(headlines).all())
    names = name_columns([each.indicator_id for each in blocks])
    for each in blocks:
        definition = catalogue.version(each.indicator_id, each.definition_version)
        about = {"indicator": each.indicator_id, "definition_version": each.definition_version, "counted": each.counted}
        for end, part in PARTS.items():
            row: Row = {"file": _OF_LAYERS, "column": names[each.indicator_id, end], "means": _means(part), **about}
            yield row if end else row | {"means": each.indicator_name} | _defined(definition)


def _defined(definition: Definition) -> Row:
    """What an indicator asks, and of whom."""
    told = {
        "unit": definition.unit,
        "direction": definition.direction,
        "numerator": definition.numerator or "; ".join(each.expression for each in definition.deprivations),
        "denominator": definition.base or Message("download_denominator_all").say(),
        "unknown_answers": definition.unknown,
        "source": definition.source,
    }
    return {name: " ".join(text.split()) for name, text in told.items()}


def _means(name: str) -> str:
    return _OWN_WORDS[name].say() if name in _OWN_WORDS else KNOWN_COLUMNS[name].description
