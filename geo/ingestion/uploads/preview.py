"""What is kept of the check of an upload, to be shown before anybody decides: outcome, reading, what would change."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection

from geo.base import PageRequest
from geo.errors import ChoiceNeeded, UnknownCRS, VastiError
from geo.indicators.figures import ValuesQuery, find_values
from geo.ingestion.loading import LoadResult
from geo.ingestion.reading import ReadAs
from geo.messages import Message
from geo.places import PlaceChanges

NOTHING_READ = {"rows_read": None, "rows_loaded": None, "rows_warned": None, "rows_rejected": None, "preview": None}


def outcome(result: LoadResult, preview: dict[str, Any] | None) -> dict[str, Any]:
    """What a check says of an upload."""
    if result.state == "already loaded":
        again = Message("file_loaded_before", upload=result.upload_id)
        return {"state": "refused", "problem": again.as_json(), **NOTHING_READ}
    counts = {name: getattr(result, name) for name in ("rows_read", "rows_loaded", "rows_warned", "rows_rejected")}
    problem: dict[str, Any] | None = None
    if result.findings.stop_load():
        code = "check_found_errors_or_skip" if result.rows_loaded else "check_found_errors"
        problem = Message(code, rejected=result.rows_rejected, read=result.rows_read).as_json()
    return {"state": "waiting" if problem else "checked", "problem": problem, "preview": preview, **counts}


_MOST_POSITIONS = 400
_MOST_OUTLINES = 300
_DECIMALS = 4  # about 11 m, less than a small map shows
_FINER, _ACROSS = 6, 800


def read_as(result: LoadResult, answers: list[dict[str, Any]]) -> dict[str, Any] | None:
    """How a file was read, what its answers were taken for, and where some of its rows lie, for a small map."""
    if result.read_as is None:
        return None
    positions = np.round(result.findings.sample_positions(_MOST_POSITIONS), _DECIMALS)
    return _kept(result.read_as) | {
        "positions": [] if len(result.outlines) else positions.tolist(),
        "outlines": _drawn(result.outlines),
        "likely_crs": [],
        "answers": answers,
        "personal": [{"column": column, "holds": holds} for column, holds in result.personal.items()],
    }


def _drawn(outlines: Sequence[BaseGeometry]) -> list[dict[str, Any]]:
    """Outlines as a small map shows them, every so many of them, as GeoJSON."""
    every = np.array(outlines[:: max(1, -(-len(outlines) // _MOST_OUTLINES))], dtype=object)
    if len(every) == 0:
        return []
    west, south, east, north = shapely.total_bounds(every)
    plain = shapely.simplify(every, max(east - west, north - south) / _ACROSS)
    return [json.loads(text) for text in shapely.to_geojson(shapely.transform(plain, lambda xy: np.round(xy, _FINER)))]


def to_choose_from(error: VastiError) -> dict[str, Any]:
    """What there is to choose from, of a file that was not read."""
    layers = error.names if isinstance(error, ChoiceNeeded) else ()
    likely = error.likely if isinstance(error, UnknownCRS) else ()
    return _kept(ReadAs(layers=tuple(layers))) | {
        "positions": [],
        "outlines": [],
        "likely_crs": list(likely),
        "answers": [],
        "personal": [],
    }


def _kept(read_as: ReadAs) -> dict[str, Any]:
    # The columns are among what was understood.
    return {name: value for name, value in asdict(read_as).items() if name != "columns"}


def find_figures(connection: Connection, row: Any) -> pd.DataFrame:
    """The city's figures of an upload's round, as its organisation sees them; none where it goes to no round."""
    if row["survey"] is None:
        return pd.DataFrame(columns=["counted", "unit", "value", "n"])
    query = ValuesQuery(
        cities=[row["city"]],
        surveys=[row["survey"]],
        level="city",
        access="full",
        seen="all",
        page=PageRequest(limit=None),
    )
    return find_values(connection, query).figures.set_index("indicator")[["counted", "unit", "value", "n"]]


def compare(before: pd.DataFrame, after: pd.DataFrame, changes: PlaceChanges | None) -> dict[str, Any]:
    """What an upload would change: the figures of the city where anybody answers, and its places."""
    both = after.join(before[["value", "n"]].add_suffix("_before"))
    asked = both[(both["n"].fillna(0) > 0) | (both["n_before"].fillna(0) > 0)]
    names = {"counted": "counted", "unit": "unit", "value_before": "before", "value": "after"}
    counts = {"n_before": "n_before", "n": "n_after"}
    shown = asked.rename(columns=names | counts)[[*names.values(), *counts.values()]]
    figures: list[dict[str, Any]] = json.loads(shown.reset_index().to_json(orient="records"))
    return {"figures": figures, "places": None if changes is None else _places(changes)}


_MOST_MOVES = 200


def _places(changes: PlaceChanges) -> dict[str, Any]:
    facts = asdict(replace(changes, moves=changes.moves[:_MOST_MOVES]))
    for move in facts["moves"]:
        move["valid_from_on"] = move["valid_from_on"] and move["valid_from_on"].isoformat()
    return facts | {"moved": len(changes.moves)}
