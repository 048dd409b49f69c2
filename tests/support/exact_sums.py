"""What sums can be for somebody who knows others exactly, which is more than anything published tells."""

from collections.abc import Sequence

import numpy as np

from geo.indicators.figures.disclosure.program import System

Equation = tuple[list[int], float]
"""Which of the unknown counts add up to what."""

_MOST = 1e6
"""More than any count here: what can be as large has no largest value."""


def ranges(equations: Sequence[Equation], targets: Sequence[list[int]], n: int) -> list[float]:
    """How far apart the least and the largest sum over each target can be, of n counts that fulfil the equations."""
    system = System()
    system.add_unknowns(n, _MOST)
    for members, total in equations:
        if members:
            system.hold(dict.fromkeys(members, 1.0), total, total)
    program = system.program()
    found = []
    for target in targets:
        least, most = (program.solve(dict.fromkeys(target, sign))[target].sum() for sign in (-1.0, 1.0))
        found.append(np.inf if most >= _MOST else float(most - least))
    return found
