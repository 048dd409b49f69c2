"""Measuring: whole processes by the clock and by their peak memory, in turns with a peer's."""

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Literal


@dataclass(frozen=True)
class Run:
    """One run: how long it took and the most memory its process held, in MB."""

    seconds: float
    peak_mb: float = 0.0
    output: str = ""


@dataclass(frozen=True)
class Result:
    """One line of the table: our figures and the peer's, in pairs, and the bound on their ratio (None: told only)."""

    name: str
    peer: str
    ours: Sequence[float]
    theirs: Sequence[float]
    bound: float | None
    unit: Literal["s", "requests/s"] = "s"
    peak_mb: float = 0.0
    peak_bound_mb: float | None = None
    ratios: list[float] = field(init=False)

    def __post_init__(self) -> None:
        # Pair by pair, because what else the machine does changes from minute to minute.
        object.__setattr__(self, "ratios", [a / b for a, b in zip(self.ours, self.theirs, strict=True)])

    @property
    def ratio(self) -> float:
        """The median of the pairs' ratios."""
        return median(self.ratios)

    @property
    def holds(self) -> bool:
        """Whether the bounds hold: less time than the bound, or more requests a second."""
        if self.bound is None:
            return True
        is_kept = self.ratio <= self.bound if self.unit == "s" else self.ratio >= self.bound
        return is_kept and (self.peak_bound_mb is None or self.peak_mb <= self.peak_bound_mb)

    def cells(self) -> list[str]:
        """The line as the table shows it."""
        sign = "<=" if self.unit == "s" else ">="
        digits = 2 if self.unit == "s" else 0
        peak = f"{self.peak_mb:,.0f} MB" if self.peak_mb else ""
        if self.peak_bound_mb is not None:
            peak += f" (<= {self.peak_bound_mb:,.0f})"
        return [
            self.name,
            self.peer,
            f"{median(self.ours):,.{digits}f} {self.unit}",
            f"{median(self.theirs):,.{digits}f} {self.unit}",
            f"{self.ratio:.2f}",
            f"{min(self.ratios):.2f}-{max(self.ratios):.2f}",
            "" if self.bound is None else f"{sign} {self.bound:g}",
            peak,
            "" if self.bound is None else "pass" if self.holds else "FAIL",
        ]


HEADS = ["benchmark", "peer", "ours", "peer's", "ratio", "ratios", "bound", "our peak memory", ""]


def print_table(results: Sequence[Result]) -> None:
    """Prints all lines, columns aligned."""
    rows = [HEADS, *(result.cells() for result in results)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADS))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def run_process(command: Sequence[str | Path], environment: Mapping[str, str]) -> Run:
    """Runs a program to its end.

    Raises:
        RuntimeError: it failed; the message holds what it said.
    """
    started = time.perf_counter()
    process = subprocess.Popen(
        [str(part) for part in command],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
        with process.stdout:
            output = process.stdout.read()
    except BaseException:
        # Interrupted: it must not go on working in a cluster that is being removed.
        process.kill()
        process.wait()
        raise
    # wait4 tells this one process's peak; the module resource would tell the largest of all children so far.
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}:\n{output[-4000:]}")
    return Run(seconds, usage.ru_maxrss / 1024, output)


def in_turns(sides: Sequence[Callable[[int], Run]], runs: int) -> list[list[Run]]:
    """Runs every side once a round, in the opposite order every second round; one list of runs a side."""
    results: list[list[Run]] = [[] for _ in sides]
    for number in range(runs):
        order = range(len(sides)) if number % 2 == 0 else reversed(range(len(sides)))
        for i in order:
            results[i].append(sides[i](number))
    return results
