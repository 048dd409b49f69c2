"""A file on its way in: streamed to disk, held to its size, known by its sha256, handed to a worker."""

import logging
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Any, BinaryIO, get_origin

import orjson

from geo.base import validated
from geo.database import check_disk, check_quota, limit_lock_waits
from geo.errors import InputError, InvalidParameter, InvalidParameters, TooLarge
from geo.ingestion.loading import (
    DEFAULT,
    KINDS,
    Choices,
    Original,
    Target,
    checked_choices,
    every_choice,
    originals,
)
from geo.ingestion.uploads import kept_bytes, make_folder, receive
from geo.people import Acting, SignedIn
from geo.places import find_city
from geo.settings import Settings
from service.actions.surveys import find_own
from service.work.queue import defer_upload

NAMED = ("city", "content", "survey")
"""Where a file goes: a city, its kind, and the round of one that goes into a round. The other fields are choices."""

_CHUNK = 1 << 20

_TAKING_IN_WAITS_S = 5.0

logger = logging.getLogger("vasti.uploads")
_LONGEST_NAME, _LONGEST_SUFFIX, _LONGEST_SUFFIX_BYTES = 180, 20, 60


def look_for_room(settings: Settings, size_bytes: int) -> None:
    """Looks, before a body is read, whether there is room for it: where bodies lie as they come, and where files do.

    Raises:
        StorageFull: there is not.
    """
    for folder in (Path(gettempdir()), settings.incoming_dir):
        check_disk(folder, size_bytes)


@contextmanager
def written(source: BinaryIO, file_name: str, max_bytes: int, folder: Path) -> Iterator[Original]:
    """The bytes of `source` as a file that is gone when the block ends.

    Raises:
        StorageFull: the disk has no room for it.
        TooLarge: there are more bytes than there may be.
        InputError: there are none, or the name is none.
    """
    name = plain_name(file_name)
    # Once on its way, and once where it is kept.
    check_disk(folder, 2 * source.seek(0, 2))
    source.seek(0)
    make_folder(folder)
    with TemporaryDirectory(dir=folder) as inside:
        path = Path(inside) / "received"
        size = 0
        with path.open("wb") as target:
            while chunk := source.read(_CHUNK):
                size += len(chunk)
                if size > max_bytes:
                    raise TooLarge(max_bytes)
                target.write(chunk)
        if size == 0:
            raise InputError("file_empty_sent", file=name)
        yield originals.identify(path, name)


def find_target(done: Acting, fields: Mapping[str, str]) -> tuple[Target, Choices]:
    """Where a file goes, and how it is to be read.

    Raises:
        InvalidParameters: a field is missing, unknown or not valid.
        NotFound: there is no such city or round.
        NotAllowed: the round is another organisation's, or such files are for others to send.
    """
    kind = KINDS.get(fields.get("content") or DEFAULT)
    if kind is None:
        raise InvalidParameters([InvalidParameter("content", "content_unknown", known=list(KINDS))])
    missing = [name for name in ("city", *(["survey"] if kind.in_round else [])) if not fields.get(name)]
    if missing:
        raise InvalidParameters([InvalidParameter(name, "parameter_required") for name in missing])
    given = validated(every_choice(), {n: _read(n, value) for n, value in fields.items() if n not in NAMED and value})
    choices: Choices = checked_choices(kind, given)
    done.require(kind.decided_by)
    if kind.in_round:
        row = find_own(done, fields["city"], fields["survey"])
        return Target(row["city_id"], kind.name, row["id"]), choices
    if fields.get("survey"):
        raise InvalidParameters([InvalidParameter("survey", "round_not_taken")])
    return Target(find_city(done.connection, fields["city"]), kind.name), choices


def _read(name: str, text: str) -> Any:
    """What a field of a form says: a choice that is several things comes as JSON, as OpenAPI has it of forms."""
    field = every_choice().model_fields.get(name)
    if field is None or get_origin(field.annotation) not in (dict, list):
        return text
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise InvalidParameters([InvalidParameter(name, "parameter_not_json")]) from None


def take_in(done: SignedIn, settings: Settings, original: Original, fields: Mapping[str, str]) -> int:
    """Keeps a file that has come whole, and has it checked; the upload's id.

    Raises:
        StorageFull: the organisation's files would take more than they may.
        Locked: the tables are somebody else's for too long.
        as find_target.
    """
    # A lock held for longer would hold this request, its thread and its connection.
    limit_lock_waits(done.connection, _TAKING_IN_WAITS_S)
    target, choices = find_target(done, fields)
    check_quota(
        kept_bytes(done.connection, done.bearer.organisation_id, original),
        settings.originals_mb,
        "quota_of_organisation",
    )
    originals.keep(original, done.bearer.organisation, settings.originals_url)
    upload_id = receive(done.connection, done.bearer, target, original, choices)
    defer_upload(done.connection, upload_id, "checking")
    facts = {"file_name": original.file_name, "sha256": original.sha256, "size_bytes": original.size_bytes}
    logger.info("file received", extra={"facts": {"upload": upload_id, "size_bytes": original.size_bytes}})
    done.note("file received", f"upload {upload_id}", after=facts)
    return upload_id


def plain_name(file_name: str) -> str:
    """The name of a file without folders and without what no name holds.

    Raises:
        InputError: nothing is left of it.
    """
    last = file_name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(letter for letter in last if unicodedata.category(letter)[0] != "C").strip()
    if kept.strip(".") == "":
        raise InputError("file_name_missing")
    stem, dot, suffix = kept.rpartition(".") if "." in kept else (kept, "", "")
    return _cut(stem, _LONGEST_NAME) + dot + _cut(suffix[:_LONGEST_SUFFIX], _LONGEST_SUFFIX_BYTES)


def _cut(text: str, n_bytes: int) -> str:
    """As much of a text as has so many bytes, which are what file systems count, without a letter cut in two."""
    return text.encode()[:n_bytes].decode(errors="ignore")
