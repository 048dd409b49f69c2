"""The same households in two published rounds: how sure their changes are, as far as that may be said."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, insert, select

from geo.base import PageRequest
from geo.database.schema.publications import published_block, published_pair, published_place
from geo.database.schema.tallies import pair_tally
from geo.indicators.figures import LEVELS, ValuesQuery, find_changes
from geo.publications.current import CurrentPublication, current_publications
from geo.publications.former import Name

_TOLD = ("n_pairs", "low", "high", "p_value")
"""What is told of pairs."""


def write_pairs(connection: Connection, city: str, survey: str, kept: Collection[Name], former_id: int | None) -> None:
    """Writes what is told of pairs between a round's publication, which is the current one, and all others'.

    Args:
        kept: the figures of this publication that stay as they were, and of which the same is told of pairs as before.
        former_id: the publication that was current before; None: there was none.
    """
    publications = current_publications(connection, [city])
    (made,) = (each for each in publications if each.survey == survey)
    for other in publications:
        earlier, later = sorted((made, other), key=lambda each: each.key)
        if other.id != made.id and _have_pairs(connection, earlier, later):
            was = {} if former_id is None else _told_of(connection, {former_id, other.id})
            _write(connection, earlier, later, kept, was)


def _told_of(connection: Connection, publications: Collection[int]) -> dict[Name, dict[str, Any]]:
    """What has been told of the pairs between two publications."""
    pair, block, place = published_pair, published_block, published_place
    rows = connection.execute(
        select(block.c.indicator_id, block.c.counted, place.c.level, place.c.code, *(pair.c[name] for name in _TOLD))
        .join(block, (block.c.publication_id == pair.c.to_publication_id) & (block.c.block == pair.c.block))
        .join(place, (place.c.publication_id == pair.c.to_publication_id) & (place.c.place == pair.c.place))
        .where(pair.c.from_publication_id.in_(publications), pair.c.to_publication_id.in_(publications))
    )
    return {tuple(row[:4]): {name: row._mapping[name] for name in _TOLD} for row in rows}


def _have_pairs(connection: Connection, earlier: CurrentPublication, later: CurrentPublication) -> bool:
    """Whether some household is in both rounds, and either asked only a part of all."""
    if earlier.mode == later.mode == "census":
        return False
    rounds = (pair_tally.c.from_survey_id == earlier.survey_id, pair_tally.c.to_survey_id == later.survey_id)
    return connection.execute(select(pair_tally.c.n).where(*rounds, pair_tally.c.n > 0).limit(1)).first() is not None


def _write(
    connection: Connection,
    earlier: CurrentPublication,
    later: CurrentPublication,
    kept: Collection[Name],
    was: Mapping[Name, dict[str, Any]],
) -> None:
    block, place = published_block.c, published_place.c
    blocks = select(block.indicator_id, block.counted, block.block).where(
        block.publication_id == later.id, block.group_field == ""
    )
    numbers = {(row[0], row[1]): row[2] for row in connection.execute(blocks)}
    places = select(place.level, place.code, place.place).where(place.publication_id == later.id)
    at = {(row[0], row[1]): row[2] for row in connection.execute(places)}
    rows = []
    for counted in ("households", "persons"):
        for level in LEVELS:
            asked = ValuesQuery(
                cities=[later.city], level=level, counted=counted, seen="all", page=PageRequest(limit=None)
            )
            found = find_changes(connection, asked, earlier=earlier.survey, later=later.survey).figures
            for told in found[found["method"] == "paired"].to_dict("records"):
                code = "" if level == "city" else told[f"{level}_code"]
                name = (told["indicator"], counted, level, code)
                if name in kept and name not in was:
                    continue
                rows.append(
                    {
                        "from_publication_id": earlier.id,
                        "to_publication_id": later.id,
                        "block": numbers[told["indicator"], counted],
                        "place": at[level, code],
                        **(was[name] if name in kept else {part: _known(told[part]) for part in _TOLD}),
                    }
                )
    if rows:
        connection.execute(insert(published_pair), rows)


def _known(number: float) -> float | None:
    return None if number != number else number  # noqa: PLR0124 (NaN alone differs from itself)
