"""The same households in two published rounds: how sure their changes are, as far as that may be said."""

from sqlalchemy import Connection, insert, select

from geo.base import PageRequest
from geo.database.schema.publications import published_block, published_pair, published_place
from geo.database.schema.tallies import pair_tally
from geo.indicators.figures import LEVELS, ValuesQuery, find_changes
from geo.publications.values import CurrentPublication, current_publications


def write_pairs(connection: Connection, city: str, survey: str) -> None:
    """Writes what is told of pairs between a round's publication, which is the current one, and all others'."""
    publications = current_publications(connection, [city])
    (made,) = (each for each in publications if each.survey == survey)
    for other in publications:
        earlier, later = sorted((made, other), key=lambda each: each.key)
        if other.id != made.id and _have_pairs(connection, earlier, later):
            _write(connection, earlier, later)


def _have_pairs(connection: Connection, earlier: CurrentPublication, later: CurrentPublication) -> bool:
    """Whether some household is in both rounds, and either asked only a part of all."""
    if earlier.mode == later.mode == "census":
        return False
    rounds = (pair_tally.c.from_survey_id == earlier.survey_id, pair_tally.c.to_survey_id == later.survey_id)
    return connection.execute(select(pair_tally.c.n).where(*rounds, pair_tally.c.n > 0).limit(1)).first() is not None


def _write(connection: Connection, earlier: CurrentPublication, later: CurrentPublication) -> None:
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
                rows.append(
                    {
                        "from_publication_id": earlier.id,
                        "to_publication_id": later.id,
                        "block": numbers[told["indicator"], counted],
                        "place": at[level, code],
                        **{name: _known(told[name]) for name in ("n_pairs", "low", "high", "p_value")},
                    }
                )
    if rows:
        connection.execute(insert(published_pair), rows)


def _known(number: float) -> float | None:
    return None if number != number else number  # noqa: PLR0124 (NaN alone differs from itself)
