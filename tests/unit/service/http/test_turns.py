"""Questions that have to be worked out: a few at once, fair to every address of the network, and not too often."""

import asyncio
import json
from collections import Counter
from typing import Any, cast

import pytest

from geo import database
from geo.database import DataVersionWatch, Seen
from geo.settings import Settings
from service.app import create_app
from service.http.middleware import turns
from service.http.middleware.public_cache import PublicCache
from service.http.middleware.rate_limits import QuestionLimits
from service.http.middleware.turns import PublicTurns, lane_of
from service.http.network import network_of
from tests.support.asking import Answered, Question, ask_async
from tests.support.public_addresses import FILES

VALUES = "/api/v1/values"


class _App:
    """An app whose answers take a moment; it counts how many are worked out at once, in all and for each address."""

    def __init__(self, moment_s: float = 0.02) -> None:
        self.moment_s = moment_s
        self.now: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.asked = 0

    async def __call__(self, scope: Any, _: Any, send: Any) -> None:
        names = ("all", scope["client"][0])
        self.asked += 1
        for name in names:
            self.now[name] += 1
            self.most[name] = max(self.most[name], self.now[name])
        await asyncio.sleep(self.moment_s)
        for name in names:
            self.now[name] -= 1
        scope["state"]["data_version"] = 7
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x"})


def together(app: Any, *asked: Question) -> list[Answered]:
    async def ask_all() -> list[Answered]:
        return list(await asyncio.gather(*(ask_async(app, question) for question in asked)))

    return asyncio.run(ask_all())


def test_m8_a_few_are_worked_out_at_once_and_all_get_their_answer() -> None:
    app = _App()
    asked = [Question(VALUES, b"n=%d" % i, address=f"192.0.2.{i}") for i in range(30)]
    assert {answer.status for answer in together(PublicTurns(app, 4), *asked)} == {200}
    assert app.most["all"] == 4


def test_one_address_has_at_most_half_of_the_turns() -> None:
    app = _App()
    flood = [Question(VALUES, b"n=%d" % i, address="192.0.2.1") for i in range(30)]
    others = [Question(VALUES, b"n=%d" % i, address=f"192.0.2.{i}") for i in range(2, 6)]
    asked = together(PublicTurns(app, 4), *flood, *others)
    assert {answer.status for answer in asked} == {200}
    assert app.most["192.0.2.1"] == 2


def test_who_waits_too_long_is_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "WAIT_S", 0.05)
    limited = PublicTurns(_App(0.2), 2)
    answers = together(limited, *(Question(VALUES, b"n=%d" % i, address=f"192.0.2.{i}") for i in range(6)))
    assert Counter(answer.status for answer in answers) == {200: 2, 503: 4}
    refused = next(answer for answer in answers if answer.status == 503)
    assert int(refused.headers["retry-after"]) > 0
    assert json.loads(refused.body)["detail"].startswith("Too many questions are being worked out at this moment")
    # Whoever gave up has left nothing behind.
    again = [Question(VALUES, address=f"192.0.2.{i}") for i in range(2)]
    assert {answer.status for answer in together(limited, *again)} == {200}


def test_more_than_can_wait_are_sent_away_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "MOST_WAITING", 3)
    answers = together(PublicTurns(_App(), 2), *(Question(VALUES, address=f"192.0.2.{i}") for i in range(10)))
    assert Counter(answer.status for answer in answers) == {200: 5, 503: 5}


def test_lists_and_those_who_have_signed_in_do_not_wait_for_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "WAIT_S", 0.05)
    figures = [Question(VALUES, b"n=%d" % i, address=f"192.0.2.{i}") for i in range(6)]
    besides = [Question("/api/v1/cities"), Question(VALUES, b"access=full"), Question("/healthz")]
    answers = together(PublicTurns(_App(0.2), 2), *figures, *besides)
    assert [answer.status for answer in answers[-3:]] == [200, 200, 200]


def test_every_public_address_has_its_lane() -> None:
    document = create_app(database.create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none"), Settings()).openapi()
    for path, operations in document["paths"].items():
        # Who reads a file slowly must hold up nobody: it has no lane.
        is_public = bool({"figures", "maps"} & set(operations.get("get", {}).get("tags", ()))) and path not in FILES
        scope = {"type": "http", "method": "GET", "path": path, "query_string": b""}
        assert (lane_of(scope) is not None) == is_public, path


@pytest.mark.parametrize(
    ("addresses", "is_one"),
    [
        (("192.0.2.1", "192.0.2.2"), False),
        (("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"), True),
        (("2001:db8:1:2::1", "2001:db8:1:3::1"), False),
        (("::ffff:192.0.2.1", "192.0.2.1"), True),
        (("fe80::1%eth0", "fe80::2%eth0"), True),
        (("unix", "unix"), True),
    ],
)
def test_an_address_of_ipv6_is_counted_by_its_house(addresses: tuple[str, str], is_one: bool) -> None:
    assert (len({network_of({"client": (address, 1)}) for address in addresses}) == 1) == is_one


def test_m8_one_address_asks_only_so_often_what_is_not_kept() -> None:
    class Watch:
        def seen(self) -> Seen:
            return seen

    seen, app = Seen(7), _App(0)
    limited = PublicCache(
        QuestionLimits(app, Settings(questions_per_minute=5)), cast("DataVersionWatch", Watch()), 100_000
    )
    house = [f"2001:db8:1:2::{i:x}" for i in range(1, 8)]

    def ask(query: bytes, address: str, path: str = VALUES) -> Answered:
        return together(limited, Question(path, query, address=address))[0]

    assert [ask(b"n=%d" % i, address).status for i, address in enumerate(house)] == [200] * 5 + [429] * 2
    refused = ask(b"n=9", house[0])
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    # A file waits for no turn, and is counted all the same.
    assert ask(b"", house[0], *FILES.values()).status == 429
    # What is kept costs nothing, others are others, and what is no public question is not counted.
    assert ask(b"n=0", house[0]).status == 200
    assert ask(b"n=9", "2001:db8:1:3::1").status == 200
    assert ask(b"", house[0], "/healthz").status == 200
