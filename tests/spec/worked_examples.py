"""One worked example an indicator: a few households, what each counts as, and the figure, all worked out by hand.

A test runs them through both engines, and docs/indicators.md shows them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.spec.answer_tables import SOUND, Answers
from tests.spec.outcomes import Outcome

Household = tuple[Answers, Outcome]


@dataclass(frozen=True)
class Example:
    """Households of one settlement with what each counts as, and the figure they make."""

    households: tuple[Household, ...]
    yes: float
    """What they add up to: households or people that say yes, or people times their score."""
    of: float
    """Over what: the households or people of the base, square metres, or working seats."""
    figure: float
    unless_said: Mapping[str, Any] = field(default_factory=dict)
    """Answers of every household, unless it says otherwise."""
    note: str = ""

    def rows(self) -> list[Answers]:
        """The households with all their answers."""
        return [{**self.unless_said, **answers} for answers, _ in self.households]


@dataclass(frozen=True)
class Facility:
    """A facility, and how far it is from the middle of the settlement."""

    lon: float
    lat: float
    works: bool
    distance_m: float


@dataclass(frozen=True)
class DistanceExample:
    """The middle of a settlement, and the facilities around it."""

    lon: float
    lat: float
    facilities: tuple[Facility, ...]
    figure: float
    note: str


def _of(outcome: Outcome, members: int | None = None, /, **answers: Any) -> Household:
    return ({"members": members, **answers} if members is not None else answers), outcome


AT_HOME = {"toilet_users": "own", "toilet_location": "on_premises"}


def _toilets(*outcomes: Outcome) -> tuple[Household, ...]:
    """The same five households on every rung of the sanitation ladder."""
    answers: tuple[Answers, ...] = (
        {"members": 5, "toilet_type": "flush_septic", "toilet_users": "own"},
        {"members": 4, "toilet_type": "vip", "toilet_users": "shared"},
        {"members": 6, "toilet_type": "pit_no_slab", "toilet_users": "own"},
        {"members": 3, "toilet_type": "none"},
        {"members": 2, "toilet_type": "flush_sewer", "toilet_users": None},
    )
    return tuple(zip(answers, outcomes, strict=True))


SANITATION_NOTE = (
    "The same five households stand on the rungs basic (25 %), limited (20 %), unimproved (30 %) and open defecation "
    "(15 %); the 10 % left are the fifth, of whom nobody knows whether they share their toilet."
)


def _waters(*outcomes: Outcome) -> tuple[Household, ...]:
    """The same seven households on every rung of the water ladder."""
    answers: tuple[Answers, ...] = (
        {"members": 5, "water_source": "piped_yard"},
        {"members": 4, "water_source": "public_tap", "water_location": "elsewhere", "water_minutes": 30},
        {"members": 3, "water_source": "borehole", "water_location": "elsewhere", "water_minutes": 31},
        {"members": 2, "water_source": "tanker", "water_location": "elsewhere", "water_minutes": None},
        {
            "members": 6,
            "water_source": "bottled",
            "water_source_other_uses": "public_tap",
            "water_location": "elsewhere",
            "water_minutes": 10,
        },
        {"members": 4, "water_source": "unprotected_well", "water_location": "yard"},
        {"members": 1, "water_source": "surface"},
    )
    return tuple(zip(answers, outcomes, strict=True))


WATER_NOTE = (
    "The same seven households stand on the rungs basic (60 %), limited (20 %), unimproved (16 %) and surface (4 %), "
    "which add up to 100 %."
)


def _supplies(*outcomes: Outcome) -> tuple[Household, ...]:
    answers: tuple[Answers, ...] = (
        {"members": 4, "electricity": "metered"},
        {"members": 5, "electricity": "irregular"},
        {"members": 3, "electricity": "solar"},
        {"members": 6, "electricity": "generator"},
        {"members": 2, "electricity": None},
    )
    return tuple(zip(answers, outcomes, strict=True))


def _drains(*outcomes: Outcome) -> tuple[Household, ...]:
    answers: tuple[Answers, ...] = tuple({"drainage": d} for d in ("closed", "closed", "open", "none", None))
    return tuple(zip(answers, outcomes, strict=True))


NO_DEPRIVATION = {
    name: answer for name, answer in SOUND.items() if answer is not None and name not in ("members", "toilet_working")
}


def _deprived(*outcomes: Outcome) -> tuple[Household, ...]:
    """The same five households in every score."""
    answers: tuple[Answers, ...] = (
        {"members": 4},
        {"members": 7, "toilet_users": "shared"},
        {"members": 5, "water_source": "surface"},
        {
            "members": 4,
            "water_source": "surface",
            "toilet_users": "shared",
            "floor_permanent": False,
            "fears_eviction": True,
        },
        {"members": 3, "toilet_users": "shared", "hazard": None},
    )
    return tuple(zip(answers, outcomes, strict=True))


SCORE_NOTE = (
    "The second household, seven people in two rooms, is crowded and shares its toilet: two deprivations. The third "
    "has one, the fourth four. The fifth shares its toilet, and nobody knows whether it stands in a hazard too."
)

EXAMPLES: dict[str, Example] = {
    "household_toilet": Example(
        (
            _of(True, toilet_type="flush_septic", **AT_HOME),
            _of(True, toilet_type="pit_no_slab", **AT_HOME),
            _of(False, toilet_type="flush_septic", toilet_users="shared", toilet_location="on_premises"),
            _of(False, toilet_type="none"),
            _of(None, toilet_type="vip", toilet_users="own", toilet_location=None),
        ),
        yes=2,
        of=4,
        figure=50,
        note="The second counts: whose the toilet is matters here, not how good it is.",
    ),
    "household_toilet_working": Example(
        (
            _of(True, toilet_type="flush_septic", **AT_HOME, toilet_working=True),
            _of(False, toilet_type="flush_septic", **AT_HOME, toilet_working=False),
            _of(False, toilet_type="flush_sewer", toilet_users="community", toilet_working=True),
            _of(None, toilet_type="vip", **AT_HOME, toilet_working=None),
        ),
        yes=1,
        of=3,
        figure=33.33,
    ),
    "community_toilet_use": Example(
        (
            _of(True, toilet_type="flush_sewer", toilet_users="community"),
            _of(True, toilet_type="flush_septic", toilet_users="public"),
            _of(False, toilet_type="vip", toilet_users="shared"),
            _of(False, toilet_type="none"),
            _of(None, toilet_type="vip", toilet_users=None),
        ),
        yes=2,
        of=4,
        figure=50,
        note="A toilet shared with a neighbour is not a community toilet.",
    ),
    "sanitation_improved": Example(_toilets(True, True, False, False, True), yes=11, of=20, figure=55),
    "sanitation_basic": Example(
        _toilets(True, False, False, False, None), yes=5, of=20, figure=25, note=SANITATION_NOTE
    ),
    "sanitation_limited": Example(
        _toilets(False, True, False, False, None), yes=4, of=20, figure=20, note=SANITATION_NOTE
    ),
    "sanitation_unimproved": Example(
        _toilets(False, False, True, False, False), yes=6, of=20, figure=30, note=SANITATION_NOTE
    ),
    "open_defecation": Example(
        _toilets(False, False, False, True, False), yes=3, of=20, figure=15, note=SANITATION_NOTE
    ),
    "sanitation_safely_managed": Example(
        (
            _of(
                True,
                5,
                toilet_type="flush_septic",
                toilet_users="own",
                toilet_emptied="removed",
                excreta_destination="treatment_plant",
            ),
            _of(
                False,
                4,
                toilet_type="flush_septic",
                toilet_users="own",
                toilet_emptied="removed",
                excreta_destination="environment",
            ),
            _of(True, 6, toilet_type="flush_sewer", toilet_users="own", excreta_destination="sewer_secondary"),
            _of(
                False,
                3,
                toilet_type="pit_slab",
                toilet_users="shared",
                toilet_emptied="never",
                excreta_destination="contained",
            ),
            _of(
                None,
                2,
                toilet_type="twin_pit_slab",
                toilet_users="own",
                toilet_emptied="never",
                excreta_destination=None,
            ),
        ),
        yes=11,
        of=20,
        figure=55,
        note="The fourth toilet is shared, so it is not basic, and not safely managed either.",
    ),
    "water_basic": Example(
        _waters(True, True, False, False, True, False, False), yes=15, of=25, figure=60, note=WATER_NOTE
    ),
    "water_limited": Example(
        _waters(False, False, True, True, False, False, False), yes=5, of=25, figure=20, note=WATER_NOTE
    ),
    "water_unimproved": Example(
        _waters(False, False, False, False, False, True, False), yes=4, of=25, figure=16, note=WATER_NOTE
    ),
    "water_surface": Example(
        _waters(False, False, False, False, False, False, True), yes=1, of=25, figure=4, note=WATER_NOTE
    ),
    "water_on_premises": Example(
        (
            _of(True, 5, water_source="piped_dwelling"),
            _of(False, 4, water_source="public_tap", water_location="elsewhere", water_minutes=10),
            _of(True, 3, water_source="tanker"),
            _of(False, 2, water_source="tanker", water_location="elsewhere"),
            _of(True, 6, water_source="sachet", water_source_other_uses="piped_yard"),
        ),
        yes=14,
        of=20,
        figure=70,
        note="The third has its water delivered; the fourth goes to meet the tanker.",
    ),
    "hygiene_basic": Example(
        (
            _of(True, 5, handwashing_place="fixed", handwashing_water=True, handwashing_soap=True),
            _of(False, 4, handwashing_place="fixed", handwashing_water=True, handwashing_soap=False),
            _of(False, 3, handwashing_place="none"),
            _of("outside", 6, handwashing_place="not_permitted"),
            _of(None, 2, handwashing_place="mobile", handwashing_water=True, handwashing_soap=None),
        ),
        yes=5,
        of=14,
        figure=35.71,
        note="The fourth did not let the interviewer look: it is not in the base at all.",
    ),
    "drainage_any": Example(_drains(True, True, True, False, None), yes=3, of=4, figure=75),
    "drainage_closed": Example(_drains(True, True, False, False, None), yes=2, of=4, figure=50),
    "electricity_access": Example(_supplies(True, True, True, False, None), yes=12, of=18, figure=66.67),
    "electricity_formal": Example(_supplies(True, False, False, False, None), yes=4, of=18, figure=22.22),
    "waste_collected": Example(
        (
            _of(True, waste_collection="door_to_door", waste_per_week=7),
            _of(True, waste_collection="container", waste_per_week=1),
            _of(False, waste_collection="container", waste_per_week=0.5),
            _of(False, waste_collection="dumped"),
            _of(None, waste_collection="door_to_door", waste_per_week=None),
        ),
        yes=2,
        of=4,
        figure=50,
        note="Once a fortnight, as at the third, is not enough.",
    ),
    "overcrowded": Example(
        (
            _of(False, 6, rooms=2),
            _of(True, 7, rooms=2),
            _of(False, 3, rooms=1),
            _of(None, 4, rooms=None),
        ),
        yes=7,
        of=16,
        figure=43.75,
        note="Exactly three to a room, as in the first and third, is not overcrowded.",
    ),
    "not_durable": Example(
        (
            _of(False, 4),
            _of(True, 5, floor_permanent=False),
            _of(True, 6, hazard="right_of_way"),
            _of(True, 2, roof_permanent=False, hazard=None),
            _of(None, 3, hazard=None),
        ),
        yes=13,
        of=17,
        figure=76.47,
        unless_said={"wall_permanent": True, "roof_permanent": True, "floor_permanent": True, "hazard": "none"},
        note="The fourth has one defect, which is enough whatever the hazard; of the last it is not known.",
    ),
    "tenure_documented": Example(
        (
            _of(True, tenure_document=True),
            _of(False, tenure_document=False),
            _of(False, tenure_document=False),
            _of(None, tenure_document=None),
        ),
        yes=1,
        of=3,
        figure=33.33,
    ),
    "tenure_secure": Example(
        (
            _of(True, fears_eviction=False, may_bequeath=True),
            _of(True, fears_eviction=False, may_bequeath=True),
            _of(False, fears_eviction=True, may_bequeath=True),
            _of(False, fears_eviction=None, may_bequeath=False),
            _of(None, fears_eviction=False, may_bequeath=None),
        ),
        yes=2,
        of=4,
        figure=50,
        note="The fourth may not leave the dwelling to its heirs: that is enough to be insecure.",
    ),
    "slum_household": Example(
        _deprived(False, True, True, True, True),
        yes=19,
        of=23,
        figure=82.61,
        unless_said=NO_DEPRIVATION,
        note="The last shares its toilet: it is deprived whatever the hazard, which nobody knows.",
    ),
    "slum_severity": Example(
        _deprived(0.0, 2.0, 1.0, 4.0, None),
        yes=35,
        of=20,
        figure=1.75,
        unless_said=NO_DEPRIVATION,
        note=SCORE_NOTE,
    ),
    "mpi_headcount": Example(
        _deprived(False, True, False, True, None),
        yes=11,
        of=20,
        figure=55,
        unless_said=NO_DEPRIVATION,
        note=SCORE_NOTE,
    ),
    "mpi_intensity": Example(
        _deprived("outside", 0.4, "outside", 0.8, None),
        yes=6,
        of=11,
        figure=54.55,
        unless_said=NO_DEPRIVATION,
        note=f"{SCORE_NOTE} A household deprived in fewer than two is not in the base.",
    ),
    "mpi_adjusted": Example(
        _deprived(0.0, 0.4, 0.0, 0.8, None),
        yes=6,
        of=20,
        figure=0.3,
        unless_said=NO_DEPRIVATION,
        note=f"{SCORE_NOTE} Headcount times intensity is the same: 11/20 × 6/11 = 0.3.",
    ),
    "internet_home": Example(
        (
            _of(True, internet=True),
            _of(False, internet=False),
            _of(False, internet=False),
            _of(False, internet=False),
            _of(None, internet=None),
        ),
        yes=1,
        of=4,
        figure=25,
    ),
    "density_persons": Example(
        (_of(True, 5), _of(True, 3), _of(True, 6), _of(True, 2)),
        yes=16,
        of=2_000,
        figure=8_000,
        note="The boundary holds 2,000 m², which are 0.002 km².",
    ),
    "density_households": Example(
        (_of(True, 5), _of(True, 3), _of(True, 6), ({"members": None}, True)),
        yes=4,
        of=2_000,
        figure=20,
        note="The boundary holds 2,000 m², which are 0.2 ha. A household counts also where its size is not known.",
    ),
    "seat_load": Example(
        (
            _of(True, 5, toilet_type="flush_sewer", toilet_users="community"),
            _of(True, 4, toilet_type="flush_septic", toilet_users="public"),
            _of(False, 6, toilet_type="vip", toilet_users="own"),
            _of(False, 3, toilet_type="none"),
        ),
        yes=9,
        of=2,
        figure=4.5,
        note="Of the three seats of the settlement's community toilet two work.",
    ),
}
"""By indicator, where it is tallied."""

EQUATOR_NOTE = (
    "A thousandth of a degree along the equator is 111.3 m. The nearest does not work, so the next one counts."
)

DISTANCES: dict[str, DistanceExample] = dict.fromkeys(
    ("toilet_distance", "water_point_distance"),
    DistanceExample(
        lon=36.9,
        lat=0.0,
        facilities=(
            Facility(36.902, 0.0, works=False, distance_m=222.6),
            Facility(36.897, 0.0, works=True, distance_m=334.0),
            Facility(36.906, 0.0, works=True, distance_m=667.9),
        ),
        figure=334,
        note=EQUATOR_NOTE,
    ),
)
"""By indicator, where it is a distance."""
