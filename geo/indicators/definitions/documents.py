"""Organisations' own indicators: checking a file, adding it as a version, finding it again."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, select

from geo.database.schema.places import organisation
from geo.database.schema.tallies import own_indicator
from geo.errors import Conflict, DefinitionInvalid, NotFound, UnreadableFile
from geo.fields import standard_fields
from geo.indicators.definitions.catalogue import catalogue, own_definition, read_catalogue, shipped_document
from geo.indicators.definitions.definition import Definition, read_definition

MOST_BYTES = 64 * 1024
"""The largest file."""

_RESERVED = frozenset({"all", "none", "null", "true", "false", "and", "or", "not", "in", "is", "between", "like"})


@dataclass(frozen=True)
class Added:
    """What came of adding a file: the definition with its version, and whether that was not there before."""

    definition: Definition
    is_new: bool


@dataclass(frozen=True)
class Listed:
    """An indicator in its newest version, and the organisation whose it is; None: it is shipped."""

    definition: Definition
    organisation: str | None


def read_document(path: Path) -> str:
    """The text of a definition's file.

    Raises:
        UnreadableFile: there is none, or it cannot be one of a definition.
    """
    if not path.is_file():
        raise UnreadableFile("file_missing", file=path)
    with path.open("rb") as file:
        raw = file.read(MOST_BYTES + 1)
    return decode_document(raw, path.name)


def decode_document(raw: bytes, name: str) -> str:
    """The text of a definition's file from its bytes.

    Raises:
        UnreadableFile: it is too large, or not UTF-8.
    """
    if len(raw) > MOST_BYTES:
        raise UnreadableFile("indicator_file_too_large", file=name, most_kib=MOST_BYTES // 1024)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableFile("file_not_utf8", file=name) from error


def check_own(connection: Connection | None, text: str, name: str) -> Definition:
    """The definition in a text that an organisation may add, which messages call by its name.

    With a connection it has the version as which it would be added, or is there already.

    Raises:
        InputError: it is no sound definition, or its id cannot be an organisation's; one sentence says why and where.
        Conflict: it says a version that is not the next.
    """
    decode_document(_encoded(text, name), name)
    definition = read_definition(text, name=name)
    _check_names(definition, name)
    if connection is None:
        return definition
    return numbered(definition, newest_version(connection, definition.id), name).definition


def _encoded(text: str, name: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise UnreadableFile("indicator_file_half_character", file=name) from error


def _check_names(definition: Definition, name: str) -> None:
    """Refuses an id or a ladder that would be taken for something else."""
    given = definition.id
    if given in catalogue():
        raise DefinitionInvalid("indicator_id_shipped", file=name, indicator=given)
    if given in standard_fields():
        raise DefinitionInvalid("indicator_id_standard", file=name, indicator=given)
    if given in _RESERVED or given.startswith("unserved_") or given.endswith("_") or "__" in given:
        raise DefinitionInvalid("indicator_id_reserved", file=name, indicator=given, instead=given.strip("_"))
    if definition.sensitive is False:
        raise DefinitionInvalid("indicator_sensitive_false", file=name)
    if definition.ladder in {shipped.ladder for shipped in catalogue().values() if shipped.ladder}:
        raise DefinitionInvalid("ladder_shipped", file=name, ladder=definition.ladder)


def newest_version(connection: Connection, indicator_id: str) -> Definition | None:
    """The newest version of an organisation's indicator; None: there is none."""
    row = connection.execute(
        select(own_indicator.c.document, own_indicator.c.version)
        .where(own_indicator.c.indicator_id == indicator_id)
        .order_by(own_indicator.c.version.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else own_definition(row.document, row.version)


def numbered(definition: Definition, newest: Definition | None, name: str) -> Added:
    """The definition with its version: that of the newest where it says the same, else the next."""
    given = definition.version if "version" in definition.model_fields_set else None
    if newest is not None and given in (None, newest.version) and _says(definition) == _says(newest):
        return Added(newest, is_new=False)
    following = 1 if newest is None else newest.version + 1
    if given not in (None, following):
        raise Conflict(
            "indicator_version_not_next", file=name, version=given, indicator=definition.id, next_version=following
        )
    return Added(definition.model_copy(update={"version": following}), is_new=True)


def _says(definition: Definition) -> dict[str, object]:
    return definition.model_dump(exclude={"version"})


def list_indicators(connection: Connection) -> list[Listed]:
    """Every indicator in its newest version, by id."""
    rows = connection.execute(
        select(own_indicator.c.indicator_id, organisation.c.slug).join(
            organisation, organisation.c.id == own_indicator.c.organisation_id
        )
    )
    owners = {row[0]: row[1] for row in rows}
    newest = read_catalogue(connection).newest
    return [Listed(newest[indicator_id], owners.get(indicator_id)) for indicator_id in sorted(newest)]


def find_document(connection: Connection, indicator_id: str, version: int | None) -> str:
    """The file an indicator was defined by, the newest where no version is named.

    Raises:
        NotFound: there is no such indicator or version; the message says which there are.
    """
    known = read_catalogue(connection)
    if indicator_id not in known.newest:
        raise NotFound("indicator_unknown", indicator=indicator_id)
    versions = sorted(d.version for d in known.versions if d.id == indicator_id)
    wanted = versions[-1] if version is None else version
    if wanted not in versions:
        there = [str(each) for each in versions]
        raise NotFound("indicator_version_unknown", version=wanted, indicator=indicator_id, known=there)
    found = connection.execute(
        select(own_indicator.c.document).where(
            own_indicator.c.indicator_id == indicator_id, own_indicator.c.version == wanted
        )
    ).scalar_one_or_none()
    return shipped_document(indicator_id) if found is None else str(found)
