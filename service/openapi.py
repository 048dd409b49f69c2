"""The OpenAPI document, where FastAPI's own differs from what is answered."""

from typing import Any

from fastapi import FastAPI

from service.bodies import FeatureCollection
from service.problems import MEDIA_TYPE

_REF = "#/components/schemas/{model}"


class DescribedAPI(FastAPI):
    """An application whose OpenAPI document tells of problems as they are answered."""

    def openapi(self) -> dict[str, Any]:
        """The document, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = _corrected(super().openapi())
        return self.openapi_schema


def _corrected(document: dict[str, Any]) -> dict[str, Any]:
    for operations in document["paths"].values():
        for operation in operations.values():
            # Parameters that are not valid answer 400, as any other mistake of the reader's.
            operation["responses"].pop("422", None)
            for answer in operation["responses"].values():
                content = answer.get("content", {})
                if MEDIA_TYPE in content:
                    content[MEDIA_TYPE] = content.pop("application/json")
    schemas = document["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    features = FeatureCollection.model_json_schema(ref_template=_REF)
    schemas |= features.pop("$defs")
    schemas[FeatureCollection.__name__] = features
    return document
