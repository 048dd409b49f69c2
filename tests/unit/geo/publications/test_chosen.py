"""Which figures a question asks for, and where the next page begins."""

from datetime import UTC, date, datetime

import pytest

from geo.publications import CurrentPublication
from geo.publications.chosen import Chosen
from geo.publications.contents import PublishedBlock, PublishedPlace

_PUBLICATION = CurrentPublication(
    1,
    1,
    datetime(2026, 1, 1, tzinfo=UTC),
    "khandesh",
    "2024",
    date(2024, 1, 1),
    date(2024, 3, 31),
    "census",
    "household",
    1,
)


def block(number: int, indicator: str, *groups: str) -> PublishedBlock:
    field = "" if groups == ("",) else "head_sex"
    return PublishedBlock(number, field, indicator, indicator, 1, "households", "%", True, "enumeration", groups)


def place(number: int, code: str) -> PublishedPlace:
    return PublishedPlace(number, "settlement", code, None, None, code, code, "1")


WHOLE = Chosen(_PUBLICATION, [block(0, "drain", ""), block(2, "tap", "")], [place(3, "S01"), place(5, "S03")])
BY_SEX = Chosen(
    _PUBLICATION, [block(0, "drain", "female", "male"), block(1, "tap", "male")], [place(3, "S01"), place(4, "S02")]
)


def listed(chosen: Chosen, after: list[str] | None = None) -> list[str]:
    return ["/".join(key.after) for key in chosen.keys(after)]


def test_keys_are_in_the_order_of_indicator_place_and_group() -> None:
    assert listed(WHOLE) == ["drain/S01/", "drain/S03/", "tap/S01/", "tap/S03/"]
    assert listed(BY_SEX) == [
        *("drain/S01/female", "drain/S01/male", "drain/S02/female", "drain/S02/male"),
        *("tap/S01/male", "tap/S02/male"),
    ]
    assert (WHOLE.total, BY_SEX.total) == (4, 6)


@pytest.mark.parametrize("chosen", [WHOLE, BY_SEX])
def test_after_each_key_come_those_behind_it(chosen: Chosen) -> None:
    every = listed(chosen)
    for i, key in enumerate(every):
        assert listed(chosen, key.split("/")) == every[i + 1 :]


@pytest.mark.parametrize(
    ("after", "first"),
    [
        (["drain", "S02", ""], "drain/S03/"),
        (["drain", "S09", ""], "tap/S01/"),
        (["aaa", "S09", ""], "drain/S01/"),
        (["e", "S09", ""], "tap/S01/"),
        (["zzz", "", ""], None),
    ],
)
def test_a_cursor_of_what_is_not_there_any_more_leads_on(after: list[str], first: str | None) -> None:
    assert next(iter(listed(WHOLE, after)), None) == first
