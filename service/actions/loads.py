"""Files that are loaded at once, without waiting for a worker: what they brought, and taking it back."""

from pathlib import Path

from geo.ingestion import loading
from geo.ingestion.loading import LoadResult
from geo.ingestion.reading import ReadOptions
from geo.ingestion.uploads import find_upload
from geo.people import Acting
from service.actions.surveys import find_own


def note_loaded(done: Acting, result: LoadResult) -> None:
    """Notes what a load of boundaries, a survey or facilities brought, where it brought anything."""
    if result.state == "loaded" and result.upload_id is not None:
        _note(done, result.upload_id, "file loaded")
        for earlier in result.replaced:
            _note(done, earlier, "upload withdrawn")


def load_frame(done: Acting, path: Path, city: str, survey: str, read: ReadOptions) -> LoadResult:
    """Loads how many households each settlement has, or clusters each stratum, of which a round reached some.

    Raises:
        as geo.ingestion.loading.load_frame; as service.actions.surveys.find_own.
    """
    row = find_own(done, city, survey)
    result = loading.load_frame(done.connection, path, city, survey, read)
    facts = {"file_name": path.name, "rows_loaded": result.rows_loaded}
    done.note("frame loaded", f"survey {city}/{survey}", owner_id=row["organisation_id"], after=facts)
    return result


def withdraw(done: Acting, upload_id: int) -> int:
    """Takes an upload back, which the operator may; how many rows no longer count.

    Raises:
        as geo.ingestion.loading.withdraw.
    """
    done.require("operator")
    rows = loading.withdraw(done.connection, upload_id)
    _note(done, upload_id, "upload withdrawn")
    return rows


def _note(done: Acting, upload_id: int, action: str) -> None:
    row = find_upload(done.connection, upload_id)
    facts = {name: row[name] for name in ("content", "sha256", "rows_loaded", "rows_rejected", "state")}
    done.note(action, f"upload {upload_id}", owner_id=row["organisation_id"], after=facts)
