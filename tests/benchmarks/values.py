"""Figures of 100 settlements with their boundaries over HTTP, against TiPg with the same rows in one table."""

import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from geo.database.cluster.folders import DATABASE, PORT, ROLE
from tests.benchmarks.measure import Result
from tests.benchmarks.servers import HOST, Server, free_port, serving
from tests.benchmarks.stage import CITY, FOLDER, Stage, vasti_command

_SURVEY = "served"
_ROWS = 100
_COUNT = {"kept": 2_000, "first asked": 60, "peer": 60}


def measure_values(stage: Stage, runs: int) -> list[Result]:
    """Two lines: an address asked again, as a public page is, and addresses nobody has asked before."""
    stage.load(_SURVEY, publish=True)
    asked = {"city": CITY, "survey": _SURVEY, "indicator": "household_toilet", "format": "geojson"}
    kept = f"/api/v1/values?{urlencode(asked | {'limit': _ROWS})}"
    codes = stage.sql("SELECT code FROM settlement ORDER BY code").output.split()
    windows = [codes[i : i + _ROWS] for i in range(max(1, len(codes) - _ROWS))]
    unasked = iter(
        f"/api/v1/values?{urlencode(asked | {'settlement': w, 'limit': _ROWS}, doseq=True)}" for w in windows
    )
    port, peer_port = free_port(), free_port()
    ours: list[str | Path] = [vasti_command(), "serve", "--host", HOST, "--port", str(port)]
    peer = [sys.executable, "-m", "uvicorn", "tipg.main:app", "--host", HOST, "--port", str(peer_port)]
    peer_environment = stage.environment | {
        # A host that is a path is the folder of a socket.
        "DATABASE_URL": f"postgresql://{ROLE}@{quote(str(stage.socket_dir), safe='')}:{PORT}/{DATABASE}",
        "TIPG_DB_SCHEMAS": '["peer"]',
    }
    with serving(ours, port, stage.environment, FOLDER / "vasti.log") as server:
        features = json.loads(server.get(kept))["features"]
        _copy_to_peer(stage, features)
        with serving([*peer, "--log-level", "warning"], peer_port, peer_environment, FOLDER / "tipg.log") as tipg:
            path = f"/collections/peer.figures/items?limit={_ROWS}"
            _check_same(features, json.loads(tipg.get(path))["features"])
            rates: dict[str, list[float]] = {name: [] for name in _COUNT}
            for number in range(runs):
                fresh = [next(unasked) for _ in range(min(_COUNT["first asked"], len(windows) // runs))]
                sides: list[tuple[str, Server, list[str]]] = [
                    ("kept", server, [kept]),
                    ("first asked", server, fresh),
                    ("peer", tipg, [path]),
                ]
                for name, asked_server, paths in sides if number % 2 == 0 else reversed(sides):
                    count = len(paths) if name == "first asked" else _COUNT[name]
                    rates[name].append(asked_server.requests_per_second(paths, count))
            peak = server.peak_mb()
    return [
        Result("values", "TiPg", rates["kept"], rates["peer"], 10.0, "requests/s", peak_mb=peak),
        Result("values, first asked", "TiPg", rates["first asked"], rates["peer"], None, "requests/s", peak_mb=peak),
    ]


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
