"""What commands print: tables for people, CSV and JSON for programs, findings in plain words, progress."""

import csv
import io
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from geo.ingestion.findings import Findings, sentence
from geo.ingestion.observe import Progress as RowsRead

OutputFormat = Literal["table", "csv", "json"]

_GROUPS_SHOWN = 12
_PAPER_WIDTH = 160
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def print_frame(frame: pd.DataFrame, output: OutputFormat, *, title: str) -> None:
    """Prints rows as a table, CSV or JSON."""
    if output == "csv":
        sys.stdout.write(csv_text(frame))
    elif output == "json":
        sys.stdout.write(json.dumps(json_rows(frame), ensure_ascii=False, indent=1) + "\n")
    else:
        table = Table(title=title, title_justify="left")
        for name in frame.columns:
            numeric = pd.api.types.is_numeric_dtype(frame[name])
            table.add_column(str(name).replace("_", " "), justify="right" if numeric else "left")
        for row in frame.itertuples(index=False):
            table.add_row(*(_cell(value) for value in row))
        console = Console()
        # Where output goes to a file or a pipe, a line is not cut to a terminal that is not there.
        (console if console.is_terminal else Console(width=_PAPER_WIDTH)).print(table)


def _cell(value: Any) -> str:
    if pd.isna(value):
        return ""
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() else f"{value:,.1f}"
    return str(value)


def json_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON holds them: whole numbers without a point, nothing as null."""

    def plain(value: Any) -> Any:
        if pd.isna(value):
            return None
        if isinstance(value, float) and value.is_integer():
            return int(value)
        return value.item() if hasattr(value, "item") else value

    return [
        {str(name): plain(value) for name, value in zip(frame.columns, row, strict=True)}
        for row in frame.itertuples(index=False, name=None)
    ]


def csv_text(frame: pd.DataFrame) -> str:
    """Rows as CSV. A text a spreadsheet would run as a formula is kept from it by an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(frame.columns)
    for row in json_rows(frame):
        writer.writerow(
            "'" + value if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value
            for value in row.values()
        )
    return out.getvalue()


def print_findings(findings: Findings) -> None:
    """Prints findings grouped by kind, errors first, on stderr."""
    groups = findings.groups()
    for group in groups[:_GROUPS_SHOWN]:
        rows = ", ".join(str(row) for row in group.rows)
        more = ", ..." if group.count > len(group.rows) else ""
        noun = "row" if group.count == 1 else "rows"
        typer.echo(f"{group.severity}: {group.sentence()} ({group.count} {noun}: {rows}{more})", err=True)
    if len(groups) > _GROUPS_SHOWN:
        typer.echo(f"... and {len(groups) - _GROUPS_SHOWN} more kinds; --findings FILE writes them all.", err=True)


def write_findings(findings: Findings, path: Path) -> None:
    """Writes every finding with what it means and what to do, as CSV."""
    frame = findings.frame()
    frame["meaning"] = [sentence(str(r.code), r.field, r.value) for r in frame[["code", "field", "value"]].itertuples()]
    path.write_text(csv_text(frame), encoding="utf-8-sig", newline="")


@contextmanager
def progress_bar(text: str) -> Iterator[RowsRead]:
    """A bar on stderr that shows rows read, on a terminal; nothing elsewhere."""
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("rows"),
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
