"""One request, however it is made, costs no more than its size: measured by asking in two sizes, never by the clock."""

import asyncio
import json
import logging
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI

from geo import database
from geo.database import service_url
from geo.settings import Settings
from service.app import create_app
from service.http.middleware.request_limits import MAX_PARAMETERS, MAX_QUERY_BYTES
from service.logs import JsonLines
from tests.support.asking import Headers, Question, ask, ask_async, seconds_async
from tests.support.published_city import SmallCity

SMALL, TIMES = 16_000, 4
"""Bytes of the smaller request, and how much larger the other is: the largest address a server lets in is 64 KB."""

LINEAR = 2 * TIMES
"""More than this many times the work is more than linear; quadratic would be TIMES * TIMES."""

LONGEST_REFUSAL = 20_000

FORM = (b"content-type", b"application/x-www-form-urlencoded")
JSON = (b"content-type", b"application/json")
PARTS = (b"content-type", b"multipart/form-data; boundary=b")


@pytest.fixture(scope="module")
def app(small_city: SmallCity) -> Iterator[FastAPI]:
    """The application over the small city, where nothing is limited by address."""
    engine = database.create_engine(service_url(small_city.url, None))
    yield create_app(engine, Settings(sign_ins_per_minute=100_000, uploads_per_hour=100_000))
    engine.dispose()


