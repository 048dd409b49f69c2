"""The two rounds of the demonstration: mostly the same households, six years apart."""

from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray

from data.sample.answers import Column, Draw, Roll, answer, draw_answers
from data.sample.conditions import FIRST_ROUND, SECOND_ROUND, Conditions, Quotas, Round, set_quotas
from data.sample.positions import Ground, stray_outside
from data.sample.quotas import Counts, rank_within, split_total
from data.sample.settlements import City
from data.sample.terrain import Floats

STAYED_SHARE = 0.88
STRAYS = 14
ALWAYS_FRESH = frozenset({"interview_result", "interviewed_on", "toilet_unknown"})
Days = NDArray[np.datetime64]


@dataclass(frozen=True)
class VisitedRound:
    """One round's households with their positions, days of visit and answers."""

    survey: Round
    roll: Roll
    xy: Floats
    visited_on: Days
    columns: dict[str, Column]


@dataclass(frozen=True)
class _Homes:
    """The homes on the ground at one round, with what they bring to it from the round before."""

    place: NDArray[np.int32]
    number: Counts
    draws: dict[str, Draw]
    scores: Floats
    xy: Floats


def visit_twice(city: City, conditions: Conditions, households: int, seed: int) -> tuple[VisitedRound, VisitedRound]:
    """Both rounds, of the same number of households each."""
    rng = np.random.default_rng([seed, 3])
    ground = Ground.under(city.settlements_gdf)
    sizes = conditions.sizes(households)
    place = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    number = rank_within(place, np.zeros(len(place))) + 1
    draws = draw_answers(households, rng)
    scores = rng.random((2, households))
    xy = np.column_stack(ground.place(place, rng))
    homes = _Homes(place, number, draws, scores, xy)
    first = _visit(city, conditions, set_quotas(conditions, FIRST_ROUND, sizes), homes, rng)

    later_sizes = _grow(conditions, sizes, rng)
    staying = (
        rank_within(place, rng.random(households))
        < np.minimum(np.round(STAYED_SHARE * sizes).astype(np.int64), later_sizes)[place]
    )
    stayed = np.flatnonzero(staying)
    arrived = later_sizes - np.bincount(place[stayed], minlength=len(sizes))
    new_place = np.repeat(np.arange(len(sizes), dtype=np.int32), arrived)
    new_number = sizes[new_place] + 1 + rank_within(new_place, np.zeros(len(new_place)))
    all_place = np.concatenate([place[stayed], new_place])
    all_number = np.concatenate([number[stayed], new_number])
    order = np.lexsort((all_number, all_place))
    before = np.concatenate([stayed, np.full(len(new_place), -1)])[order]
    place, number, known = all_place[order], all_number[order], before >= 0

    fresh = draw_answers(households, rng)
    keeps_draw = known & (rng.random(households) < 0.85)
    draws = {
        field: values
        if field in ALWAYS_FRESH
        else np.where(keeps_draw, draws[field][before], values).astype(np.float32)
        for field, values in fresh.items()
    }
    scores = np.where(known, scores[:, before], rng.random((2, households)))
    xy = _measure_again(city, ground, place, np.where(known[:, None], xy[before], np.nan), rng)
    quotas = set_quotas(conditions, SECOND_ROUND, later_sizes)
    second = _visit(city, conditions, quotas, _Homes(place, number, draws, scores, xy), rng)
    return first, _age_heads(second, keeps_draw)


def _visit(city: City, conditions: Conditions, quotas: Quotas, homes: _Homes, rng: np.random.Generator) -> VisitedRound:
    """One round: who was met, what they answered, when, and where the GPS put them."""
    place, draws = homes.place, homes.draws
    roll = _line_up(quotas, homes, rng)
    strays = rng.choice(len(place), size=min(STRAYS, len(place) // 100), replace=False)
    return VisitedRound(
        survey=quotas.survey,
        roll=roll,
        xy=stray_outside(city.settlements_gdf, place, homes.xy, strays, rng),
        visited_on=visit_days(quotas.survey, np.arange(len(place)) / len(place), draws["interviewed_on"]),
        columns=answer(roll, quotas, conditions.deprivation, draws),
    )


def _line_up(quotas: Quotas, homes: _Homes, rng: np.random.Generator) -> Roll:
    """Positions on the ladders: absent and unknown by chance, the rest by a score the household keeps.

    Because the score is kept, a home that has a toilet in the first round is first in line to have one in
    the second, when the quota is larger.
    """
    place = homes.place
    absent = quotas.not_interviewed[place]
    rank = rank_within(place, rng.random(len(place)))
    group = np.where(rank < absent, 0, 2)
    unknown = quotas.toilet_counts[:, 1][place]
    drainage_group = group.copy()
    for groups in (group, drainage_group):
        rank = rank_within(place, groups, rng.random(len(place)))
        groups[(rank >= absent) & (rank < absent + unknown)] = 1
    return Roll(
        settlement=place,
        number=homes.number,
        toilet_position=rank_within(place, group, homes.scores[0]),
        drainage_position=rank_within(place, drainage_group, homes.scores[1]) - absent,
    )


def visit_days(survey: Round, progress: Floats, draw: Draw) -> Days:
    """The day of each visit: teams go from settlement to settlement, and not on Sundays."""
    span = (survey.ends_on - survey.starts_on).days
    offset = np.clip(np.floor(progress * (span - 4) + 4 * draw), 0, span).astype(np.int64)
    # Monday is 0; a Sunday's visit was made the day before.
    weekday = (offset + survey.starts_on.weekday()) % 7
    offset = np.maximum(offset - (weekday == 6), 0)
    return np.asarray(np.datetime64(survey.starts_on) + offset, dtype="datetime64[D]")


def _grow(conditions: Conditions, sizes: Counts, rng: np.random.Generator) -> Counts:
    """Settlement sizes at the second round: some grow, some shrink, the city's total stays."""
    settled = np.where(conditions.is_tiny, 0.0, sizes * rng.lognormal(0, 0.12, len(sizes)))
    tiny = np.where(conditions.is_tiny, sizes, 0)
    if settled.sum() == 0:
        return sizes
    return np.asarray(tiny + split_total(int(sizes.sum() - tiny.sum()), settled), dtype=np.int64)


def _measure_again(
    city: City, ground: Ground, place: NDArray[np.int32], xy: Floats, rng: np.random.Generator
) -> Floats:
    """Positions at the second round: a known home within GPS error of before, a new one anywhere."""
    new_xy = np.column_stack(ground.place(place, rng))
    near = xy + rng.normal(0, 2.0, xy.shape)
    shapes = city.settlements_gdf.geometry.to_numpy()[place]
    inside = shapely.contains_xy(shapes, near[:, 0], near[:, 1])
    return np.where(np.isnan(xy), new_xy, np.where(inside[:, None], near, xy))


def _age_heads(visited: VisitedRound, same_head: NDArray[np.bool_]) -> VisitedRound:
    """Heads who were there before are six years older."""
    ages = visited.columns["head_age"]
    years = SECOND_ROUND.starts_on.year - FIRST_ROUND.starts_on.year
    older = np.where(same_head & (ages.values > 0), ages.values + years, ages.values).astype(np.int16)
    return replace(visited, columns={**visited.columns, "head_age": replace(ages, values=older)})
