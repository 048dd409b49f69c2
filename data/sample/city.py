"""The sample city, from arguments to files: the one entry point."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from data.sample.conditions import SECOND_ROUND, Conditions, Round, judge_settlements, set_quotas
from data.sample.demo_files import (
    KOBO_PROFILE,
    SHAPEFILE_PROFILE,
    write_household_shapefile,
    write_kobo_csv,
    write_settlements,
)
from data.sample.facilities import write_facilities
from data.sample.households import HouseholdStream
from data.sample.names import CITY_NAME, CITY_SLUG
from data.sample.rounds import visit_twice
from data.sample.settlements import City, build_city
from data.sample.standard_files import (
    STANDARD_SHAPEFILE_PROFILE,
    FileFormat,
    check_size,
    write_standard_households,
    write_standard_settlements,
)
from data.sample.terrain import DEFAULT_SETTLEMENTS
from geo.errors import InputError

DEFAULT_HOUSEHOLDS, DEFAULT_SEED = 6_000, 7


class SampleSizeInvalid(InputError):
    """The sample cannot have so few settlements or households."""

    default = "sample_too_small"


@dataclass(frozen=True)
class SampleFile:
    """One file and the name of the mapping profile that reads it (none where it speaks standard fields)."""

    path: Path
    profile: str | None


@dataclass(frozen=True)
class SampleSurvey(SampleFile):
    """The file of one survey round, with what loading it asks for."""

    survey: str
    starts_on: date
    ends_on: date
    households: int


@dataclass(frozen=True)
class SampleFiles:
    """What was written: the settlements, one file a survey round, and in the demonstration the facilities."""

    city_slug: str
    city_name: str
    boundaries: SampleFile
    surveys: tuple[SampleSurvey, ...]
    facilities: Path | None = None


def write_sample(
    out: Path,
    *,
    settlements: int = DEFAULT_SETTLEMENTS,
    households: int = DEFAULT_HOUSEHOLDS,
    file_format: FileFormat | None = None,
    seed: int = DEFAULT_SEED,
    progress: Callable[[int], None] | None = None,
) -> SampleFiles:
    """Write a sample city into a folder; the same arguments write the same files.

    Without a format: the demonstration, two rounds of that many households each, in the files and labels that
    users bring. With one: the settlements and one round, in standard fields and codes, of any size.
    `progress` is told how many further households have been written.
    """
    if settlements < 1 or households < 1:
        raise SampleSizeInvalid
    check_size(file_format, households)
    out.mkdir(parents=True, exist_ok=True)
    city = build_city(settlements, seed)
    conditions = judge_settlements(city, seed)
    if file_format is None:
        return _write_demonstration(out, city, conditions, seed, households=households, progress=progress)

    quotas = set_quotas(conditions, SECOND_ROUND, conditions.sizes(households))
    stream = HouseholdStream(city, conditions, quotas, seed, progress=progress)
    profile = STANDARD_SHAPEFILE_PROFILE if file_format == "shapefile" else None
    boundaries = SampleFile(write_standard_settlements(out, city, file_format), profile)
    path = write_standard_households(out, stream, file_format)
    return SampleFiles(CITY_SLUG, CITY_NAME, boundaries, (_survey(path, profile, SECOND_ROUND, households),))


def _write_demonstration(
    out: Path,
    city: City,
    conditions: Conditions,
    seed: int,
    *,
    households: int,
    progress: Callable[[int], None] | None,
) -> SampleFiles:
    """The demonstration's four files."""
    first, second = visit_twice(city, conditions, households, seed)
    boundaries = SampleFile(write_settlements(out / "settlements.zip", city), SHAPEFILE_PROFILE)
    surveys = []
    for visited, profile in ((first, SHAPEFILE_PROFILE), (second, KOBO_PROFILE)):
        slug = visited.survey.slug
        if profile == SHAPEFILE_PROFILE:
            path = write_household_shapefile(out / f"households_{slug}.zip", city, visited, seed)
        else:
            path = write_kobo_csv(out / f"households_{slug}.csv", city, visited, seed)
        surveys.append(_survey(path, profile, visited.survey, households))
        if progress is not None:
            progress(households)
    facilities = write_facilities(out / "facilities.csv", city, seed)
    return SampleFiles(CITY_SLUG, CITY_NAME, boundaries, tuple(surveys), facilities)


def _survey(path: Path, profile: str | None, survey: Round, households: int) -> SampleSurvey:
    """A round's file with the round's slug and days."""
    return SampleSurvey(path, profile, survey.slug, survey.starts_on, survey.ends_on, households)
