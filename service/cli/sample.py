"""`vasti sample`: the files of the sample city, of any size."""

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.progress import Progress

from data.sample.city import DEFAULT_HOUSEHOLDS, DEFAULT_SEED, write_sample
from data.sample.practice import write_practice
from data.sample.terrain import DEFAULT_SETTLEMENTS


def sample(
    out: Annotated[Path, typer.Option("--out", help="The folder to write to.")],
    settlements: Annotated[int, typer.Option("--settlements", min=1)] = DEFAULT_SETTLEMENTS,
    households: Annotated[int, typer.Option("--households", min=1, help="Households a round.")] = DEFAULT_HOUSEHOLDS,
    file_format: Annotated[
        Literal["shapefile", "geopackage", "csv", "geoparquet"] | None,
        typer.Option("--format", help="One round in standard fields. Default: the demonstration's four files."),
    ] = None,
    practice: Annotated[
        bool, typer.Option("--practice", help="Files with the mistakes real ones have, to practise loading with.")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", help="Another seed is another city.")] = DEFAULT_SEED,
) -> None:
    """Write the files of a made-up city of any size; the same options write the same files."""
    if practice:
        for path in write_practice(out, seed=seed):
            typer.echo(path)
        return
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Writing households", total=households)
        files = write_sample(
            out,
            settlements=settlements,
            households=households,
            file_format=file_format,
            seed=seed,
            progress=lambda more: bar.update(task, advance=more),
        )
    for written in (files.boundaries, *files.surveys):
        profile = f" (--profile {written.profile})" if written.profile else ""
        typer.echo(f"{written.path}{profile}")
    if files.facilities is not None:
        typer.echo(files.facilities)
