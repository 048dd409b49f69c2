"""Figures of 100 settlements with their boundaries over HTTP, against TiPg with the same rows in one table."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from geo.database.cluster.folders import DATABASE, PORT, ROLE
from tests.benchmarks.many_cities import CITIES, make_many_cities
from tests.benchmarks.measure import Result
from tests.benchmarks.servers import CLIENTS, HOST, Server, free_port, serving
from tests.benchmarks.stage import CITY, FOLDER, Stage, vasti_command

_SURVEY = "served"
_ROWS = 100
_AGAIN, _FIRST, _PEER, _WARM = 4_000, 300, 60, 150
"""How often is asked for what is kept as bytes, for what nobody has asked before, the peer, and before the clock."""

_MANY = 8
"""Readers at once, twice as many as elsewhere."""

_ROUND = {"city": CITY, "survey": _SURVEY}
_TOILETS = _ROUND | {"indicator": "household_toilet", "format": "geojson", "limit": _ROWS}


def _values(**asked: Any) -> str:
    return f"/api/v1/values?{urlencode(asked, doseq=True)}"


@dataclass
class _Unasked:
    """Addresses that nobody has asked before: other hundreds of settlements each time, or one settlement."""

    codes: Sequence[str]
    _windows: Iterator[str] = field(init=False)
    _single: Iterator[str] = field(init=False)

    def __post_init__(self) -> None:
        starts = range(max(1, len(self.codes) - _ROWS))
        of_hundred = (self.codes[start : start + _ROWS] for start in starts)
        self._windows = (_values(**_TOILETS, settlement=codes) for codes in of_hundred)
        self._single = (_values(**_ROUND, settlement=code) for code in self.codes)

    def hundreds(self, count: int) -> list[str]:
        """As GeoJSON, one indicator."""
        return [next(self._windows) for _ in range(count)]

    def warm_up(self, server: Server) -> None:
        """Asks until each of the server's connections has prepared what it is asked, as on a service that is in use."""
        server.requests_per_second(self.hundreds(_WARM), _WARM, _MANY)

    def settlements(self, count: int) -> list[str]:
        """As JSON, all indicators."""
        return [next(self._single) for _ in range(count)]


class _Asked(NamedTuple):
    """A line of the table: what is asked by how many readers, what of the peer, and how much faster we must be."""

    name: str
    readers: int
    ours: Callable[[], list[str]]
    how_often: int
    peers: str
    bound: float


