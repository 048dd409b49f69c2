"""`vasti suggest`: a mapping profile proposed from a file's own columns and values. It needs no database."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from geo.fields import standard_fields
from geo.ingestion.mapping import ColumnEvidence, on_one_line, vocabulary
from geo.ingestion.suggesting import Proposal, Suggestion, suggest_profile, write_profile
from geo.messages import Message, say_clauses
from service.cli import options as o
from service.cli.option_groups import FileOptions, with_groups

_PAPER_WIDTH = 160
_NARROW = 110
"""Below this the reason stands on a line of its own."""

_STYLES = {"sure": "green", "likely": "yellow", "unsure": "red"}
_EXAMPLES, _EXAMPLE_LETTERS = 3, 26
_UNMAPPED_SHOWN = 12
_PROSE_LETTERS = 80
"""A text longer than this is told by somebody, not chosen from answers."""


@with_groups
def suggest(
    file: o.FileArgument,
    given: FileOptions,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the profile to this .toml file. Default: to stdout.")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="The profile's name. Default: the file's.")] = None,
    unit: o.UnitOption = None,
) -> None:
    """Propose a mapping profile for a file, and say for each column how sure that is and why."""
    if out is not None and out.suffix != ".toml":
        raise typer.BadParameter("a profile's file name ends in .toml, such as our-form.toml", param_hint="--out")
    if out is not None and out.exists():
        raise typer.BadParameter(f"{out} is there already; name another file, or remove it", param_hint="--out")
    proposal = suggest_profile(file, given.read(), name=name, unit=unit)
    text = write_profile(proposal)
    if out is None:
        _print_table(proposal, Console(stderr=True))
        sys.stdout.write(text)
        return
    out.write_text(text, encoding="utf-8")
    _print_table(proposal, Console())
    typer.echo(f"\nThe profile is in {out}: read it, mend it, and load the file with --profile {out}.")


def _print_table(proposal: Proposal, console: Console) -> None:
    """What was found: each column of the file with what it is proposed for."""
    # Where output goes to a file or a pipe, a line is not cut to a terminal that is not there.
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console = Console(stderr=console.stderr, width=_PAPER_WIDTH)
    rows = f"{'all' if proposal.is_whole else 'the first'} {proposal.rows_read:,} rows"
    head = f"{on_one_line(proposal.file_name)}: proposed from {rows} and {len(proposal.evidence.cells):,} columns."
    for line in (head, *map(str, proposal.notes)):
        console.print(Text(line))
    if console.width < _NARROW:
        _print_list(proposal, console)
    else:
        _print_grid(proposal, console)
    _print_personal(proposal, console)
    _print_unmapped(proposal, console)


def _print_grid(proposal: Proposal, console: Console) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_edge=False)
    table.add_column("column", max_width=36, overflow="fold")
    table.add_column("values", max_width=44, overflow="fold")
    table.add_column("field", max_width=28, overflow="fold")
    table.add_column("trust", no_wrap=True)
    table.add_column("why", overflow="fold")
    for column, values, field, trust, why in _rows(proposal):
        table.add_row(Text(column), Text(values), Text(field), Text(trust, style=_STYLES[trust]), Text(why))
    console.print()
    console.print(table)


def _print_list(proposal: Proposal, console: Console) -> None:
    """The same for a narrow screen: a few lines each, none of them broken into crumbs."""
    for column, values, field, trust, why in _rows(proposal):
        console.print()
        console.print(Text(f"{trust:<8}", style=_STYLES[trust]) + Text(f"{column} -> {field}", style="bold"))
        console.print(Padding(Text(values), (0, 0, 0, 8), expand=False))
        console.print(Padding(Text(why, style="dim"), (0, 0, 0, 8), expand=False))


def _rows(proposal: Proposal) -> Iterator[tuple[str, str, str, str, str]]:
    """Column, values, field, trust and reason of each proposal."""
    for made in proposal.suggestions:
        seen = proposal.evidence.columns[made.column]
        field = made.target if made.section == "fields" else f"{made.section}: {made.target}"
        n_open = sum(line.value is None for line in made.values)
        why = (*made.why, Message("answers_left_to_you", n=n_open)) if n_open else made.why
        yield on_one_line(made.column), _mapped_values(made, seen), field, made.confidence, say_clauses(why)
    for hint in proposal.shares:
        seen = proposal.evidence.columns[hint.column]
        yield on_one_line(hint.column), _values(hint.column, seen), f"shares: {hint.kind}", "unsure", str(hint.why)


def _print_personal(proposal: Proposal, console: Console) -> None:
    if not proposal.personal:
        return
    n = len(proposal.personal)
    noun = "column seems to be about persons and is" if n == 1 else "columns seem to be about persons and are"
    console.print(f"\n{n} {noun} not kept, unless the profile or --keep says so:", highlight=False)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    for column, holds in proposal.personal.items():
        n_different = proposal.evidence.columns[column].n_distinct
        table.add_row(Text("  " + on_one_line(column)), Text(f"(not shown, {n_different:,} different)"), Text(holds))
    console.print(table)


def _print_unmapped(proposal: Proposal, console: Console) -> None:
    unmapped = [column for column in proposal.unmapped if column not in proposal.personal]
    if not unmapped:
        return
    n = len(unmapped)
    says = "1 column is taken by no field and kept as it stands"
    if n > 1:
        says = f"{n} columns are taken by no field and kept as they stand"
    console.print(f"\n{says}:", highlight=False)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    for column in unmapped[:_UNMAPPED_SHOWN]:
        table.add_row(Text("  " + on_one_line(column)), Text(_values(column, proposal.evidence.columns[column])))
    console.print(table)
    if n > _UNMAPPED_SHOWN:
        console.print(f"  ... and {n - _UNMAPPED_SHOWN} more; the profile names them all.", highlight=False)


def _mapped_values(suggestion: Suggestion, seen: ColumnEvidence) -> str:
    """What a column that is proposed for something holds: answers and ranges, never a household's own code or place."""
    if suggestion.section == "position":
        return _range(seen, ".1f") or "(positions)"
    if suggestion.target == "household_code":
        return f"(code, {seen.n_distinct:,} different)"
    if suggestion.target == "shape":
        return f"(shape, {seen.n_distinct:,} different)"
    field = standard_fields().get(suggestion.target)
    if field is not None and field.type in ("integer", "number"):
        return _range(seen) or _examples(seen)
    return _examples(seen)


