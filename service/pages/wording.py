"""What pages say of states, roles and steps."""

from collections.abc import Mapping

from geo.ingestion.loading import Words

STATES: Mapping[str, tuple[str, str]] = {
    "received": ("Being checked", "Nothing counts yet. You can close this page: the work goes on."),
    "checked": ("Checked", "It can be loaded. Nothing counts yet."),
    "waiting": ("Waits for you", "Nothing counts yet."),
    "accepted": ("Being loaded", "You can close this page: the work goes on."),
    "loaded": ("Loaded", ""),
    "published": ("Loaded and published", "Everybody sees its figures."),
    "withdrawing": ("Being taken back", "You can close this page: the work goes on."),
    "withdrawn": ("Taken back", ""),
    "refused": ("Not loaded", "Nothing of it counts."),
}
"""A heading and what it means, by the state as it is shown; empty where that depends on the kind of file."""


def state_in_words(state: str, kind: Words) -> tuple[str, str]:
    """A heading and what it means."""
    heading, meaning = STATES[state]
    return heading, meaning or {"loaded": kind.loaded, "withdrawn": kind.withdrawn}[state]


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
