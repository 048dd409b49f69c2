"""All indicators computed again from the stored rows, against one plain scan with as many sums."""

import json
import sys

from tests.benchmarks.measure import Result, Run, in_turns
from tests.benchmarks.stage import Stage

_SURVEY = "retally"


def measure_retally(stage: Stage, runs: int) -> list[Result]:
    """One line: the statements alone, from the first byte sent to the last row received."""
    stage.load(_SURVEY)
    survey_id = stage.sql(f"SELECT id FROM survey WHERE slug = '{_SURVEY}'").output.strip()
    table = f"household_{survey_id}"
    stage.sql(f"VACUUM ANALYZE {table}")
    url = f"postgresql+psycopg://?{'&'.join(stage.dsn.split())}"

    def run(side: str, *arguments: str) -> Run:
        whole = stage.python("-m", "tests.benchmarks.tally_process", side, url, survey_id, *arguments)
        told = json.loads(whole.output)
        return Run(told["seconds"], whole.peak_mb, str(told["sums"]))

    sums = run("ours").output
    run("plain", sums)
    mine, theirs = in_turns([lambda _: run("ours"), lambda _: run("plain", sums)], runs)
    print(f"retally: {sums} sums a settlement on either side", file=sys.stderr)
    return [
        Result(
            *("retally", "one GROUP BY scan", [r.seconds for r in mine], [r.seconds for r in theirs], 2.0),
            peak_mb=max(run.peak_mb for run in mine),
        )
    ]
