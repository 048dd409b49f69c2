"""The command `vasti`: every command in its place, and every error as one sentence with its exit code."""

import os
import sys
import traceback
import warnings
from uuid import uuid4

import typer
from pydantic import ValidationError

from geo.errors import Conflict, InputError, NotFound, SetupError, VastiError
from geo.settings import Settings
from service.cli import figures, load, sample, serve
from service.cli.db import db_app

app = typer.Typer(
    name="vasti",
    help="Community data for informal settlements: surveys in, coverage figures and gap maps out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(load.city_app)
app.add_typer(load.load_app)
app.command()(load.publish)
app.command()(load.withdraw)
app.command()(figures.values)
app.command()(figures.changes)
app.add_typer(figures.map_app)
app.command()(figures.assess)
app.command()(sample.sample)
app.command()(sample.demo)
app.command()(serve.serve)
app.command()(serve.worker)
app.add_typer(db_app)

EXIT_INPUT, EXIT_NOT_FOUND, EXIT_CONFLICT, EXIT_SETUP, EXIT_INTERNAL = 1, 3, 4, 5, 70

EXIT_CODES: dict[type[VastiError], int] = {
    InputError: EXIT_INPUT,
    NotFound: EXIT_NOT_FOUND,
    Conflict: EXIT_CONFLICT,
    SetupError: EXIT_SETUP,
}
"""The exit code of each kind of error; the most specific class decides."""


def run() -> None:
    """Runs the command line and exits; what the command line itself refuses exits with 2."""
    # Libraries warn in their own words; what a person should know of a file stands among its findings.
    warnings.simplefilter("ignore")
    try:
        app()
    except VastiError as error:
        typer.echo(f"Error: {error}", err=True)
        sys.exit(next(code for kind, code in EXIT_CODES.items() if isinstance(error, kind)))
    except BrokenPipeError:
        # Whoever read the output has seen enough; nothing more goes there, at exit neither.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except ValidationError as error:
        sys.exit(_misconfigured(error))
    except OSError as error:
        named = f" {error.filename}" if error.filename else ""
        typer.echo(f"Error: This machine would not do it:{named}: {error.strerror or type(error).__name__}.", err=True)
        sys.exit(EXIT_SETUP)
    except Exception as error:
        # The last wall: a user sees a sentence, never a traceback.
        sys.exit(_internal(error))


def _misconfigured(error: ValidationError) -> int:
    """A VASTI_* variable that cannot be used; any other model that does not hold is a fault of our own."""
    if error.title != Settings.__name__:
        return _internal(error)
    for problem in error.errors():
        variable = "_".join(("VASTI", *(str(part).upper() for part in problem["loc"])))
        typer.echo(f"Error: {variable}: {problem['msg']}.", err=True)
    return EXIT_SETUP


def _internal(error: Exception) -> int:
    """Keeps where it broke, but not the exception's text, which may quote somebody's answers."""
    mark = uuid4().hex[:8]
    where = "".join(traceback.format_tb(error.__traceback__))
    log = Settings().state_dir / "vasti.log"
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as handle:
            handle.write(f"--- {mark} {type(error).__name__}\n{where}")
        kept = f"where it happened is noted in {log} under {mark}"
    except OSError:
        kept = f"its kind is {type(error).__name__}"
    typer.echo(f"Error: Vasti came upon a fault of its own; nothing of this step was saved, and {kept}.", err=True)
    return EXIT_INTERNAL
