"""Every public address of the API over the small city, in each of its forms: what all of them are held to."""

from collections.abc import Iterator

_ROUND = "city=khandesh&survey=2024&indicator=household_toilet"

LISTS = {
    "/api/v1/cities": "",
    "/api/v1/settlements": "",
    "/api/v1/surveys": "",
    "/api/v1/publications": "",
    "/api/v1/indicators": "",
    "/api/v1/values": _ROUND,
    "/api/v1/changes": "city=khandesh&from=2019&to=2024&indicator=household_toilet",
    "/api/v1/gaps": _ROUND,
    "/api/v1/trends": "city=khandesh&indicator=household_toilet",
}
"""Lists, each with a question it answers."""

OTHERS = {
    "/api/v1/values/{city}/{survey}/{indicator}/sources": "/api/v1/values/khandesh/2024/household_toilet/sources",
    "/maps/coverage": f"/maps/coverage?{_ROUND}",
}
"""What else is for everybody and changes with what is published, by its path in the document."""

FILES = {
    "/api/v1/publications/{city}/{survey}/{number}/download": "/api/v1/publications/khandesh/2024/1/download",
}
"""Files for everybody, by their path in the document. They are sent from the disk; no test makes the small city's."""

HEALTH = ("/healthz", "/readyz")

DOCUMENT = "/api/v1/openapi.json"

GEOJSON = ("/api/v1/settlements", "/api/v1/values", "/api/v1/gaps")
"""Lists that have shapes."""


def _forms() -> Iterator[tuple[str, str]]:
    for path, query in LISTS.items():
        for form in ("json", "csv", *(["geojson"] if path in GEOJSON else [])):
            yield f"{path}?{query}{'&' if query else ''}format={form}", form
    yield from ((address, "json" if address.startswith("/api") else "html") for address in OTHERS.values())
    yield DOCUMENT, "json"


FORMS = dict(_forms())
"""Every public answer, with the form it has."""

REFUSED = (
    "/api/v1/values?indicatr=x",
    "/maps/coverage?city=nowhere",
    "/api/v1/nothing",
    "/api/v1/trends",
    *FILES.values(),
)
"""What is wrong with each is for everybody to read."""
