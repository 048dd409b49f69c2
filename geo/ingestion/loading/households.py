"""The story of a load: a file becomes rows, findings, tallies and a new data version, or nothing at all.

Everything runs in the caller's transaction, which the caller commits or rolls back as one.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from geo.database import lock_places, lock_survey
from geo.database.schema.surveys import survey
from geo.errors import NotFound
from geo.indicators.definitions import Definition, read_catalogue
from geo.indicators.tallies import FrameTally, follow_households, refresh_tallies, tally_survey, write_tallies
from geo.ingestion.loading import originals
from geo.ingestion.loading.design_checks import DesignChecks
from geo.ingestion.loading.household_copy import HouseholdCopy, next_upload_id
from geo.ingestion.loading.load import (
    LoadOptions,
    LoadResult,
    Target,
    begin_counting,
    count_rows,
    decide,
    dry,
    end_counting,
    find_earlier,
    find_giver,
    open_original,
    options_said,
    write_upload,
)
from geo.ingestion.loading.named_settlements import read_named, tell_named
from geo.ingestion.loading.observe import Placed, Progress, ReadSoFar, observe
from geo.ingestion.loading.source import SourceOptions
from geo.ingestion.loading.taken_back import withdraw_snapshots
from geo.ingestion.mapping import Observations, Profile
from geo.places import CityPlaces, find_city, note_giver, places_on, write_names, write_wards
from geo.surveys import Mode, SurveySpec, find_survey, frame_sizes, open_survey


def load_survey(
    connection: Connection,
    path: Path,
    city_slug: str,
    spec: SurveySpec,
    *,
    source: SourceOptions,
    options: LoadOptions,
    progress: Progress | None = None,
) -> LoadResult:
    """Loads a file of observations into a survey round, which is opened when the city has none of this slug.

    Raises:
        ErrorsFound: rows have errors and `skip_errors` is not set.
        InputError: the file or the profile cannot be used.
        NotFound: there is no such city, or it has no settlements yet.
        Conflict: the round exists and differs from what `spec` says.
    """
    city_id = find_city(connection, city_slug)
    with open_original(path, options) as original, dry(connection, options):
        survey_id = open_survey(connection, city_id, spec)
        lock_survey(connection, survey_id)
        target = Target(city_id, "survey", survey_id)
        earlier = find_earlier(connection, original, target, path, source.read, options)
        if earlier is not None:
            return earlier
        row = find_survey(connection, city_id, spec.slug)
        lock_places(connection, city_id, "they stay")
        city_places = places_on(connection, city_id, row["starts_on"])
        source = replace(source, unit=row["unit"], starts_on=row["starts_on"], ends_on=row["ends_on"])
        upload_id = options.upload_id or next_upload_id(connection)
        named = pd.DataFrame(columns=["code", "name"])
        if options.new_settlements:
            named = read_named(path, source, city_places.places)
            if len(named):
                write_names(connection, city_id, named)
                # A survey's rows move no settlement from one ward to another.
                write_wards(connection, city_id, upload_id, named, valid_from_on=None, moves_from_on=None)
                city_places = places_on(connection, city_id, row["starts_on"])
        if not len(city_places.ids):
            raise NotFound("city_without_settlements", city=city_slug)
        load = _SurveyLoad(connection, survey_id, upload_id, city_places, is_received=options.upload_id is not None)
        load.read(path, source, progress)
        tell_named(named, load.reading.findings)
        if source.unit == "household":
            load.check_design(row["mode"])
        result = replace(
            count_rows(load.reading.findings, load.reading.rows_read),
            read_as=load.reading.read_as,
            answers=load.reading.answers.answers(),
            personal=load.reading.personal,
        )
        decide(result, path, options)
        if options.dry_run:
            return result
        profile = (
            load.reading.profile.model_dump(mode="json")
            | options_said(source.read)
            | {
                "placement": source.placement,
                "tolerance_m": source.tolerance_m,
                "form": None if source.form is None else source.form.name,
                "pulled_from": options.pulled_from,
                "fix": source.fix,
            }
        )
        giver = find_giver(connection, target, options)
        # What Python does while the database builds indexes.
        with ThreadPoolExecutor(max_workers=1) as beside:
            kept = beside.submit(originals.keep, original, giver, options.originals_url)
            begin_counting(connection, options)
            write_upload(connection, load.upload_id, original, target, result, profile, options)
            note_giver(connection, city_id, load.upload_id, list(named["code"]))
            load.finish(beside, on_trial=options.on_trial)
            kept.result()
        replaced = withdraw_snapshots(connection, survey_id, load.upload_id, options.pulled_from)
        end_counting(connection, city_id, load.upload_id, load.reading.findings, options)
        return replace(result, state="loaded", upload_id=load.upload_id, replaced=replaced)


# About a million rows, which take a few hundred megabytes.
_HELD_BATCHES = 16

_CLUSTERS = {"psu", "stratum"}
"""The fields that make clusters."""


class _SurveyLoad:
    """One file on its way into a survey: its rows are copied while the next are being read and checked.

    Its batches are held, so that their tallies are summed while the database builds indexes; of a large file the first
    are summed on the way, and the last are held.
    """

    def __init__(
        self, connection: Connection, survey_id: int, upload_id: int, city_places: CityPlaces, *, is_received: bool
    ) -> None:
        self.upload_id = upload_id
        self.reading = ReadSoFar(Profile(name="none yet"))
        self._connection = connection
        self._survey_id = survey_id
        self._city_places = city_places
        self._is_received = is_received
        self._definitions = read_catalogue(connection).versions
        unit = connection.execute(select(survey.c.unit).where(survey.c.id == survey_id)).scalar_one()
        self._tally = FrameTally(self._definitions, len(city_places.ids), unit)
        self._design = DesignChecks(city_places.places.codes)
        self._held: deque[Placed] = deque()
        self._may_have_clusters = False

    def read(self, path: Path, source: SourceOptions, progress: Progress | None) -> None:
        """Reads the file; its rows wait in a table of their own."""
        self._copy = HouseholdCopy(self._connection, self._survey_id, self.upload_id, is_received=self._is_received)
        self._copy.copy(self._rows(path, source, progress))

    def _rows(
        self, path: Path, source: SourceOptions, progress: Progress | None
    ) -> Iterator[tuple[Observations, NDArray[np.int64]]]:
        def started(reading: ReadSoFar) -> None:
            self.reading = reading

        for placed in observe(path, self._city_places.places, source, started, progress):
            fields = placed.observations.fields
            self._design.add(fields, placed.settlement)
            self._may_have_clusters |= any(
                fields[name].null_count < len(fields[name]) for name in _CLUSTERS & set(fields)
            )
            # A later load's tallies are scanned, not summed: its rows replace others.
            if self._copy.is_first:
                if len(self._held) == _HELD_BATCHES:
                    self._sum(self._held.popleft())
                self._held.append(placed)
            yield placed.observations, self._city_places.ids[placed.settlement]

    def _sum(self, placed: Placed) -> None:
        seen = placed.observations
        self._tally.add(seen.fields, placed.settlement, seen.asked, seen.extra)

    def _summed(self) -> pd.DataFrame:
        while self._held:
            self._sum(self._held.popleft())
        return self._tally.tallies(self._city_places.ids)

    def check_design(self, mode: Mode) -> None:
        """Looks at the file's households as a whole."""
        self._design.check(mode, frame_sizes(self._connection, self._survey_id), self.reading.findings)

    def finish(self, beside: Executor, *, on_trial: bool) -> None:
        """Makes the rows count; `beside` runs what needs no connection."""
        if not self._copy.is_first:
            refresh_tallies(self._connection, self._survey_id, self._copy.finish(), on_trial=on_trial)
            return
        summed = beside.submit(self._summed)
        self._copy.finish()
        write_tallies(self._connection, self._survey_id, self._definitions, summed.result())
        self._copy.attach()
        late = self._added_meanwhile()
        if late:
            scanned = tally_survey(self._connection, late, self._survey_id)
            write_tallies(self._connection, self._survey_id, late, scanned)
        follow_households(
            self._connection,
            self._survey_id,
            [*self._definitions, *late],
            may_have_clusters=self._may_have_clusters,
            on_trial=on_trial,
        )

    def _added_meanwhile(self) -> list[Definition]:
        """The indicators that were added while the file was being read."""
        known = {(definition.id, definition.version) for definition in self._definitions}
        now = read_catalogue(self._connection).versions
        return [d for d in now if d.is_tallied and (d.id, d.version) not in known]
