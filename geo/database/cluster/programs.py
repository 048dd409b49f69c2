"""PostgreSQL's own programs on this machine: where they are, and which of them belong to a PostGIS."""

import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from geo.errors import PostgisMissing, SetupError

# Where packages put PostgreSQL besides PATH: Debian and Ubuntu, Fedora, Homebrew, Postgres.app.
PACKAGE_FOLDERS = (
    ("/usr/lib/postgresql", "*/bin"),
    ("/usr", "pgsql-*/bin"),
    ("/opt/homebrew/opt", "postgresql*/bin"),
    ("/usr/local/opt", "postgresql*/bin"),
    ("/opt/homebrew", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "*/bin"),
)


@dataclass(frozen=True)
class Programs:
    """One installed PostgreSQL: its folder of programs and its major version."""

    bindir: Path
    major: int

    def path(self, name: str) -> Path:
        """The program called `name`, such as psql.

        Raises:
            SetupError: this installation lacks it.
        """
        found = self.bindir / name
        if not found.exists():
            raise SetupError("server_program_missing", program=name, folder=self.bindir, version=self.major)
        return found

    @property
    def can_serve(self) -> bool:
        """Whether a server can be made and started from here, not only connected to."""
        return all((self.bindir / name).exists() for name in ("initdb", "pg_ctl", "postgres"))

    @property
    def has_postgis(self) -> bool:
        """Whether PostGIS is installed into this PostgreSQL."""
        return any((folder / "extension" / "postgis.control").exists() for folder in self._share_folders())

    def _share_folders(self) -> Iterator[Path]:
        """The shared folder as pg_config tells it, else as Debian lays it out (with no pg_config)."""
        if (self.bindir / "pg_config").exists():
            yield Path(_output([str(self.bindir / "pg_config"), "--sharedir"]) or "/usr/share/postgresql")
        yield Path(f"/usr/share/postgresql/{self.major}")


def installed_folders() -> list[Path]:
    """Every folder of PostgreSQL programs on this machine, those on PATH first."""
    folders: list[Path] = []
    if (pg_config := shutil.which("pg_config")) and (bindir := _output([pg_config, "--bindir"])):
        folders.append(Path(bindir))
    if pg_ctl := shutil.which("pg_ctl"):
        folders.append(Path(pg_ctl).resolve().parent)
    for root, pattern in PACKAGE_FOLDERS:
        folders.extend(sorted(Path(root).glob(pattern)))
    return list(dict.fromkeys(folders))


def find_programs(folders: Iterable[Path] | None = None, major: int | None = None) -> Programs:
    """The newest PostgreSQL that has PostGIS and can serve, or the one of version `major`.

    Raises:
        PostgisMissing: no PostgreSQL here has PostGIS.
        SetupError: PostGIS is here, but for other versions than `major`.
    """
    able = [p for p in _installed(folders) if p.can_serve and p.has_postgis]
    if not able:
        raise PostgisMissing("postgis_missing")
    fitting = [p for p in able if major is None or p.major == major]
    if not fitting:
        here = [str(p.major) for p in sorted(able, key=lambda p: p.major)]
        raise SetupError("postgis_for_other_version", wanted=major, here=here)
    return max(fitting, key=lambda p: p.major)


def find_client(name: str, folders: Iterable[Path] | None = None) -> Path:
    """The newest client program called `name` (psql, pg_dump, pg_restore), with PostGIS or without.

    Raises:
        SetupError: there is none.
    """
    able = [p for p in _installed(folders) if (p.bindir / name).exists()]
    if not able:
        raise SetupError("client_program_missing", program=name)
    return max(able, key=lambda p: p.major).path(name)


def _installed(folders: Iterable[Path] | None) -> list[Programs]:
    """What is installed in `folders`, each with the version its own psql or postgres tells."""
    found = []
    for folder in installed_folders() if folders is None else folders:
        teller = next((folder / n for n in ("postgres", "psql") if (folder / n).exists()), None)
        # `postgres (PostgreSQL) 15.18 (Debian ...)`; a beta says `17beta1`.
        version = re.search(r"\) (\d+)", _output([str(teller), "--version"])) if teller else None
        if version:
            found.append(Programs(folder, int(version[1])))
    return found


def _output(command: list[str]) -> str:
    """What a program prints, or nothing where it cannot run."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
