"""A service that is used for a while, and whose worker, database and process break off on the way.

A minute of it runs with all tests; `make soak` runs it for ten (VASTI_SOAK_SECONDS).
"""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
from sqlalchemy import Engine, text

from geo import database
from geo.base import PageRequest
from geo.indicators.figures import Level, ValuesQuery, find_values
from geo.indicators.tallies import surveys_lacking_tallies
from geo.indicators.tallies.recompute import recompute_all
from geo.publications import find_behind
from tests.soak.clients import Crowd, look_at_figures, publish_and_take_back, send_and_decide
from tests.soak.office import ROUNDS, Office, opened
from tests.support import factories as f

SECONDS = float(os.environ.get("VASTI_SOAK_SECONDS", "45"))
MOST_MB = 700
"""Of the service's process, with its worker, however long it runs."""

_LEVELS: tuple[Level, ...] = ("settlement", "ward", "city")

_QUIET_S = 240.0
"""Until when all that was asked for must be done: a killed worker is taken for dead after half a minute, the look for
what is lacking comes each minute, and a step that broke off is tried again."""


def test_a_service_that_is_used_and_broken_off_ends_with_every_figure_right(
    new_state_dir: Callable[[], Path], tmp_path: Path
) -> None:
    with opened(new_state_dir()) as (office, sessions):
        crowd = Crowd(office.address, SECONDS)
        for organisation, slugs in ROUNDS.items():
            for slug in slugs:
                facts = {"survey": slug, "folder": tmp_path, "name": slug}
                crowd.joins(send_and_decide, sessions[organisation], **facts)
        crowd.joins(publish_and_take_back, sessions["north"], survey=ROUNDS["north"][-1])
        for _ in range(2):
            crowd.joins(look_at_figures, None)
        faults: Sequence[Callable[[], None]] = (
            partial(office.kill, "worker"),
            office.restart_database,
            partial(office.kill, "serve"),
        )
        for befalls in faults:
            time.sleep(SECONDS / 6)
            befalls()
        crowd.goes()
        engine = database.create_engine(office.url)
        try:
            _is_quiet(engine, office)
            assert crowd.told.faults == [], "\n".join(office.errors())
            assert len(crowd.told.loaded) >= 3, crowd.told
            _holds(engine, crowd)
            _figures_are_a_recount(engine, office)
        finally:
            engine.dispose()
        office.look_at_memory()
        assert max(office.peaks_mb) < MOST_MB
        assert "Traceback" not in office.log("serve")


def _is_quiet(engine: Engine, office: Office) -> None:
    """Waits until nothing is left to do."""
    deadline = time.monotonic() + _QUIET_S
    while (left := _left(engine)) != ([], [], []):
        assert time.monotonic() < deadline, "\n".join([str(left), *office.errors()])
        time.sleep(1)


def _left(engine: Engine) -> tuple[list[Any], list[Any], list[Any]]:
    """Jobs that wait, are done or failed; uploads on their way; rounds that lack figures or are behind."""
    with database.transaction(engine) as connection:
        # Those of the clock come and go.
        unfinished = """
            SELECT task_name, status::text FROM procrastinate.procrastinate_jobs
            WHERE task_name IN ('work_on_upload', 'recompute_tallies', 'make_publication') OR status = 'failed'
        """
        found = [tuple(row) for row in connection.execute(text(unfinished))]
        on_their_way = "SELECT id, state FROM upload WHERE state IN ('received', 'accepted', 'withdrawing')"
        uploads = [tuple(row) for row in connection.execute(text(on_their_way))]
        return found, uploads, [*surveys_lacking_tallies(connection), *find_behind(connection)]


def _holds(engine: Engine, crowd: Crowd) -> None:
    """What the clients were told is so: loaded is loaded, withdrawn is withdrawn, and nothing counts twice."""
    with database.transaction(engine) as connection:
        states = {row.id: row.state for row in connection.execute(text("SELECT id, state FROM upload"))}
        assert {number for number in crowd.told.loaded if states[number] != "loaded"} == set()
        assert {number for number in crowd.told.withdrawn if states[number] != "withdrawn"} == set()
        wrong = """
            SELECT h.survey_id, h.household_code FROM household h JOIN upload u ON u.id = h.upload_id
            WHERE h.is_live AND u.state <> 'loaded'
        """
        assert connection.execute(text(wrong)).all() == []
        for (survey_id,) in connection.execute(text("SELECT id FROM survey")).all():
            f.assert_tallies_whole(connection, survey_id)


def _figures_are_a_recount(engine: Engine, office: Office) -> None:
    """Every figure, by group too, is what counting all households anew gives; and the API says the same as the core."""
    everything = ValuesQuery(access="full", seen="all", page=PageRequest(limit=None))
    by_group: Sequence[dict[str, Any]] = ({}, {"by": "head_sex", "indicators": ["household_toilet"]})
    wanted = [
        replace(everything, level=level, surveys=[slug], **groups)
        for level in _LEVELS
        for slugs in ROUNDS.values()
        for slug in slugs
        for groups in by_group
    ]
    told = httpx.get(f"{office.address}/api/v1/values?level=city&limit=1000", timeout=60).json()["values"]
    with engine.connect() as connection:
        before = [find_values(connection, query).figures for query in wanted]
        connection.execute(text("DELETE FROM tallied"))
        recompute_all(connection)
        after = [find_values(connection, query).figures for query in wanted]
        public = find_values(connection, ValuesQuery(level="city", page=PageRequest(limit=None))).figures
        connection.rollback()
    for kept, counted in zip(before, after, strict=True):
        assert len(kept) > 0
        pd.testing.assert_frame_equal(kept, counted, rtol=1e-9)
    assert len(told) == len(public)
    said = {(row["survey"], row["indicator"], row["counted"]): row["value"] for row in told}
    for row in public.to_dict("records"):
        value = None if pd.isna(row["value"]) else row["value"]
        assert said[row["survey"], row["indicator"], row["counted"]] == value
