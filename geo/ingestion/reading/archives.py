"""Archives: which file of a zip is meant, and unpacking only what it needs, under names and limits of our own."""

import gzip
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from geo.errors import UnreadableFile
from geo.ingestion.reading.layer import ReadAs, ReadOptions, choose, reading_of

MAX_MEMBERS = 10_000
MAX_UNPACKED_BYTES = 20 << 30
MAX_RATIO = 200
"""Real tables pack to a twentieth at most; what packs further than this unpacks to nothing but blanks."""
_RATIO_FREE_BYTES = 200 << 20
"""Up to this size a high ratio does no harm."""

_CHUNK = 1 << 20

_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError)


class Unpacked(NamedTuple):
    """The file or folder to read, and how: the part of --layer that named it is used up."""

    path: Path
    options: ReadOptions
    read_as: ReadAs
    """Which member it is, where there are several."""


def unpack_zip(path: Path, options: ReadOptions, stack: ExitStack, suffixes: Iterable[str]) -> Unpacked:
    """Unpacks the one file of a zip that Vasti reads, or the one --layer names, with the files that belong to it.

    Raises:
        UnreadableFile: the zip is damaged, encrypted, too large, holds nothing to read, or several files.
    """
    try:
        archive = stack.enter_context(zipfile.ZipFile(path))
    except (*_DAMAGE, NotImplementedError) as error:
        raise UnreadableFile("archive_damaged", file=path.name) from error
    if len(archive.infolist()) > MAX_MEMBERS:
        raise UnreadableFile("archive_too_many_files", file=path.name, most=MAX_MEMBERS)
    members = _Members(path.name, archive, frozenset(suffixes))
    chosen, rest = members.choose(options.layer)
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vasti-")))
    read_as = reading_of(str(chosen), members.names)
    return Unpacked(members.unpack(chosen, folder), replace(options, layer=rest), read_as)


class _Members:
    """The members of a zip worth looking at, by their path as a person sees it."""

    def __init__(self, name: str, archive: zipfile.ZipFile, suffixes: frozenset[str]) -> None:
        self._name = name
        self._archive = archive
        self._members = {_path(member): member for member in archive.infolist() if _is_wanted(member)}
        self._readable = self._find_readable(suffixes)

    def _find_readable(self, suffixes: frozenset[str]) -> list[PurePosixPath]:
        folders = {
            parent
            for path in self._members
            for parent in (path, *path.parents)
            if parent.suffix.lower() == ".gdb" and parent != path
        }
        shapes = {_key(path) for path in self._members if path.suffix.lower() == ".shp"}
        files = [
            path
            for path in self._members
            if path.suffix.lower() in suffixes
            and not folders.intersection(path.parents)
            and not (path.suffix.lower() == ".dbf" and _key(path) in shapes)
        ]
        return sorted([*folders, *files])

    @property
    def names(self) -> list[str]:
        """Those that can be read."""
        return [str(path) for path in self._readable]

    def choose(self, wanted: str | None) -> tuple[PurePosixPath, str | None]:
        """The file meant by --layer, and what of --layer names a layer within it."""
        if not self._readable:
            raise UnreadableFile("archive_without_file", file=self._name)
        if wanted is None and len(self._readable) > 1:
            choose(self.names, None, name=self._name, noun="file")
        for path in self._readable:
            for label in (str(path), path.name, path.stem):
                if wanted == label:
                    return path, None
                if wanted is not None and wanted.startswith(f"{label}/"):
                    return path, wanted.removeprefix(f"{label}/")
        if len(self._readable) > 1:
            choose(self.names, wanted, name=self._name, noun="file")
        return self._readable[0], wanted

    def unpack(self, chosen: PurePosixPath, folder: Path) -> Path:
        """Writes a member and those that belong to it into a folder, under safe names."""
        if chosen in self._members:
            parts = {path: _safe(path.name) for path in self._members if _key(path) == _key(chosen)}
        else:
            parts = {path: _safe(path.name) for path in self._members if chosen in path.parents}
            folder = folder / _safe(chosen.name)
            folder.mkdir()
        self._check_parts(chosen)
        self._check_size([self._members[path] for path in parts])
        for path, name in parts.items():
            try:
                with self._archive.open(self._members[path]) as source, (folder / name).open("wb") as target:
                    shutil.copyfileobj(source, target, _CHUNK)
            except (NotImplementedError, RuntimeError) as error:
                raise UnreadableFile("archive_encrypted", file=self._name) from error
            except _DAMAGE as error:
                raise UnreadableFile("archive_damaged_at", archive=self._name, file=path.name) from error
        return folder / parts[chosen] if chosen in parts else folder

    def _check_parts(self, chosen: PurePosixPath) -> None:
        beside = {path.suffix.lower() for path in self._members if _key(path) == _key(chosen)}
        suffix = chosen.suffix.lower()
        lacks = ".dbf" if suffix == ".shp" and ".dbf" not in beside else None
        if suffix == ".dbf" and beside & {".shx", ".prj"}:
            lacks = ".shp"
        if lacks:
            raise UnreadableFile(
                "archive_part_missing", file=self._name, part=chosen.name, stem=chosen.stem, suffix=lacks
            )

    def _check_size(self, members: list[zipfile.ZipInfo]) -> None:
        unpacked = sum(member.file_size for member in members)
        packed = sum(member.compress_size for member in members)
        check_unpacked(self._name, unpacked, packed)


