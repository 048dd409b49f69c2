"""`vasti survey`: what is kept with the rows of a round beside the answers, and taking it away."""

from typing import Annotated

import pandas as pd
import typer

from geo.ingestion.loading import stored_columns
from geo.places import find_city
from geo.settings import Settings
from geo.surveys import find_survey
from service.actions.surveys import remove_column
from service.cli import options as o
from service.cli.load import operating, reading_database
from service.cli.output import print_frame

survey_app = typer.Typer(
    name="survey", add_completion=False, help="What is kept with a round's rows.", no_args_is_help=True
)


@survey_app.command("columns")
def columns(city: o.CityOption, survey: o.SurveyOption, output: o.FormatOption = "table") -> None:
    """List the columns that no field uses and that are kept with a round's rows."""
    with reading_database(Settings()) as connection:
        found = stored_columns(connection, find_survey(connection, find_city(connection, city), survey)["id"])
    rows = [{"column": each.name, "rows": each.rows, "about_persons": each.holds} for each in found]
    frame = pd.DataFrame(rows, columns=["column", "rows", "about_persons"])
    print_frame(frame, output, title="Kept beside the answers")


@survey_app.command("remove-column")
def remove(
    column: Annotated[str, typer.Argument(help="The column's name, as `vasti survey columns` lists it.")],
    city: o.CityOption,
    survey: o.SurveyOption,
) -> None:
    """Take a column away from every row of a round, for good. Figures do not change."""
    with operating(Settings()) as done:
        removed = remove_column(done, city, survey, column)
    files = ", ".join(f"{name} (upload {number})" for number, name in removed.files)
    noun = "row" if removed.rows == 1 else "rows"
    typer.echo(f"The column {column} is removed from {removed.rows:,} {noun} of the round {survey}.")
    typer.echo(f"The files as they came, and backups, still hold it: {files}.")
