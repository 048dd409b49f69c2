"""Snapshots: all submissions of a form at a server as one table, the same bytes for the same submissions.

Pages are kept as they arrive, in a folder only its owner may enter, so that a pull that was cut off can go on. Keys,
not rows, are held in memory.
"""

import csv
import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from geo.errors import Conflict

Flat = dict[str, str]
"""One submission: column to text."""

_GOES_ON_S = 24 * 3600
"""How old the first page of an interrupted pull may be for the pull to go on; an older one starts anew."""


class Pages:
    """The pages of one pull on disk, in order, with what must be remembered to go on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begin(self, noted: Mapping[str, str]) -> dict[str, str]:
        """What was noted when an interrupted pull began; or a new beginning, with what is noted now."""
        note = self.folder / "begun.json"
        if note.exists() and time.time() - note.stat().st_mtime < _GOES_ON_S:
            return dict(json.loads(note.read_text(encoding="utf-8")))
        self.clear()
        _write(note, dict(noted))
        return dict(noted)

    def clear(self) -> None:
        """Forgets the pages there are."""
        for path in (*self.folder.glob("page-*.json"), *self.folder.glob("*.part"), self.folder / "begun.json"):
            path.unlink(missing_ok=True)

    def add(self, page: Any) -> None:
        """Keeps one more page, whole or not at all."""
        _write(self.folder / f"page-{len(self._paths()):06}.json", page)

    def __iter__(self) -> Iterator[Any]:
        for path in self._paths():
            yield json.loads(path.read_text(encoding="utf-8"))

    def last(self) -> Any:
        """The last page, None where there is none yet."""
        paths = self._paths()
        return json.loads(paths[-1].read_text(encoding="utf-8")) if paths else None

    def _paths(self) -> list[Path]:
        return sorted(self.folder.glob("page-*.json"))


@contextmanager
def pull_folder(state_dir: Path, source: str) -> Iterator[Path]:
    """The folder of a source's pull, which one process at a time may use; an empty one is removed afterwards.

    Raises:
        Conflict: another pull of the same source is under way.
    """
    root = state_dir.expanduser() / "pulls"
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    root.chmod(0o700)
    folder = root / hashlib.sha256(source.encode()).hexdigest()[:16]
    folder.mkdir(mode=0o700, exist_ok=True)
    with (root / f"{folder.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict("pull_under_way", source=source) from error
        yield folder


def discard(folder: Path) -> None:
    """Removes what a pull kept, once it is loaded."""
    shutil.rmtree(folder, ignore_errors=True)


def write_snapshot(pages: Pages, path: Path, flatten: Callable[[Any], Iterator[tuple[str, Flat]]]) -> int:
    """Writes the submissions of all pages as CSV, sorted by key, with columns in order; returns how many there are.

    Where pages overlap, the later one counts.
    """
    places: dict[str, int] = {}
    columns: set[str] = set()
    waiting, partial = path.with_suffix(".rows.part"), path.with_suffix(".csv.part")
    with _private(waiting) as rows:
        for page in pages:
            for key, row in flatten(page):
                places[key] = rows.tell()
                columns |= row.keys()
                rows.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
    with waiting.open("rb") as rows, _private(partial) as target:
        text = _Lines(target)
        writer = csv.DictWriter(text, sorted(columns), lineterminator="\n")
        writer.writeheader()
        for key in sorted(places):
            rows.seek(places[key])
            writer.writerow(json.loads(rows.readline()))
    waiting.unlink()
    partial.replace(path)
    return len(places)


def flat(answers: Mapping[str, Any], *, prefix: str = "") -> Flat:
    """Answers as columns: groups parted by `/`, positions as `lat lon altitude accuracy`, repeats as JSON."""
    columns: Flat = {}
    for name, value in answers.items():
        column = f"{prefix}{name}"
        if value is None or value in ("", [], {}):
            continue
        match value:
            case {"type": "Point", "coordinates": [lon, lat, *rest]}:
                accuracy = (value.get("properties") or {}).get("accuracy", 0)
                columns[column] = f"{lat} {lon} {rest[0] if rest else 0} {accuracy}"
                # As KoboToolbox's exports have them: positions are found by these also without a form.
                columns |= {f"_{column}_latitude": str(lat), f"_{column}_longitude": str(lon)}
            case {"type": str(), "coordinates": [*_]}:
                columns[column] = json.dumps(value, ensure_ascii=False, sort_keys=True)
            case dict():
                columns |= flat(value, prefix=f"{column}/")
            case list():
                columns[column] = json.dumps(value, ensure_ascii=False, sort_keys=True)
            case bool():
                columns[column] = "true" if value else "false"
            case _:
                columns[column] = str(value)
    return columns


class _Lines:
    """What `csv` writes to: text into a binary file."""

    def __init__(self, target: Any) -> None:
        self._target = target

    def write(self, text: str) -> int:
        return int(self._target.write(text.encode()))


def _private(path: Path) -> Any:
    """A new file to write that nobody else may read: answers are in there."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _write(path: Path, content: Any) -> None:
    partial = path.with_suffix(".part")
    with _private(partial) as target:
        target.write(json.dumps(content, ensure_ascii=False).encode())
    partial.replace(path)
