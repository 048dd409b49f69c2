"""What each shipped indicator makes of answers: one table an indicator, answers in, its outcome out.

The outcomes are those of the indicators' sources (JMP and MICS, Census of India, SDG metadata, Alkire and Foster),
worked out by hand. None stands for unknown, `outside` for a household that does not belong to the base, a number for
the score of a mean.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from geo.fields import standard_fields
from tests.spec.outcomes import Outcome

Answers = dict[str, Any]
Case = tuple[Answers, Outcome]


def _toilet(kind: str | None, users: str | None, where: str | None = None, works: bool | None = None) -> Answers:
    return {"toilet_type": kind, "toilet_users": users, "toilet_location": where, "toilet_working": works}


def _water(
    source: str | None, where: str | None = None, minutes: float | None = None, other: str | None = None
) -> Answers:
    return {
        "water_source": source,
        "water_location": where,
        "water_minutes": minutes,
        "water_source_other_uses": other,
    }


IMPROVED_TOILETS = (
    "flush_sewer",
    "flush_septic",
    "flush_pit",
    "flush_unknown",
    "vip",
    "pit_slab",
    "composting",
    "twin_pit_slab",
    "container_based",
)
OTHER_TOILETS = ("flush_open", "pit_no_slab", "bucket", "hanging", "twin_pit_no_slab", "other")
USERS = ("own", "shared", "community", "public")

IMPROVED_WATER = (
    "piped_neighbour",
    "public_tap",
    "borehole",
    "protected_well",
    "protected_spring",
    "rainwater",
    "tanker",
    "cart",
    "kiosk",
)
"""Improved, and not piped to the home or packaged."""
OTHER_WATER = ("unprotected_well", "unprotected_spring", "other")

Ladder = Sequence[tuple[Answers, set[str]]]
"""Answers, and the rungs they leave possible: one where they decide."""

SANITATION: Ladder = [
    *[(_toilet(kind, "own"), {"basic"}) for kind in IMPROVED_TOILETS],
    *[(_toilet(kind, "shared"), {"limited"}) for kind in IMPROVED_TOILETS],
    (_toilet("vip", "community"), {"limited"}),
    (_toilet("vip", "public"), {"limited"}),
    (_toilet("vip", None), {"basic", "limited"}),  # not shared needs an explicit answer
    *[(_toilet(kind, users), {"unimproved"}) for kind in OTHER_TOILETS for users in (*USERS, None)],
    (_toilet("none", None), {"open"}),  # the follow-up questions were skipped
    (_toilet("none", "own"), {"open"}),
    (_toilet("none", "public"), {"open"}),
    (_toilet(None, "own"), {"basic", "unimproved", "open"}),
    (_toilet(None, "shared"), {"limited", "unimproved", "open"}),
    (_toilet(None, None), {"basic", "limited", "unimproved", "open"}),
]

WATER: Ladder = [
    (_water("piped_dwelling"), {"basic"}),  # place and time are known by what it is
    (_water("piped_yard"), {"basic"}),
    (_water("piped_yard", "elsewhere", 90), {"basic"}),
    *[(_water(source, "elsewhere", 30), {"basic"}) for source in IMPROVED_WATER],
    *[(_water(source, "yard"), {"basic"}) for source in IMPROVED_WATER],
    *[(_water(source, "elsewhere", 31), {"limited"}) for source in IMPROVED_WATER],
    *[(_water(source), {"limited"}) for source in IMPROVED_WATER],  # improved with time unknown
    (_water("public_tap", "elsewhere", 0), {"basic"}),
    (_water("public_tap", "elsewhere", 30.5), {"limited"}),
    (_water("public_tap", None, 30), {"basic"}),
    (_water("public_tap", None, 31), {"limited"}),
    (_water("borehole", "dwelling"), {"basic"}),
    (_water("borehole", "yard", 45), {"basic"}),
    (_water("borehole", "elsewhere"), {"limited"}),
    # Packaged: place and time are those of the water for other uses.
    (_water("bottled", other="piped_yard"), {"basic"}),
    (_water("sachet", other="piped_dwelling"), {"basic"}),
    (_water("sachet", "elsewhere", 45, "piped_dwelling"), {"basic"}),
    *[(_water("bottled", "elsewhere", 30, other), {"basic"}) for other in IMPROVED_WATER],
    *[(_water("sachet", "elsewhere", 31, other), {"limited"}) for other in IMPROVED_WATER],
    (_water("bottled", "dwelling", None, "borehole"), {"basic"}),
    (_water("bottled", None, None, "borehole"), {"limited"}),
    # It is improved itself, so it is limited, and never unimproved, beside a source that is not.
    *[(_water("bottled", "yard", 5, other), {"limited"}) for other in (*OTHER_WATER, "surface")],
    (_water("sachet", "yard", 5, "surface"), {"limited"}),
    (_water("bottled", "yard", 5, "bottled"), {"limited"}),
    (_water("sachet", "yard", 5, "sachet"), {"limited"}),
    (_water("bottled"), {"basic", "limited"}),  # the source nobody names may be a tap at home
    (_water("bottled", "yard", 5), {"basic", "limited"}),
    (_water("sachet", "elsewhere", 45), {"basic", "limited"}),
    *[(_water(source, "yard", 1), {"unimproved"}) for source in OTHER_WATER],
    *[(_water(source), {"unimproved"}) for source in OTHER_WATER],
    (_water("other", "dwelling", 0, "piped_dwelling"), {"unimproved"}),
    (_water("surface"), {"surface"}),
    (_water("surface", "yard", 1), {"surface"}),
    (_water(None), {"basic", "limited", "unimproved", "surface"}),
    (_water(None, "yard", 5, "public_tap"), {"basic", "unimproved", "surface"}),
]


def _rung(ladder: Ladder, rung: str) -> list[Case]:
    """The table of one rung: whether a household stands on it."""
    return [(answers, None if rung in rungs and len(rungs) > 1 else rung in rungs) for answers, rungs in ladder]


SAFE: list[Case] = [
    ({"toilet_emptied": "never", "excreta_destination": "contained"}, True),
    ({"toilet_emptied": "buried_on_site", "excreta_destination": "contained"}, True),
    ({"toilet_emptied": "removed", "excreta_destination": "contained"}, False),
    ({"toilet_emptied": None, "excreta_destination": "contained"}, None),
    ({"toilet_emptied": "removed", "excreta_destination": "treatment_plant"}, True),
    ({"toilet_emptied": "never", "excreta_destination": "treatment_plant"}, False),
    ({"toilet_emptied": "buried_on_site", "excreta_destination": "treatment_plant"}, False),
    ({"toilet_emptied": None, "excreta_destination": "treatment_plant"}, None),
    ({"toilet_emptied": None, "excreta_destination": "sewer_secondary"}, True),  # nobody empties a sewer
    ({"toilet_emptied": "never", "excreta_destination": "sewer_secondary"}, True),
    ({"toilet_emptied": None, "excreta_destination": "sewer_untreated"}, False),
    *[
        ({"toilet_emptied": emptied, "excreta_destination": "environment"}, False)
        for emptied in ("never", "removed", "buried_on_site", None)
    ],
    *[
        ({"toilet_emptied": emptied, "excreta_destination": None}, None)
        for emptied in ("never", "removed", "buried_on_site", None)
    ],
]
"""Whether excreta of a toilet that is basic are dealt with safely."""

CONTAINED: Answers = {"toilet_emptied": "never", "excreta_destination": "contained"}

COMMUNITY_TOILET: list[Case] = [
    (_toilet("flush_sewer", "community"), True),
    (_toilet("flush_sewer", "public"), True),
    *[(_toilet(kind, "public"), True) for kind in (*IMPROVED_TOILETS, *OTHER_TOILETS)],
    (_toilet(None, "community"), True),
    (_toilet("flush_sewer", "own"), False),
    (_toilet("flush_sewer", "shared"), False),
    (_toilet(None, "own"), False),
    (_toilet("none", None), False),
    (_toilet("none", "public"), False),
    (_toilet("flush_sewer", None), None),
    (_toilet(None, None), None),
]

OWN_TOILET: list[Case] = [
    (_toilet("flush_septic", "own", "on_premises"), True),
    *[(_toilet(kind, "own", "on_premises"), True) for kind in OTHER_TOILETS],  # whose, not how good
    *[(_toilet(kind, "own", "on_premises"), True) for kind in IMPROVED_TOILETS],
    (_toilet(None, "own", "on_premises"), True),
    (_toilet("flush_septic", "own", "elsewhere"), False),
    (_toilet("flush_septic", "shared", "on_premises"), False),
    (_toilet("flush_septic", "community", "elsewhere"), False),
    (_toilet("flush_septic", "public", None), False),
    (_toilet("none", None, None), False),
    (_toilet("none", "own", "on_premises"), False),
    (_toilet("flush_septic", None, "on_premises"), None),
    (_toilet("flush_septic", "own", None), None),
    (_toilet("flush_septic", None, "elsewhere"), False),
    (_toilet(None, None, None), None),
]

CROWDED: list[Case] = [
    ({"members": 3, "rooms": 1}, False),  # exactly three a room is not overcrowded
    ({"members": 4, "rooms": 1}, True),
    ({"members": 6, "rooms": 2}, False),
    ({"members": 7, "rooms": 2}, True),
    ({"members": 1, "rooms": 0}, True),
    ({"members": 4, "rooms": None}, None),
    ({"members": None, "rooms": 1}, None),
]


def _home(
    wall: bool | None = True, roof: bool | None = True, floor: bool | None = True, hazard: str | None = "none"
) -> Answers:
    return {"wall_permanent": wall, "roof_permanent": roof, "floor_permanent": floor, "hazard": hazard}


NOT_DURABLE: list[Case] = [
    (_home(), False),
    (_home(wall=False), True),
    (_home(roof=False), True),
    (_home(floor=False), True),
    *[(_home(hazard=hazard), True) for hazard in ("flood", "slope", "toxic", "right_of_way")],
    (_home(False, False, False, "flood"), True),
    (_home(False, None, None, None), True),  # one defect is enough
    (_home(None, None, False, None), True),
    (_home(None, None, None, "slope"), True),
    (_home(wall=None), None),
    (_home(roof=None), None),
    (_home(floor=None), None),
    (_home(hazard=None), None),  # nobody asked about hazards
    (_home(None, None, None, "none"), None),
    (_home(None, None, None, None), None),
]


def _tenure(fears: bool | None, bequeaths: bool | None) -> Answers:
    return {"fears_eviction": fears, "may_bequeath": bequeaths}


INSECURE: list[Case] = [
    (_tenure(False, True), False),
    (_tenure(True, True), True),
    (_tenure(False, False), True),
    (_tenure(True, False), True),
    (_tenure(True, None), True),
    (_tenure(None, False), True),
    (_tenure(False, None), None),
    (_tenure(None, True), None),
    (_tenure(None, None), None),
]


def _contrary(table: Sequence[Case]) -> list[Case]:
    """Yes for no and no for yes; unknown stays unknown."""
    return [(answers, outcome if outcome is None else not outcome) for answers, outcome in table]


# The five deprivations of slum households. Each is told apart on a household that is sound in every other respect, or
# that lacks just one other thing.
SOUND: Answers = {
    **_water("piped_dwelling"),
    **_toilet("flush_septic", "own"),
    **_home(),
    **_tenure(False, True),
    "members": 4,
    "rooms": 2,
}
"""A household with none of the five deprivations."""

DEPRIVED: Mapping[str, Sequence[Case]] = {
    "water": _contrary(_rung(WATER, "basic")),
    "sanitation": _contrary(_rung(SANITATION, "basic")),
    "durability": NOT_DURABLE,
    "crowding": CROWDED,
    "tenure": INSECURE,
}
"""By deprivation, who is deprived."""

LACKING: Mapping[str, Answers] = {
    "water": _water("surface"),
    "sanitation": _toilet("none", None),
    "durability": _home(floor=False),
    "crowding": {"rooms": 1},
    "tenure": _tenure(True, True),
}
"""Answers of a household that lacks one thing."""

UNTOLD: Mapping[str, Answers] = {
    "water": _water(None),
    "sanitation": _toilet(None, None),
    "durability": _home(hazard=None),
    "crowding": {"rooms": None},
    "tenure": _tenure(None, None),
}
"""Answers that leave open whether a household lacks one thing."""


def _household(lacks: Sequence[str] = (), untold: Sequence[str] = ()) -> Answers:
    answers = dict(SOUND)
    for name in lacks:
        answers |= LACKING[name]
    for name in untold:
        answers |= UNTOLD[name]
    return answers


ONE_APART: list[Case] = [({**SOUND, **answers}, deprived) for table in DEPRIVED.values() for answers, deprived in table]
"""Sound households but for one respect: whether they lack it."""

SECOND_APART: list[Case] = [
    ({**_household(["tenure" if name == "crowding" else "crowding"]), **answers}, deprived)
    for name, table in DEPRIVED.items()
    for answers, deprived in table
]
"""Households that lack one thing, and those that may lack a second: whether they do."""

FIVE = tuple(LACKING)


def _scored(table: Sequence[Case], lacks: Outcome, has: Outcome) -> list[Case]:
    return [(answers, None if outcome is None else lacks if outcome else has) for answers, outcome in table]


TABLES: dict[str, list[Case]] = {
    "household_toilet": OWN_TOILET,
    "household_toilet_working": [
        *[({**answers, "toilet_working": True}, outcome) for answers, outcome in OWN_TOILET],
        *[({**answers, "toilet_working": False}, False) for answers, _ in OWN_TOILET],
        # Where nobody knows whether it works, only a household without one is decided.
        *[({**answers, "toilet_working": None}, None if outcome else outcome) for answers, outcome in OWN_TOILET],
    ],
    "community_toilet_use": COMMUNITY_TOILET,
    "seat_load": COMMUNITY_TOILET,
    "sanitation_basic": _rung(SANITATION, "basic"),
    "sanitation_limited": _rung(SANITATION, "limited"),
    "sanitation_unimproved": _rung(SANITATION, "unimproved"),
    "open_defecation": _rung(SANITATION, "open"),
    "sanitation_improved": [
        *[(_toilet(kind, users), True) for kind in IMPROVED_TOILETS for users in (*USERS, None)],
        *[(_toilet(kind, "own"), False) for kind in (*OTHER_TOILETS, "none")],
        (_toilet(None, "own"), None),
    ],
    "sanitation_safely_managed": [
        *[({**_toilet("flush_septic", "own"), **answers}, safe) for answers, safe in SAFE],
        *[({**_toilet(kind, "own"), **CONTAINED}, True) for kind in IMPROVED_TOILETS],
        *[({**_toilet(kind, "own"), **CONTAINED}, False) for kind in (*OTHER_TOILETS, "none")],
        *[({**_toilet("vip", users), **CONTAINED}, False) for users in ("shared", "community", "public")],
        ({**_toilet("vip", None), **CONTAINED}, None),
        ({**_toilet(None, "own"), **CONTAINED}, None),
        ({**_toilet(None, "shared"), **CONTAINED}, False),
        ({**_toilet("vip", None), "excreta_destination": "environment"}, False),
        ({**_toilet("none", None)}, False),
    ],
    "drainage_any": [
        ({"drainage": "closed"}, True),
        ({"drainage": "open"}, True),
        ({"drainage": "none"}, False),
        ({"drainage": None}, None),
    ],
    "drainage_closed": [
        ({"drainage": "closed"}, True),
        ({"drainage": "open"}, False),
        ({"drainage": "none"}, False),
        ({"drainage": None}, None),
    ],
    "water_basic": _rung(WATER, "basic"),
    "water_limited": _rung(WATER, "limited"),
    "water_unimproved": _rung(WATER, "unimproved"),
    "water_surface": _rung(WATER, "surface"),
    "water_on_premises": [
        (_water("piped_dwelling"), True),
        (_water("piped_yard"), True),
        (_water("public_tap", "dwelling", 2), True),
        (_water("unprotected_well", "yard"), True),  # where, not how good
        (_water(None, "yard"), True),
        *[
            (_water(source, "elsewhere"), False)
            for source in standard_fields()["water_source"].codes
            if source not in ("piped_dwelling", "piped_yard", "bottled", "sachet")
        ],
        (_water("public_tap"), None),
        (_water("public_tap", None, 45), None),
        # Delivered, unless the household goes to meet it.
        (_water("tanker"), True),
        (_water("cart", None, 0), True),
        (_water("tanker", "yard", 20), True),
        (_water("tanker", "elsewhere", 0), False),
        (_water("cart", None, 20), None),
        # Packaged: where the water for other uses is.
        (_water("bottled", other="piped_dwelling"), True),
        (_water("sachet", other="piped_yard"), True),
        (_water("bottled", "yard", None, "borehole"), True),
        (_water("bottled", other="tanker"), True),
        (_water("sachet", None, 0, "cart"), True),
        (_water("bottled", None, 20, "tanker"), None),
        *[
            (_water("bottled", "elsewhere", None, other), False)
            for other in standard_fields()["water_source"].codes
            if other not in ("piped_dwelling", "piped_yard")
        ],
        (_water("bottled", None, None, "borehole"), None),
        (_water("bottled"), None),
        (_water("bottled", "elsewhere"), None),  # the source nobody names may be a tap at home
        (_water(None), None),
        (_water(None, "elsewhere"), None),
    ],
    "hygiene_basic": [
        *[
            ({"handwashing_place": place, "handwashing_water": water, "handwashing_soap": soap}, outcome)
            for place in ("fixed", "mobile")
            for water, soap, outcome in (
                (True, True, True),
                (True, False, False),
                (False, True, False),
                (False, False, False),
                (False, None, False),
                (None, False, False),
                (True, None, None),
                (None, True, None),
                (None, None, None),
            )
        ],
        ({"handwashing_place": "none"}, False),
        ({"handwashing_place": "none", "handwashing_water": True, "handwashing_soap": True}, False),
        ({"handwashing_place": "not_permitted"}, "outside"),
        ({"handwashing_place": "not_permitted", "handwashing_water": True, "handwashing_soap": True}, "outside"),
        ({"handwashing_place": None, "handwashing_water": True, "handwashing_soap": True}, "outside"),
    ],
    "electricity_access": [
        ({"electricity": "metered"}, True),
        ({"electricity": "irregular"}, True),
        ({"electricity": "mini_grid"}, True),
        ({"electricity": "solar"}, True),
        ({"electricity": "generator"}, False),
        ({"electricity": "battery"}, False),
        ({"electricity": "none"}, False),
        ({"electricity": None}, None),
    ],
    "electricity_formal": [
        ({"electricity": "metered"}, True),
        ({"electricity": "irregular"}, False),
        ({"electricity": "mini_grid"}, False),
        ({"electricity": "solar"}, False),
        ({"electricity": "generator"}, False),
        ({"electricity": "battery"}, False),
        ({"electricity": "none"}, False),
        ({"electricity": None}, None),
    ],
    "waste_collected": [
        ({"waste_collection": "door_to_door", "waste_per_week": 7}, True),
        ({"waste_collection": "container", "waste_per_week": 1}, True),
        ({"waste_collection": "container", "waste_per_week": 0.5}, False),
        ({"waste_collection": "container", "waste_per_week": 0}, False),
        ({"waste_collection": "door_to_door", "waste_per_week": None}, None),
        ({"waste_collection": "dumped", "waste_per_week": None}, False),
        ({"waste_collection": "burned_or_buried", "waste_per_week": None}, False),
        ({"waste_collection": "dumped", "waste_per_week": 3}, False),
        ({"waste_collection": None, "waste_per_week": 0}, False),
        ({"waste_collection": None, "waste_per_week": 2}, None),
        ({"waste_collection": None, "waste_per_week": None}, None),
    ],
    "overcrowded": CROWDED,
    "not_durable": NOT_DURABLE,
    "tenure_documented": [
        ({"tenure_document": True}, True),
        ({"tenure_document": False}, False),
        ({"tenure_document": None}, None),
    ],
    "tenure_secure": _contrary(INSECURE),
    "slum_household": [
        *ONE_APART,
        *[(_household([name]), True) for name in FIVE],
        (_household(FIVE), True),
        *[(_household([name], [other for other in FIVE if other != name]), True) for name in FIVE],
        *[(_household(untold=[name]), None) for name in FIVE],
        (_household(untold=FIVE), None),
    ],
    "slum_severity": [
        *_scored(ONE_APART, 1.0, 0.0),
        *_scored(SECOND_APART, 2.0, 1.0),
        *[(_household(FIVE[:n]), float(n)) for n in range(6)],
        *[(_household(FIVE[1:], FIVE[:1]), None), (_household(FIVE[:4], FIVE[4:]), None)],
    ],
    "mpi_headcount": [
        *_scored(ONE_APART, False, False),
        *_scored(SECOND_APART, True, False),
        *[(_household(FIVE[:n]), n >= 2) for n in range(6)],
        # Poor whatever the answer is, and yet not all five are known.
        *[(_household(FIVE[1:], FIVE[:1]), None), (_household(FIVE[:4], FIVE[4:]), None)],
    ],
    "mpi_intensity": [
        *_scored(ONE_APART, "outside", "outside"),
        *_scored(SECOND_APART, 0.4, "outside"),
        (_household(), "outside"),
        *[(_household(FIVE[:n]), n / 5) for n in range(2, 6)],
        *[(_household(FIVE[1:], FIVE[:1]), None), (_household(FIVE[:4], FIVE[4:]), None)],
    ],
    "mpi_adjusted": [
        *_scored(ONE_APART, 0.0, 0.0),
        *_scored(SECOND_APART, 0.4, 0.0),
        *[(_household(FIVE[:n]), n / 5 if n >= 2 else 0.0) for n in range(6)],
        *[(_household(FIVE[1:], FIVE[:1]), None), (_household(FIVE[:4], FIVE[4:]), None)],
    ],
    "internet_home": [
        ({"internet": True}, True),
        ({"internet": False}, False),
        ({"internet": None}, None),
    ],
    "density_persons": [
        ({"members": 5}, True),
        ({"members": 0}, True),
        ({"members": None}, None),
    ],
    "density_households": [
        ({"members": 5}, True),
        ({"members": 0}, True),
        ({"members": None}, True),  # of whatever size
    ],
}
"""By indicator; every household was interviewed. Where nothing else is said it has 4 members."""

BASE: list[tuple[Answers, bool]] = [
    ({"interview_result": "completed"}, True),
    ({"interview_result": None}, True),
    ({"interview_result": "partial"}, False),
    ({"interview_result": "absent"}, False),
    ({"interview_result": "refused"}, False),
    ({"interview_result": "vacant"}, False),
    ({"interview_result": "other"}, False),
]
"""Of every shipped indicator: who counts as interviewed."""
