"""How well served each settlement is, and how many households answer what in each round.

The two rounds are calibrated to what Pimpri-Chinchwad reported of its settlements: household toilets from 9 %
to 52 %, drainage from 24 % to 69 %. Settlements by the river and the tracks start worse off and gain less; a
few are fully served by the second round, a few not at all.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from data.sample.quotas import Counts, Ladder, calibrate_counts, divide_rest, split_total
from data.sample.settlements import City
from data.sample.terrain import Floats

TOILET_RUNGS = (
    "not_interviewed",
    "unknown",
    "own_at_home",
    "own_elsewhere",
    "shared",
    "community",
    "public",
    "none",
)
DRAINAGE_RUNGS = ("unknown", "closed", "open", "none")
NOT_INTERVIEWED_SHARE = 0.022
UNKNOWN_SHARE = 0.014


@dataclass(frozen=True)
class Round:
    """One survey round: its slug, days in the field, and the city figures it is calibrated to."""

    slug: str
    starts_on: date
    ends_on: date
    household_toilet_share: float
    drainage_share: float
    order: int


FIRST_ROUND = Round("2018", date(2018, 1, 15), date(2018, 4, 27), 0.09, 0.24, 0)
SECOND_ROUND = Round("2024", date(2024, 1, 8), date(2024, 4, 12), 0.52, 0.69, 1)


@dataclass(frozen=True)
class Conditions:
    """Per settlement: how deprived it is (0 is the middle), how crowded, and its pull in each round."""

    deprivation: Floats
    crowding: Floats
    is_tiny: NDArray[np.bool_]
    toilet_pull: tuple[Floats, Floats]
    drainage_pull: tuple[Floats, Floats]

    def sizes(self, households: int) -> Counts:
        """Households of each settlement, by area and crowding; a handful are only a few homes each."""
        sizes = np.where(self.is_tiny, 5 + np.arange(len(self.is_tiny)) % 5, 0).astype(np.int64)
        if sizes.sum() * 4 > households:
            return split_total(households, self.crowding)
        return sizes + split_total(households - int(sizes.sum()), np.where(self.is_tiny, 0.0, self.crowding))


def judge_settlements(city: City, seed: int) -> Conditions:
    """The conditions of a city's settlements; they depend on the seed and the shapes alone."""
    rng = np.random.default_rng([seed, 2])
    gdf = city.settlements_gdf
    count = len(gdf)
    ward_code, ward = np.unique(gdf["ward_code"].to_numpy(), return_inverse=True)
    kind = gdf["site_kind"].to_numpy()
    raw = (
        1.1 * (kind == "river")
        + 0.8 * (kind == "rail")
        + rng.normal(0, 0.6, len(ward_code))[ward]
        + rng.normal(0, 0.5, count)
    )
    deprivation = (raw - raw.mean()) / (raw.std() or 1.0)

    area_ha = gdf.area.to_numpy() / 10_000.0
    crowding = area_ha * rng.lognormal(0.0, 0.45, count)
    by_area = np.argsort(area_ha, kind="stable")
    # The densest few are small and packed to the roof, as in Dharavi; a few others are a handful of homes.
    few = min(20, count // 15)
    crowding[by_area[few : 2 * few]] *= 11.0
    is_tiny = np.zeros(count, dtype=bool)
    is_tiny[by_area[:few]] = True

    # A programme of home toilets finishes some settlements and leaves others out altogether.
    by_need = np.argsort(deprivation + rng.normal(0, 0.5, count), kind="stable")
    finished, left_out = by_need[: count // 8], by_need[count - count // 10 :]
    toilets = -0.9 * deprivation + rng.normal(0, 0.5, count)
    drains = -0.8 * deprivation + rng.normal(0, 0.6, count)
    toilets_later, drains_later = 1.2 * toilets, 1.2 * drains
    toilets_later[finished] += 5.0
    toilets_later[left_out] -= 7.0
    toilets[left_out] -= 5.0
    drains_later[finished[::2]] += 4.0
    drains_later[left_out[::2]] -= 4.0
    return Conditions(deprivation, crowding, is_tiny, (toilets, toilets_later), (drains, drains_later))


@dataclass(frozen=True)
class Quotas:
    """One round's counts: households per settlement, and the ladders they stand on."""

    survey: Round
    sizes: Counts
    not_interviewed: Counts
    toilet: Ladder
    drainage: Ladder
    toilet_counts: Counts

    @property
    def interviewed(self) -> Counts:
        """Households of each settlement that were interviewed."""
        return self.sizes - self.not_interviewed


def set_quotas(conditions: Conditions, survey: Round, sizes: Counts) -> Quotas:
    """The counts that bring the whole city to the round's figures."""
    total = int(sizes.sum())
    deprivation = conditions.deprivation
    not_interviewed = np.minimum(split_total(round(NOT_INTERVIEWED_SHARE * total), sizes), sizes)
    interviewed = sizes - not_interviewed
    unknown = np.minimum(split_total(round(UNKNOWN_SHARE * interviewed.sum()), interviewed), interviewed)
    known = interviewed - unknown

    own = calibrate_counts(known, conditions.toilet_pull[survey.order], survey.household_toilet_share)
    later = survey.order
    community = np.exp(1.6 - 0.1 * deprivation)
    rest_shares = np.column_stack(
        [
            np.full_like(community, 0.06),
            np.exp(0.3 + 0.3 * later - 0.3 * deprivation),
            community,
            np.exp(-0.6 + 0.1 * deprivation),
            np.exp(0.4 - 0.9 * later + 0.6 * deprivation),
        ]
    )
    toilet_counts = np.column_stack([not_interviewed, unknown, own, divide_rest(known - own, rest_shares)])

    drained = calibrate_counts(known, conditions.drainage_pull[survey.order], survey.drainage_share)
    closed = np.floor(drained / (1 + np.exp(0.4 - 0.9 * later + 0.5 * deprivation))).astype(np.int64)
    drainage_counts = np.column_stack([unknown, closed, drained - closed, known - drained])
    return Quotas(
        survey=survey,
        sizes=sizes,
        not_interviewed=not_interviewed,
        toilet=Ladder.of(TOILET_RUNGS, toilet_counts),
        drainage=Ladder.of(DRAINAGE_RUNGS, drainage_counts),
        toilet_counts=toilet_counts,
    )
