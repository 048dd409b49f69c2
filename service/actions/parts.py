"""A file that comes in parts: announced, completed when all of it has come, or dropped."""

from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

from geo.ingestion import uploads
from geo.ingestion.loading import originals
from geo.ingestion.uploads import find_incoming, make_folder, remove_incoming
from geo.people import SignedIn
from geo.settings import Settings
from service.actions.receive import find_target, take_in


def announce(done: SignedIn, settings: Settings, file_name: str, size_bytes: int, fields: Mapping[str, str]) -> UUID:
    """Announces a file; under what number its parts come.

    Raises:
        as service.actions.receive.find_target, before the file is sent.
        Conflict: too many are on their way already.
        StorageFull: there is no room for it.
    """
    find_target(done, fields)
    account_id = done.bearer.account_id
    number = uploads.announce(done.connection, account_id, file_name, size_bytes, fields, settings.incoming_mb)
    make_folder(settings.incoming_dir)
    place_of(settings, number).touch(mode=0o600)
    return number


def complete(done: SignedIn, settings: Settings, number: UUID) -> int:
    """Takes a file in of which all has come; the upload's id. Its parts are the caller's to remove, once that is
    committed.

    Raises:
        NotFound: no such file is on its way.
        as service.actions.receive.take_in.
    """
    row = find_incoming(done.connection, number)
    original = originals.identify(place_of(settings, number), row["file_name"])
    upload_id = take_in(done, settings, original, row["fields"])
    remove_incoming(done.connection, number)
    return upload_id


def drop(done: SignedIn, number: UUID) -> None:
    """Forgets a file that was announced. What has come of it is the caller's to remove, once that is committed.

    Raises:
        NotFound: no such file is on its way.
    """
    find_incoming(done.connection, number)
    remove_incoming(done.connection, number)


def place_of(settings: Settings, number: UUID) -> Path:
    """Where the parts of a file are put together."""
    return settings.incoming_dir / str(number)
