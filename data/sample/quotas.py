"""Exact shares without luck: how many households of each settlement give each answer, and which ones.

A ladder is a row of counts per settlement (not interviewed, unknown, own toilet, ... none). Every household
has a position within its settlement; the rung it stands on is its answer. City figures are thereby exact for
any size, and a chunk of households can be answered without knowing the others.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.sample.terrain import Floats

Counts = NDArray[np.int64]


def split_total(total: int, weights: Floats | Counts) -> Counts:
    """Whole numbers in proportion to the weights that add up to the total (largest remainders)."""
    weight: Floats = np.asarray(weights, dtype=np.float64)
    if total == 0 or weight.sum() == 0:
        return np.zeros(len(weight), dtype=np.int64)
    exact = weight / weight.sum() * total
    counts: Counts = np.floor(exact).astype(np.int64)
    counts[np.argsort(counts - exact, kind="stable")[: total - counts.sum()]] += 1
    return counts


def calibrate_counts(sizes: Counts, pull: Floats, share: float) -> Counts:
    """How many of each settlement's households say yes, so that the whole city has the share asked for.

    `pull` says how far each settlement lies above or below the others on the logistic scale; one shift for
    all brings the city to the share.
    """
    total = round(share * int(sizes.sum()))
    low, high = -60.0, 60.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if (sizes * _logistic(pull + middle)).sum() < total else (low, middle)
    exact = sizes * _logistic(pull + high)
    counts = np.minimum(np.floor(exact).astype(np.int64), sizes)
    while (missing := total - int(counts.sum())) > 0:
        room = np.flatnonzero(counts < sizes)
        counts[room[np.argsort(counts[room] - exact[room], kind="stable")[:missing]]] += 1
    return counts


def divide_rest(rest: Counts, shares: Floats) -> Counts:
    """The rest of each settlement's households over rungs, in proportion to its row of shares."""
    edges = np.floor(np.cumsum(shares / shares.sum(axis=1, keepdims=True), axis=1) * rest[:, None] + 1e-9)
    edges[:, -1] = rest
    return np.asarray(np.diff(edges, axis=1, prepend=0), dtype=np.int64)


@dataclass(frozen=True)
class Ladder:
    """Rungs with, per settlement, how many households stand on each."""

    rungs: tuple[str, ...]
    edges: Counts

    @classmethod
    def of(cls, rungs: tuple[str, ...], counts: Counts) -> "Ladder":
        """The ladder with that many households a rung."""
        return cls(rungs=rungs, edges=np.cumsum(counts, axis=1))

    def stand(self, settlement: NDArray[np.int32], position: Counts) -> NDArray[np.int8]:
        """The rung, by number, of each household."""
        rung = np.zeros(len(position), dtype=np.int8)
        for edge in self.edges.T[:-1]:
            rung += position >= edge[settlement]
        return rung


def shuffle_positions(settlement: NDArray[np.int32], number: Counts, sizes: Counts, turn: int) -> Counts:
    """A shuffled position for the n-th household of each settlement, with nothing kept in memory.

    Multiplying by a number without a common factor and adding an offset, modulo the size, meets every
    position exactly once.
    """
    size = np.maximum(sizes, 1)
    factor = np.maximum(1, (size * 0.6180339887).astype(np.int64) + turn)
    while (shared := np.gcd(factor, size) > 1).any():
        factor[shared] += 1
    offset = (size * 0.37).astype(np.int64) + turn
    return np.asarray((factor[settlement] * number + offset[settlement]) % size[settlement])


def rank_within(settlement: NDArray[np.int32], *keys: NDArray[np.generic]) -> Counts:
    """Each household's place in its settlement, ordered by the first key, ties by the next."""
    order = np.lexsort((*reversed(keys), settlement))
    ordered = settlement[order]
    first = np.searchsorted(ordered, ordered, side="left")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order)) - first
    return rank


def _logistic(value: Floats) -> Floats:
    """The logistic function."""
    return np.asarray(1.0 / (1.0 + np.exp(-value)))
