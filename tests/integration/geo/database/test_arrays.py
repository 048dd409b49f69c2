"""Numbers read as arrays are those that the database has."""

import pytest
from sqlalchemy import BigInteger, Connection, Double, Integer, Select, cast, func, literal_column, select

from geo.database import read_arrays


def numbers(until: int) -> Select[tuple[int, int, float]]:
    number = func.generate_series(1, until).column_valued("number")
    return select(
        cast(number, Integer).label("whole"),
        cast(number * 4_000_000_000, BigInteger).label("large"),
        cast(number * literal_column("-0.1"), Double).label("part"),
    )


def test_numbers_come_as_they_are(connection: Connection) -> None:
    found = read_arrays(connection, numbers(3))
    assert {name: values.tolist() for name, values in found.items()} == {
        "whole": [1, 2, 3],
        "large": [4_000_000_000, 8_000_000_000, 12_000_000_000],
        "part": [-0.1, -0.2, -0.3],
    }
    assert [str(values.dtype) for values in found.values()] == ["int32", "int64", "float64"]


def test_no_rows_are_arrays_of_nothing(connection: Connection) -> None:
    found = read_arrays(connection, numbers(0))
    assert [(name, len(values), str(values.dtype)) for name, values in found.items()] == [
        ("whole", 0, "int32"),
        ("large", 0, "int64"),
        ("part", 0, "float64"),
    ]


def test_what_is_not_known_is_no_number(connection: Connection) -> None:
    number = func.generate_series(1, 2).column_valued("number")
    unknown = cast(func.nullif(number, 2), Integer).label("unknown")
    with pytest.raises(ValueError, match="the column unknown has a NULL"):
        read_arrays(connection, select(unknown))
