"""Organisations' own indicators: checking a file, adding it as a version, finding it again."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, func, insert, select

from geo.data_version import raise_data_version
from geo.errors import Conflict, DefinitionInvalid, NotFound, UnreadableFile, quoted
from geo.fields import standard_fields
from geo.indicators.catalogue import catalogue, own_definition, read_catalogue, shipped_document
from geo.indicators.definition import Definition, read_definition
from geo.indicators.tallies import ALL
from geo.ingestion.recompute import recompute_all
from geo.locks import lock_final
from geo.organisations import open_organisation
from geo.schema.places import organisation
from geo.schema.values import own_indicator, tally

MOST_BYTES = 64 * 1024
"""The largest file."""

MOST_INDICATORS = 200
"""How many an installation may have."""

MOST_VERSIONS = 1000
"""How many versions of all of them together: every load counts each."""

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
        raise UnreadableFile(f"{path} does not exist or is not a file.")
    with path.open("rb") as file:
        raw = file.read(MOST_BYTES + 1)
    return decode_document(raw, path.name)


def decode_document(raw: bytes, name: str) -> str:
    """The text of a definition's file from its bytes.

    Raises:
        UnreadableFile: it is too large, or not UTF-8.
    """
    if len(raw) > MOST_BYTES:
        raise UnreadableFile(f"{name} is larger than {MOST_BYTES // 1024} KiB, which no indicator is.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableFile(f"{name} is not UTF-8 text; save it as UTF-8.") from error


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
    return _numbered(definition, _newest(connection, definition.id), name).definition


def add_own(connection: Connection, text: str, name: str, organisation_slug: str) -> Added:
    """Adds an indicator, or the next version of one, and makes the figures of every survey for it.

    The same definition again changes nothing. Earlier versions stay, and what was counted by them.

    Raises:
        InputError: as check_own, or there are as many indicators as there may be.
        Conflict: the id is another organisation's, or the text says a version that is not the next.
    """
    definition = check_own(None, text, name)
    # Before the lock: a load under way that adds the same organisation must be able to end.
    organisation_id = open_organisation(connection, organisation_slug)
    lock_final(connection)
    owner = connection.execute(
        select(organisation.c.slug)
        .join(own_indicator, own_indicator.c.organisation_id == organisation.c.id)
        .where(own_indicator.c.indicator_id == definition.id)
        .limit(1)
    ).scalar_one_or_none()
    if owner not in (None, organisation_slug):
        raise Conflict(f"{name}: {definition.id} is an indicator of {owner}; choose another id.")
    added = _numbered(definition, _newest(connection, definition.id), name)
    if not added.is_new:
        return added
    _check_room(connection, definition.id)
    connection.execute(
        insert(own_indicator).values(
            indicator_id=definition.id,
            version=added.definition.version,
            organisation_id=organisation_id,
            document=text,
        )
    )
    recompute_all(connection)
    raise_data_version(connection)
    return added


def _encoded(text: str, name: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise UnreadableFile(f"{name} holds half of a character.") from error


def _check_names(definition: Definition, name: str) -> None:
    """Refuses an id or a ladder that would be taken for something else."""
    given = definition.id
    if given in catalogue():
        raise DefinitionInvalid(f"{name}: {given} is an indicator that Vasti ships; choose another id.")
    if given in standard_fields():
        raise DefinitionInvalid(f"{name}: {given} is a standard field; choose another id.")
    if given in _RESERVED or given.startswith("unserved_") or given.endswith("_") or "__" in given:
        raise DefinitionInvalid(f"{name}: {given} cannot be an id; choose another, such as own_{given.strip('_')}.")
    if definition.sensitive is False:
        raise DefinitionInvalid(
            f"{name}: sensitive cannot be false: whether its answers could harm follows from its fields; leave it out."
        )
    if definition.ladder in {shipped.ladder for shipped in catalogue().values() if shipped.ladder}:
        raise DefinitionInvalid(
            f"{name}: {definition.ladder} is a ladder whose rungs Vasti ships; choose another name for the ladder."
        )


def _newest(connection: Connection, indicator_id: str) -> Definition | None:
    row = connection.execute(
        select(own_indicator.c.document, own_indicator.c.version)
        .where(own_indicator.c.indicator_id == indicator_id)
        .order_by(own_indicator.c.version.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else own_definition(row.document, row.version)


def _numbered(definition: Definition, newest: Definition | None, name: str) -> Added:
    """The definition with its version: that of the newest where it says the same, else the next."""
    given = definition.version if "version" in definition.model_fields_set else None
    if newest is not None and given in (None, newest.version) and _says(definition) == _says(newest):
        return Added(newest, is_new=False)
    following = 1 if newest is None else newest.version + 1
    if given not in (None, following):
        raise Conflict(
            f"{name} says it is version {given}, but the next of {definition.id} is {following}: write that, or leave "
            "version out."
        )
    return Added(definition.model_copy(update={"version": following}), is_new=True)


def _says(definition: Definition) -> dict[str, object]:
    return definition.model_dump(exclude={"version"})


def _check_room(connection: Connection, indicator_id: str) -> None:
    distinct = func.count(own_indicator.c.indicator_id.distinct())
    others = own_indicator.c.indicator_id != indicator_id
    n_others = connection.execute(select(distinct).where(others)).scalar_one()
    n_versions = connection.execute(select(func.count()).select_from(own_indicator)).scalar_one()
    if n_others >= MOST_INDICATORS:
        raise DefinitionInvalid(f"There are {MOST_INDICATORS} indicators of organisations already, and may be no more.")
    if n_versions >= MOST_VERSIONS:
        raise DefinitionInvalid(
            f"There are {MOST_VERSIONS:,} versions of organisations' indicators already, and may be no more."
        )


def count_surveys(connection: Connection, definition: Definition) -> int:
    """In how many surveys anybody answers an indicator."""
    found = connection.execute(
        select(func.count(tally.c.survey_id.distinct())).where(
            tally.c.group_field == ALL,
            tally.c.indicator_id == definition.id,
            tally.c.definition_version == definition.version,
            tally.c.n > 0,
        )
    )
    return int(found.scalar_one())


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
        raise NotFound(
            f"There is no indicator {quoted([indicator_id])}; `vasti indicators list` shows which there are."
        )
    versions = sorted(d.version for d in known.versions if d.id == indicator_id)
    wanted = versions[-1] if version is None else version
    if wanted not in versions:
        there = ", ".join(map(str, versions))
        raise NotFound(f"There is no version {wanted} of {indicator_id}; there is {there}.")
    found = connection.execute(
        select(own_indicator.c.document).where(
            own_indicator.c.indicator_id == indicator_id, own_indicator.c.version == wanted
        )
    ).scalar_one_or_none()
    return shipped_document(indicator_id) if found is None else str(found)
