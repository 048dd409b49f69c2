"""Options that belong together: a command names the group once, and a person still sees each option by itself."""

import dataclasses
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import wraps
from typing import Annotated, Any, get_type_hints

import typer

from geo.database.schema.facilities import FacilityKind
from geo.fields import Unit
from geo.ingestion.loading import SourceOptions
from geo.ingestion.mapping import FacilityColumns, Form, PositionColumns, Profile
from geo.ingestion.placing import GPS_TOLERANCE_M
from geo.ingestion.reading import ReadOptions
from geo.settings import Settings
from geo.surveys import SurveySpec
from service.cli import options as o


def with_groups(command: Callable[..., None]) -> Callable[..., None]:
    """The command with every parameter that is a group replaced by the options that are its fields."""
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: kind for name, kind in hints.items() if dataclasses.is_dataclass(kind)}
    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(command).parameters.values():
        if parameter.name not in groups:
            parameters.append(parameter.replace(kind=parameter.KEYWORD_ONLY, annotation=hints[parameter.name]))
            continue
        group = groups[parameter.name]
        annotations = get_type_hints(group, include_extras=True)
        parameters += [
            inspect.Parameter(f.name, parameter.KEYWORD_ONLY, default=_default(f), annotation=annotations[f.name])
            for f in dataclasses.fields(group)
        ]

    @wraps(command)
    def ungrouped(**given: Any) -> None:
        for name, kind in groups.items():
            given[name] = kind(**{f.name: given.pop(f.name) for f in dataclasses.fields(kind)})
        command(**given)

    # Typer is to see these options, and not those of the command that was wrapped.
    del ungrouped.__wrapped__
    ungrouped.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    ungrouped.__annotations__ = {p.name: p.annotation for p in parameters}
    return ungrouped


def _default(field: "dataclasses.Field[Any]") -> object:
    """What an option is where it is not given; an option without a default has to be given."""
    return inspect.Parameter.empty if field.default is dataclasses.MISSING else field.default


@dataclass(frozen=True)
class FileOptions:
    """What a person says of a file that the file does not say itself."""

    crs: o.CrsOption = None
    encoding: o.EncodingOption = None
    layer: o.LayerOption = None

    def read(self) -> ReadOptions:
        """How to open the file."""
        return ReadOptions(self.encoding, self.layer, self.crs)


@dataclass(frozen=True)
class RowOptions:
    """How rows are understood and placed."""

    profile: o.ProfileOption = None
    placement: o.PlacementOption = None
    tolerance: o.ToleranceOption = GPS_TOLERANCE_M
    fix: o.FixOption = False
    keep: o.KeepOption = None
    leave_out: o.LeaveOutOption = None

    def source(self, read: ReadOptions, form: Form | None, *, unit: Unit = "household") -> SourceOptions:
        """How to read a file of observations."""
        return SourceOptions(
            read=read,
            profile=o.chosen_profile(self.profile),
            unit=unit,
            placement=self.placement,
            tolerance_m=self.tolerance,
            fix=self.fix,
            form=form,
            keep=tuple(self.keep or ()),
            leave_out=tuple(self.leave_out or ()),
        )


@dataclass(frozen=True)
class RoundOptions:
    """A survey round of a city, which is opened if there is none of this slug."""

    city: o.CityOption
    survey: o.SurveyOption
    starts: o.StartsOption = None
    ends: o.EndsOption = None
    unit: o.UnitOption = None
    mode: o.ModeOption = None
    name: o.RoundNameOption = None
    licence: o.LicenceOption = None
    publish: o.PublishOption = False

    def spec(self, settings: Settings) -> SurveySpec:
        """The round, of the organisation whose surveys the command line loads."""
        return SurveySpec(
            slug=self.survey,
            organisation=settings.organisation,
            name=self.name,
            starts_on=as_day(self.starts),
            ends_on=as_day(self.ends),
            unit=self.unit,
            mode=self.mode,
            licence=self.licence,
        )


@dataclass(frozen=True)
class OutcomeOptions:
    """What becomes of a file: whether it is loaded, and what is told of it."""

    skip_errors: o.SkipErrorsOption = False
    dry_run: o.DryRunOption = False
    findings: o.FindingsOption = None
    rejected: o.RejectedOption = None


@dataclass(frozen=True)
class FacilityOptions:
    """What a file of facilities is of, and how its columns are called."""

    kind: Annotated[
        FacilityKind | None,
        typer.Option("--kind", help="What every facility of the file is, where it does not say so."),
    ] = None
    kind_column: Annotated[
        str | None, typer.Option("--kind-column", help="The column that says of each what it is. Default: kind.")
    ] = None
    code: Annotated[
        str | None, typer.Option("--code", help="The column with the facilities' codes. Default: facility_code.")
    ] = None
    name: Annotated[str | None, typer.Option("--name", help="The column with their names. Default: facility_name.")] = (
        None
    )
    seats: Annotated[
        str | None, typer.Option("--seats", help="The column with the number of seats, or taps. Default: seats.")
    ] = None
    seats_working: Annotated[
        str | None, typer.Option("--seats-working", help="The column that says how many work. Default: seats_working.")
    ] = None
    working: Annotated[
        str | None, typer.Option("--working", help="The column that says whether it works at all. Default: working.")
    ] = None
    opened_on: Annotated[
        str | None, typer.Option("--opened-on", help="The column with the day it opened. Default: opened_on.")
    ] = None
    closed_on: Annotated[
        str | None, typer.Option("--closed-on", help="The column with the day it was closed. Default: closed_on.")
    ] = None
    longitude: Annotated[
        str | None, typer.Option("--longitude", help="The column with the longitude, where its name does not say so.")
    ] = None
    latitude: Annotated[
        str | None, typer.Option("--latitude", help="The column with the latitude, where its name does not say so.")
    ] = None

    def columns(self) -> FacilityColumns:
        """How the file's columns are called."""
        if (self.longitude is None) != (self.latitude is None):
            raise typer.BadParameter("--longitude and --latitude go together")
        if self.kind is not None and self.kind_column is not None:
            raise typer.BadParameter("--kind says it of all the file, --kind-column of each row: give one of them")
        return FacilityColumns(
            code=self.code,
            name=self.name,
            kind=self.kind_column,
            seats=self.seats,
            seats_working=self.seats_working,
            working=self.working,
            opened_on=self.opened_on,
            closed_on=self.closed_on,
            longitude=self.longitude,
            latitude=self.latitude,
            all_of_kind=self.kind,
        )

    def source(self, read: ReadOptions) -> SourceOptions:
        """How to find the positions of the file's rows once more."""
        if self.longitude is None or self.latitude is None:
            return SourceOptions(read=read)
        position = PositionColumns(longitude=self.longitude, latitude=self.latitude)
        return SourceOptions(read=read, profile=Profile(name="facilities", position=position))


def as_day(moment: datetime | None) -> date | None:
    """The day of a date a person typed."""
    return None if moment is None else moment.date()
