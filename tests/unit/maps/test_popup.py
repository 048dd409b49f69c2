"""What popups say, and that nothing in them is ever taken as markup."""

from html.parser import HTMLParser

import pytest

from geo.indicators.definitions import catalogue
from maps import words
from maps.figures import SettlementFigure, printable, read_figures
from maps.popup import escape, popup_html, tooltip_html
from tests.support.map_frames import HOSTILE_NAMES, frame, row, withheld

UP, PEOPLE, DENSITY = (catalogue()[name] for name in ("household_toilet", "open_defecation", "density_persons"))


class Tags(HTMLParser):
    """The tags, attributes and text of a fragment."""

    def __init__(self, fragment: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(fragment)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def one(**changes: object) -> SettlementFigure:
    return read_figures(frame(row(0, **changes)), UP)[0]


def test_popup_says_the_figure_and_what_stands_behind_it() -> None:
    text = Tags(popup_html(one(settlement_name="Laxmi Nagar", n=1087), UP)).text
    for words_ in (
        "Laxmi Nagar",
        "Code PCM-000 · Ward A",
        "52 % of households",
        "between 45 % and 59 %",
        "About 52 of every 100 households.",
        "Had everyone been asked, the answer would very likely lie between 45 and 59.",
        "Households that answered1,087",
        "Answer not known4",
        "Households without1,240",
    ):
        assert words_ in text


def test_popup_counts_people_where_the_definition_does() -> None:
    figure = read_figures(frame(row(0)), PEOPLE)[0]
    text = Tags(popup_html(figure, PEOPLE)).text
    assert "52 % of people" in text
    assert "Households affected1,240" in text


def test_popup_of_a_density_pictures_a_hectare() -> None:
    figure = read_figures(frame(row(0, value=98_431.0, low=None, high=None, unserved=None)), DENSITY)[0]
    text = Tags(popup_html(figure, DENSITY)).text
    assert "98,431 people/km²" in text
    assert "about 984 people on land of 100 m by 100 m" in text
    assert "%" not in text


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("protected", "Withheld: so that no household can be identified"),
        ("no_answers", "Withheld: no household answered this question"),
        ("some_new_code", "Withheld: some new code"),
        (None, "Withheld"),
    ],
)
def test_popup_of_a_withheld_figure_gives_the_reason_and_no_number(reason: str | None, said: str) -> None:
    bare = {"settlement_code": "X", "settlement_name": "Y", "ward_name": None}
    figure = read_figures(frame(withheld(1, reason, **bare)), UP)[0]
    assert Tags(popup_html(figure, UP)).text == f"YCode X{said}"
    assert Tags(tooltip_html(figure, UP)).text == f"Y{said}"


def test_withheld_figures_keep_no_number_even_if_handed_one() -> None:
    figure = read_figures(frame(row(0, status="withheld", reason="protected")), UP)[0]
    assert (figure.value, figure.low, figure.n, figure.n_unknown, figure.unserved) == (None,) * 5
    unknown_status = read_figures(frame(row(0, status="draft")), UP)[0]
    assert unknown_status.is_withheld
    assert unknown_status.value is None


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_popup_escapes_names(name: str) -> None:
    harmless = one()
    figure = one(settlement_name=name, settlement_code=name, ward_name=name)
    for write in (popup_html, tooltip_html):
        tags = Tags(write(figure, UP))
        assert tags.tags == Tags(write(harmless, UP)).tags
        assert tags.attributes == Tags(write(harmless, UP)).attributes
        assert "`" not in write(figure, UP)
        assert "${" not in write(figure, UP)
        write(figure, UP).encode("utf-8")
    assert Tags(popup_html(figure, UP)).text.startswith(str(printable(name)))


def test_popup_escapes_reason_codes() -> None:
    figure = read_figures(frame(withheld(0, "<img src=x onerror=alert(1)>")), UP)[0]
    assert "<img" not in popup_html(figure, UP) + tooltip_html(figure, UP)


def test_escape_covers_html_attributes_and_template_literals() -> None:
    assert escape("<a href=\"x\" b='y'>&`${z}") == ("&lt;a href=&quot;x&quot; b=&#x27;y&#x27;&gt;&amp;&#96;&#36;{z}")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 %"),
        (0.2, "under 1 %"),
        (0.5, "1 %"),
        (19.4, "19 %"),
        (19.7, "19.7 %"),
        (19.99, "19.9 %"),
        (20, "20 %"),
        (52.5, "53 %"),
        (79.96, "79.9 %"),
        (99.7, "over 99 %"),
        (100, "100 %"),
    ],
)
def test_format_percent_never_contradicts_its_class(value: float, text: str) -> None:
    assert words.format_percent(value) == text


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), None, -3.0, 104.0, "abc"])
def test_what_is_no_percentage_is_absent_not_zero(value: object) -> None:
    figure = one(value=value)
    assert figure.value is None
    assert not figure.is_withheld
    assert Tags(popup_html(figure, UP)).text.endswith("No figure")


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (0.0, "None of the households asked."),
        (100.0, "All of the households asked."),
        (0.3, "Fewer than 1 of every 100 households."),
        (99.8, "More than 99 of every 100 households, but not all."),
    ],
)
def test_plain_line_at_the_ends(value: float, line: str) -> None:
    assert words.plain_line(one(value=value, low=None, high=None), UP) == line


def test_plain_line_warns_of_wide_intervals() -> None:
    line = words.plain_line(one(low=30.0, high=74.0), UP)
    assert line is not None
    assert line.endswith("Read it as a rough figure: few households answered.")


@pytest.mark.parametrize("value", [None, float("nan"), "", " \n "])
def test_printable_nothing_is_none(value: object) -> None:
    assert printable(value) is None


def test_printable_replaces_what_cannot_be_written() -> None:
    assert printable("a\x00b\ud800c\u202ed") == "a\ufffdb\ufffdc\ufffdd"
    assert printable(" two\n lines ") == "two lines"


@pytest.mark.parametrize(
    ("indicator", "value", "headline"),
    [
        ("mpi_adjusted", 0.424, "0.424 index"),
        ("slum_severity", 2.3, "2.30 deprivations"),
        ("seat_load", 34.0, "34 people/seat"),
        ("toilet_distance", 412.0, "412 m"),
    ],
)
def test_popup_of_what_is_no_share_says_no_per_cent(indicator: str, value: float, headline: str) -> None:
    (figure,) = read_figures(frame(row(0, value=value, low=None, high=None)), catalogue()[indicator])
    html = popup_html(figure, catalogue()[indicator])
    assert headline in html
    assert "%" not in html
    assert "of every 100" not in html
