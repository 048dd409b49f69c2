"""The PostGIS engine: every indicator's tallies from one scan of a survey's live households."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pygeofilter.backends.sqlalchemy import to_filter
from sqlalchemy import (
    Connection,
    Integer,
    SmallInteger,
    Subquery,
    and_,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlalchemy.sql.functions import FunctionElement

from geo.indicators.definition import Counted, Definition, Part, asked_fields, parse_expression
from geo.indicators.tallies import Sums, tallies_frame
from geo.schema.people import household
from geo.schema.surveys import survey

Columns = ReadOnlyColumnCollection[str, ColumnElement[Any]]

# Sixteen bits hold a count of members, but not its square.
_FIELDS = {
    column.name: cast(column, Integer) if isinstance(column.type, SmallInteger) else column
    for column in household.columns
}

# A constant of OFFSET's own type. A plain 0 is cast, and PostgreSQL keeps parallel workers from a subquery whose offset
# it has to compute.
_FENCE: ColumnElement[int] = literal_column("BIGINT '0'")


def tally_survey(
    connection: Connection,
    definitions: Sequence[Definition],
    survey_id: int,
    settlement_ids: Sequence[int] | None = None,
) -> pd.DataFrame:
    """The tallies of a survey, or of some of its settlements: a frame with the columns `tallies.COLUMNS`.

    One scan serves all definitions that share a base, which all shipped ones do. A survey of settlements may hold rows
    that were not asked everything: there, definitions share a scan only where they ask the same.
    """
    unit = connection.execute(select(survey.c.unit).where(survey.c.id == survey_id)).scalar_one_or_none()

    def scan(definition: Definition) -> tuple[str, tuple[str, ...]]:
        return definition.base, tuple(sorted(asked_fields(definition))) if unit == "settlement" else ()

    return pd.concat(
        [
            _tally_base(connection, list(group), survey_id, settlement_ids, asked)
            for (_, asked), group in groupby(sorted(definitions, key=scan), key=scan)
        ],
        ignore_index=True,
    )


def _tally_base(
    connection: Connection,
    definitions: list[Definition],
    survey_id: int,
    settlement_ids: Sequence[int] | None,
    asked: Sequence[str],
) -> pd.DataFrame:
    answers = _answers(definitions, survey_id, settlement_ids, asked).c
    columns = {"settlement_id": answers.settlement_id} | _sums("all", answers, None) | _counts("all", answers, None)
    for definition in definitions:
        y = answers[f"y_{definition.id}"]
        columns |= _sums(f"{definition.id}/yes", answers, y)
        columns |= _sums(f"{definition.id}/no", answers, ~y)
        columns |= _counts(f"{definition.id}/known", answers, y.is_not(None))
    scan = select(*(column.label(name) for name, column in columns.items())).group_by(answers.settlement_id)
    rows = connection.execute(scan).all()
    matrix = np.array(rows, dtype=np.float64).reshape(len(rows), len(columns))
    sums = dict(zip(columns, np.nan_to_num(matrix).T, strict=True))
    return tallies_frame(
        sums["settlement_id"].astype(np.int64),
        [(d, counted, _split(sums, d.id, counted)) for d in definitions for counted in d.counted_levels()],
    )


def _condition(definition: Definition, part: Part) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = to_filter(parse_expression(definition, part), _FIELDS)
    return condition


def _answers(
    definitions: list[Definition], survey_id: int, settlement_ids: Sequence[int] | None, asked: Sequence[str]
) -> Subquery:
    """Live households of one base: settlement, w, w times members, their squares, and each numerator (3-valued).

    The offset keeps PostgreSQL from copying the expressions into every aggregate, so each is computed once a row.
    """
    persons = household.c.weight * household.c.members
    wanted = [household.c.survey_id == survey_id, household.c.is_live, _condition(definitions[0], "base")]
    if settlement_ids is not None:
        wanted.append(household.c.settlement_id == func.any(list(settlement_ids)))
    if asked:
        wanted.append(or_(household.c.asked.is_(None), household.c.asked.contains(list(asked))))
    return (
        select(
            household.c.settlement_id,
            household.c.weight.label("w"),
            (household.c.weight * household.c.weight).label("w2"),
            case((household.c.members.is_not(None), household.c.weight)).label("wa"),
            persons.label("a"),
            (persons * persons).label("a2"),
            *(_condition(d, "numerator").label(f"y_{d.id}") for d in definitions),
        )
        .where(and_(*wanted))
        .offset(_FENCE)
        .subquery("answers")
    )


def _sums(name: str, answers: Columns, condition: ColumnElement[bool] | None) -> dict[str, ColumnElement[Any]]:
    """What is summed over the households for which the condition holds, or over all, named `<name>/<sum>`."""
    return _named(name, {power: func.sum(answers[power]) for power in ("w", "w2", "a", "a2")}, condition)


def _counts(name: str, answers: Columns, condition: ColumnElement[bool] | None) -> dict[str, ColumnElement[Any]]:
    """How many there are, how many of them with known members, and the weight of these."""
    counts = {"n": func.count(), "n_a": func.count(answers.a), "wa": func.sum(answers.wa)}
    return _named(name, counts, condition)


def _named(
    name: str, totals: Mapping[str, FunctionElement[Any]], condition: ColumnElement[bool] | None
) -> dict[str, ColumnElement[Any]]:
    return {f"{name}/{key}": total if condition is None else total.filter(condition) for key, total in totals.items()}


def _split(sums: Sums, indicator_id: str, counted: Counted) -> Sums:
    """The tally of one indicator from the sums over all, over those that said yes and over those that said no.

    What is unknown is all less these: the difference costs nothing, a third filtered sum would. It may lose digits,
    so it is the unknown that is left over, beside which a rounding of all is nothing, and never what answered.
    """
    households = counted == "households"
    n, w, a, a2 = ("n", "w", "w", "w2") if households else ("n_a", "wa", "a", "a2")

    def answered(key: str) -> NDArray[np.float64]:
        return np.asarray(sums[f"{indicator_id}/yes/{key}"] + sums[f"{indicator_id}/no/{key}"])

    known = sums[f"{indicator_id}/known/{n}"]

    def unknown(key: str) -> NDArray[np.float64]:
        return np.where(sums[f"all/{n}"] > known, np.maximum(sums[f"all/{key}"] - answered(key), 0.0), 0.0)

    sum_w = answered(w) if households else sums[f"{indicator_id}/known/{w}"]
    unknown_weight = np.where(sums["all/n"] > known, np.maximum(sums["all/w"] - sum_w, 0.0), 0.0)
    return {
        "n": known,
        "n_unknown": sums["all/n"] - known,
        "sum_w": sum_w,
        "sum_a": answered(a),
        "sum_ay": sums[f"{indicator_id}/yes/{a}"],
        "sum_a2": answered(a2),
        "sum_a2y": sums[f"{indicator_id}/yes/{a2}"],
        "sum_a_unknown": unknown(a),
        "sum_a2_unknown": unknown(a2),
        "sum_w_unknown": unknown_weight,
    }
