"""The PostGIS engine: every indicator's tallies from one scan of a survey's live households."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import groupby
from operator import add
from typing import Any, Literal
from zlib import crc32

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import (
    Connection,
    Double,
    Integer,
    Numeric,
    SmallInteger,
    Subquery,
    Text,
    and_,
    case,
    cast,
    func,
    literal_column,
    null,
    or_,
    select,
)
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlalchemy.sql.functions import FunctionElement

from geo.database.schema.households import household
from geo.database.schema.surveys import survey
from geo.fields import Unit
from geo.indicators.definitions import Counted, Definition
from geo.indicators.definitions.definition import CUTOFF_SLACK, NUMBER_PATTERN
from geo.indicators.definitions.expressions.to_sql import to_condition
from geo.indicators.tallies.tally import ALL, CLUSTERS, UNKNOWN_GROUP, Sums, cluster_code, tallies_frame

Columns = ReadOnlyColumnCollection[str, ColumnElement[Any]]

# Sixteen bits hold a count of members, but not its square.
_FIELDS: Mapping[str, ColumnElement[Any]] = {
    column.name: cast(column, Integer) if isinstance(column.type, SmallInteger) else column
    for column in household.columns
}

# A constant of OFFSET's own type. A plain 0 is cast, and PostgreSQL keeps parallel workers from a subquery whose offset
# it has to compute.
_FENCE: ColumnElement[int] = literal_column("BIGINT '0'")

# PostgreSQL knows 1,664 columns of a result, of which a definition takes up to 22, and 65,535 parameters.
_MOST_IN_A_SCAN = 60
_MOST_VALUES_IN_A_SCAN = 20_000

_INTERVIEWED = or_(household.c.interview_result.is_(None), household.c.interview_result == "completed")


def tally_survey(
    connection: Connection,
    definitions: Sequence[Definition],
    survey_id: int,
    settlement_ids: Sequence[int] | None = None,
    *,
    by: str = ALL,
) -> pd.DataFrame:
    """The tallies of a survey, or of some of its settlements: a frame with the columns `tallies.COLUMNS`.

    `by` makes them apart for the groups of a standard field, or for tallies.CLUSTERS.

    One scan serves many definitions. A survey of settlements may hold rows that were not asked everything: there,
    definitions share a scan only where they ask the same.
    """
    known = connection.execute(select(survey.c.unit).where(survey.c.id == survey_id)).scalar_one_or_none()
    unit: Unit = "settlement" if known == "settlement" else "household"
    tallied = [d for d in definitions if d.is_tallied]

    def asked(definition: Definition) -> tuple[str, ...]:
        return tuple(sorted(definition.asked_fields)) if unit == "settlement" else ()

    return pd.concat(
        [
            _scan(connection, part, survey_id, settlement_ids, fields, by, unit)
            for fields, group in groupby(sorted(tallied, key=asked), key=asked)
            for part in in_scans(group)
        ],
        ignore_index=True,
    )


def in_scans(definitions: Iterable[Definition]) -> Iterator[list[Definition]]:
    """The definitions in parts that one statement can count: its columns and parameters are limited."""
    part: list[Definition] = []
    n_values = 0
    for definition in definitions:
        its_values = sum(expression.n_values for expression in definition.parts.values())
        if part and (len(part) == _MOST_IN_A_SCAN or n_values + its_values > _MOST_VALUES_IN_A_SCAN):
            yield part
            part, n_values = [], 0
        part.append(definition)
        n_values += its_values
    if part:
        yield part


def _scan(
    connection: Connection,
    definitions: list[Definition],
    survey_id: int,
    settlement_ids: Sequence[int] | None,
    asked: Sequence[str],
    by: str,
    unit: Unit,
) -> pd.DataFrame:
    answers = answers_of(definitions, survey_id, settlement_ids, asked=asked, by=by, unit=unit).c
    columns = _totals("all", answers, None)
    for definition in definitions:
        name = _name(definition)
        y = answers[y_name(definition)]
        if definition.narrows_base:
            columns |= _totals(f"{name}/base", answers, answers[f"{name}/base"])
        if definition.measure == "mean":
            columns |= _totals(f"{name}/known", answers, y.is_not(None))
            columns |= _moments(f"{name}/known", answers, y)
        else:
            columns |= _totals(f"{name}/yes", answers, y)
            columns |= _totals(f"{name}/no", answers, ~y)
    heads = [answers.settlement_id, answers.stratum, answers.group_code]
    scan = select(*heads, *(column.label(name) for name, column in columns.items())).group_by(*heads)
    rows = connection.execute(scan).all()
    matrix = np.array([row[len(heads) :] for row in rows], dtype=np.float64).reshape(len(rows), len(columns))
    sums = dict(zip(columns, np.nan_to_num(matrix).T, strict=True))
    cells = pd.DataFrame(
        {
            "settlement_id": np.array([row[0] for row in rows], dtype=np.int64),
            "group_field": by,
            "group_code": [_group_code(by, row[1], row[2]) for row in rows],
        }
    )
    return tallies_frame(
        cells,
        [(d, counted, _split(sums, d, counted)) for d in definitions for counted in d.counted_levels()],
    )


def _group_code(by: str, stratum: str | None, code: str | None) -> str:
    return cluster_code(stratum, code) if by == CLUSTERS else code or UNKNOWN_GROUP


def _name(definition: Definition) -> str:
    """What its columns are called in a scan."""
    return f"{definition.id}@{definition.version}"


def y_name(definition: Definition) -> str:
    """The column of its y in `answers_of`."""
    return f"{_name(definition)}/y"


def _fields(definition: Definition) -> Mapping[str, ColumnElement[Any]]:
    """The columns its expressions may name: the standard fields, and its own from what a file held besides."""
    own = {name: _own_column(name, column.type) for name, column in definition.columns.items()}
    return {**_FIELDS, **own}


def _own_column(name: str, kind: Literal["text", "number"]) -> ColumnElement[Any]:
    """What a file's own column holds, as `from_frame` reads it: lists and objects are unknown, and so are blanks."""
    value = household.c.extra[name]
    json_type = func.jsonb_typeof(value)
    plain = case(
        (json_type == "number", cast(func.trim_scale(cast(value.astext, Numeric)), Text)),
        (json_type.in_(("string", "boolean")), value.astext),
    )
    text = func.nullif(func.btrim(plain), "")
    return text if kind == "text" else case((text.regexp_match(NUMBER_PATTERN), cast(text, Double)))


