"""What has been published of rounds: made ready to download, hidden, and removed."""

from geo import publications
from geo.errors import NotFound
from geo.people import Acting
from geo.publications import Download, current_publications, find_download, keep_download
from geo.settings import Settings
from service.actions.surveys import find_own


def ready_download(done: Acting, city: str, survey: str, number: int | None, settings: Settings) -> Download:
    """The download of a publication, or of the round's current one; made now where it is still to be made.

    Raises:
        NotFound: there is no such publication that everybody may read.
        as geo.publications.keep_download.
    """
    done.require("operator")
    found = current_publications(done.connection, [city], [survey], number)
    if not found and number is None:
        raise NotFound("publication_missing", survey=survey, city=city)
    if found:
        keep_download(done.connection, found[0].id, settings)
        number = found[0].number
    assert number is not None  # noqa: S101 (asked for, or that of the one that was found)
    return find_download(done.connection, city, survey, number, settings.originals_url)


def retract_publication(done: Acting, city: str, survey: str, number: int, settings: Settings) -> None:
    """Hides a superseded publication from everybody; its number stays used.

    Raises:
        as geo.publications.retract_publication, and service.actions.surveys.find_own.
    """
    done.require("operator")
    row = find_own(done, city, survey)
    facts = {"number": number}
    done.note("publication retracted", f"survey {city}/{survey}", owner_id=row["organisation_id"], after=facts)
    # The file goes last: what comes after it could fail.
    publications.retract_publication(done.connection, city, survey, number, settings.originals_url)


def remove_publication(done: Acting, city: str, survey: str, number: int, settings: Settings) -> None:
    """Removes a publication that is not the current one, with its download, for good.

    Raises:
        as geo.publications.remove_publication, and service.actions.surveys.find_own.
    """
    done.require("operator")
    row = find_own(done, city, survey)
    facts = {"number": number}
    done.note("publication removed", f"survey {city}/{survey}", owner_id=row["organisation_id"], before=facts)
    # The file goes last: what comes after it could fail.
    publications.remove_publication(done.connection, city, survey, number, settings.originals_url)
