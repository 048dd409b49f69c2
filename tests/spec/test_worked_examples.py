"""The worked examples hold, through both engines; and generated pages are what their sources give."""

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Connection

from geo.base import geodesic_distance_m
from geo.indicators.definitions import catalogue
from tests.spec import write_docs
from tests.spec.outcomes import ENGINES, outcomes, same
from tests.spec.worked_examples import DISTANCES, EXAMPLES
from tests.support.stored import tally_both


def test_every_indicator_has_an_example() -> None:
    assert EXAMPLES.keys() == {d.id for d in catalogue().values() if d.is_tallied}
    assert DISTANCES.keys() == {d.id for d in catalogue().values() if not d.is_tallied}


@pytest.mark.parametrize("indicator", list(EXAMPLES))
def test_example_households(connection: Connection, indicator: str) -> None:
    example = EXAMPLES[indicator]
    found = outcomes(connection, [catalogue()[indicator]], example.rows())
    for engine in ENGINES:
        pairs = zip([outcome for _, outcome in example.households], found[engine][indicator], strict=True)
        assert all(same(wanted, got) for wanted, got in pairs), (engine, found[engine])


@pytest.mark.parametrize("indicator", list(EXAMPLES))
def test_example_figure(connection: Connection, indicator: str) -> None:
    example, definition = EXAMPLES[indicator], catalogue()[indicator]
    for tallies in tally_both(connection, [definition], example.rows()):
        tally = tallies.xs(definition.counted, level="counted").iloc[0]
        base = tally["sum_a"] + (tally["sum_a_unknown"] if definition.unknown == "unserved" else 0)
        of = example.of if definition.measure in ("density", "seat_load") else base
        assert tally["sum_ay"] == pytest.approx(example.yes)
        assert of == pytest.approx(example.of)
        # Square metres to a hectare and to a square kilometre.
        scale = {"%": 100, "households/ha": 10_000, "people/km²": 1_000_000}.get(definition.unit, 1)
        assert round(scale * example.yes / of, definition.decimals) == example.figure


@pytest.mark.parametrize("indicator", list(DISTANCES))
def test_example_distance(indicator: str) -> None:
    example = DISTANCES[indicator]
    here = np.array([[f.lon, f.lat, example.lon, example.lat] for f in example.facilities])
    assert geodesic_distance_m(*here.T) == pytest.approx([f.distance_m for f in example.facilities], abs=0.05)
    nearest = min(f.distance_m for f in example.facilities if f.works)
    assert round(nearest, catalogue()[indicator].decimals) == example.figure


@pytest.mark.parametrize("path", write_docs.PAGES, ids=lambda path: str(path.name))
def test_page_is_what_the_catalogue_gives(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == write_docs.PAGES[path](), "run `make docs`"


def test_page_has_every_indicator_once() -> None:
    listed = [indicator for ids in write_docs.SUBJECTS.values() for indicator in ids]
    assert sorted(listed) == sorted(catalogue())
