"""Options several commands share, each declared once."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from geo.indicators.definitions import Counted
from geo.ingestion.mapping import BoundaryColumns, Form, Profile, read_form, read_profile
from geo.ingestion.placing import Placement
from service.cli.output import OutputFormat

CityOption = Annotated[str, typer.Option("--city", help="The city's slug, as in `vasti city add`.")]
SurveyOption = Annotated[str, typer.Option("--survey", help="The survey round's slug, such as 2024.")]
FullOption = Annotated[
    bool,
    typer.Option(
        "--full", help="Exact figures with nothing withheld. For the survey's own organisation; do not publish them."
    ),
]
FileArgument = Annotated[
    Path,
    typer.Argument(
        help="Shapefile (.zip or .shp), .gpkg, .geojson, .kml, .kmz, .fgb, .gdb.zip, .parquet, .csv, .xlsx, .xls, "
        ".ods, .json or .dbf; in a .zip or packed as .gz too."
    ),
]
CrsOption = Annotated[
    str | None, typer.Option("--crs", help="The CRS of the positions, such as EPSG:32643, where the file says none.")
]
EncodingOption = Annotated[str | None, typer.Option("--encoding", help="The text's encoding, such as cp1252.")]
LayerOption = Annotated[
    str | None, typer.Option("--layer", help="Which layer, sheet, table or file of a zip to read: NAME or FILE/NAME.")
]
ProfileOption = Annotated[
    str | None, typer.Option("--profile", help="A mapping profile: a .toml file, or the name of a shipped one.")
]
FormOption = Annotated[
    Path | None, typer.Option("--form", help="The XLSForm of a KoboToolbox or ODK export: labels become codes.")
]
CodeOption = Annotated[str | None, typer.Option("--code", help="The column with the settlements' codes.")]
NameOption = Annotated[str | None, typer.Option("--name", help="The column with the settlements' names.")]
WardOption = Annotated[str | None, typer.Option("--ward", help="The column that names the ward.")]
PlacementOption = Annotated[
    Placement | None,
    typer.Option(
        "--placement",
        help="Place rows by position, by the settlement they name, or by one then the other. Default: households by "
        "position first, settlements by what they name first.",
    ),
]
ToleranceOption = Annotated[
    float, typer.Option("--tolerance", min=0, max=1000, help="GPS tolerance in metres around a settlement.")
]
SkipErrorsOption = Annotated[bool, typer.Option("--skip-errors", help="Load the rows without errors.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Check everything and write nothing.")]
FindingsOption = Annotated[Path | None, typer.Option("--findings", help="Write every finding to this CSV file.")]
RejectedOption = Annotated[
    Path | None,
    typer.Option("--rejected", help="Write the rows with errors, and why, to this .csv or .gpkg file."),
]
FixOption = Annotated[
    bool,
    typer.Option("--fix", help="Correct positions that are swapped or lack a minus, where that is certain."),
]
KeepOption = Annotated[
    list[str] | None,
    typer.Option("--keep", help="Keep this column, though it seems to be about persons. May come several times."),
]
LeaveOutOption = Annotated[
    list[str] | None, typer.Option("--leave-out", help="Do not keep this column. May come several times.")
]
UnitOption = Annotated[
    Literal["household", "settlement"] | None, typer.Option("--unit", help="What a row is. Default: household.")
]
FormatOption = Annotated[OutputFormat, typer.Option("--format", help="A table for people, CSV or JSON for programs.")]
DATE = ["%Y-%m-%d"]

# A round.
StartsOption = Annotated[
    datetime | None, typer.Option("--starts", formats=DATE, help="First day of the round, such as 2024-01-15.")
]
EndsOption = Annotated[datetime | None, typer.Option("--ends", formats=DATE, help="Last day of the round.")]
ModeOption = Annotated[
    Literal["census", "sample", "phone"] | None,
    typer.Option(
        "--mode", help="census: every household visited; sample: some drawn; phone: some, by telephone. No default."
    ),
]
CountedOption = Annotated[
    Counted | None,
    typer.Option(
        "--counted",
        help="Count households or persons. Default: as the indicator's source does; households, where their sizes are "
        "not known.",
    ),
]
RoundNameOption = Annotated[str | None, typer.Option("--name", help="The round's name, as maps show it.")]
LicenceOption = Annotated[str | None, typer.Option("--licence", help="The licence its figures are published under.")]
PublishOption = Annotated[bool, typer.Option("--publish", help="Publish the round's figures at once.")]


def chosen_profile(name_or_path: str | None) -> Profile | None:
    """The profile a person named, if any."""
    return None if name_or_path is None else read_profile(name_or_path)


def chosen_form(path: Path | None) -> Form | None:
    """The form a person named, if any."""
    return None if path is None else read_form(path)


def boundary_columns(
    profile: str | None, code: str | None, name: str | None, ward: str | None
) -> BoundaryColumns | Profile | None:
    """How a person said the columns of a boundary file are called, if at all."""
    if code is not None:
        return BoundaryColumns(settlement_code=code, settlement_name=name, ward_name=ward)
    if name is not None or ward is not None:
        raise typer.BadParameter("--name and --ward go with --code, which names the column with the codes")
    return chosen_profile(profile)
