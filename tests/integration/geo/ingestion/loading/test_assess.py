"""The same figures with no database as with one."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Connection

from data.sample.city import SampleFiles, write_sample
from geo.base import PageRequest
from geo.indicators.figures import ValuesQuery, find_values
from geo.ingestion.loading import SourceOptions, assess, load_boundaries, read_boundaries
from geo.ingestion.mapping import read_profile
from geo.ingestion.reading import ReadOptions
from geo.places import add_city
from tests.support import factories as f


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> SampleFiles:
    return write_sample(tmp_path_factory.mktemp("sample"), settlements=12, households=700)


@pytest.mark.parametrize("which", [0, 1])
def test_assess_equals_the_database(connection: Connection, tmp_path: Path, sample: SampleFiles, which: int) -> None:
    profile = read_profile(str(sample.boundaries.profile))
    survey = sample.surveys[which]
    source = SourceOptions(profile=read_profile(str(survey.profile)))
    add_city(connection, "sample", "Sample")
    load_boundaries(
        connection,
        sample.boundaries.path,
        "sample",
        read=ReadOptions(),
        columns=profile,
        valid_from_on=None,
        today=f.TODAY,
        options=f.options(tmp_path),
    )
    spec = f.spec(survey.survey, starts_on=survey.starts_on, ends_on=survey.ends_on, mode="census")
    loaded = f.load(connection, tmp_path, survey.path, city="sample", survey=spec, source=source, skip_errors=True)
    boundaries = read_boundaries(sample.boundaries.path, ReadOptions(), profile)
    offline = assess(boundaries, survey.path, source, city="sample", survey=survey.survey, mode="census")
    assert (offline.rows_read, offline.rows_kept) == (loaded.rows_read, loaded.rows_loaded)
    levels: tuple[Any, ...] = ("settlement", "ward", "city")
    for level in levels:
        query = ValuesQuery(cities=["sample"], level=level, seen="all", page=PageRequest(limit=None))
        stored = find_values(connection, query).figures
        # What facilities provide is not in the two files.
        stored = stored[~stored["indicator"].isin(["seat_load", "toilet_distance", "water_point_distance"])]
        here = offline.figures[offline.figures["level"] == level]
        keys = ["indicator", "counted", "ward_code", "settlement_code"]
        expected, found = (
            frame.fillna({"ward_code": "", "settlement_code": ""}).set_index(keys).sort_index()
            for frame in (stored, here)
        )
        pd.testing.assert_frame_equal(
            found, expected[found.columns], check_dtype=False, check_index_type=False, rtol=1e-6
        )
        assert len(found) > 0
