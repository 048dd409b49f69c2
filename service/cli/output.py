"""What commands print: tables for people, CSV and JSON for programs, findings in plain words, progress."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from uuid import uuid4

import pandas as pd
import typer
from rich.console import Console
from rich.measure import Measurement
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from geo.ingestion.findings import Findings, sentence
from geo.ingestion.loading import Progress as RowsRead
from service.formats.csv_tables import COUNTS, csv_text, plain_rows

OutputFormat = Literal["table", "csv", "json"]

_GROUPS_SHOWN = 12
_PAPER_WIDTH = 160
_SMALLEST_P = 0.001
_UNLIMITED = 100_000


def print_frame(frame: pd.DataFrame, output: OutputFormat, *, title: str) -> None:
    """Prints rows as a table, CSV or JSON."""
    if output == "csv":
        sys.stdout.write(csv_text(frame, list(frame.columns)))
    elif output == "json":
        sys.stdout.write(json.dumps(plain_rows(frame), ensure_ascii=False, indent=1) + "\n")
    else:
        table = Table(title=title, title_justify="left")
        for name in frame.columns:
            numeric = pd.api.types.is_numeric_dtype(frame[name])
            table.add_column(str(name).replace("_", " "), justify="right" if numeric else "left")
        rows = list(zip(*(_cells(frame[name]) for name in frame.columns), strict=True))
        for row in rows:
            # As it is: what stands between square brackets is no markup.
            table.add_row(*map(Text, row))
        console = Console()
        # Where output goes to a file or a pipe, a line is not cut to a terminal that is not there.
        console = console if console.is_terminal else Console(width=_PAPER_WIDTH)
        if Measurement.get(console, console.options.update(max_width=_UNLIMITED), table).maximum <= console.width:
            console.print(table)
        else:
            _print_records(console, title, [str(name).replace("_", " ") for name in frame.columns], rows)


def _print_records(console: Console, title: str, names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints rows one below the other, a line each value, where a table of them would be wider than the terminal."""
    console.print(Text(title, style="italic"))
    for row in rows:
        block = Table.grid(padding=(0, 2))
        for name, cell in zip(names, row, strict=True):
            if cell:
                block.add_row(Text(name, style="bold"), Text(cell))
        console.print()
        console.print(block)


def _cells(column: pd.Series) -> list[str]:
    """A column as a person reads it: whole numbers whole, others all with one decimal."""
    if not pd.api.types.is_float_dtype(column):
        return ["" if pd.isna(value) else str(value) for value in column]
    if column.name in ("p_value", "gi_p"):
        return ["" if pd.isna(p) else f"{p:.3f}" if p > _SMALLEST_P else f"< {_SMALLEST_P}" for p in column]
    decimals = 0 if (column.dropna() % 1 == 0).all() and column.name in COUNTS else 1
    return ["" if pd.isna(value) else f"{value:,.{decimals}f}" for value in column]


def print_findings(findings: Findings) -> None:
    """Prints findings grouped by kind, errors first, on stderr."""
    groups = findings.groups()
    for group in groups[:_GROUPS_SHOWN]:
        rows = ", ".join(str(row) for row in group.rows)
        more = ", ..." if group.count > len(group.rows) else ""
        noun = "row" if group.count == 1 else "rows"
        where = f" ({group.count} {noun}: {rows}{more})" if group.rows else ""
        typer.echo(f"{group.severity}: {group.sentence()}{where}", err=True)
    if len(groups) > _GROUPS_SHOWN:
        typer.echo(f"... and {len(groups) - _GROUPS_SHOWN} more kinds; --findings FILE writes them all.", err=True)


def write_findings(findings: Findings, path: Path) -> None:
    """Writes every finding with what it means and what to do, as CSV."""
    frame = findings.frame()
    frame["meaning"] = [sentence(str(r.code), r.field, r.value) for r in frame[["code", "field", "value"]].itertuples()]
    path.write_text(csv_text(frame, list(frame.columns)), encoding="utf-8-sig", newline="")


def write_whole(path: Path, parts: Iterable[bytes]) -> None:
    """Writes a file, which is there whole or not at all."""
    partial = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        with partial.open("wb") as file:
            file.writelines(parts)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def print_rejected(rows: int, path: Path) -> None:
    """Says on stderr where the rejected rows are."""
    if rows == 0:
        typer.echo(f"No row was rejected, so {path.name} holds none.", err=True)
        return
    noun = "row is" if rows == 1 else "rows are"
    told = f"{rows:,} rejected {noun} in {path.name}, with the reasons; corrected, that file loads by itself."
    typer.echo(told, err=True)


@contextmanager
def progress_bar(text: str, of: str = "rows") -> Iterator[RowsRead]:
    """A bar on stderr that shows rows read, or what else is counted, on a terminal; nothing elsewhere."""
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(of),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task(text, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def counts_line(parts: Sequence[tuple[str, int]], seconds: float) -> str:
    """The summary of a load on one line."""
    counts = ", ".join(f"{count:,} {name}" for name, count in parts)
    return f"{counts} in {seconds:.1f} s"
