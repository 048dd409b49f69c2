"""The canonical CSV of a publication: its figures as one file that is the same, byte for byte, wherever it is written.

Its sha256 is the publication's digest, which anybody who has the file can work out.
"""

import hashlib
from collections.abc import Iterator

from psycopg import sql
from sqlalchemy import Connection

from geo.base import FORMULA_STARTS
from geo.database import driver_of
from geo.indicators.figures.compute import NUMBERS

# Written by the database: with its own quoting and line ends, which no library beside it decides. A double is told to
# the 15 digits that every double holds, as a decimal without an exponent and without zeros at its end.
_NUMBER = "trim_scale(figure.{}::numeric)"

# A text that a spreadsheet would run as a formula is kept from it, as in any CSV of ours.
_TEXT = "CASE WHEN {column} ^@ ANY ({starts}) THEN '''' || {column} ELSE nullif({column}, '') END"

_TEXTS = {
    "ward_code": ("place", "ward_code"),
    "ward_name": ("place", "ward_name"),
    "settlement_code": ("place", "settlement_code"),
    "settlement_name": ("place", "settlement_name"),
    "group": ("figure", "group_name"),
    "indicator_name": ("block", "indicator_name"),
    "unit": ("block", "unit"),
}
"""What somebody else wrote: where it stands."""

COLUMNS = (
    *("city", "survey", "publication", "level", "ward_code", "ward_name", "settlement_code", "settlement_name"),
    *("group_by", "group", "indicator", "indicator_name", "definition_version", "counted", "unit"),
    *NUMBERS,
    *("method", "flags", "status", "reason", "kept_from"),
)
"""The columns, in their order."""

_EXACT = {
    "city": "city.slug",
    "survey": "survey.slug",
    "publication": "publication.number",
    "level": "place.level",
    "group_by": "nullif(block.group_field, '')",
    "indicator": "block.indicator_id",
    "definition_version": "block.definition_version",
    "counted": "block.counted",
    "method": "figure.method",
    "flags": "replace(figure.flags, ',', ' ')",
    "status": "CASE WHEN figure.reason IS NULL THEN 'published' ELSE 'withheld' END",
    "reason": "figure.reason",
    "kept_from": "figure.kept_from",
}
"""What is told of a figure as it is stored."""

_COPY = sql.SQL("""
COPY (
    SELECT {columns}
    FROM publication
    JOIN survey ON survey.id = publication.survey_id
    JOIN city ON city.id = survey.city_id
    JOIN published_block AS block ON block.publication_id = publication.id
    JOIN published_figure AS figure ON figure.publication_id = publication.id AND figure.block = block.block
    JOIN published_place AS place ON place.publication_id = publication.id AND place.place = figure.place
    WHERE publication.id = {publication} AND figure.publication_id = {publication}
    ORDER BY block.group_field COLLATE "C", block.indicator_id COLLATE "C", block.counted COLLATE "C",
        place.level COLLATE "C", place.code COLLATE "C", figure.group_name COLLATE "C"
) TO STDOUT (FORMAT csv, HEADER true, ENCODING 'UTF8')
""")


def write_canonical(connection: Connection, publication_id: int) -> Iterator[bytes]:
    """The canonical CSV, bit by bit: UTF-8 without a byte order mark, and each line ends with a line feed.

    It has the columns COLUMNS, and rows in the order of group_by, indicator, counted, level, code and group, by code
    points. A cell of what is not known is empty. A place that is withheld in all groups of a field has no row.
    """
    columns = sql.SQL(", ").join(sql.SQL("{} AS {}").format(_column(name), sql.Identifier(name)) for name in COLUMNS)
    statement = _COPY.format(columns=columns, publication=sql.Literal(publication_id))
    with driver_of(connection).cursor() as cursor, cursor.copy(statement) as copy:
        for part in copy:
            yield bytes(part)


def digest_of(connection: Connection, publication_id: int) -> str:
    """The sha256 of a publication's canonical CSV, in hexadecimal."""
    driver, digest = driver_of(connection), hashlib.sha256()
    # Of places and blocks that were written just now the database has no statistics: it would take them for one row,
    # and look at all of them for every figure.
    driver.execute("SET LOCAL enable_nestloop = off")
    for part in write_canonical(connection, publication_id):
        digest.update(part)
    driver.execute("SET LOCAL enable_nestloop TO DEFAULT")
    return digest.hexdigest()


def _column(name: str) -> sql.Composable:
    """How the database works out a column."""
    if name in _TEXTS:
        starts = sql.SQL("ARRAY[{}]").format(sql.SQL(", ").join(map(sql.Literal, FORMULA_STARTS)))
        return sql.SQL(_TEXT).format(column=sql.Identifier(*_TEXTS[name]), starts=starts)
    if name in NUMBERS:
        return sql.SQL(_NUMBER).format(sql.Identifier(name))
    return sql.SQL(_EXACT[name])
