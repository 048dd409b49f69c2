"""Every figure of a round made from its tallies, against one grouping of the households in memory."""

import json

from tests.benchmarks.conditions import count_indicators, simple_conditions
from tests.benchmarks.measure import Result, Run, in_turns
from tests.benchmarks.stage import Stage

_SURVEY = "figures"


def measure_figures(stage: Stage, runs: int) -> list[Result]:
    """One line: the computation alone, what either side works on being read before the clock starts."""
    stage.load(_SURVEY)
    url = f"postgresql+psycopg://?{'&'.join(stage.dsn.split())}"
    asked = [f"{column}={code}" for column, code in simple_conditions(count_indicators())]

    def run(side: str, *arguments: str) -> Run:
        whole = stage.python("-m", "tests.benchmarks.figures_process", side, url, _SURVEY, *arguments)
        return Run(float(json.loads(whole.output)["seconds"]), whole.peak_mb)

    mine, theirs = in_turns([lambda _: run("ours"), lambda _: run("plain", *asked)], runs)
    seconds, peers = [r.seconds for r in mine], [r.seconds for r in theirs]
    return [Result("figures", "groupby in memory", seconds, peers, 1.5, peak_mb=max(run.peak_mb for run in mine))]