def _values(column: str, seen: ColumnEvidence) -> str:
    """What a column that no field takes holds: nothing that could say who somebody is."""
    if seen.n_given == 0:
        return "(empty)"
    if vocabulary().is_personal(column):
        return f"(not shown, {seen.n_distinct:,} different)"
    come_again = [(text, n) for text, n in seen.counts if n > 1]
    if seen.number_share == 1 and (
        len(come_again) > seen.n_distinct / 2 or max(map(abs, seen.numbers), default=0) < 10_000
    ):
        return _range(seen)
    if seen.dates is not None and seen.dates.share == 1 and come_again:
        return _examples(seen)
    is_prose = seen.share_where(lambda text: len(text) > _PROSE_LETTERS) > 0
    if is_prose or seen.n_distinct > 30 or not come_again or seen.n_distinct > seen.n_given / 2:
        kind = "number" if seen.number_share == 1 else "text"
        return f"({kind}, {seen.n_distinct:,} different)"
    return _examples(seen, least=2)


def _range(seen: ColumnEvidence, form: str = ".6g") -> str:
    numbers = [*seen.numbers, *seen.comma_numbers]
    return f"{min(numbers):{form}} to {max(numbers):{form}}" if numbers else ""


def _examples(seen: ColumnEvidence, *, least: int = 1) -> str:
    """The values that come most often."""
    first = [text for text, n in seen.counts[:_EXAMPLES] if n >= least]
    shown = " · ".join(_cut(on_one_line(text)) for text in first)
    rest = seen.n_distinct - len(first)
    return f"{shown} and {rest:,} more" if rest else shown


def _cut(text: str) -> str:
    return text if len(text) <= _EXAMPLE_LETTERS else text[: _EXAMPLE_LETTERS - 1].rstrip() + "…"
