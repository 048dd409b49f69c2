"""The command `vasti`: every command in its place, and every error as one sentence with its exit code."""

import gc
import logging
import os
import sys
import traceback
import warnings
from importlib import import_module
from types import ModuleType
from typing import Annotated, Any
from uuid import uuid4

import typer
from pydantic import ValidationError
from typer.core import TyperCommand, TyperGroup

from geo.base.version import vasti_version
from geo.errors import Busy, Conflict, InputError, NotFound, SetupError, StorageFull, VastiError
from geo.settings import Settings
from service.cli.commands import COMMANDS


class Commands(TyperGroup):
    """Imports a command's module when the command is called: a figure need not wait for the web server."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 (the signature is Typer's)
        """The commands in the order of the help."""
        return list(COMMANDS)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """The help, for which no command is imported: what each does stands in the table."""
        self._only_told = True
        super().format_help(ctx, formatter)

    _only_told = False

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 (the signature is Typer's)
        """The command of this name."""
        if cmd_name not in COMMANDS:
            return None
        if self._only_told:
            return TyperCommand(cmd_name, help=COMMANDS[cmd_name].help)
        command = COMMANDS[cmd_name]
        found = getattr(_import_for_good(f"service.cli.{command.module}"), command.function)
        if isinstance(found, typer.Typer):
            # A group stays one also with a single command in it.
            return typer.main.get_group(found)
        alone = typer.Typer(add_completion=False)
        alone.command(cmd_name)(found)
        return typer.main.get_command(alone)


def _import_for_good(name: str) -> ModuleType:
    """Imports a module, and leaves what is there by then out of all later searches for garbage.

    Modules stay until the process ends. To look through all of them for garbage, many times while they are imported
    and again at the end, takes as long as half of a short command.
    """
    gc.disable()
    try:
        return import_module(name)
    finally:
        gc.freeze()
        gc.enable()


app = typer.Typer(
    name="vasti",
    cls=Commands,
    help="Community data for informal settlements: surveys in, coverage figures and gap maps out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _tell_version(asked: bool) -> None:
    if asked:
        typer.echo(f"vasti {vasti_version()}")
        raise typer.Exit


@app.callback()
def _vasti(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_tell_version, is_eager=True)
    ] = False,
) -> None:
    """Community data for informal settlements: surveys in, coverage figures and gap maps out."""


EXIT_INPUT, EXIT_NOT_FOUND, EXIT_CONFLICT, EXIT_SETUP, EXIT_INTERNAL = 1, 3, 4, 5, 70

EXIT_CODES: dict[type[VastiError], int] = {
    InputError: EXIT_INPUT,
    NotFound: EXIT_NOT_FOUND,
    Conflict: EXIT_CONFLICT,
    SetupError: EXIT_SETUP,
    StorageFull: EXIT_SETUP,
    Busy: EXIT_SETUP,
    VastiError: EXIT_INPUT,
}
"""The exit code of each kind of error: that of its nearest ancestor."""


def exit_code(error: VastiError) -> int:
    """The exit code of an error; every one has one."""
    return next(EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES)


def run() -> None:
    """Runs the command line and exits; what the command line itself refuses exits with 2."""
    # Libraries warn and log in their own words, with tracebacks; what a person should know of a file stands among its
    # findings, what broke off in the error. What keeps running writes logs of its own (service.logs).
    warnings.simplefilter("ignore")
    logging.getLogger().addHandler(logging.NullHandler())
    try:
        app()
    except VastiError as error:
        typer.echo(f"Error: {error}", err=True)
        sys.exit(exit_code(error))
    except BrokenPipeError:
        # The reader of the output has seen enough; nothing more goes there, at exit neither.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except ValidationError as error:
        sys.exit(_misconfigured(error))
    except OSError as error:
        named = f" {error.filename}" if error.filename else ""
        typer.echo(f"Error: The operating system refused:{named}: {error.strerror or type(error).__name__}.", err=True)
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
        typer.echo(f"Error: {variable}: {problem['msg'].removeprefix('Value error, ')}.", err=True)
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
    typer.echo(f"Error: Something went wrong inside Vasti; nothing of this step was saved, and {kept}.", err=True)
    return EXIT_INTERNAL
