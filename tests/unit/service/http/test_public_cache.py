"""The cache's bounds, with an app and a watch that are made up."""

import asyncio
from dataclasses import replace
from typing import Any, cast

import pytest

from geo.database import DataVersionWatch, Seen
from service.http.middleware.public_cache import KeptAnswer, PublicCache
from tests.support.asking import Question, ask_async


class _Watch:
    """A watch that sees what it is told."""

    def __init__(self, seen: Seen | None) -> None:
        self.now = seen

    def seen(self) -> Seen | None:
        return self.now


class _App:
    """An app whose answers are as long as asked for, and show a data version."""

    def __init__(self, data_version: int | None, status: int = 200, cities: list[str] | None = None) -> None:
        self.data_version = data_version
        self.cities = cities
        self.status = status
        self.asked = 0

    async def __call__(self, scope: Any, _: Any, send: Any) -> None:
        self.asked += 1
        if self.data_version is not None:
            scope["state"]["data_version"] = self.data_version
            scope["state"]["cities"] = self.cities
        await asyncio.sleep(0)
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        size = int(scope["query_string"].partition(b"&")[0] or 1)
        await send({"type": "http.response.body", "body": b"x" * size})


def _ask(cache: PublicCache, query: str = "1", path: str = "/api/v1/values") -> KeptAnswer:
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request"}

    scope = {"type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": []}
    asyncio.run(cache(scope, receive, send))
    return KeptAnswer(sent[0]["status"], sent[0]["headers"], sent[1]["body"], 0)


def _cache(app: _App, watch: _Watch, max_bytes: int = 100_000) -> PublicCache:
    return PublicCache(app, cast("DataVersionWatch", watch), max_bytes)


def test_a_public_answer_is_asked_for_once() -> None:
    app = _App(7)
    cache = _cache(app, _Watch(Seen(7)))
    assert _ask(cache).etag.startswith(b'"7-')
    assert _ask(cache).body == b"x"
    assert app.asked == 1


def test_an_answer_that_is_not_public_is_never_kept() -> None:
    for app in (_App(None), _App(7, status=400)):
        cache = _cache(app, _Watch(Seen(7)))
        assert [_ask(cache).etag for _ in range(2)] == [b"", b""]
        assert app.asked == 2


def test_paths_beside_the_public_ones_are_never_kept() -> None:
    app = _App(7)
    cache = _cache(app, _Watch(Seen(7)))
    assert [_ask(cache, path="/readyz").etag for _ in range(2)] == [b"", b""]
    assert app.asked == 2


def test_an_answer_of_another_version_than_the_current_is_not_kept() -> None:
    app = _App(6)
    cache = _cache(app, _Watch(Seen(7)))
    assert [_ask(cache).etag[:3] for _ in range(2)] == [b'"6-', b'"6-']
    assert app.asked == 2


def test_the_same_number_seen_anew_is_another_state() -> None:
    app, watch = _App(7), _Watch(Seen(7))
    cache = _cache(app, watch)
    _ask(cache)
    watch.now = Seen(7)
    _ask(cache)
    assert app.asked == 2


def test_a_change_in_another_city_leaves_an_answer_where_it_is() -> None:
    before = Seen(7, by_city={"pune": 6, "thane": 7})
    app, watch = _App(6, cities=["pune"]), _Watch(before)
    cache = _cache(app, watch)
    first = _ask(cache)
    watch.now = Seen(8, by_city={"pune": 6, "thane": 8}, since=before.since)
    assert _ask(cache) == first
    watch.now = None
    _ask(cache)
    assert app.asked == 2
    watch.now = Seen(9, by_city={"pune": 6, "thane": 9}, since=before.since)
    assert _ask(cache) == first
    assert app.asked == 2


@pytest.mark.parametrize(
    ("cities", "version", "after"),
    [
        (["pune"], 6, Seen(8, by_city={"pune": 8, "thane": 7})),
        (["pune", "thane"], 7, Seen(8, by_city={"pune": 6, "thane": 8})),
        (["pune"], 6, Seen(8, shared=8, by_city={"pune": 6, "thane": 7})),
        (None, 7, Seen(8, by_city={"pune": 6, "thane": 8})),
        ([], 0, Seen(8, shared=8, by_city={"pune": 6, "thane": 7})),
    ],
)
def test_a_change_of_what_is_shown_empties_the_cache_of_it(cities: list[str] | None, version: int, after: Seen) -> None:
    before = Seen(7, by_city={"pune": 6, "thane": 7})
    app, watch = _App(version, cities=cities), _Watch(before)
    cache = _cache(app, watch)
    assert [_ask(cache).etag, _ask(cache).etag] != [b"", b""]
    assert app.asked == 1
    watch.now = replace(after, since=before.since)
    _ask(cache)
    assert app.asked == 2
    assert cache._kept.size == 0


def test_an_answer_of_a_city_that_changed_while_it_was_made_is_not_kept() -> None:
    before = Seen(7, by_city={"pune": 6, "thane": 7})
    watch = _Watch(before)

    class _Changing(_App):
        async def __call__(self, *arguments: Any) -> None:
            await super().__call__(*arguments)
            watch.now = Seen(8, by_city={"pune": 8, "thane": 7}, since=before.since)

    app = _Changing(6, cities=["pune"])
    cache = _cache(app, watch)
    _ask(cache)
    _ask(cache)
    assert app.asked == 2


def test_the_bound_holds_and_the_least_used_goes_first() -> None:
    app = _App(7)
    cache = _cache(app, _Watch(Seen(7)), max_bytes=50_000)
    for query in ("9001", "9002", "9003", "9004"):
        _ask(cache, query)
    _ask(cache, "9001")
    assert app.asked == 4
    _ask(cache, "9005")
    assert cache._kept.size <= 50_000
    _ask(cache, "9001")
    assert app.asked == 5
    _ask(cache, "9002")
    assert app.asked == 6


def test_m8_a_flood_of_odd_questions_pushes_out_nothing_that_is_asked_for_again() -> None:
    app = _App(7)
    cache = _cache(app, _Watch(Seen(7)), max_bytes=50_000)
    for query in ("9001", "9002", "9001", "9002"):
        _ask(cache, query)
    for size in range(5_000, 5_100):
        _ask(cache, str(size))
    assert cache._kept.size <= 50_000
    before = app.asked
    for query in ("9001", "9002"):
        _ask(cache, query)
    assert app.asked == before


def test_a_key_counts_with_its_length() -> None:
    app = _App(7)
    cache = _cache(app, _Watch(Seen(7)), max_bytes=100_000)
    for query in range(100):
        _ask(cache, f"1&{'x' * 5_000}={query}")
    assert 50_000 < cache._kept.size <= 100_000


@pytest.mark.parametrize("status", [200, 400])
def test_the_same_question_of_many_is_worked_out_once(status: int) -> None:
    app = _App(7, status)
    cache = _cache(app, _Watch(Seen(7)))

    async def ask_many() -> None:
        await asyncio.gather(*(ask_async(cache, Question("/api/v1/values", b"1")) for _ in range(20)))

    asyncio.run(ask_many())
    # Where nothing comes of it that can be kept, each has an answer of its own.
    assert app.asked == (1 if status == 200 else 20)


def test_an_answer_too_large_for_the_whole_is_not_kept() -> None:
    app = _App(7)
    cache = _cache(app, _Watch(Seen(7)), max_bytes=50_000)
    assert [len(_ask(cache, "20000").body) for _ in range(2)] == [20_000, 20_000]
    assert app.asked == 2
