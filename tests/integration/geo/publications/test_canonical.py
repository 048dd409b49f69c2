"""The canonical CSV: one file that is the same wherever it is written, and whose digest the publication carries."""

import csv
import hashlib
import io
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, select, text

from geo import database
from geo.base import PageRequest
from geo.database.schema.publications import publication
from geo.indicators.figures import LEVELS, ValuesQuery
from geo.indicators.figures.compute import NUMBERS
from geo.publications import current_publications, find_published_values
from geo.publications.canonical import COLUMNS, write_canonical
from tests.support.published_city import CITY, FORMULA_NAME, SmallCity


@pytest.fixture
def reading(small_city: SmallCity) -> Iterator[Connection]:
    engine = database.create_engine(small_city.url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def written(connection: Connection, survey: str = "2024") -> bytes:
    (found,) = current_publications(connection, [CITY], [survey])
    return b"".join(write_canonical(connection, found.id))


def rows(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode("utf-8"), newline="")))


def test_its_digest_is_the_publication_s(reading: Connection) -> None:
    (found,) = current_publications(reading, [CITY], ["2024"])
    kept = reading.execute(select(publication.c.sha256).where(publication.c.id == found.id)).scalar_one()
    assert kept == hashlib.sha256(written(reading)).hexdigest()


def test_it_has_the_columns_and_line_ends_that_are_documented(reading: Connection) -> None:
    body = written(reading)
    assert not body.startswith(b"\xef\xbb\xbf")
    assert b"\r" not in body
    assert body.endswith(b"\n")
    assert body.partition(b"\n")[0].decode() == ",".join(COLUMNS)


def test_settings_of_the_database_change_nothing(reading: Connection) -> None:
    before = written(reading)
    for setting in ("extra_float_digits = -10", "lc_numeric = 'C'", "client_encoding = 'LATIN1'", "work_mem = '64kB'"):
        reading.execute(text(f"SET {setting}"))
    assert written(reading) == before


def test_rows_stand_in_the_order_of_their_keys(reading: Connection) -> None:
    found = rows(written(reading))
    keys = [
        (
            *(row[name] for name in ("group_by", "indicator", "counted", "level")),
            *(row["settlement_code"] if row["level"] == "settlement" else row["ward_code"], row["group"]),
        )
        for row in found
    ]
    assert keys == sorted(keys)
    assert len(keys) == len(set(keys))
    assert {row["group_by"] for row in found} > {"", "head_sex"}


@pytest.mark.parametrize("counted", ["households", "persons"])
def test_it_says_what_the_api_says(reading: Connection, counted: str) -> None:
    found = {
        (row["level"], row["ward_code"], row["settlement_code"], row["indicator"]): row
        for row in rows(written(reading))
        if row["counted"] == counted and row["group_by"] == ""
    }
    compared = 0
    for level in LEVELS:
        query = ValuesQuery(
            cities=[CITY],
            surveys=["2024"],
            level=level,
            counted=counted,  # type: ignore[arg-type]
            page=PageRequest(limit=None),
        )
        for told in find_published_values(reading, query).figures.to_dict("records"):
            row = found.pop((level, told["ward_code"] or "", told["settlement_code"] or "", told["indicator"]))
            for name in NUMBERS:
                assert (None if row[name] == "" else float(row[name])) == (
                    None if told[name] != told[name] else told[name]
                ), name
                assert "e" not in row[name]
                assert "." not in row[name] or not row[name].endswith("0")
            assert (row["status"], row["reason"]) == (told["status"], told["reason"] or "")
            assert row["flags"].split() == list(told["flags"])
            compared += 1
    assert compared
    assert found == {}


def test_a_spreadsheet_runs_none_of_it(reading: Connection) -> None:
    body = written(reading)
    names = {row["settlement_name"] for row in rows(body)}
    assert f"'{FORMULA_NAME}" in names
    assert FORMULA_NAME not in names
    assert not any(cell.startswith(("=", "+", "@")) for row in rows(body) for cell in row.values())
