"""What a load tells: what was found in the file's rows, and what came of it."""

import getpass
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer

from geo.ingestion.loading import ErrorsFound, LoadOptions, LoadResult, SourceOptions, check_target, write_rejected
from geo.places import Move
from geo.settings import Settings
from service.cli.option_groups import OutcomeOptions
from service.cli.output import counts_line, print_findings, print_rejected, write_findings


def load_options(settings: Settings, outcome: OutcomeOptions, pulled_from: str | None = None) -> LoadOptions:
    """How a load is to go, as a person said it, in the name of who runs the command."""
    return LoadOptions(
        getpass.getuser(),
        settings.originals_url,
        settings.organisation,
        skip_errors=outcome.skip_errors,
        dry_run=outcome.dry_run,
        pulled_from=pulled_from,
    )


class Report:
    """What is told of a file, whether it is loaded or refused: its findings, and its rejected rows."""

    def __init__(self, file: Path, source: SourceOptions, outcome: OutcomeOptions) -> None:
        if outcome.rejected:
            check_target(outcome.rejected, file)
        self._file, self._source, self._outcome = file, source, outcome

    @contextmanager
    def of_refusal(self) -> Iterator[None]:
        """Tells what was found even when that stops the load."""
        try:
            yield
        except ErrorsFound as error:
            self.write(error.result)
            raise

    def write(self, result: LoadResult) -> None:
        """Prints the findings, and writes the files that were asked for."""
        print_findings(result.findings)
        if self._outcome.findings:
            write_findings(result.findings, self._outcome.findings)
        target = self._outcome.rejected
        if target and result.state != "already loaded":
            print_rejected(write_rejected(self._file, self._source, result.findings, target), target)


def summarise(result: LoadResult, file: Path, started: float) -> None:
    """Prints in one line what came of a file."""
    counts = counts_line(
        [
            ("read", result.rows_read),
            ("loaded" if result.state != "checked" else "would load", result.rows_loaded),
            ("with warnings", result.rows_warned),
            ("rejected", result.rows_rejected),
        ],
        time.monotonic() - started,
    )
    match result.state:
        case "loaded":
            typer.echo(f"{file.name}: upload {result.upload_id}: {counts}.")
        case "already loaded":
            typer.echo(
                f"{file.name} is loaded already, as upload {result.upload_id}; nothing was changed. To load it read "
                f"otherwise, take that upload back first: `vasti withdraw {result.upload_id}`."
            )
        case "checked":
            typer.echo(f"{file.name}: checked, nothing written: {counts}.")


def print_moves(moves: Sequence[Move]) -> None:
    """Prints which settlements came into another ward."""
    if not moves:
        return
    typer.echo(f"{len(moves)} moved to another ward:")
    for move in moves:
        came_from = f"{move.from_ward_code} ({move.from_ward_name})" if move.from_ward_code else "no ward"
        since = "" if move.valid_from_on is None else f", from {move.valid_from_on} on"
        typer.echo(f"  {move.code} ({move.name}) from {came_from} to {move.to_ward_code} ({move.to_ward_name}){since}")
