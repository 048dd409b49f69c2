"""Where an expression breaks, and what is said of it: as a data officer would write them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pygeofilter import ast
from pygeofilter.parsers.cql2_text import parse as parse_as_pygeofilter

from geo.errors import ExpressionInvalid
from geo.indicators.definitions import catalogue
from geo.indicators.definitions.expressions.check import MOST_SUMS, MOST_VALUES, OwnColumns, read_expression
from geo.indicators.definitions.expressions.parser import DEEPEST, MOST_LETTERS, parse_condition

OWN: OwnColumns = frozenset({("has_fan", "text"), ("fans", "number"), ("Has fan?", "text"), ("पंखा", "text")})

BAD = [
    # Quotes.
    ("toilet_users = 'own", "has a ' that is never closed", (1, 16)),
    ("toilet_users = 'own AND toilet_location = 'on_premises'", "has a ' that is never closed", (1, 16)),
    ("toilet_users = own'", "has a ' that is never closed", (1, 19)),
    ("rooms > 1 AND\ntoilet_users = 'own\nAND toilet_location = 'on_premises'", "never closed", (2, 16)),
    ('"has_fan = 1', 'has a " that is never closed', (1, 1)),
    ("toilet_users = own", "uses own, a code of toilet_users, without quotes: write 'own'", (1, 16)),
    ("toilet_users IN ('own', shared)", "uses shared, a code of toilet_users, without quotes", (1, 25)),
    (
        'toilet_users = "own"',
        "no column, as the double quotes say; a code or other text stands between single",
        (1, 16),
    ),
    ("\"Has fan\" = 'yes'", "the nearest is Has fan?", (1, 1)),
    ("toilet_users = ‘own’", "has ‘ where CQL2 writes '", (1, 16)),
    ("has_fan = yes", "a text stands between single quotes: 'yes'", (1, 11)),
    # Lists.
    ("toilet_users = ('own', 'shared')", "has = before a list; write IN", (1, 14)),
    ("toilet_users <> ('own', 'shared')", "has <> before a list; write NOT IN", (1, 14)),
    ("toilet_users = 'own', 'shared'", "has a comma outside a list", (1, 21)),
    ("toilet_users IN 'own'", "has IN without a list in brackets", (1, 17)),
    ("toilet_users IN ()", "has an empty list after IN", (1, 17)),
    ("toilet_users IN ('own' 'shared')", "has no comma before 'shared'", (1, 24)),
    ("toilet_users IN ('own',)", "has ) after a comma, where a field or a value belongs", (1, 24)),
    ("toilet_users IN ('own', 'shared'", "has a ( that is never closed", (1, 17)),
    ("toilet_users IN ('own' OR 'shared')", "has OR within a list; a comma belongs there, or a ) before it", (1, 24)),
    ("rooms IN (members, 3)", "has the field members in the list after IN", (1, 11)),
    ("rooms IN (1 + 1)", "has more than plain values in the list", (1, 11)),
    # Signs of other languages and keyboards.
    ("rooms ≥ 3", "has ≥ where CQL2 writes >=", (1, 7)),
    ("rooms == 3", "has == where CQL2 writes =", (1, 7)),
    ("rooms != 3", "has != where CQL2 writes <>", (1, 7)),
    ("rooms => 3", "has => where CQL2 writes >=", (1, 7)),
    ("has_fan = 'yes' && fans > 3", "has && where CQL2 writes AND", (1, 17)),
    ("fans > 3 # many", "has #, which means nothing in CQL2", (1, 10)),
    ("rooms > 3;", "has ;, which means nothing in CQL2", (1, 10)),
    ("rooms >\u200b 3", "has a character that cannot be seen (U+200B)", (1, 8)),
    ("has_fan = 'a\x00'", "has a character that cannot be seen (U+0000)", (1, 13)),
    # Numbers.
    ("rooms > 1,5", "has a comma in a number; write 1.5", (1, 10)),
    ("rooms > 3members", "has 3members, which is neither a number nor a name", (1, 9)),
    ("rooms = '3'", "compares rooms, a number, with '3', a text: write 3 without quotes", (1, 9)),
    ("rooms > 1e400", "has a number that is too large", (1, 9)),
    ("rooms > " + "9" * 5000, "has a number that is too large", (1, 9)),
    ("rooms > 1e-300", "has a number that is too small", (1, 9)),
    # Names and codes.
    ("toilet_userss = 'own'", "uses toilet_userss, which is neither a standard field nor one of its own", (1, 1)),
    ("rooms > 3 AND\n  toilet_users = 'ownn'", "with 'ownn', which is none of its codes (the nearest is own)", (2, 18)),
    ("rooms > 3 AND ROOMS < 9", "uses ROOMS", (1, 15)),
    ("household_code = 'H1'", "uses household_code, which tells one household", (1, 1)),
    ("toilet_type = water_source", "it is compared with its codes", (1, 15)),
    ("toilet_users < 'own'", "asks whether toilet_users, a text, is more or less", (1, 1)),
    # Answers of yes and no.
    ("internet", "has internet alone; a yes-or-no answer is compared, as in internet = TRUE", (1, 1)),
    ("rooms > 3 AND internet", "has internet alone", (1, 15)),
    ("internet = 'yes'", "write TRUE or FALSE, without quotes", (1, 12)),
    ("internet = yes", "internet is compared with TRUE or FALSE", (1, 12)),
    ("internet < TRUE", "is more or less", (1, 1)),
    # What is missing, and what is too much.
    ("internet = TRUE AND", "ends too early after AND", (1, 20)),
    ("internet = TRUE AND  \n", "ends too early after AND", (1, 20)),
    ("AND rooms > 3", "has AND, where a field or a value belongs", (1, 1)),
    ("rooms >=", "ends too early after >=", (1, 9)),
    ("(internet = TRUE))", "has a ) that closes nothing", (1, 18)),
    ("((internet = TRUE)", "has a ( that is never closed", (1, 1)),
    ("toilet_users own", "lacks a comparison, such as = or IN, between toilet_users and own", (1, 14)),
    ("internet = TRUE rooms > 3", "lacks AND or OR between TRUE and rooms", (1, 17)),
    ("rooms", "has rooms, a number, where a condition belongs", (1, 1)),
    ("1 = 1", "compares without naming a field", (1, 1)),
    ("1 < rooms < 3", "compares twice in a row", (1, 11)),
    ("(rooms > 3) = TRUE", "compares a condition", (1, 2)),
    # NULL, BETWEEN, dates, and what indicators do not know.
    ("toilet_users = NULL", "has = NULL, which is never true; write IS NULL", (1, 14)),
    ("toilet_users IS 'own'", "has IS without NULL or NOT NULL", (1, 14)),
    ("rooms BETWEEN 1, 3", "has BETWEEN without AND between its two values", (1, 16)),
    ("interviewed_on > '2024-01-01'", "write it as DATE('2024-05-31')", (1, 18)),
    ("interviewed_on > DATE('2024-02-31')", "has the date 2024-02-31, which is no day", (1, 18)),
    ("toilet_users LIKE 'o%'", "uses LIKE, which indicators do not know", (1, 14)),
    ("lower(has_fan) = 'yes'", "has lower before a bracket", (1, 1)),
    ("members + 'a' > 3", "computes with 'a', a text", (1, 11)),
    # Line ends and blanks of other systems.
    ("rooms > 3\r\nAND roms = 2", "uses roms", (2, 5)),
    ("\nrooms > 3\n\tAND roms = 2\n", "uses roms", (2, 6)),
    ("rooms\u00a0>\u00a0roms", "uses roms", (1, 9)),
    # Far too much of everything.
    ("(" * 9000, "has more than 20 brackets and NOTs inside one another", (1, DEEPEST + 1)),
    ("NOT " * 2000 + "rooms > 3", "has more than 20 brackets and NOTs", (1, 4 * DEEPEST + 1)),
    ("rooms > " + "-" * 9000 + "3", "has more than 20 brackets and NOTs", (1, 9 + DEEPEST)),
    ("rooms" + " + 1" * (MOST_SUMS + 1) + " > 3", "computes with more than 10 signs in a row", (1, 1)),
    ("rooms IN (" + ",".join("1" * (MOST_VALUES + 1)) + ")", "compares with more than 500 values", (1, 1011)),
]


@pytest.mark.parametrize(("text", "says", "at"), BAD)
def test_read_expression_says_what_breaks_and_where(text: str, says: str, at: tuple[int, int]) -> None:
    with pytest.raises(ExpressionInvalid) as raised:
        read_expression(text, OWN, where="The numerator")
    said = str(raised.value)
    assert said.startswith("The numerator ")
    assert says in said
    assert said.endswith(f" (line {at[0]}, column {at[1]}).")
    assert "\n" not in said


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "The numerator is empty."),
        (" \r\n\t\u00a0", "The numerator is empty."),
        ("rooms IN (" + ",".join(["1"] * 10_000) + ")", f"The numerator is longer than {MOST_LETTERS:,} letters."),
    ],
)
def test_read_expression_refuses_as_a_whole(text: str, says: str) -> None:
    with pytest.raises(ExpressionInvalid) as raised:
        read_expression(text, OWN, where="The numerator")
    assert str(raised.value) == says


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("rooms > 2 and not (internet = true or rooms in (3, 4))", {"rooms", "internet"}),
        ("rooms > 2 AND NOT (internet = TRUE)", {"rooms", "internet"}),
        ("rooms\t>\u00a03\r\n", {"rooms"}),
        ("'own' = toilet_users", {"toilet_users"}),
        ("\"Has fan?\" = 'yes' OR पंखा = 'हाँ'", {"Has fan?", "पंखा"}),
        ("has_fan = 'it''s here'", {"has_fan"}),
        ("(members + 1) / rooms > 3", {"members", "rooms"}),
        ("((members)) > 3", {"members"}),
        ("interviewed_on BETWEEN DATE('2024-01-01') AND DATE('2024-02-29')", {"interviewed_on"}),
        (" OR ".join(["rooms=1"] * 500), {"rooms"}),
    ],
)
def test_read_expression_reads(text: str, fields: set[str]) -> None:
    assert read_expression(text, OWN, where="It").attributes == fields


def test_and_binds_closer_than_or() -> None:
    tree = parse_condition("rooms = 1 OR rooms = 2 AND members = 3").node
    assert isinstance(tree, ast.Or)
    assert isinstance(tree.rhs, ast.And)


def test_a_long_row_of_conditions_makes_no_deep_tree() -> None:
    def depth(node: object) -> int:
        below = node.get_sub_nodes() if isinstance(node, ast.Node) else []
        return 1 + max(map(depth, below), default=0)

    assert depth(parse_condition(" OR ".join(["rooms=1"] * 500)).node) < 20


def flat(node: object) -> object:
    """A tree in plain values, in which rows of AND and OR have no depth."""
    if isinstance(node, ast.And | ast.Or):
        parts: list[object] = []
        for sub in (node.lhs, node.rhs):
            parts += flat(sub)[1:] if type(sub) is type(node) else [flat(sub)]  # type: ignore[index]
        return [type(node).__name__, *parts]
    if isinstance(node, ast.Node):
        own = [getattr(node, name) for name in ("name", "not_") if hasattr(node, name)]
        return [type(node).__name__, *own, *map(flat, node.get_sub_nodes())]
    return node


SHIPPED = [
    part for d in catalogue().values() for part in (d.numerator, d.base, *(x.expression for x in d.deprivations))
]


@pytest.mark.parametrize("text", sorted({part for part in SHIPPED if part}))
def test_shipped_expressions_are_what_pygeofilter_reads(text: str) -> None:
    """They are standard CQL2: another reader, which takes AND and OR from left to right, finds the same in them."""
    assert flat(parse_condition(text).node) == flat(parse_as_pygeofilter(" ".join(text.split())))


ATOMS = st.sampled_from(
    [
        "rooms > 3",
        "rooms + 2 * members <= 3 / rooms - 1",
        "rooms NOT BETWEEN 1 AND members",
        "toilet_users IN ('own', 'shared')",
        "toilet_users NOT IN ('own')",
        "toilet_users IS NOT NULL",
        "internet = TRUE",
        "interviewed_on = DATE('2024-05-31')",
        "NOT rooms = 3",
        "-3 < rooms",
    ]
)
CONDITIONS = st.recursive(
    ATOMS, lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from(["AND", "OR"]), inner), max_leaves=12
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(CONDITIONS)
def test_parse_condition_as_pygeofilter_where_brackets_say_all(text: str) -> None:
    assert flat(parse_condition(text).node) == flat(parse_as_pygeofilter(text))


@settings(max_examples=500, deadline=None, derandomize=True)
@given(
    st.lists(
        st.sampled_from("()=<>-+/,3.\"'é≥\n")
        | st.sampled_from(
            ["rooms", "internet", "'own'", "toilet_users", "AND", "OR", "NOT", "IN", "IS", "NULL", "BETWEEN", "LIKE"]
        ),
        max_size=12,
    )
)
def test_read_expression_reads_or_says_why_not(words: list[str]) -> None:
    """Never anything but an expression or a sentence, whatever is put together."""
    text = " ".join(words)
    try:
        expression = read_expression(text, where="It")
    except ExpressionInvalid as error:
        assert str(error).startswith("It ")
        assert "\n" not in str(error)
    else:
        assert expression.attributes <= {"rooms", "internet", "toilet_users"}
