"""Every figure of a round made from its tallies, against one grouping of the households in memory."""

import json

from tests.benchmarks.conditions import count_indicators, simple_conditions
from tests.benchmarks.measure import Result, Run, in_turns
from tests.benchmarks.stage import CITY, Stage

_SURVEY = "figures"


def measure_figures(stage: Stage, runs: int) -> list[Result]:
    """The computation alone, what either side works on being read before the clock starts; and a whole publication.

    A publication has each field's groups too, and is written: it is held against the figures of all households.
    """
    stage.load(_SURVEY)
    # By itself: the command would make its publication too.
    stage.sql(f"UPDATE survey SET state = 'published' WHERE slug = '{_SURVEY}'")
    url = f"postgresql+psycopg://?{'&'.join(stage.dsn.split())}"
    asked = [f"{column}={code}" for column, code in simple_conditions(count_indicators())]

    def run(side: str, *arguments: str) -> Run:
        whole = stage.python("-m", "tests.benchmarks.figures_process", side, url, _SURVEY, *arguments)
        return Run(float(json.loads(whole.output)["seconds"]), whole.peak_mb)

    def publish() -> Run:
        whole = stage.python("-m", "tests.benchmarks.publish_process", url, CITY, _SURVEY)
        return Run(float(json.loads(whole.output)["seconds"]), whole.peak_mb)

    sides = [lambda _: run("ours"), lambda _: run("plain", *asked), lambda _: publish()]
    mine, theirs, made = in_turns(sides, runs)
    seconds, peers, of_made = ([one.seconds for one in side] for side in (mine, theirs, made))
    return [
        Result("figures", "groupby in memory", seconds, peers, 1.5, peak_mb=max(one.peak_mb for one in mine)),
        Result("publication", "figures", of_made, seconds, 3.0, peak_mb=max(one.peak_mb for one in made)),
    ]
