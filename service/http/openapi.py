"""The OpenAPI document, where FastAPI's own differs from what is answered."""

from typing import Any

from fastapi import FastAPI

from geo.settings import Settings
from service.http.access import cookie_of
from service.http.bodies import FeatureCollection
from service.http.problems import MEDIA_TYPE

_REF = "#/components/schemas/{model}"

Needs = list[dict[str, list[str]]]
"""Ways to sign in for an operation, any of which will do; none where nobody need."""

_NOTHING: Needs = []
_READS: Needs = [{"key": []}, {"session": []}]
_CHANGES: Needs = [{"key": []}, {"session": [], "csrf": []}]


class DescribedAPI(FastAPI):
    """An application whose OpenAPI document tells of problems as they are answered."""

    def openapi(self) -> dict[str, Any]:
        """The document, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = _corrected(super().openapi(), self.state.settings)
        return self.openapi_schema


def about(settings: Settings) -> dict[str, Any]:
    """What the operator says of the service and its figures, as FastAPI takes it; nothing of what was not said."""
    contact = {"name": settings.contact_name, "email": settings.contact_email, "url": settings.contact_url}
    licence = {"name": settings.licence, "url": settings.licence_url}
    return {
        "contact": {name: said for name, said in contact.items() if said is not None} or None,
        # OpenAPI has no licence without a name.
        "license_info": {name: said for name, said in licence.items() if said is not None}
        if settings.licence
        else None,
        "servers": None if settings.public_url is None else [{"url": settings.public_url}],
    }


def _corrected(document: dict[str, Any], settings: Settings) -> dict[str, Any]:
    for operations in document["paths"].values():
        for method, operation in operations.items():
            # Parameters that are not valid answer 400, as any other mistake of the reader's.
            operation["responses"].pop("422", None)
            for answer in operation["responses"].values():
                content = answer.get("content", {})
                if MEDIA_TYPE in content:
                    content[MEDIA_TYPE] = content.pop("application/json")
            operation.setdefault("security", _security(method, operation))
    schemas = document["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    features = FeatureCollection.model_json_schema(ref_template=_REF)
    schemas |= features.pop("$defs")
    schemas[FeatureCollection.__name__] = features
    document["components"]["securitySchemes"] = _schemes(settings)
    return document


def _security(method: str, operation: dict[str, Any]) -> Needs:
    """Who may ask, as its answers tell: 401 where somebody has to sign in, 304 where it is for everybody."""
    answers = operation["responses"]
    if "401" not in answers:
        return _NOTHING
    if "304" in answers:
        return [{}, *_READS]
    return _READS if method == "get" else _CHANGES


def _schemes(settings: Settings) -> dict[str, Any]:
    """The ways to sign in."""
    cookie, _ = cookie_of(settings)
    return {
        "key": {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key, which a person makes for a program, such as vasti_...",
        },
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": cookie,
            "description": "The cookie of a session, which signing in leaves with a browser.",
        },
        "csrf": {
            "type": "apiKey",
            "in": "header",
            "name": "X-CSRF-Token",
            "description": "`csrf` in the answer to signing in, which a change asked for with the cookie needs too.",
        },
    }
