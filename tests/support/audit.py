"""The attacker: what can be worked out of withheld counts from sums that are published, by linear programming."""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import linprog

Equation = tuple[list[int], float]
"""Which of the unknown counts add up to what."""


def ranges(equations: Sequence[Equation], targets: Sequence[list[int]], n: int) -> list[float]:
    """How far apart the least and the largest sum over each target can be, of n counts that fulfil the equations."""
    a = np.zeros((len(equations), n))
    for row, (members, _) in enumerate(equations):
        a[row, members] = 1
    b = np.array([total for _, total in equations])
    found = []
    for target in targets:
        objective = np.zeros(n)
        objective[target] = 1
        ends = []
        for sign in (1, -1):
            solved = linprog(sign * objective, A_eq=a if len(a) else None, b_eq=b if len(a) else None)
            # Without an equation there is no largest value.
            assert solved.status in (0, 3)
            ends.append(np.inf if solved.fun is None else solved.fun * sign)
        found.append(ends[1] - ends[0])
    return found