def names(size: int) -> list[str]:
    """Different names of some letters, `size` letters of them with what parts them."""
    return [f"a{i:x}" for i in range(size // 6)]


Head = tuple[bytes, Headers]
"""A query, and headers."""


def _query(of: Callable[[int], str]) -> Callable[[int], Head]:
    return lambda size: (of(size)[:size].encode(), ())


def _header(name: bytes, of: Callable[[int], str]) -> Callable[[int], Head]:
    return lambda size: (b"", [(name, of(size).encode())])


HEADS: Mapping[str, Callable[[int], Head]] = {
    "names": _query(lambda size: "&".join(names(size))),
    "one name often": _query(lambda size: "&".join(["city=x"] * (size // 7))),
    "one value": _query(lambda size: "city=" + "x" * size),
    "values of a filter": _query(lambda size: "&".join(f"indicator={i}" for i in range(size // 15))),
    "a cursor": _query(lambda size: "cursor=" + "WyJ" * (size // 3)),
    "blanks": _query(lambda size: "city=" + "%20" * (size // 3)),
    "ands": _query(lambda size: "&" * size),
    "headers": lambda size: (b"", [(f"x-{i:x}".encode(), b"1") for i in range(size // 6)]),
    "a cookie": _header(b"cookie", lambda size: ";".join(f"{name}=1" for name in names(size))),
    "etags": _header(b"if-none-match", lambda size: ",".join(f'"{name}"' for name in names(size))),
    "a key": _header(b"authorization", lambda size: "Bearer " + " x" * (size // 2)),
    "what is accepted": _header(b"accept", lambda size: ",".join(names(size)) + ",text/html"),
    "a number": _header(b"x-request-id", lambda size: "1" * size),
    "a kind of body": _header(b"content-type", lambda size: "multipart/form-data;" + ";".join(names(size))),
}


def _part(name: str, value: str = "x") -> str:
    return f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'


BODIES: Mapping[str, Callable[[int], tuple[tuple[bytes, bytes], str]]] = {
    "fields of a form": lambda size: (FORM, "&".join(names(size))),
    "one field often": lambda size: (FORM, "&".join(["csrf=x"] * (size // 7))),
    "one long field": lambda size: (FORM, "email=" + "x" * size),
    "names in JSON": lambda size: (JSON, json.dumps(dict.fromkeys(names(size), 0))),
    "deep JSON": lambda size: (JSON, "[" * size),
    "a list in JSON": lambda size: (JSON, json.dumps([0] * (size // 3))),
    "a long name in JSON": lambda size: (JSON, json.dumps({"x" * size: 0})),
    "a long text in JSON": lambda size: (JSON, json.dumps({"email": "x" * size, "password": "x" * size})),
    "a long number in JSON": lambda size: (JSON, "1" * size),
    "columns in JSON": lambda size: (
        JSON,
        json.dumps({"decision": "recheck", "choices": {"columns": {name: name for name in names(size)}}}),
    ),
    "parts": lambda size: (PARTS, "".join(map(_part, names(size))) + "--b--\r\n"),
    "a part's long name": lambda size: (PARTS, _part("x" * size) + "--b--\r\n"),
    "a part's headers": lambda size: (
        PARTS,
        "--b\r\n" + "".join(f"{n}: 1\r\n" for n in names(size)) + "\r\nx\r\n--b--\r\n",
    ),
    "almost boundaries": lambda size: (PARTS, _part("file") + "\r\n--" * (size // 4)),
}

VALUES: Mapping[object, str] = {UUID: str(UUID(int=1)), int: "1"}


def routes(app: FastAPI) -> list[tuple[str, str]]:
    """Every route's method and an address of it."""
    found = []
    for included in app.routes:
        # A router that was included makes its routes when it is asked for them.
        contexts: Callable[[], Iterable[Any]] = getattr(included, "effective_route_contexts", list)
        for route in contexts():
            path = route.path_format
            for field in route.dependant.path_params:
                path = path.replace(f"{{{field.alias}}}", VALUES.get(field.field_info.annotation, "x"))
            found += [(method, path) for method in sorted(route.methods)]
    assert len(found) > 50
    return found


async def grown(app: FastAPI, of_size: Callable[[int], Question]) -> str | None:
    """What is wrong with a request in two sizes; None: nothing is."""
    small, large = of_size(SMALL), of_size(SMALL * TIMES)
    plain = Question(small.path, method=small.method)
    for times in (1, 3):
        for asked in (small, large):
            answer = await ask_async(app, asked)
            if answer.status >= 500:
                return f"answered {answer.status}: {answer.body[:200]!r}"
            if answer.status >= 400 and len(answer.body) > LONGEST_REFUSAL:
                return f"{len(answer.body):,} bytes of refusal"
        least, first, second = [
            await seconds_async(lambda: ask_async(app, asked), times)  # noqa: B023
            for asked in (plain, small, large)
        ]
        ratio = second / max(first, least)
        if ratio <= LINEAR:
            return None
    # Also when it was looked at again: others use this machine too.
    return f"{ratio:.0f} times the work for {TIMES} times the size"


@pytest.mark.parametrize("kind", HEADS)
def test_h1_no_head_costs_more_than_its_size(app: FastAPI, kind: str) -> None:
    async def ask_all() -> list[str]:
        wrong = []
        for method, path in routes(app):

            def of_size(size: int) -> Question:
                query, headers = HEADS[kind](size)
                return Question(path, query, method, headers)  # noqa: B023

            told = await grown(app, of_size)
            wrong += [f"{method} {path}: {told}"] if told else []
        return wrong

    assert not (wrong := asyncio.run(ask_all())), "\n".join(wrong)


@pytest.mark.parametrize("kind", BODIES)
def test_h1_no_body_costs_more_than_its_size(app: FastAPI, kind: str) -> None:
    async def ask_all() -> list[str]:
        wrong = []
        for method, path in routes(app):
            if method not in ("POST", "PATCH", "PUT"):
                continue

            def of_size(size: int) -> Question:
                header, body = BODIES[kind](size)
                return Question(path, method=method, headers=[header], body=body.encode())  # noqa: B023

            told = await grown(app, of_size)
            wrong += [f"{method} {path}: {told}"] if told else []
        return wrong

    assert not (wrong := asyncio.run(ask_all())), "\n".join(wrong)


@pytest.mark.parametrize("size", [10_000, 60_000])
def test_h1_what_a_file_in_parts_is_of_is_read_in_its_size(app: FastAPI, size: int) -> None:
    async def ask_it() -> str | None:
        def of_size(n: int) -> Question:
            pairs = ",".join(f"{name} {b64encode(b'x').decode()}" for name in names(n))
            headers = [(b"upload-length", b"5"), (b"upload-metadata", pairs.encode())]
            return Question("/api/v1/incoming", method="POST", headers=headers)

        return await grown(app, lambda n: of_size(n * size // SMALL))

    assert asyncio.run(ask_it()) is None


def test_too_many_parameters_are_not_looked_at(app: FastAPI) -> None:
    answer = ask(app, Question("/api/v1/cities", b"&".join(b"a%d" % i for i in range(MAX_PARAMETERS + 1))))
    said = json.loads(answer.body)
    assert answer.status == 400
    assert said["detail"] == "The address has 201 parameters and may have 200; ask in several requests."
    too_long = ask(app, Question("/api/v1/cities", b"city=" + b"x" * MAX_QUERY_BYTES))
    assert too_long.status == 414
    assert b"xxx" not in too_long.body


def test_the_first_few_faults_are_told(app: FastAPI) -> None:
    asked = b"&".join(b"name%d=" % i for i in range(MAX_PARAMETERS))
    said = json.loads(ask(app, Question("/api/v1/cities", asked)).body)
    assert [fault["name"] for fault in said["invalid_params"]] == [f"name{i}" for i in range(10)]
    assert said["detail"].endswith("; and 190 more.")


def test_values_that_are_unknown_are_told_once_with_what_there_is(app: FastAPI) -> None:
    asked = "&".join([f"city=c{i}" for i in range(50)] + ["city=" + "x" * 2_000])
    (said,) = json.loads(ask(app, Question("/api/v1/settlements", asked.encode())).body)["invalid_params"]
    assert said["reason"] == "'c0', 'c1', 'c2', 'c3', 'c4' and 46 more are not known; choose from khandesh"
    (said,) = json.loads(ask(app, Question("/api/v1/settlements", b"city=" + b"x" * 2_000)).body)["invalid_params"]
    assert len(said["reason"]) < 150


def test_a_line_of_the_log_is_short(app: FastAPI, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    for question in (
        Question("/api/v1/cities", b"&".join(b"name%d" % i for i in range(9_000))),
        Question("/api/v1/cities", b"x" * 60_000),
        Question("/" + "x" * 60_000),
        Question("/api/v1/cities", method="X" * 60_000),
    ):
        ask(app, question)
    lines = [JsonLines().format(record) for record in caplog.records if record.name.startswith("vasti")]
    assert len(lines) == 4
    assert max(map(len, lines)) < 2_500
