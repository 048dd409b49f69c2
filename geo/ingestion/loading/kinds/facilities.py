"""Files of facilities: community toilets and water points of a city."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import Field
from sqlalchemy import Connection

from geo.database import lock_city
from geo.database.schema.facilities import FacilityKind
from geo.ingestion.loading.choices import Choices, half_a_position
from geo.ingestion.loading.facilities.load import load_facilities
from geo.ingestion.loading.kinds.kind import Asked, Fields, Kind, Words
from geo.ingestion.loading.load import LoadOptions, LoadResult
from geo.ingestion.loading.observe import Progress
from geo.ingestion.mapping import STANDARD, FacilityColumns
from geo.ingestion.suggesting.understand import Understanding, understand_facilities
from geo.places import withdraw_facilities


class FacilityChoices(Choices):
    """The choices of a file of facilities."""

    kind: FacilityKind | None = Field(
        default=None, description="Of facilities: what all of them are, where the file does not say so."
    )

    def is_told(self) -> bool:
        """What all of them are is told too."""
        return super().is_told() or self.kind is not None


class FacilityFiles(Kind[FacilityChoices]):
    """Community toilets and water points."""

    name = "facilities"
    choices = FacilityChoices
    asked = (
        Asked(
            "kind",
            "What all of them are",
            options={
                "": "as the file says of each",
                "community_toilet": "community toilets",
                "water_point": "water points",
            },
            when_sent=True,
        ),
    )
    words = Words(
        heading="Send community toilets or water points",
        label="File of facilities",
        accepts="A zipped shapefile, GeoPackage, Excel sheet or CSV of positions, each with a code that stays the "
        "same, where there is one",
        effect="A code that is there already is replaced.",
        column="column of facilities",
        loaded="Everybody sees them.",
        withdrawn="They no longer count, and what they had replaced counts again.",
        for_steward="A steward of your organisation decides about settlements and facilities.",
        changes={"added": "added", "changed": "replaced"},
    )

    @property
    def fields(self) -> Fields:
        """What is known of a facility."""
        return (
            (
                "Facilities",
                {
                    "facility_code": "which tells facilities apart",
                    "facility_name": "as people call it",
                    "kind": "community_toilet or water_point",
                    "seats": "how many seats or taps it has",
                    "seats_working": "how many of them work",
                    "working": "whether it works at all",
                    "opened_on": "the day it opened",
                    "closed_on": "the day it was closed",
                    "longitude": "in degrees",
                    "latitude": "in degrees",
                },
            ),
        )

    def check(self, choices: FacilityChoices) -> Sequence[str]:
        """A position has two columns."""
        return half_a_position(choices)

    def understand(self, path: Path, row: Any, choices: FacilityChoices, max_rows: int | None) -> Understanding:  # noqa: ARG002 (facilities are the same in every city)
        """Which columns hold what is known of a facility."""
        return understand_facilities(path, choices.reading(max_rows), choices.columns, choices.kind)

    def used_columns(self, choices: FacilityChoices) -> Mapping[str, str]:
        """The columns of each role."""
        profile = choices.mapping()
        if profile is None or profile.facilities is None:
            return {}
        roles = {*STANDARD, "longitude", "latitude"}
        named = profile.facilities.model_dump(exclude_none=True, include=roles)
        return {STANDARD.get(role, role): column for role, column in named.items()}

    def load(
        self,
        connection: Connection,
        path: Path,
        row: Any,
        choices: FacilityChoices,
        options: LoadOptions,
        progress: Progress,  # noqa: ARG002 (facilities are few)
    ) -> LoadResult:
        """Loads facilities into the upload's city."""
        profile = choices.mapping()
        columns = profile.facilities if profile else None
        return load_facilities(
            connection,
            path,
            row["city"],
            read=choices.reading(options.max_rows),
            columns=columns or FacilityColumns(all_of_kind=choices.kind),
            today=datetime.now(UTC).date(),
            options=options,
        )

    def lock(self, connection: Connection, row: Any) -> None:
        """One load or withdrawal of a city's places at a time."""
        lock_city(connection, row["city_id"])

    def take_back(self, connection: Connection, row: Any) -> None:
        """What was said of the same codes before counts again."""
        withdraw_facilities(connection, row["id"])
