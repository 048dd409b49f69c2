"""What every benchmark works on: the sample city's files, and a private cluster that is thrown away afterwards."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from geo.database.cluster import server
from geo.database.cluster.folders import DATABASE, PORT, ROLE, Folders
from tests.benchmarks.measure import Run, run_process
from tests.conftest import make_state_dir, remove_state_dir

CITY = "bench"
FOLDER = Path("build/bench")


@dataclass(frozen=True)
class Stage:
    """Files, cluster and programs."""

    state_dir: Path
    boundaries: Path
    households: Path

    @cached_property
    def environment(self) -> dict[str, str]:
        """Nothing of the caller's settings, and compiled modules kept, as on a machine that is in use."""
        left_out = ("VASTI_", "PG", "PYTHONDONTWRITEBYTECODE")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
        return kept | {"VASTI_STATE_DIR": str(self.state_dir)}

    @property
    def socket_dir(self) -> Path:
        """The folder of the cluster's socket."""
        return Folders.of(self.state_dir).socket_dir

    @property
    def dsn(self) -> str:
        """The cluster's address as libpq and GDAL read it."""
        return f"host={self.socket_dir} port={PORT} user={ROLE} dbname={DATABASE}"

    def vasti(self, *arguments: str | Path) -> Run:
        """Runs the command `vasti`, the whole process."""
        return run_process([vasti_command(), *arguments], self.environment)

    def python(self, *arguments: str | Path) -> Run:
        """Runs Python, the whole process."""
        return run_process([sys.executable, *arguments], self.environment)

    def sql(self, *statements: str) -> Run:
        """Runs statements or psql's own commands, one after another, in one psql process."""
        commands = [part for statement in statements for part in ("-c", statement)]
        program = server.program(self.state_dir, "psql")
        return run_process([program, "-XqAt", "-v", "ON_ERROR_STOP=1", self.dsn, *commands], self.environment)

    def ogr2ogr(self, source: Path, table: str, *options: str) -> Run:
        """Loads a file into a new table as a person who knows GDAL does: COPY, one transaction, a spatial index."""
        return run_process(
            [
                *("ogr2ogr", "-f", "PostgreSQL", f"PG:{self.dsn}", source, "-nln", table),
                *("--config", "PG_USE_COPY", "YES", "-gt", "unlimited"),
                *("-lco", "GEOMETRY_NAME=geom", "-lco", "FID=id", "-lco", "SPATIAL_INDEX=GIST", *options),
            ],
            self.environment,
        )

    def settle(self) -> None:
        """Writes to disk what one side left in memory, so that the other does not pay for it."""
        self.sql("CHECKPOINT")

    def load(self, survey: str, *, publish: bool = False) -> Run:
        """Loads the households into a new survey round by the command line."""
        return self.vasti(
            *("load", "survey", self.households, "--city", CITY, "--survey", survey),
            *("--starts", "2023-01-01", "--ends", "2025-12-31", "--mode", "census"),
            *(["--publish"] if publish else []),
        )


def vasti_command() -> Path:
    """The command `vasti` of this Python's environment."""
    return Path(sys.executable).with_name("vasti")


@contextmanager
def set_stage(households: int, settlements: int) -> Iterator[Stage]:
    """Writes the files, makes the cluster and loads the boundaries; at the end stops and removes the cluster."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    state_dir = make_state_dir()
    stage = Stage(state_dir, FOLDER / "settlements.gpkg", FOLDER / "households.gpkg")
    try:
        stage.vasti(
            *("sample", "--format", "geopackage", "--out", FOLDER),
            *("--households", str(households), "--settlements", str(settlements)),
        )
        stage.vasti("city", "add", CITY, "--name", "Bench")
        stage.vasti("load", "boundaries", stage.boundaries, "--city", CITY)
        yield stage
    finally:
        remove_state_dir(state_dir)
