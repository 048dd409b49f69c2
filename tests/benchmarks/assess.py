"""Figures and a map with no database, against a plain GeoPandas script for as many indicators."""

from pathlib import Path

from tests.benchmarks.conditions import count_indicators, simple_conditions
from tests.benchmarks.measure import Result, Run, in_turns
from tests.benchmarks.stage import FOLDER, Stage

_PLAIN = Path(__file__).with_name("plain_assess.py")


def measure_assess(stage: Stage, runs: int) -> list[Result]:
    """One line: whole processes."""
    out = FOLDER / "assessed"

    def ours(_: int) -> Run:
        return stage.vasti("assess", stage.boundaries, stage.households, "--out", out, "--mode", "census")

    asked = [f"{column}={code}" for column, code in simple_conditions(count_indicators())]

    def plain(_: int) -> Run:
        return stage.python(_PLAIN, stage.boundaries, stage.households, FOLDER / "plain.csv", *asked)

    # Once without the clock: both find their modules compiled and the files in memory.
    ours(0)
    plain(0)
    mine, theirs = in_turns([ours, plain], runs)
    return [
        Result(
            *("assess", "read_file + sjoin + groupby", [r.seconds for r in mine], [r.seconds for r in theirs], 1.2),
            peak_mb=max(run.peak_mb for run in mine),
        )
    ]
