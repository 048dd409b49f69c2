"""The download of a publication: one zip of its figures, its places, and what is to be known of them."""

import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from pyogrio.errors import DataSourceError
from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert

from geo.database import check_disk, lock_download, raise_data_version
from geo.database.schema.publications import publication, publication_download
from geo.database.schema.surveys import survey
from geo.errors import Conflict
from geo.publications.canonical import write_canonical
from geo.publications.downloads import documents, kept
from geo.publications.downloads.bundle import add_file
from geo.publications.downloads.cited import Cited, cite
from geo.publications.downloads.codebook import write_codebook
from geo.publications.downloads.layers import read_layers, write_geojson, write_geopackage, write_geoparquet
from geo.publications.downloads.workbook import write_workbook
from geo.settings import Settings

FIGURES = "figures.csv"
"""The canonical CSV, whose sha256 the publication carries."""

_SUMS = "SHA256SUMS"

_CHUNK = 1 << 20


def keep_download(connection: Connection, publication_id: int, settings: Settings) -> bool:
    """Makes a publication's download and keeps it, where it is not kept yet; whether it was made now.

    It is made of the published rows alone, which never change. A publication without a digest gets its own; one that
    was taken back meanwhile gets no download.

    Raises:
        Conflict: the figures are not those that the publication's digest is of.
        StorageFull, OSError: there is no room, for instance; the publication stands, and can be downloaded later.
    """
    lock_download(connection, publication_id)
    of = select(publication.c.state, survey.c.city_id).join(survey, survey.c.id == publication.c.survey_id)
    row = connection.execute(of.where(publication.c.id == publication_id)).one_or_none()
    if row is None or row.state == "retracted":
        return False
    there = find_file(connection, publication_id)
    if there is not None and kept.is_kept(there, settings.originals_url):
        return False
    cited = cite(connection, publication_id, settings)
    with TemporaryDirectory(prefix="vasti-") as folder:
        path = Path(folder) / "download.zip"
        digest = _write(connection, cited, Path(folder), path)
        file = kept.File(_sha256(path), path.stat().st_size)
        kept.keep(path, file, settings.originals_url)
    told = insert(publication_download).values(publication_id=publication_id, **file._asdict())
    connection.execute(told.on_conflict_do_update(index_elements=["publication_id"], set_=file._asdict()))
    connection.execute(update(publication).where(publication.c.id == publication_id).values(sha256=digest))
    raise_data_version(connection, row.city_id)
    return True


def find_file(connection: Connection, publication_id: int) -> kept.File | None:
    """The file that a publication's download is; None: it has not been made yet."""
    of_publication = publication_download.c.publication_id == publication_id
    columns = (publication_download.c[name] for name in kept.File._fields)
    row = connection.execute(select(*columns).where(of_publication)).one_or_none()
    return None if row is None else kept.File(*row)


def _write(connection: Connection, cited: Cited, folder: Path, path: Path) -> str:
    """Writes the zip; the digest of the publication's figures."""
    figures = folder / FIGURES
    with figures.open("wb") as file:
        for part in write_canonical(connection, cited.id):
            file.write(part)
    digest = _sha256(figures)
    if cited.sha256 not in (None, digest):
        raise Conflict("publication_figures_differ", number=cited.number, survey=cited.survey)
    _write_others(connection, replace(cited, sha256=digest), folder)
    with zipfile.ZipFile(path, "w") as target:
        sums = "".join(f"{_sha256(folder / name)}  {name}\n" for name in _names(folder, path))
        (folder / _SUMS).write_text(sums, encoding="utf-8")
        for name in _names(folder, path):
            with (folder / name).open("rb") as source:
                add_file(target, name, source, cited.made_at)
    return digest


def _names(folder: Path, path: Path) -> list[str]:
    """The files that were written for the zip, in the order of the alphabet."""
    return sorted(each.name for each in folder.iterdir() if each != path)


def _write_others(connection: Connection, cited: Cited, folder: Path) -> None:
    """Writes what goes with the canonical CSV.

    Raises:
        StorageFull, OSError: there is no room, for instance.
    """
    write_workbook(folder / "figures.xlsx", folder / FIGURES, documents.notes(cited), cited.made_at)
    layers = read_layers(connection, cited.id)
    try:
        write_geopackage(folder / "places.gpkg", layers, cited.made_at)
        for name, layer in layers.items():
            write_geojson(folder / f"{name}.geojson", layer)
            write_geoparquet(folder / f"{name}.parquet", layer)
    except DataSourceError:
        # GDAL does not say which kind of fault it was.
        check_disk(folder, _CHUNK)
        raise
    write_codebook(connection, cited.id, folder / "codebook.csv")
    texts = {
        "METHODS.md": documents.methods(),
        "LICENSE": documents.licence(cited),
        "CITATION.cff": documents.citation_cff(cited),
        "citation.bib": documents.citation_bib(cited),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
