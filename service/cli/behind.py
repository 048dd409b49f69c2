"""What a command says of published rounds whose figures it has changed: what everybody reads, and until when."""

from collections.abc import Sequence

import typer

from geo.publications import Behind

_MOST = 10


def print_behind(rounds: Sequence[Behind]) -> None:
    """Says of each round how it gets its next publication; of many only how many they are."""
    if len(rounds) > _MOST:
        typer.echo(
            f"{len(rounds)} surveys are published: everybody reads their former figures until a worker, or "
            "`vasti publish`, makes the next publications."
        )
        return
    for each in rounds:
        command = f"vasti publish --city {each.city} --survey {each.survey}"
        if not each.has_rows:
            typer.echo(
                f"Survey {each.survey} has no rows any more, and everybody still reads its former figures: "
                f"`{command} --draft` takes them back."
            )
            continue
        makers = f"a worker, or `{command}`," if each.is_automatic else f"`{command}`"
        typer.echo(
            f"Survey {each.survey} is published: everybody reads its former figures until {makers} makes the next "
            "publication."
        )