def measure_values(stage: Stage, runs: int) -> list[Result]:
    """An address asked again, as a public page is, and addresses nobody has asked before, of one city and of many."""
    stage.load(_SURVEY, publish=True)
    of_many_cities = make_many_cities(stage)
    codes = stage.sql("SELECT code FROM settlement ORDER BY code").output.split()
    unasked, few, many = _Unasked(codes), _Unasked(codes[::-1]), _Unasked(codes[::-1])
    first = min(_FIRST, len(codes) // (4 * runs))
    kept = _values(**_TOILETS)
    # Both from the beginning: a worker looks at every round of its database first.
    with _vasti(stage.environment, "vasti") as server, _vasti(of_many_cities, "many") as server_of_many:
        features = json.loads(server.get(kept))["features"]
        of_one = len(json.loads(server.get(*unasked.settlements(1)))["values"])
        unasked.warm_up(server)
        _copy_to_peer(stage, features)
        hundred, of_few = (f"/collections/peer.figures/items?limit={n}" for n in (_ROWS, of_one))
        lines = [
            _Asked("values", CLIENTS, lambda: [kept], _AGAIN, hundred, 100.0),
            _Asked("values, first asked", CLIENTS, lambda: unasked.hundreds(first), first, hundred, 5.0),
            _Asked(f"values, {_MANY} readers", _MANY, lambda: unasked.hundreds(first), first, hundred, 5.0),
            _Asked("values, one settlement", 1, lambda: unasked.settlements(first), first, of_few, 5.0),
        ]
        with _tipg(stage) as tipg:
            _check_same(features, json.loads(tipg.get(hundred))["features"])
            results = [_against_peer(server, tipg, asked, runs) for asked in lines]
        many.warm_up(server_of_many)
        sides = (
            lambda: server_of_many.requests_per_second(many.hundreds(first), first),
            lambda: server.requests_per_second(few.hundreds(first), first),
        )
        ours, theirs = _in_pairs(sides, runs)
        results.append(Result(f"values, {CITIES} cities", "one city", ours, theirs, 1 / 1.1, "requests/s"))
        peak = server.peak_mb()
    return [replace(result, peak_mb=peak) for result in results]


def _against_peer(server: Server, tipg: Server, asked: _Asked, runs: int) -> Result:
    sides = (
        lambda: server.requests_per_second(asked.ours(), asked.how_often, asked.readers),
        lambda: tipg.requests_per_second([asked.peers], _PEER, asked.readers),
    )
    ours, theirs = _in_pairs(sides, runs)
    return Result(asked.name, "TiPg", ours, theirs, asked.bound, "requests/s")


def _in_pairs(sides: Sequence[Callable[[], float]], runs: int) -> list[list[float]]:
    """Both sides' requests a second, in the opposite order every second time."""
    rates: list[list[float]] = [[], []]
    for number in range(runs):
        for i in (0, 1) if number % 2 == 0 else (1, 0):
            rates[i].append(sides[i]())
    return rates


@contextmanager
def _vasti(environment: Mapping[str, str], log: str) -> Iterator[Server]:
    """The service as it is shipped, which here one address of the network may ask as often as it likes."""
    port = free_port()
    command: list[str | Path] = [vasti_command(), "serve", "--host", HOST, "--port", str(port)]
    unlimited = {**environment, "VASTI_QUESTIONS_PER_MINUTE": "1000000"}
    with serving(command, port, unlimited, FOLDER / f"{log}.log") as server:
        yield server


@contextmanager
def _tipg(stage: Stage) -> Iterator[Server]:
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "tipg.main:app", "--host", HOST, "--port", str(port)]
    environment = stage.environment | {
        # A host that is a path is the folder of a socket.
        "DATABASE_URL": f"postgresql://{ROLE}@{quote(str(stage.socket_dir), safe='')}:{PORT}/{DATABASE}",
        "TIPG_DB_SCHEMAS": '["peer"]',
    }
    with serving([*command, "--log-level", "warning"], port, environment, FOLDER / "tipg.log") as server:
        yield server


def _copy_to_peer(stage: Stage, features: list[dict[str, Any]]) -> None:
    """The same rows and columns in a table of their own, typed as their values are."""
    names = list(features[0]["properties"])
    columns = []
    for name in names:
        values = [feature["properties"][name] for feature in features]
        columns.append(f'"{name}" {_column_type([value for value in values if value is not None])}')
    file = (FOLDER / "features.json").resolve()
    # One line of text, in CSV that no character ends or quotes.
    file.write_text(json.dumps([{"geom": f["geometry"], **f["properties"]} for f in features]), encoding="utf-8")
    listed = ", ".join(f'"{name}"' for name in names)
    stage.sql(
        "CREATE SCHEMA peer",
        "CREATE TEMPORARY TABLE file (body jsonb)",
        f"\\copy file FROM '{file}' (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02')",
        f"CREATE TABLE peer.figures (id serial PRIMARY KEY, {', '.join(columns)}, geom geometry(Geometry, 4326))",
        f"INSERT INTO peer.figures ({listed}, geom) SELECT {listed}, ST_SetSRID(ST_GeomFromGeoJSON(geom), 4326) "
        f"FROM file, jsonb_to_recordset(body) AS row(geom jsonb, {', '.join(columns)})",
        "CREATE INDEX ON peer.figures USING gist (geom)",
        "ANALYZE peer.figures",
    )
    file.unlink()


def _column_type(values: list[Any]) -> str:
    if all(isinstance(value, int | float) for value in values):
        return "double precision"
    return "jsonb" if isinstance(values[0], list) else "text"


def _check_same(ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> None:
    """Both sides give the same rows and columns, or the figures compare nothing."""
    for feature in theirs:
        feature["properties"].pop("id")

    def rows(features: list[dict[str, Any]]) -> list[str]:
        return sorted(json.dumps(feature["properties"], sort_keys=True) for feature in _floats(features))

    if len(ours) != _ROWS or rows(ours) != rows(theirs) or not all(feature["geometry"] for feature in theirs):
        raise RuntimeError("TiPg does not serve the same rows.")


def _floats(features: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return json.loads(json.dumps(features), parse_int=float)  # type: ignore[no-any-return]
