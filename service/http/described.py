"""How routes describe their answers in OpenAPI."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from service.http.bodies import FeatureCollection, Problem
from service.http.problems import MEDIA_TYPE
from service.http.responses import MEDIA_TYPES, Format

Responses = dict[int | str, dict[str, Any]]


def _problem(description: str) -> dict[str, Any]:
    return {"description": description, "model": Problem, "content": {MEDIA_TYPE: {}}}


def responses(
    body: type[BaseModel],
    *,
    csv_example: str | None = None,
    geojson: bool = False,
    full: bool = False,
    found: bool = False,
) -> Responses:
    """The answers of a public list: its body in each form, unchanged, refused, and not ready.

    `full`: it has access=full, which is for those who have signed in; `found`: there may be no such thing.
    """
    content: dict[str, Any] = {}
    if csv_example is not None:
        content["text/csv"] = {"schema": {"type": "string"}, "example": csv_example}
    if geojson:
        content["application/geo+json"] = {"schema": {"$ref": f"#/components/schemas/{FeatureCollection.__name__}"}}
    return {
        200: {"description": (body.__doc__ or "").strip(), "model": body, "content": content},
        304: {"description": "Nothing changed since the answer whose ETag is in If-None-Match."},
        **REFUSALS,
        429: _problem("Too much was asked for that is not kept; `Retry-After` says when to ask again."),
        **(_WHO if full else {}),
        **({404: _NONE} if found else {}),
    }


def private_responses(body: type[BaseModel] | None, *, status: int = 200, others: Sequence[Format] = ()) -> Responses:
    """The answers of a route that is for somebody: its body, if any, and why it may be refused.

    `others` are the forms beside JSON.
    """
    told = "Done; there is nothing more to say." if body is None else (body.__doc__ or "").strip()
    answer: dict[str, Any] = {"description": told}
    if body is not None:
        answer["model"] = body
    if others:
        answer["content"] = {MEDIA_TYPES[form].partition(";")[0]: {} for form in others}
    return {
        status: answer,
        **REFUSALS,
        **_WHO,
        404: _NONE,
        409: _problem("It contradicts what is already there."),
        429: _problem("It was tried too often; `Retry-After` says when it may be tried again."),
    }


_NONE = _problem("There is no such thing, or it is not yours to see.")

_WHO: Responses = {
    401: _problem("Nobody has signed in, or the key is not valid, or the password is wrong."),
    403: _problem("The role is too low, or the request may come from another site."),
}

NOBODY_SIGNED_IN: dict[str, Any] = {"security": []}
"""Of a route that refuses a wrong password, though nobody has to have signed in before."""

FILE_REFUSALS: Responses = {
    408: _problem("The body came too slowly."),
    413: _problem("The file is larger than the service takes."),
    507: _problem("There is no room left on the disk; nothing was loaded or lost."),
}
"""What a route that takes a file may answer besides."""

PARTS_REFUSALS: Responses = {
    **FILE_REFUSALS,
    412: _problem("Another version of the protocol is asked for than `Tus-Version` says."),
}
"""And one that takes it in parts."""

REFUSALS: Responses = {
    400: _problem("A parameter is unknown, missing or not valid; `invalid_params` says which and why."),
    503: _problem(
        "The database cannot be reached, too many ask at once, or it takes too long; `Retry-After` says when to ask "
        "again."
    ),
}
"""What any route that reads the database may answer instead."""