def _is_wanted(member: zipfile.ZipInfo) -> bool:
    path = _path(member)
    return not (member.is_dir() or "__MACOSX" in path.parts or path.name.startswith("."))


def _path(member: zipfile.ZipInfo) -> PurePosixPath:
    """A member's path; names written in UTF-8 without saying so come out right."""
    name = member.filename
    if not member.flag_bits & 0x800:
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            name = member.filename
    return PurePosixPath(name.replace("\\", "/"))


def _key(path: PurePosixPath) -> tuple[PurePosixPath, str]:
    return path.parent, path.stem.casefold()


def _safe(name: str) -> str:
    """A member's name as a file name of ours: no control characters, not too long, the suffix as it is."""
    suffix = PurePosixPath(name).suffix
    stem = "".join(c for c in name.removesuffix(suffix) if c.isprintable() and c not in '/\\:*?"<>|')
    while len(stem.encode()) > 150:
        stem = stem[:-1]
    return (stem or "file") + suffix


def check_unpacked(name: str, unpacked: int, packed: int) -> None:
    """Refuses what would fill the disk.

    Raises:
        UnreadableFile: the file unpacks to more than Vasti is ready to hold.
    """
    if unpacked > MAX_UNPACKED_BYTES or (unpacked > _RATIO_FREE_BYTES and unpacked > MAX_RATIO * max(packed, 1)):
        raise UnreadableFile("archive_too_large", file=name, gigabytes=unpacked / 1000000000.0)


def check_container(path: Path) -> None:
    """Refuses a workbook or other file that is a zip inside, where it would unpack to too much."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (*_DAMAGE, NotImplementedError):
        return  # its reader says what is wrong with it
    check_unpacked(path.name, sum(m.file_size for m in members), path.stat().st_size)


def unpack_gzip(path: Path, stack: ExitStack, suffixes: Iterable[str]) -> Path:
    """Unpacks a file that was packed by gzip alone, such as households.csv.gz.

    Raises:
        UnreadableFile: it is damaged, too large, or its name does not say what is inside.
    """
    inner = path.name[: -len(".gz")]
    if PurePosixPath(inner).suffix.lower() not in suffixes:
        raise UnreadableFile("archive_contents_unnamed", file=path.name)
    target = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vasti-"))) / _safe(inner)
    packed, unpacked = path.stat().st_size, 0
    try:
        with gzip.open(path) as source, target.open("wb") as written:
            while chunk := source.read(_CHUNK):
                unpacked += len(chunk)
                check_unpacked(path.name, unpacked, packed)
                written.write(chunk)
    except _DAMAGE as error:
        raise UnreadableFile("gzip_damaged", file=path.name) from error
    return target
