"""Which figures of a publication a question asks for: some of its blocks, of some of its places."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple

from sqlalchemy import Connection

from geo.indicators.figures import ValuesQuery
from geo.publications.contents import PublishedBlock, PublishedPlace, contents_of
from geo.publications.current import CurrentPublication

IsAsked = Callable[[PublishedBlock], bool]
"""Whether a block of the field that is asked for is one of those asked for: at most one of each indicator is."""


class FigureKey(NamedTuple):
    """What names a figure of a publication."""

    block: PublishedBlock
    place: PublishedPlace
    group: str

    @property
    def after(self) -> list[str]:
        """What a cursor holds of it."""
        return [self.block.indicator, self.place.code, self.group]


AFTER = 3
"""How many parts FigureKey.after has."""


@dataclass(frozen=True, eq=False)
class Chosen:
    """The figures of a publication that are asked for: those of each block in each place, both in their order."""

    publication: CurrentPublication
    blocks: Sequence[PublishedBlock]
    places: Sequence[PublishedPlace]

    @property
    def total(self) -> int:
        """How many there are."""
        return sum(len(block.groups) for block in self.blocks) * len(self.places)

    def keys(self, after: Sequence[str] | None) -> Iterator[FigureKey]:
        """Their keys in order, from the first one `after` another."""
        first = 0 if after is None else bisect_left(self.blocks, after[0], key=attrgetter("indicator"))
        for block in self.blocks[first:]:
            is_within = after is not None and block.indicator == after[0]
            begin = bisect_left(self.places, after[1], key=attrgetter("code")) if after is not None and is_within else 0
            for place in self.places[begin:]:
                for group in block.groups:
                    key = FigureKey(block, place, group)
                    if after is None or not is_within or key.after > [*after]:
                        yield key


def choose(
    connection: Connection, publication: CurrentPublication, query: ValuesQuery, is_asked: IsAsked | None = None
) -> Chosen:
    """The figures of a publication that a query asks for, or those of other blocks than it says."""
    contents = contents_of(connection, publication.id, publication.made_at)
    of_field = contents.blocks.get(query.by or "", ())
    blocks = [*filter(is_asked or asked_by(query), of_field)]
    places = contents.places.get(query.level, ())
    if query.settlements:
        named = {contents.by_code[code] for code in query.settlements if code in contents.by_code}
        places = sorted(named) if query.level == "settlement" else []
    return Chosen(publication, blocks, places)


def asked_by(query: ValuesQuery) -> IsAsked:
    """Which blocks a query asks for."""
    indicators = {*query.indicators}

    def is_asked(block: PublishedBlock) -> bool:
        return (
            (block.is_headline if query.counted is None else block.counted == query.counted)
            and query.version in (None, block.definition_version)
            and (not indicators or block.indicator in indicators)
        )

    return is_asked
