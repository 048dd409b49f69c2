"""Commands on settlements that are there already: ending one, and reopening it."""

from datetime import date, datetime
from typing import Annotated

import typer

from geo.places import find_city
from geo.publications import Behind, find_behind
from geo.settings import Settings
from service.actions.settlements import end_settlement
from service.cli import options as o
from service.cli.behind import print_behind
from service.cli.load import operating

settlement_app = typer.Typer(
    name="settlement", add_completion=False, help="Settlements: ending, reopening.", no_args_is_help=True
)

CodeArgument = Annotated[str, typer.Argument(metavar="CODE", help="The settlement's code.")]


@settlement_app.command("end")
def end(
    code: CodeArgument,
    city: o.CityOption,
    on: Annotated[
        datetime,
        typer.Option("--on", formats=o.DATE, help="The first day on which it was no more."),
    ],
) -> None:
    """End a settlement: it stays in past rounds, and is in none that starts on that day or later."""
    behind = _set(code, city, on.date())
    typer.echo(f"Settlement {code} of {city} ended on {on.date()}.")
    print_behind(behind)


@settlement_app.command("reopen")
def reopen(code: CodeArgument, city: o.CityOption) -> None:
    """Reopen a settlement that was ended."""
    behind = _set(code, city, None)
    typer.echo(f"Settlement {code} of {city} is there again.")
    print_behind(behind)


def _set(code: str, city: str, ended_on: date | None) -> list[Behind]:
    """Sets the day; the rounds that are behind now."""
    with operating(Settings()) as done:
        end_settlement(done, city, code, ended_on)
        return find_behind(done.connection, find_city(done.connection, city))
