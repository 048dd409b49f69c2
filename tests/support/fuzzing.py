"""Damaged files, and a process of its own to read them: crash, hang and flood of memory are seen from outside."""

import resource
import traceback
import zipfile
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import numpy as np

from geo.errors import VastiError
from geo.ingestion.loading import SourceOptions, read_boundaries
from geo.ingestion.loading.observe import ReadSoFar, observe
from geo.ingestion.mapping import BoundaryColumns, Profile
from geo.ingestion.reading import ReadOptions, open_layer
from geo.ingestion.suggesting import suggest_profile, write_profile
from geo.places import Places
from tests.support.factories import small_city
from tests.support.forks import FORKS

SECONDS = 60
"""No file of a few kilobytes takes longer to read, also on a busy machine."""

MEMORY_BYTES = 4 << 30
"""Of address space, most of which Arrow and GDAL reserve and never touch."""

CITY = small_city()
PLACES = Places(list(CITY["settlement_code"]), list(CITY["settlement_name"]), CITY.geometry.to_numpy())


def read_all(path: Path, profile: Profile | None) -> str:
    """Reads a file in each way there is; what came of it in a word, or the sentence that refused it."""
    try:
        options = ReadOptions(crs="EPSG:4326")
        with open_layer(path, options) as layer:
            columns, has_geometry = layer.columns, layer.has_geometry
            for batch in layer.batches:
                assert len(np.unique(batch.row_numbers)) == len(batch.row_numbers)
        if has_geometry and columns:
            read_boundaries(path, options, BoundaryColumns(settlement_code=columns[0]))
        assert write_profile(suggest_profile(path, options))
        readings: list[ReadSoFar] = []
        kept = list(observe(path, PLACES, SourceOptions(read=options, profile=profile), readings.append, None))
        (reading,) = readings
        assert sum(len(placed.settlement) for placed in kept) == reading.rows_kept <= reading.rows_read
    except VastiError as error:
        return str(error)
    return "read"


def _serve(requests: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    while True:
        path, profile = requests.recv()
        try:
            requests.send((True, read_all(path, profile)))
        except BaseException:
            requests.send((False, traceback.format_exc()))


class Reader:
    """A process that reads one file after another, replaced when it dies or hangs."""

    def __init__(self) -> None:
        self._process: ForkServerProcess | None = None

    def read(self, path: Path, profile: Profile | None = None) -> str:
        """What `read_all` says of the file.

        Raises:
            AssertionError: it ended in a traceback, the process died, or it did not answer in time.
        """
        if self._process is None or not self._process.is_alive():
            self._requests, theirs = FORKS.Pipe()
            self._process = FORKS.Process(target=_serve, args=(theirs,), daemon=True)
            self._process.start()
            theirs.close()
        self._requests.send((path, profile))
        if not self._requests.poll(SECONDS):
            self.end()
            raise AssertionError(f"{path.name}: no answer within {SECONDS} s")
        try:
            fine, said = self._requests.recv()
        except EOFError as error:
            self._process.join()
            raise AssertionError(f"{path.name}: the reader died with {self._process.exitcode}") from error
        assert fine, said
        assert said.strip()
        assert "Traceback" not in said
        return str(said)

    def end(self) -> None:
        """Stops the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None


@dataclass(frozen=True)
class Damage:
    """What is done to a file: bytes replaced, left out or put in at some places, and the end cut off.

    Each cut is where (a share of the file), how many bytes go, and what comes instead; `keep` is the share that stays.
    `member` is None, or which file inside a zip is damaged, as a share of all: the zip around it stays whole.
    """

    cuts: tuple[tuple[float, int, bytes], ...]
    keep: float = 1.0
    member: float | None = None

    def copy(self, source: Path, target: Path) -> Path:
        """A damaged copy of a file."""
        if self.member is None or not zipfile.is_zipfile(source):
            target.write_bytes(self._damaged(source.read_bytes()))
            return target
        with zipfile.ZipFile(source) as whole, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as damaged:
            names = sorted(whole.namelist())
            chosen = names[int(self.member * len(names))]
            for name in names:
                content = whole.read(name)
                damaged.writestr(name, self._damaged(content) if name == chosen else content)
        return target

    def _damaged(self, content: bytes) -> bytes:
        changed = bytearray(content)
        for where, n_gone, instead in self.cuts:
            at = int(where * len(changed))
            changed[at : at + n_gone] = instead
        return bytes(changed[: max(1, int(self.keep * len(changed)))])
