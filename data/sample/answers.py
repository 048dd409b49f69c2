"""What households answer: standard fields and codes, drawn so that each household's answers agree.

Every answer is a small whole number: the place of its code, 0 or 1 for no and yes, or the number itself; two
negative numbers say that it was not asked or not known. One call answers for a chunk of any size.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from data.sample import questions as ask
from data.sample.conditions import DRAINAGE_RUNGS, TOILET_RUNGS, Quotas
from data.sample.quotas import Counts
from data.sample.terrain import Floats

NOT_ASKED, NOT_KNOWN = -1, -2
UNKNOWN_ANSWER_SHARE = 0.012

Kind = Literal["code", "boolean", "integer", "number"]
Draw = NDArray[np.float32]
Values = NDArray[np.int16]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Column:
    """One field's answers."""

    kind: Kind
    values: Values
    codes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Roll:
    """Households visited in one round: settlement, number in it, and the places that decide their rungs."""

    settlement: NDArray[np.int32]
    number: Counts
    toilet_position: Counts
    drainage_position: Counts

    def __len__(self) -> int:
        return len(self.settlement)


def draw_answers(households: int, rng: np.random.Generator) -> dict[str, Draw]:
    """A number between 0 and 1 for every question and household; equal draws give equal answers."""
    draws = rng.random((len(ask.DRAWN), households), dtype=np.float32)
    return dict(zip(ask.DRAWN, draws, strict=True))


def answer(roll: Roll, quotas: Quotas, deprivation: Floats, draws: Mapping[str, Draw]) -> dict[str, Column]:
    """Every standard answer of the households on the roll."""
    return _Interviews(roll, quotas, deprivation, draws).hold()


