"""What each shipped indicator makes of answers: one table an indicator, answers in, yes, no or unknown out.

The outcomes are those of the indicators' sources (JMP, Census of India, SDG metadata), worked out by hand. None
stands for unknown; `outside` for a household that does not belong to the base.
"""

from typing import Any, Literal

Outcome = bool | None | Literal["outside"]
Case = tuple[dict[str, Any], Outcome]


def _toilet(kind: str | None, users: str | None, where: str | None = None) -> dict[str, Any]:
    return {"toilet_type": kind, "toilet_users": users, "toilet_location": where}


def _water(
    source: str | None, where: str | None = None, minutes: float | None = None, other: str | None = None
) -> dict[str, Any]:
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

TABLES: dict[str, list[Case]] = {
    "household_toilet": [
        (_toilet("flush_septic", "own", "on_premises"), True),
        (_toilet("pit_no_slab", "own", "on_premises"), True),  # whose, not how good
        (_toilet(None, "own", "on_premises"), True),
        (_toilet("flush_septic", "own", "elsewhere"), False),
        (_toilet("flush_septic", "shared", "on_premises"), False),
        (_toilet("flush_septic", "community", "elsewhere"), False),
        (_toilet("flush_septic", "public", None), False),
        (_toilet("none", None, None), False),  # the follow-up questions were skipped
        (_toilet("none", "own", "on_premises"), False),
        (_toilet("flush_septic", None, "on_premises"), None),
        (_toilet("flush_septic", "own", None), None),
        (_toilet("flush_septic", None, "elsewhere"), False),
        (_toilet(None, None, None), None),
    ],
    "community_toilet_use": [
        (_toilet("flush_sewer", "community"), True),
        (_toilet("flush_sewer", "public"), True),
        (_toilet(None, "community"), True),
        (_toilet("flush_sewer", "own"), False),
        (_toilet("flush_sewer", "shared"), False),
        (_toilet("none", None), False),
        (_toilet("none", "public"), False),
        (_toilet("flush_sewer", None), None),
        (_toilet(None, None), None),
    ],
    "open_defecation": [
        (_toilet("none", None), True),
        *[(_toilet(kind, "own"), False) for kind in (*IMPROVED_TOILETS, *OTHER_TOILETS)],
        (_toilet(None, "own"), None),
    ],
    "sanitation_basic": [
        *[(_toilet(kind, "own"), True) for kind in IMPROVED_TOILETS],
        *[(_toilet(kind, "own"), False) for kind in OTHER_TOILETS],
        (_toilet("vip", "shared"), False),
        (_toilet("vip", "community"), False),
        (_toilet("vip", "public"), False),
        (_toilet("none", None), False),
        (_toilet("bucket", None), False),
        (_toilet("vip", None), None),  # not shared needs an explicit answer
        (_toilet(None, "shared"), False),
        (_toilet(None, "own"), None),
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
    "water_basic": [
        (_water("piped_dwelling"), True),  # place and time are known by what it is
        (_water("piped_yard", "elsewhere", 90), True),
        *[(_water(source, "elsewhere", 30), True) for source in IMPROVED_WATER],
        (_water("public_tap", "elsewhere", 0), True),
        (_water("public_tap", "elsewhere", 30.5), False),
        (_water("public_tap", "elsewhere", 31), False),
        (_water("public_tap", None, 30), True),
        (_water("public_tap", None, 31), False),
        (_water("borehole", "dwelling"), True),
        (_water("borehole", "yard", 45), True),
        (_water("borehole", "elsewhere"), False),  # improved with time unknown is limited, not basic
        (_water("borehole"), False),
        (_water("bottled", other="piped_yard"), True),
        (_water("sachet", other="piped_dwelling"), True),
        (_water("bottled", "elsewhere", 30, "public_tap"), True),
        (_water("bottled", "elsewhere", 31, "public_tap"), False),
        (_water("bottled", "yard", None, "borehole"), True),
        (_water("bottled", "yard", 5, "unprotected_well"), False),
        (_water("sachet", "yard", 5, "surface"), False),
        (_water("sachet", "yard", 5, "other"), False),
        (_water("bottled", "yard", 5, None), None),
        (_water("bottled"), None),  # the source nobody names may be a tap at home
        (_water("unprotected_well", "yard", 1), False),
        (_water("unprotected_spring", "yard", 1), False),
        (_water("other", "dwelling", 0), False),
        (_water("surface", "yard", 1), False),
        (_water(None, "yard", 5), None),
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
    "overcrowded": [
        ({"members": 3, "rooms": 1}, False),  # exactly three a room is not overcrowded
        ({"members": 4, "rooms": 1}, True),
        ({"members": 6, "rooms": 2}, False),
        ({"members": 7, "rooms": 2}, True),
        ({"members": 1, "rooms": 0}, True),
        ({"members": 4, "rooms": None}, None),
        ({"members": None, "rooms": 1}, None),
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
}
"""By indicator; every household was interviewed."""

BASE: list[Case] = [
    ({"interview_result": "completed"}, True),
    ({"interview_result": None}, True),
    ({"interview_result": "partial"}, "outside"),
    ({"interview_result": "absent"}, "outside"),
    ({"interview_result": "refused"}, "outside"),
    ({"interview_result": "vacant"}, "outside"),
    ({"interview_result": "other"}, "outside"),
]
"""Of every shipped indicator: who counts as interviewed, given a household that says yes."""