def _score(definition: Definition) -> ColumnElement[float]:
    """The sum of the weights of the deprivations that hold; NULL where one of them is unknown."""
    fields = _fields(definition)
    met = [(to_condition(expression, fields), weight) for expression, weight in definition.terms]
    return reduce(add, (cast(cast(condition, Integer), Double) * weight for condition, weight in met))


def _of_score(
    definition: Definition, score: ColumnElement[float], base: ColumnElement[bool] | None
) -> tuple[ColumnElement[Any], ColumnElement[bool] | None]:
    """What is made of a score, within the base; and the base, where not everybody is in it."""
    reached = score >= (definition.cutoff or 0.0) - CUTOFF_SLACK
    value: ColumnElement[Any] = score
    match definition.score:
        case "headcount":
            value = reached
        case "adjusted":
            value = case((reached, score / definition.total_weight), (~reached, 0.0))
        case "intensity":
            value = score / definition.total_weight
            # A household that may be deprived enough belongs, as unknown.
            poor = or_(reached, score.is_(None))
            base = poor if base is None else and_(base, poor)
    return (value if base is None else case((base, value))), base


def answers_of(
    definitions: Sequence[Definition],
    survey_id: int,
    settlement_ids: Sequence[int] | None = None,
    *,
    asked: Sequence[str] = (),
    by: str = ALL,
    coded: bool = False,
    unit: Unit = "household",
) -> Subquery:
    """Those who took part: settlement, group, w, w times members, their squares, and each definition's y (or NULL).

    In a survey of households those of weight 0 took no part, as in from_frame.took_part.

    With `coded`, only those that have a code, and the code.

    The offset keeps PostgreSQL from copying the expressions into every aggregate, so each is computed once a row.
    """
    persons = household.c.weight * household.c.members
    none = cast(null(), Text)
    wanted = [household.c.survey_id == survey_id, household.c.is_live, _INTERVIEWED]
    if unit == "household":
        wanted.append(household.c.weight > 0)
    if settlement_ids is not None:
        wanted.append(household.c.settlement_id == func.any(list(settlement_ids)))
    if asked:
        wanted.append(or_(household.c.asked.is_(None), household.c.asked.contains(list(asked))))
    if coded:
        wanted.append(household.c.household_code.is_not(None))
    computed: dict[str, ColumnElement[Any]] = {"household_code": household.c.household_code} if coded else {}
    for definition in definitions:
        fields = _fields(definition)
        base = to_condition(definition.parts["base"], fields) if "base" in definition.parts else None
        if base is not None:
            computed[f"{_name(definition)}/base"] = base
        if definition.score is None:
            y = to_condition(definition.parts["numerator"], fields)
            computed[y_name(definition)] = y if base is None else case((base, y))
        else:
            # Indicators of one score share it.
            computed.setdefault(_score_name(definition), _score(definition))
    rows = (
        select(
            household.c.settlement_id,
            (household.c.stratum if by == CLUSTERS else none).label("stratum"),
            (cast(household.c[by], Text) if by else none).label("group_code"),
            household.c.weight.label("w"),
            (household.c.weight * household.c.weight).label("w2"),
            case((household.c.members.is_not(None), household.c.weight)).label("wa"),
            persons.label("a"),
            (persons * persons).label("a2"),
            *(column.label(name) for name, column in computed.items()),
        )
        .where(and_(*wanted))
        .offset(_FENCE)
        .subquery("answers")
    )
    scored = [definition for definition in definitions if definition.score is not None]
    return _with_scores(rows, scored) if scored else rows


