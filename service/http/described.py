"""How routes describe their answers in OpenAPI."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from service.formats.format import BYTES, Format
from service.formats.table import JSON
from service.http.bodies import Problem
from service.http.problems import MEDIA_TYPE

Responses = dict[int | str, dict[str, Any]]


def _problem(description: str) -> dict[str, Any]:
    return {"description": description, "model": Problem, "content": {MEDIA_TYPE: {}}}


def _in_forms(body: type[BaseModel], forms: Sequence[Format], examples: Mapping[str, str]) -> dict[str, Any]:
    """A body as JSON, which FastAPI describes, and in the other forms."""
    content = {
        form.media_type.partition(";")[0]: {"schema": form.schema}
        | ({"example": examples[form.name]} if form.name in examples else {})
        for form in forms
        if form.name != JSON
    }
    return {"description": (body.__doc__ or "").strip(), "model": body, "content": content}


def responses(
    body: type[BaseModel],
    *,
    forms: Sequence[Format] = (),
    examples: Mapping[str, str] | None = None,
    full: bool = False,
    found: bool = False,
) -> Responses:
    """The answers of a public list: its body in each of its `forms`, unchanged, refused, and not ready.

    `examples`: what it looks like in forms that are text; `full`: it has access=full, which is for those who have
    signed in; `found`: there may be no such thing.
    """
    return {
        200: _in_forms(body, forms, examples or {}),
        304: {"description": "Nothing changed since the answer whose ETag is in If-None-Match."},
        **REFUSALS,
        429: _TOO_OFTEN,
        **(_WHO if full else {}),
        **({404: _NONE} if found else {}),
    }


def file_responses(about: str, media_type: str) -> Responses:
    """The answers of a route that sends a file to everybody."""
    content = {media_type: {"schema": BYTES}}
    return {
        200: {"description": about, "content": content},
        206: {"description": "The part of it that `Range` asks for.", "content": content},
        304: {"description": "It is the file whose ETag is in If-None-Match."},
        **REFUSALS,
        404: _NONE,
        429: _TOO_OFTEN,
    }


def private_responses(body: type[BaseModel] | None, *, status: int = 200, forms: Sequence[Format] = ()) -> Responses:
    """The answers of a route that is for somebody: its body, if any, and why it may be refused."""
    told: dict[str, Any] = {"description": "Done; there is nothing more to say."}
    return {
        status: told if body is None else _in_forms(body, forms, {}),
        **REFUSALS,
        **_WHO,
        404: _NONE,
        409: _problem("It contradicts what is already there."),
        429: _problem("It was tried too often; `Retry-After` says when it may be tried again."),
    }


_NONE = _problem("There is no such thing, or it is not yours to see.")

_TOO_OFTEN = _problem("Too much was asked for that is not kept; `Retry-After` says when to ask again.")

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
