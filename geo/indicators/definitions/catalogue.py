"""The catalogue: every indicator Vasti ships, and every version of those organisations have added."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from importlib.resources import files

from sqlalchemy import Connection, select

from geo.database.schema.tallies import own_indicator
from geo.errors import InvalidParameter, InvalidParameters
from geo.indicators.definitions.definition import Definition, read_definition
from geo.messages import shortened


@cache
def catalogue() -> dict[str, Definition]:
    """Every shipped definition by id, in alphabetical order."""
    folder = files("data").joinpath("catalogue/indicators")
    names = sorted(path.name for path in folder.iterdir() if path.name.endswith(".toml"))
    definitions = [read_definition(shipped_document(name.removesuffix(".toml")), name=name) for name in names]
    return {definition.id: definition for definition in definitions}


def shipped_document(indicator_id: str) -> str:
    """The file of a shipped definition."""
    return files("data").joinpath(f"catalogue/indicators/{indicator_id}.toml").read_text(encoding="utf-8")


class Catalogue:
    """All versions of all indicators."""

    def __init__(self, versions: Iterable[Definition]) -> None:
        self._versions = {(d.id, d.version): d for d in versions}
        by_age = sorted(self._versions.values(), key=lambda d: (d.id, d.version))
        self.newest = {definition.id: definition for definition in by_age}
        """The newest version of each, by id."""

    @property
    def versions(self) -> list[Definition]:
        """Every version of every indicator."""
        return list(self._versions.values())

    def version(self, indicator_id: str, version: int) -> Definition:
        """One version of an indicator.

        Of one that is no longer known, such as a shipped one before an upgrade, the newest stands in: what was
        counted stays, and only what is made of it may have changed.
        """
        known = self._versions.get((indicator_id, version))
        return known or self.newest[indicator_id].model_copy(update={"version": version})

    def find(self, ids: Sequence[str]) -> list[Definition]:
        """The newest definitions with these ids, or all of them where none is given.

        Raises:
            InvalidParameters: an id is not in the catalogue; the message lists those that are.
        """
        return find_definitions(ids, self.newest)


def read_catalogue(connection: Connection) -> Catalogue:
    """The catalogue of an installation: what is shipped, and what its organisations have added.

    Where Vasti has come to ship an indicator by an id that an organisation had taken, the organisation's stays: tallies
    are kept by id and version, and those of one would pass for those of the other.
    """
    added = connection.execute(
        select(own_indicator.c.indicator_id, own_indicator.c.version, own_indicator.c.document)
    ).all()
    own = [own_definition(row.document, row.version) for row in added]
    taken = {definition.id for definition in own}
    return Catalogue([*(d for d in catalogue().values() if d.id not in taken), *own])


@lru_cache(maxsize=2048)
def own_definition(document: str, version: int) -> Definition:
    """The definition in a document that was added as this version."""
    return read_definition(document, name="An added indicator").model_copy(update={"version": version})


def find_definitions(ids: Sequence[str], known: Mapping[str, Definition]) -> list[Definition]:
    """The definitions with these ids, or all of them where none is given.

    Raises:
        InvalidParameters: an id is not known; the message lists those that are.
    """
    if not ids:
        return list(known.values())
    missing = [i for i in ids if i not in known]
    if missing:
        unknown = [shortened(i) for i in missing]
        raise InvalidParameters(
            [InvalidParameter("indicator", "indicators_unknown", unknown=unknown, known=list(known))]
        )
    return [known[i] for i in dict.fromkeys(ids)]
