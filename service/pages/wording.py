"""What pages say: the core's sentences in the words of the page's own fields, and what each state means."""

from collections.abc import Mapping

from geo.errors import VastiError
from service.http.wording import for_page


def form_problem(error: VastiError) -> str:
    """Why a form was refused."""
    return for_page(str(error)) if error.code == "unnamed" else error.say("page")


STATES: Mapping[str, tuple[str, str]] = {
    "received": ("Being checked", "Nothing counts yet. You can close this page: the work goes on."),
    "checked": ("Checked", "It can be loaded. Nothing counts yet."),
    "waiting": ("Waits for you", "Nothing counts yet."),
    "accepted": ("Being loaded", "You can close this page: the work goes on."),
    "loaded": (
        "Loaded",
        "Your organisation sees its figures. Everybody does once a steward publishes the round.",
    ),
    "published": ("Loaded and published", "Everybody sees its figures."),
    "withdrawing": ("Being taken back", "You can close this page: the work goes on."),
    "withdrawn": ("Taken back", "Its rows no longer count, and what it had replaced counts again."),
    "refused": ("Not loaded", "Nothing of it counts."),
}
"""A heading and what it means, by the state as it is shown."""

QUEUED: Mapping[str, str] = {
    "received": "Queued to be checked",
    "accepted": "Queued to be loaded",
    "withdrawing": "Queued to be taken back",
}
"""The heading of an upload that waits for its turn."""


def queued_turn(before: int) -> str:
    """How long the queue before an upload is."""
    match before:
        case 0:
            return "It is the next one."
        case 1:
            return "One other file is worked on before it."
    return f"{before:,} other files are worked on before it."


PLACE_STATES: Mapping[str, tuple[str, str]] = {
    **STATES,
    "loaded": ("Loaded", "Everybody sees them, and what is surveyed from now on is placed in them."),
    "withdrawn": ("Taken back", "They no longer count, and what they had replaced counts again."),
}
"""The same of a file of settlements or facilities."""

KINDS = (("", "as the file says of each"), ("community_toilet", "community toilets"), ("water_point", "water points"))
"""What all facilities of a file may be."""

PLACE_FIELDS: Mapping[str, Mapping[str, str]] = {
    "boundaries": {
        "settlement_code": "which tells settlements apart",
        "settlement_name": "as people call it",
        "ward_code": "of the ward it lies in",
        "ward_name": "of the ward it lies in",
        "longitude": "of one that nobody has drawn, in degrees",
        "latitude": "of one that nobody has drawn, in degrees",
        "radius": "how far around it reaches, in metres",
    },
    "facilities": {
        "facility_code": "which tells facilities apart",
        "facility_name": "as people call it",
        "kind": "community_toilet or water_point",
        "seats": "how many seats or taps it has",
        "seats_working": "how many of them work",
        "working": "whether it works at all",
        "opened_on": "the day it opened",
        "closed_on": "the day it was closed",
        "longitude": "in degrees",
        "latitude": "in degrees",
    },
}
"""What columns of settlements and of facilities hold."""

ROLE_MEANINGS: Mapping[str, str] = {
    "viewer": "sees full figures",
    "contributor": "opens rounds and sends files too",
    "steward": "publishes, sends settlements, manages people too",
    "operator": "runs the service",
}
"""What each role may do, beside what those before it may."""

IS_BUSY = ("received", "accepted", "withdrawing")
"""A worker has something to do: the page looks again by itself."""

STEPS: Mapping[str, str] = {"checking": "Checked", "loading": "Loaded", "withdrawing": "Taken back"}

CONFIDENCE: Mapping[str, str] = {"sure": "sure", "likely": "likely: look at it", "unsure": "unsure: not used"}

TRUST_OF_ANSWERS: Mapping[str, str] = {"sure": "sure", "likely": "look at it", "unsure": "not known"}
"""How sure it is what an answer means."""
