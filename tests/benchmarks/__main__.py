"""The command that measures Vasti against its peers: `python -m tests.benchmarks`, or `make bench`."""

import argparse
import sys
from collections.abc import Callable

from tests.benchmarks.assess import measure_assess
from tests.benchmarks.figures import measure_figures
from tests.benchmarks.load import measure_load
from tests.benchmarks.measure import Result, print_table
from tests.benchmarks.retally import measure_retally
from tests.benchmarks.stage import Stage, set_stage
from tests.benchmarks.values import measure_values

BENCHMARKS: dict[str, Callable[[Stage, int], list[Result]]] = {
    "load": measure_load,
    "assess": measure_assess,
    "retally": measure_retally,
    "figures": measure_figures,
    "values": measure_values,
}


def main() -> int:
    """Runs the benchmarks asked for; 1 when a bound is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--households", type=int, default=1_000_000)
    parser.add_argument("--settlements", type=int, default=2_000)
    parser.add_argument("--runs", type=int, default=3, help="pairs of runs of each benchmark")
    parser.add_argument("--only", choices=BENCHMARKS, action="append", help="one benchmark; repeatable")
    asked = parser.parse_args()
    results: list[Result] = []
    print(f"Writing {asked.households:,} households in {asked.settlements:,} settlements ...", file=sys.stderr)
    with set_stage(asked.households, asked.settlements) as stage:
        for name, measure in BENCHMARKS.items():
            if not asked.only or name in asked.only:
                print(f"Measuring {name} ...", file=sys.stderr)
                results += measure(stage, asked.runs)
    print_table(results)
    return 0 if all(result.holds for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
