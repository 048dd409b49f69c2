"""Files of settlements: outlines, or a list, which every round of the city rests on."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pydantic import Field
from sqlalchemy import Connection

from geo.database import lock_city, lock_places
from geo.ingestion.loading.boundaries.load import load_boundaries
from geo.ingestion.loading.choices import Choices, half_a_position
from geo.ingestion.loading.kinds.kind import Asked, Fields, Kind, Words
from geo.ingestion.loading.load import LoadOptions, LoadResult
from geo.ingestion.loading.observe import Progress
from geo.ingestion.suggesting.understand import Understanding, understand_boundaries
from geo.places import withdraw_boundaries


class BoundaryChoices(Choices):
    """The choices of a file of settlements."""

    valid_from_on: date | None = Field(
        default=None,
        description="Of boundaries: the day from which they and their wards hold. Where it is not said, those of new "
        "settlements hold for all rounds, and changes hold from the day they are loaded.",
    )
    moved: bool = Field(
        default=False,
        description="Of boundaries: most settlements lie where they did not lie before, and that is meant. Else such a "
        "file waits: its codes may stand for other settlements now.",
    )


class BoundaryFiles(Kind[BoundaryChoices]):
    """Settlements, with outlines or without."""

    name = "boundaries"
    choices = BoundaryChoices
    asked = (
        Asked(
            "valid_from_on",
            "They hold from",
            is_day=True,
            hint="Left empty: new settlements hold for all earlier rounds too, changes from today.",
            when_sent=True,
        ),
        Asked(
            "moved",
            "They did move: most settlements lie where they did not lie before, and that is meant",
        ),
    )
    words = Words(
        heading="Send settlements",
        label="File of settlements",
        accepts="Outlines as a zipped shapefile, GeoPackage, GeoJSON or KML, or a list as CSV or Excel sheet, with "
        "positions or without; each settlement with its code or name",
        effect="New codes are added, changed outlines redrawn, settlements moved to other wards; what is not in the "
        "file stays.",
        column="column of boundaries",
        loaded="Everybody sees them, and what is surveyed from now on is placed in them.",
        withdrawn="They no longer count, and what they had replaced counts again.",
        for_steward="A steward of your organisation decides about settlements and facilities.",
        before_withdrawing="Settlements in which households have been placed stay.",
        changes={
            "added": "added",
            "changed": "redrawn",
            "moved": "moved to another ward",
            "unchanged": "as they are",
        },
    )

    @property
    def fields(self) -> Fields:
        """Codes and names of settlements and wards, and where a settlement lies that nobody has drawn."""
        return (
            (
                "Boundaries",
                {
                    "settlement_code": "which tells settlements apart",
                    "settlement_name": "as people call it",
                    "ward_code": "of the ward it lies in",
                    "ward_name": "of the ward it lies in",
                    "longitude": "of one that nobody has drawn, in degrees",
                    "latitude": "of one that nobody has drawn, in degrees",
                    "radius": "how far around it reaches, in metres",
                },
            ),
        )

    def check(self, choices: BoundaryChoices) -> Sequence[str]:
        """A position has two columns."""
        return half_a_position(choices)

    def understand(self, path: Path, row: Any, choices: BoundaryChoices, max_rows: int | None) -> Understanding:  # noqa: ARG002 (settlements are the same in every city)
        """Which columns hold codes, names and wards."""
        return understand_boundaries(path, choices.reading(max_rows), choices.columns)

    def used_columns(self, choices: BoundaryChoices) -> Mapping[str, str]:
        """The columns of codes, names, wards and points."""
        profile = choices.mapping()
        if profile is None:
            return {}
        at = profile.position.model_dump(exclude_none=True, exclude={"crs", "column"}) if profile.position else {}
        held = profile.boundaries.model_dump(exclude_none=True, exclude={"shape"}) if profile.boundaries else {}
        return held | at

    def load(
        self,
        connection: Connection,
        path: Path,
        row: Any,
        choices: BoundaryChoices,
        options: LoadOptions,
        progress: Progress,  # noqa: ARG002 (settlements are few)
    ) -> LoadResult:
        """Loads settlements into the upload's city."""
        return load_boundaries(
            connection,
            path,
            row["city"],
            read=choices.reading(options.max_rows),
            columns=choices.mapping(),
            valid_from_on=choices.valid_from_on,
            today=datetime.now(UTC).date(),
            options=options,
            may_move=choices.moved,
        )

    def lock(self, connection: Connection, row: Any) -> None:
        """Nobody places households meanwhile."""
        lock_city(connection, row["city_id"])
        lock_places(connection, row["city_id"], "none is placed in them")

    def take_back(self, connection: Connection, row: Any) -> None:
        """Earlier outlines and wards hold again."""
        withdraw_boundaries(connection, row["id"])
