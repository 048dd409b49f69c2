"""Files somebody sent, by what they are of: how each is understood where nobody described it, and loaded."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from geo.ingestion.loading import LoadOptions, LoadResult, Progress, load_boundaries, load_facilities, load_survey
from geo.ingestion.mapping import FacilityColumns
from geo.ingestion.suggesting.understand import Understanding, understand, understand_boundaries, understand_facilities
from geo.ingestion.uploads.choices import Choices
from geo.surveys import SurveySpec


def understand_file(path: Path, row: Any, choices: Choices, max_rows: int | None) -> Understanding:
    """What is understood of the file of an upload, which may have so many rows; `row` is the upload's.

    Raises:
        InputError: the file cannot be read; the message says what to do.
    """
    match row["content"]:
        case "boundaries":
            return understand_boundaries(path, choices.reading(max_rows), choices.columns)
        case "facilities":
            return understand_facilities(path, choices.reading(max_rows), choices.columns, choices.kind)
    read = choices.reading(max_rows)
    return understand(path, read, row["unit"], choices.columns, choices.answers, choices.details)


def load_file(
    connection: Connection, path: Path, row: Any, choices: Choices, options: LoadOptions, progress: Progress
) -> LoadResult:
    """Loads the file of an upload.

    Raises:
        as `load_survey`, `load_boundaries` and `load_facilities` of geo.ingestion.loading.
    """
    today = datetime.now(UTC).date()
    match row["content"]:
        case "boundaries":
            return load_boundaries(
                connection,
                path,
                row["city"],
                read=choices.reading(options.max_rows),
                columns=choices.mapping(),
                valid_from_on=choices.valid_from_on,
                today=today,
                options=options,
                may_move=choices.moved,
            )
        case "facilities":
            profile = choices.mapping()
            columns = profile.facilities if profile else None
            return load_facilities(
                connection,
                path,
                row["city"],
                read=choices.reading(options.max_rows),
                columns=columns or FacilityColumns(all_of_kind=choices.kind),
                today=today,
                options=options,
            )
    spec = SurveySpec(row["survey"], row["organisation"])
    source = choices.source(options.max_rows)
    return load_survey(connection, path, row["city"], spec, source=source, options=options, progress=progress)
