"""Samples drawn by clusters and strata, and rounds of the same households, from file to figure."""

from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.stats import norm
from sqlalchemy import Connection

from geo.base import PageRequest
from geo.indicators.figures import ValuesQuery, find_changes, find_values
from geo.indicators.figures.estimate import wilson
from geo.indicators.tallies import surveys_lacking_tallies
from geo.indicators.tallies.store import make_missing
from geo.ingestion.loading import ErrorsFound, load_frame
from geo.ingestion.reading import ReadOptions
from service.cli.output import _cells
from tests.support import factories as f

APICLUS1 = [
    *((13, 0), (34, 0), (4, 0), (13, 0), (16, 0), (2, 0), (1, 0), (4, 0), (12, 0), (21, 0)),
    *((9, 4), (11, 0), (37, 0), (2, 0), (4, 0)),
]
"""R survey's apiclus1: members and yeses of 15 clusters."""

ALL = PageRequest(limit=None)


def query(**changes: Any) -> ValuesQuery:
    return ValuesQuery(
        **{"cities": ["pune"], "indicators": ["drainage_any"], "access": "full", "seen": "all", "page": ALL, **changes}
    )


@pytest.fixture
def clustered(connection: Connection, tmp_path: Path) -> Connection:
    """apiclus1 as households of four settlements: some clusters lie in two."""
    f.load_city(connection, tmp_path, f.small_city())
    rows, number = [], 0
    for psu, (n, yes) in enumerate(APICLUS1):
        for k in range(n):
            settlement = (psu + (k > n // 2)) % 4
            rows.append(f.household(number, settlement, psu=f"P{psu}", drainage="open" if k < yes else "none"))
            number += 1
    f.load(connection, tmp_path, rows, survey=f.spec(mode="sample"))
    return connection


def test_clusters_from_file_to_figure(clustered: Connection, tmp_path: Path) -> None:
    frame = f.write_csv(tmp_path / "frame.csv", [{"stratum": "", "clusters": 757}])
    assert load_frame(clustered, frame, "pune", "2024", ReadOptions()).rows_loaded == 1
    (city,) = find_values(clustered, query(level="city")).figures.to_dict("records")
    assert (city["value"], city["low"], city["high"]) == (2.19, 0.32, 13.54)
    p, v = 0.021857923, 0.022622451**2
    assert city["n_eff"] == pytest.approx(p * (1 - p) / v, abs=0.05)


def test_clusters_without_a_frame_are_taken_as_few_of_many(clustered: Connection) -> None:
    (city,) = find_values(clustered, query(level="city")).figures.to_dict("records")
    assert city["high"] > 13.54
    ignored = find_values(clustered, query(level="city", by="head_sex", surveys=["2024"])).figures
    assert set(ignored["reason"]) == {"not_counted_yet"}


def test_a_settlement_of_one_cluster_has_no_interval(connection: Connection, tmp_path: Path) -> None:
    f.load_city(connection, tmp_path, f.small_city())
    rows = [f.household(i, 0, psu="P1", drainage="open" if i % 2 else "none") for i in range(40)]
    f.load(connection, tmp_path, rows, survey=f.spec(mode="sample"))
    found = find_values(connection, query()).figures.iloc[0]
    assert found["value"] == 50
    assert np.isnan(found["low"])
    assert "no_degrees_of_freedom" in found["flags"]


def test_a_stratum_nobody_was_sampled_in_is_refused(clustered: Connection, tmp_path: Path) -> None:
    rows = [{"stratum": "North", "clusters": 3}, {"stratum": "", "clusters": 0}, {"stratum": "", "clusters": 2}]
    with pytest.raises(ErrorsFound) as refused:
        load_frame(clustered, f.write_csv(tmp_path / "frame.csv", rows), "pune", "2024", ReadOptions())
    found = refused.value.result.findings.frame()
    assert found[["row_number", "code"]].to_numpy().tolist() == [
        [2, "stratum_unknown"],
        [3, "frame_size_invalid"],
        [4, "stratum_duplicate"],
    ]


def codes(result: Any) -> dict[str, str | None]:
    """The findings about the whole file, with what they name."""
    frame = result.findings.frame()
    whole = frame[frame["row_number"].isna()]
    return dict(zip(whole["code"], whole["value"], strict=True))


def test_what_a_sample_lacks_is_said(connection: Connection, tmp_path: Path) -> None:
    """No weights, and more households than there are said to be."""
    f.load_city(connection, tmp_path, f.small_city())
    rows = [f.household(i, 0) for i in range(40)]
    first = f.load(connection, tmp_path, rows, survey=f.spec(mode="sample"))
    assert codes(first) == {"weights_missing": None}
    frame = f.write_csv(tmp_path / "frame.csv", [{"settlement_code": f.code(0), "households": 30}])
    sizes = load_frame(connection, frame, "pune", "2024", ReadOptions())
    assert codes(sizes) == {"frame_too_small": "01 (30 of 40)"}
    weighted = [{**row, "weight": 1 + i % 2} for i, row in enumerate(rows)]
    assert codes(f.load(connection, tmp_path, weighted, survey=f.spec(mode="sample"))) == {
        "frame_too_small": "01 (30 of 40)"
    }
    persons = find_values(connection, query(indicators=["open_defecation"], surveys=["2024"])).figures.iloc[0]
    assert "frame_too_small" in persons["flags"]
    census = f.load(connection, tmp_path, [f.household(i, 0) for i in range(9)], survey=f.spec("2025"))
    assert codes(census) == {}


def load_rounds(
    connection: Connection,
    folder: Path,
    *,
    shift: int,
    modes: tuple[str, str] = ("sample", "sample"),
    clustered: tuple[bool, bool] = (False, False),
    size: int = 20,
    **asked: Any,
) -> pd.DataFrame:
    """794 with a drain in both rounds, 86 in the first only, 150 in the second only, 570 in neither; and the change.

    With `shift` the second round's households bear other codes; `clustered` rounds were drawn by clusters of `size`.
    """
    f.load_city(connection, folder, f.small_city(1))
    answers = [(1, 1)] * 794 + [(1, 0)] * 86 + [(0, 1)] * 150 + [(0, 0)] * 570
    for slug, which, moved in (("2018", 0, 0), ("2024", 1, shift)):
        rows = [f.household(i + moved, 0, drainage="open" if pair[which] else "none") for i, pair in enumerate(answers)]
        if clustered[which]:
            rows = [{**row, "psu": f"P{i // size}"} for i, row in enumerate(rows)]
        year = int(slug)
        spec = f.spec(slug, starts_on=date(year, 1, 1), ends_on=date(year, 6, 1), mode=modes[which])
        f.load(connection, folder, rows, survey=spec)
    for survey_id in surveys_lacking_tallies(connection):
        make_missing(connection, survey_id)
    return find_changes(connection, query(**asked), earlier="2018", later="2024", allow_break=True).figures


def test_the_same_households_are_paired(connection: Connection, tmp_path: Path) -> None:
    """The published case of 1,600 pairs."""
    (found,) = load_rounds(connection, tmp_path, shift=0).to_dict("records")
    assert found["method"] == "paired"
    assert (found["from_value"], found["to_value"], found["change"]) == (55, 59, 4)
    assert (found["low"], found["high"]) == (2.13, 5.87)
    assert found["n_pairs"] == 1600
    # chi^2 = (64 - 1)^2 / 236 with continuity correction.
    assert found["p_value"] == pytest.approx(0.000041, abs=5e-7)


@pytest.mark.parametrize("clustered", [(True, True), (True, False), (False, True)])
def test_pairs_of_clusters_vary_by_cluster(
    connection: Connection, tmp_path: Path, clustered: tuple[bool, bool]
) -> None:
    """Clusters of 20, in which nearly all change alike: the sums of clusters vary more than households do."""
    (found,) = load_rounds(connection, tmp_path, shift=0, clustered=clustered).to_dict("records")
    assert (found["method"], found["change"]) == ("paired", 4)
    assert "clusters_ignored" not in found["flags"]
    changed = np.array([0] * 794 + [-1] * 86 + [1] * 150 + [0] * 570).reshape(-1, 20).mean(axis=1)
    half = stats.t.ppf(0.975, 79) * changed.std(ddof=1) / np.sqrt(80)
    assert (found["low"], found["high"]) == (round(4 - 100 * half, 2), round(4 + 100 * half, 2))
    assert found["p_value"] == pytest.approx(stats.ttest_1samp(changed, 0).pvalue, abs=5e-7)


def test_pairs_of_one_cluster_have_no_interval(connection: Connection, tmp_path: Path) -> None:
    found = load_rounds(connection, tmp_path, shift=0, clustered=(True, True), size=1600).to_dict("records")[0]
    assert (found["method"], found["change"]) == ("paired", 4)
    assert "no_degrees_of_freedom" in found["flags"]
    assert np.isnan([found["low"], found["high"], found["p_value"]]).all()


@pytest.mark.parametrize("modes", [("census", "sample"), ("sample", "census")])
def test_a_sample_is_held_against_an_enumeration(
    connection: Connection, tmp_path: Path, modes: tuple[str, str]
) -> None:
    """55 % of all, then 59 % of 1,600 drawn, worth 1,599, or the other way round: a one-sample z test."""
    (found,) = load_rounds(connection, tmp_path, shift=10_000, modes=modes).to_dict("records")
    share, other = (0.55, 0.59) if modes[0] == "census" else (0.59, 0.55)
    z = (other - share) / np.sqrt(share * (1 - share) / 1599)
    assert found["p_value"] == pytest.approx(2 * norm.sf(abs(z)), abs=1e-6)
    assert found["low"] < found["change"] < found["high"]


def test_a_p_value_is_never_none(connection: Connection, tmp_path: Path) -> None:
    """For the public three decimals: what is less than the last of them is said to be it, or less."""
    (found,) = load_rounds(connection, tmp_path, shift=0, access="public").to_dict("records")
    assert found["p_value"] == 0.001
    assert _cells(pd.Series([0.001, 0.0004, 0.25, np.nan], name="p_value")) == ["< 0.001", "< 0.001", "0.250", ""]


def test_other_households_are_independent(connection: Connection, tmp_path: Path) -> None:
    (found,) = load_rounds(connection, tmp_path, shift=10_000).to_dict("records")
    assert (found["method"], found["n_pairs"] != found["n_pairs"]) == ("independent", True)
    assert found["change"] == 4
    # Wider than paired.
    assert found["low"] < 2.13
    assert found["high"] > 5.87


def test_half_the_same_households_are_independent(connection: Connection, tmp_path: Path) -> None:
    (found,) = load_rounds(connection, tmp_path, shift=800).to_dict("records")
    assert found["method"] == "independent"


def test_rounds_of_everybody_need_no_pairs(connection: Connection, tmp_path: Path) -> None:
    (found,) = load_rounds(connection, tmp_path, shift=0, modes=("census", "census")).to_dict("records")
    assert (found["method"], found["change"]) == ("enumeration", 4)
    assert np.isnan(found["low"])


def test_changes_wait_until_rounds_have_been_held_together(connection: Connection, tmp_path: Path) -> None:
    f.load_city(connection, tmp_path, f.small_city(1))
    for year in (2018, 2024):
        spec = f.spec(str(year), starts_on=date(year, 1, 1), ends_on=date(year, 6, 1), mode="sample")
        f.load(connection, tmp_path, [f.household(i, 0) for i in range(60)], survey=spec)
    changes = find_changes(connection, query(), earlier="2018", later="2024").figures
    assert changes["reason"].tolist() == ["not_counted_yet"]


def test_more_answers_never_widen_an_interval() -> None:
    """Of the same share, twice as many answers narrow it."""
    p = np.array([0.1, 0.3, 0.5, 0.9])
    widths = [np.subtract(*reversed(wilson(p, np.full(4, float(n))))) for n in (25, 50, 100, 1000)]
    assert all((later < earlier).all() for earlier, later in pairwise(widths))


def test_frame_sizes_do_not_weigh_a_clustered_sample(clustered: Connection, tmp_path: Path) -> None:
    """Within a settlement clusters were drawn, not households: N/n is no household's weight."""
    (before,) = find_values(clustered, query(level="city")).figures.to_dict("records")
    sizes = [{"settlement_code": f.code(i), "households": 300 * (i + 1)} for i in range(4)]
    load_frame(clustered, f.write_csv(tmp_path / "sizes.csv", sizes), "pune", "2024", ReadOptions())
    (after,) = find_values(clustered, query(level="city")).figures.to_dict("records")
    assert (after["value"], after["low"], after["high"]) == (before["value"], before["low"], before["high"])
    assert "unweighted" in after["flags"]
    assert "frame_weighted" not in after["flags"]


def few_new(connection: Connection, folder: Path, new: int, access: Any) -> dict[str, Any]:
    """Forty households in both rounds, two of whom gain a drain, and `new` ones with a drain in the second only."""
    f.load_city(connection, folder, f.small_city(1))
    for slug, n, drained in (("2018", 40, range(10)), ("2024", 40 + new, (*range(12), *range(40, 40 + new)))):
        rows = [f.household(i, 0, drainage="open" if i in drained else "none") for i in range(n)]
        spec = f.spec(slug, starts_on=date(int(slug), 1, 1), ends_on=date(int(slug), 6, 1), mode="sample")
        f.load(connection, folder, rows, survey=spec)
    for survey_id in surveys_lacking_tallies(connection):
        make_missing(connection, survey_id)
    asked = replace(query(), access=access)
    found = find_changes(connection, asked, earlier="2018", later="2024").figures
    return {str(name): value for name, value in found.iloc[0].items()}


@pytest.mark.parametrize(("new", "method"), [(0, "paired"), (4, "independent"), (10, "paired")])
def test_a_public_change_is_the_difference_of_its_figures(
    connection: Connection, tmp_path: Path, new: int, method: str
) -> None:
    """What the pairs changed by, beside what all did, would tell what four new households answered."""
    found = few_new(connection, tmp_path, new, "public")
    assert found["method"] == method
    assert found["change"] == found["to_value"] - found["from_value"]
    assert found["low"] <= found["change"] <= found["high"]
    assert np.isnan(found["n_pairs"]) == (method == "independent")


def test_a_change_in_full_is_that_of_the_pairs(connection: Connection, tmp_path: Path) -> None:
    found = few_new(connection, tmp_path, 4, "full")
    assert (found["method"], found["change"], found["n_pairs"]) == ("paired", 5.0, 40)