def _score_name(definition: Definition) -> str:
    """The column of its score: the same for all that weigh the same deprivations alike."""
    columns = sorted((name, column.type) for name, column in definition.columns.items())
    return f"score {crc32(repr((definition.deprivations, columns)).encode())}"


def _with_scores(rows: Subquery, definitions: Sequence[Definition]) -> Subquery:
    """The rows with what each definition makes of its score."""
    made: dict[str, ColumnElement[Any]] = {}
    for definition in definitions:
        base_name = f"{_name(definition)}/base"
        own_base = rows.c.get(base_name)
        value, base = _of_score(definition, rows.c[_score_name(definition)], own_base)
        made[y_name(definition)] = value
        if base is not None:
            made[base_name] = base
    kept = [column for name, column in rows.c.items() if name not in made]
    return select(*kept, *(column.label(name) for name, column in made.items())).offset(_FENCE).subquery("scored")


def _totals(name: str, answers: Columns, condition: ColumnElement[bool] | None) -> dict[str, ColumnElement[Any]]:
    """Counts and sums over the households for which the condition holds, or over all, named `<name>/<what>`.

    n_a and wa are of those with known members.
    """
    totals: dict[str, FunctionElement[Any]] = {
        "n": func.count(),
        "n_a": func.count(answers.a),
        **{power: func.sum(answers[power]) for power in ("w", "wa", "w2", "a", "a2")},
    }
    return {f"{name}/{key}": total if condition is None else total.filter(condition) for key, total in totals.items()}


def _moments(name: str, answers: Columns, y: ColumnElement[Any]) -> dict[str, ColumnElement[Any]]:
    """What a mean needs besides: sums of products with y, which leave out where it is NULL."""
    scored = y > 0
    return {
        f"{name}/n_yes": func.count().filter(scored),
        f"{name}/n_a_yes": func.count(answers.a).filter(scored),
        **{f"{name}/{a}y": func.sum(answers[a] * y) for a in ("w", "a", "w2", "a2")},
        **{f"{name}/{a2}y2": func.sum(answers[a2] * y * y) for a2 in ("w2", "a2")},
    }


def _split(sums: Sums, definition: Definition, counted: Counted) -> Sums:
    """The tally of one indicator from the sums over its base, and over those whose y is known.

    What is unknown is the base less these: the difference costs nothing, another filtered sum would. It may lose
    digits, so it is the unknown that is left over, beside which a rounding of all is nothing, and never what answered.
    """
    households = counted == "households"
    n, w, a, a2 = ("n", "w", "w", "w2") if households else ("n_a", "wa", "a", "a2")
    name = _name(definition)
    base = f"{name}/base" if definition.narrows_base else "all"

    def known(key: str) -> NDArray[np.float64]:
        if definition.measure == "mean":
            return np.asarray(sums[f"{name}/known/{key}"])
        return np.asarray(sums[f"{name}/yes/{key}"] + sums[f"{name}/no/{key}"])

    def unknown(key: str, of_known: str) -> NDArray[np.float64]:
        left = np.maximum(sums[f"{base}/{key}"] - known(of_known), 0.0)
        return np.where(sums[f"{base}/n"] > known(n), left, 0.0)

    if definition.measure == "mean":
        n_yes = sums[f"{name}/known/{n}_yes"]
        sum_ay, sum_a2y, sum_a2y2 = (sums[f"{name}/known/{key}"] for key in (f"{a}y", f"{a2}y", f"{a2}y2"))
    else:
        n_yes, sum_ay, sum_a2y = (sums[f"{name}/yes/{key}"] for key in (n, a, a2))
        sum_a2y2 = sum_a2y
    return {
        "interviewed": sums["all/n"],
        "n": known(n),
        "n_unknown": sums[f"{base}/n"] - known(n),
        "n_yes": n_yes,
        "sum_w": known(w),
        "sum_a": known(a),
        "sum_ay": sum_ay,
        "sum_a2": known(a2),
        "sum_a2y": sum_a2y,
        "sum_a2y2": sum_a2y2,
        "sum_a_unknown": unknown(a, a),
        "sum_a2_unknown": unknown(a2, a2),
        # The weight of all who are not known, their members known or not.
        "sum_w_unknown": unknown("w", w),
    }
