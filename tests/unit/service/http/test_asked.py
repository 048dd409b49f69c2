"""Addresses that are taken apart by hand say what a library finds in them."""

from urllib.parse import parse_qsl

import pytest
from fastapi import Request
from hypothesis import given
from hypothesis import strategies as st

from service.http.asked import asked_by


def _request(query: bytes) -> Request:
    return Request({"type": "http", "query_string": query, "headers": [], "path": "/"})


@given(st.text("ab=&%+2.é~-_", max_size=30))
def test_parameters_are_those_of_the_library(query: str) -> None:
    said = query.encode("latin-1")
    assert list(asked_by(_request(said)).pairs) == parse_qsl(said.decode("latin-1"), keep_blank_values=True)


@given(st.text("ab=&%+2.~-_", max_size=30))
def test_what_is_written_again_asks_the_same(query: str) -> None:
    asked = asked_by(_request(query.encode()))
    again = "&".join(written for _, written in asked.written())
    assert parse_qsl(again, keep_blank_values=True) == sorted(asked.pairs)


@pytest.mark.parametrize(
    ("query", "values"), [(b"city=a&city=b", ["a", "b"]), (b"city=%C3%A9", ["é"]), (b"town=a", [])]
)
def test_values(query: bytes, values: list[str]) -> None:
    assert asked_by(_request(query)).values("city") == values