class _Interviews:
    """The interviews of one roll, question after question."""

    def __init__(self, roll: Roll, quotas: Quotas, deprivation: Floats, draws: Mapping[str, Draw]) -> None:
        self.place, self.deprivation, self.draws = roll.settlement, deprivation, draws
        self.later = quotas.survey.order
        self.toilet_rung = quotas.toilet.stand(roll.settlement, roll.toilet_position)
        self.drainage_rung = quotas.drainage.stand(roll.settlement, roll.drainage_position)
        self.visited: Mask = self.toilet_rung != TOILET_RUNGS.index("not_interviewed")
        self.columns: dict[str, Column] = {}

    def hold(self) -> dict[str, Column]:
        """Ask everything, in the order of the form."""
        everyone = self.visited
        self._set("members", "integer", 1 + self._weigh("members", ask.MEMBER_SHARES), everyone)
        reason = 1 + (self.draws["interview_result"] * (len(ask.CODES["interview_result"]) - 1)).astype(np.int16)
        self._set("interview_result", "code", np.where(everyone, 0, reason), np.ones_like(everyone))
        self._ask_toilet()
        self._ask_water()
        self._ask_services()
        self._set("rooms", "integer", 1 + self._choose(ask.ROOMS), everyone)
        for field in ("wall_permanent", "roof_permanent", "floor_permanent"):
            self._yes(field, everyone)
        self._set("hazard", "code", self._choose(ask.HAZARD), everyone)
        for field in ("tenure_document", "fears_eviction", "may_bequeath", "eviction_notice"):
            self._yes(field, everyone)
        self._yes("device", everyone)
        # A home without a device has no internet; where the device is not known, the answer stands.
        self._yes("internet", everyone, no_where=self.columns["device"].values == 0)
        self._set("head_sex", "code", self._choose(ask.HEAD_SEX), everyone)
        ages = ask.YOUNGEST_HEAD + self._weigh("head_age", ask.AGE_SHARES)
        self._set("head_age", "integer", ages, everyone)
        self._yes("has_disability", everyone)
        self._yes("migrant", everyone)
        self._set("occupation", "code", self._choose(ask.OCCUPATION), everyone)
        return self.columns

    def _ask_toilet(self) -> None:
        """The toilet: the rung says whose it is; one that is not there has no place, users or state."""
        rung = self.toilet_rung
        unknown = rung == TOILET_RUNGS.index("unknown")
        has_toilet = self.visited & (rung != TOILET_RUNGS.index("none"))
        users = np.array([0, 0, 0, 0, 1, 2, 3, 0], dtype=np.int16)[rung]
        elsewhere = rung >= TOILET_RUNGS.index("community")
        elsewhere |= rung == TOILET_RUNGS.index("own_elsewhere")
        # Half of those whose toilet is not known say what it is like, but not whose it is.
        vague = unknown & (self.draws["toilet_unknown"] < 0.5)

        kind = self._pick(np.cumsum(ask.TOILET_TYPE_SHARES, axis=1), users, self.draws["toilet_type"])
        no_toilet = ask.CODES["toilet_type"].index("none")
        self._set("toilet_type", "code", np.where(has_toilet, kind, no_toilet), self.visited, unknown & ~vague)
        self._set("toilet_location", "code", elsewhere.astype(np.int16), has_toilet, unknown & ~vague)
        self._set("toilet_users", "code", users, has_toilet, unknown)
        self._yes("toilet_working", has_toilet)
        emptied = self._pick(np.cumsum(ask.EMPTIED_SHARES, axis=1), None, self.draws["toilet_emptied"])
        row = ask.EXCRETA_ROW[kind]
        self._set("toilet_emptied", "code", emptied, has_toilet & (row == 1))
        destination = self._pick(np.cumsum(ask.EXCRETA_SHARES, axis=1), row, self.draws["excreta_destination"])
        dont_know = unknown | (self.draws["toilet_unknown"] > 0.97)
        self._set("excreta_destination", "code", destination, has_toilet, dont_know)

    def _ask_water(self) -> None:
        """Water: packaged water brings the question for other uses, whose place and time then count."""
        source = self._choose(ask.WATER_SOURCE)
        packaged = (source == ask.CODES["water_source"].index("bottled")) | (
            source == ask.CODES["water_source"].index("sachet")
        )
        shares = np.cumsum(ask.OTHER_SOURCE_SHARES, axis=1)
        other = self._pick(shares, None, self.draws["water_source_other_uses"])
        self._set("water_source", "code", source, self.visited, source < 0)
        self._set("water_source_other_uses", "code", other, self.visited & packaged)

        fetched_from = np.where(packaged, other, np.maximum(source, 0)).astype(np.int16)
        shares = np.cumsum(ask.WATER_LOCATION_SHARES, axis=1)
        location = self._pick(shares, fetched_from, self.draws["water_location"])
        self._set("water_location", "code", location, self.visited, source < 0)
        away = self.visited & (source >= 0) & (location == ask.CODES["water_location"].index("elsewhere"))
        far = np.exp(0.25 * self.deprivation).astype(np.float32)[self.place]
        draw = self.draws["water_minutes"]
        wait = -np.log(np.maximum(1e-4, 1.0 - draw)) * ask.MEAN_MINUTES[fetched_from] * far
        # People round the time of a walk and a queue to five minutes, once it is more than ten.
        minutes = np.where(wait > 10, 5 * np.round(wait / 5), 1 + np.floor(wait))
        minutes = np.minimum(minutes, 240)
        self._set("water_minutes", "number", minutes, away, draw < UNKNOWN_ANSWER_SHARE)
        self._yes("water_sufficient", self.visited)

    def _ask_services(self) -> None:
        """Washing, drains, electricity and waste."""
        washing = self._choose(ask.HANDWASHING_PLACE)
        self._set("handwashing_place", "code", washing, self.visited)
        seen = self.visited & (washing >= 0) & (washing <= 1)
        self._yes("handwashing_water", seen)
        self._yes("handwashing_soap", seen)

        drained = np.maximum(self.drainage_rung - 1, 0)
        no_answer = self.drainage_rung == DRAINAGE_RUNGS.index("unknown")
        self._set("drainage", "code", drained, self.visited, no_answer)
        self._set("electricity", "code", self._choose(ask.ELECTRICITY), self.visited)

        waste = self._choose(ask.WASTE_COLLECTION)
        self._set("waste_collection", "code", waste, self.visited)
        weekly = self._weigh("waste_per_week", ask.WEEKLY_SHARES[self.later])
        self._set("waste_per_week", "number", weekly, self.visited & (waste >= 0) & (waste <= 1))

    def _set(
        self, field: str, kind: Kind, values: NDArray[np.generic], asked: Mask, unknown: Mask | None = None
    ) -> None:
        """Set answers down; a question that was not put has none, and negative ones are not known."""
        told = np.asarray(values).astype(np.int16)
        told[told < 0] = NOT_KNOWN
        if unknown is not None:
            told[unknown] = NOT_KNOWN
        told[~asked] = NOT_ASKED
        self.columns[field] = Column(kind, told, ask.CODES.get(field, ()))

    def _yes(self, field: str, asked: Mask, no_where: Mask | None = None) -> None:
        """Yes or no, with a chance that hangs on the settlement."""
        spread, unknown = _set_unknown_aside(self.draws[field])
        yes = spread < ask.yes_chance(field, self.deprivation, self.later)[self.place]
        if no_where is not None:
            yes &= ~no_where
        self._set(field, "boolean", yes, asked, unknown)

    def _choose(self, question: ask.Choice) -> Values:
        """Codes that hang on the settlement; a small share is not known (negative)."""
        spread, unknown = _set_unknown_aside(self.draws[question.field])
        codes = self._pick(question.thresholds(self.deprivation, self.later), self.place, spread)
        # Rooms are counted from one, so unknown has to stay negative after adding it.
        codes[unknown] = -9
        return codes

    def _weigh(self, field: str, shares: Floats) -> Values:
        """Numbers from 0 with the given shares; a small share is not known (negative)."""
        spread, unknown = _set_unknown_aside(self.draws[field])
        until = np.cumsum(shares / shares.sum())[:-1].astype(np.float32)
        numbers = np.searchsorted(until, spread).astype(np.int16)
        numbers[unknown] = -99
        return numbers

    @staticmethod
    def _pick(thresholds: NDArray[np.floating], row: NDArray[np.integer] | None, draw: Draw) -> Values:
        """The code each draw falls on, by each household's row of cumulative chances."""
        codes = np.zeros(len(draw), dtype=np.int16)
        for edge in thresholds.astype(np.float32).T[:-1]:
            codes += draw > (edge[0] if row is None else edge[row])
        return codes


def _set_unknown_aside(draw: Draw) -> tuple[Draw, Mask]:
    """Draws spread over 0 to 1 again after the lowest ones are taken to mean that the answer is not known."""
    unknown = draw < UNKNOWN_ANSWER_SHARE
    return (draw - UNKNOWN_ANSWER_SHARE) / np.float32(1 - UNKNOWN_ANSWER_SHARE), unknown
