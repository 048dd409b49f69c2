"""Which publications can be downloaded, and whose download is still to be made."""

from typing import NamedTuple

from sqlalchemy import Connection, delete, select

from geo.database import lock_download
from geo.database.schema.publications import publication, publication_download
from geo.errors import NotFound
from geo.publications.current import CurrentPublication, current_publications
from geo.publications.downloads.archive import find_file
from geo.publications.downloads.kept import File, clear_folder, is_kept, remove_kept


class Download(NamedTuple):
    """A download, and the publication it is of."""

    of: CurrentPublication
    file: File

    @property
    def file_name(self) -> str:
        """What the file is called where it is saved."""
        return f"{self.of.city}-{self.of.survey}-{self.of.number}.zip"


def find_download(connection: Connection, city: str, survey: str, number: int, url: str) -> Download:
    """The download of a publication that everybody may read.

    Raises:
        NotFound: there is no such publication, or its download is still to be made.
    """
    found = current_publications(connection, [city], [survey], number)
    if not found:
        raise NotFound("publication_unknown", number=number, survey=survey, city=city)
    file = find_file(connection, found[0].id)
    if file is None or not is_kept(file, url):
        raise NotFound("download_missing", number=number, survey=survey, city=city)
    return Download(found[0], file)


def find_lacking(connection: Connection, url: str) -> list[int]:
    """The ids of the publications that everybody may read and nobody can download, the newest first."""
    download = publication_download.c
    rows = (
        select(publication.c.id, download.sha256, download.size_bytes)
        .outerjoin(publication_download, download.publication_id == publication.c.id)
        .where(publication.c.state != "retracted")
        .order_by(publication.c.id.desc())
    )
    return [
        row.id
        for row in connection.execute(rows)
        if row.sha256 is None or not is_kept(File(row.sha256, row.size_bytes), url)
    ]


def clear_downloads(connection: Connection, url: str) -> None:
    """Removes the downloads of what has been retracted, and what a process that was stopped has left."""
    download = publication_download.c
    hidden = select(download.publication_id).join(publication).where(publication.c.state == "retracted")
    for publication_id in connection.execute(hidden).scalars().all():
        remove_download(connection, publication_id, url)
    clear_folder({*connection.execute(select(download.sha256)).scalars()}, url)


def remove_download(connection: Connection, publication_id: int, url: str) -> None:
    """Removes the download of a publication, where it has one."""
    lock_download(connection, publication_id)
    file = find_file(connection, publication_id)
    if file is not None:
        connection.execute(delete(publication_download).where(publication_download.c.publication_id == publication_id))
        remove_kept(file, url)
