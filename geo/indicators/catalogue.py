"""The catalogue: every indicator Vasti ships."""

from functools import cache
from importlib.resources import files

from geo.errors import InvalidParameter, InvalidParameters
from geo.indicators.definition import Definition, read_definition


@cache
def catalogue() -> dict[str, Definition]:
    """Every shipped definition by id, in alphabetical order."""
    folder = files("data").joinpath("catalogue/indicators")
    paths = sorted((path for path in folder.iterdir() if path.name.endswith(".toml")), key=lambda p: p.name)
    definitions = [read_definition(path.read_text(encoding="utf-8"), name=path.name) for path in paths]
    return {definition.id: definition for definition in definitions}


def find_definitions(ids: list[str]) -> list[Definition]:
    """The definitions with these ids, or all of them where none is given.

    Raises:
        InvalidParameters: an id is not in the catalogue; the message lists those that are.
    """
    known = catalogue()
    if not ids:
        return list(known.values())
    missing = [i for i in ids if i not in known]
    if missing:
        allowed = ", ".join(known)
        raise InvalidParameters(
            [InvalidParameter("indicator", f"{i} is not an indicator; choose from {allowed}") for i in missing]
        )
    return [known[i] for i in dict.fromkeys(ids)]
