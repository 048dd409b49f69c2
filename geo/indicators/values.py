"""The one door to figures: select tallies, estimate, withhold. Every reader, of any kind, comes through here."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Select, String, and_, case, cast, column, false, func, literal, null, select, values
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.sql import ColumnElement, FromClause

from geo.errors import InvalidParameter, InvalidParameters
from geo.filters import refuse_unknown
from geo.indicators.catalogue import catalogue, find_definitions
from geo.indicators.definition import Counted
from geo.indicators.estimate import Interval, difference
from geo.indicators.figures import DECIMALS, PLACE, Level, figures_of
from geo.indicators.tallies import SUMS
from geo.paging import PageRequest, fetch_page
from geo.places import as_geojson, valid_on
from geo.schema.places import boundary, city, settlement, ward
from geo.schema.surveys import survey, survey_frame
from geo.schema.values import tally


@dataclass(frozen=True)
class ValuesQuery:
    """Which figures are asked for. An empty filter lets everything through."""

    cities: Sequence[str] = ()
    surveys: Sequence[str] = ()
    indicators: Sequence[str] = ()
    settlements: Sequence[str] = ()
    level: Level = "settlement"
    counted: Counted | None = None
    """None: each indicator's headline level."""
    drafts: bool = False
    """Whether figures of surveys that are not published yet are shown too."""
    geometry: bool = False
    page: PageRequest = field(default_factory=PageRequest)


@dataclass(frozen=True)
class FigurePage:
    """Figures, one a row, with the columns city, survey, level, those of PLACE, indicator, definition_version, counted,
    unit, status, reason, those of disclosure.FIGURES, and geometry (GeoJSON text) where it was asked for.

    Shares are per cent; `population` and `unserved` are households or persons, as `counted` says.
    """

    figures: pd.DataFrame
    total: int
    next_cursor: str | None


def find_values(connection: Connection, query: ValuesQuery) -> FigurePage:
    """The figures asked for, in the order of city, round, indicator and place; what may not be said is withheld.

    Raises:
        InvalidParameters: a filter names something that is not there, and the message names what is; or settlements
            are named for a figure of a ward or a city, which is always of all its settlements.
    """
    page = _find(connection, query)
    return replace(page, figures=page.figures.drop(columns="_drawn"))


def _find(connection: Connection, query: ValuesQuery) -> FigurePage:
    """The figures with one column more, `_drawn`: the boundaries each rests on."""
    _check_filters(connection, query)
    cells, key = _cells(query)
    page = fetch_page(connection, cells, key, query.page)
    names = [c.name for c in cells.selected_columns]
    frame = pd.DataFrame([row[: len(names)] for row in page.rows], columns=names)
    return FigurePage(figures_of(frame, query.level), page.total, page.next_cursor)


def find_changes(connection: Connection, query: ValuesQuery, *, earlier: str, later: str) -> FigurePage:
    """The change of each figure from the round `earlier` to the round `later`, in points or in the figure's unit.

    The figures have the columns of FigurePage but survey; and from_survey, to_survey, from_value, to_value. The
    interval treats the rounds as independent samples (MOVER).

    Raises:
        InvalidParameters: a filter or a round names something that is not there.
    """
    _check_rounds(connection, query, earlier, later)
    after_page = _find(connection, replace(query, surveys=[later]))
    before = _find(connection, replace(query, surveys=[earlier], page=PageRequest(limit=None))).figures
    keys = ["city", "indicator", "counted", "ward_code", "settlement_code"]
    both = after_page.figures.merge(before, on=keys, how="left", suffixes=("", "_before"))
    reason = both["reason"].where(both["reason"].notna(), both["reason_before"])
    reason = reason.mask(both["_drawn"] != both["_drawn_before"], "boundary_changed")
    reason = reason.mask(both["definition_version"] != both["definition_version_before"], "definition_changed")
    interval = difference(
        both["value_before"].to_numpy(dtype=float),
        Interval(both["low_before"].to_numpy(dtype=float), both["high_before"].to_numpy(dtype=float)),
        both["value"].to_numpy(dtype=float),
        Interval(both["low"].to_numpy(dtype=float), both["high"].to_numpy(dtype=float)),
    )
    said = reason.isna().to_numpy()
    changes = both[["city", "level", *PLACE, "indicator", "definition_version", "counted", "unit"]].copy()
    changes["from_survey"], changes["to_survey"] = earlier, later
    changes["from_value"] = both["value_before"].where(said)
    changes["to_value"] = both["value"].where(said)
    changes["change"] = (both["value"] - both["value_before"]).where(said).round(DECIMALS)
    changes["low"] = np.where(said, np.round(interval.low, DECIMALS), np.nan)
    changes["high"] = np.where(said, np.round(interval.high, DECIMALS), np.nan)
    changes["n_before"] = both["n_before"].where(said)
    changes["n"] = both["n"].where(said)
    changes["status"] = np.where(said, "published", "withheld")
    changes["reason"] = reason
    return FigurePage(changes, after_page.total, after_page.next_cursor)


def _check_filters(connection: Connection, query: ValuesQuery) -> None:
    find_definitions(query.indicators, catalogue())
    if query.settlements and query.level != "settlement":
        # A sum over chosen settlements would pass for the whole place, and two of them, one less the other, would
        # give away a settlement whose own figure is withheld.
        reason = f"goes with level settlement only; figures by {query.level} are of all settlements"
        raise InvalidParameters([InvalidParameter("settlement", reason)])
    of_cities = city.c.slug.in_(query.cities) if query.cities else literal(True)
    refuse_unknown(
        connection,
        {
            "city": (query.cities, select(city.c.slug)),
            "survey": (query.surveys, _rounds(query)),
            "settlement": (query.settlements, select(settlement.c.code).join(city).where(of_cities)),
        },
    )


def _rounds(query: ValuesQuery) -> Select[Any]:
    """The slugs of the rounds a reader may ask for in the cities asked for."""
    of_cities = city.c.slug.in_(query.cities) if query.cities else literal(True)
    visible = literal(True) if query.drafts else survey.c.state == "published"
    return select(survey.c.slug).join(city).where(of_cities, visible)


def _check_rounds(connection: Connection, query: ValuesQuery, earlier: str, later: str) -> None:
    """Says which of the two rounds is wrong by the name it was asked for with."""
    refuse_unknown(connection, {"city": (query.cities, select(city.c.slug))})
    rounds = _rounds(query)
    refuse_unknown(connection, {"from": ([earlier], rounds), "to": ([later], rounds)})
    if earlier == later:
        raise InvalidParameters([InvalidParameter("to", "names the same round as from; choose two rounds")])


def _definition_rows(query: ValuesQuery) -> FromClause:
    """The indicators asked for, each at the level it is counted at."""
    rows = [
        (d.id, query.counted or d.counted, d.version)
        for d in find_definitions(query.indicators, catalogue())
        if query.counted is None or query.counted in d.counted_levels()
    ]
    asked = values(
        column("indicator_id", tally.c.indicator_id.type),
        column("counted", tally.c.counted.type),
        column("version", tally.c.definition_version.type),
        name="asked",
    )
    if rows:
        return asked.data(rows)
    return select(*(asked.data([("", "", 0)]).c)).where(false()).subquery("asked")


def _place_columns(level: Level) -> dict[str, ColumnElement[Any]]:
    none: ColumnElement[Any] = cast(null(), String)
    return {
        "ward_code": none if level == "city" else ward.c.code,
        "ward_name": none if level == "city" else ward.c.name,
        "settlement_code": settlement.c.code if level == "settlement" else none,
        "settlement_name": settlement.c.name if level == "settlement" else none,
    }


def _cells(query: ValuesQuery) -> tuple[Select[Any], list[ColumnElement[Any]]]:
    """One row a figure with its summed tallies, also where there is no tally: an empty cell is a figure withheld."""
    asked = _definition_rows(query)
    source = (
        survey.join(city, city.c.id == survey.c.city_id)
        .join(settlement, settlement.c.city_id == city.c.id)
        .join(asked, literal(True))
        .outerjoin(ward, ward.c.id == settlement.c.ward_id)
        .outerjoin(
            tally,
            and_(
                tally.c.survey_id == survey.c.id,
                tally.c.settlement_id == settlement.c.id,
                tally.c.indicator_id == asked.c.indicator_id,
                tally.c.counted == asked.c.counted,
            ),
        )
        .outerjoin(
            survey_frame,
            and_(survey_frame.c.survey_id == survey.c.id, survey_frame.c.settlement_id == settlement.c.id),
        )
        .outerjoin(boundary, and_(boundary.c.settlement_id == settlement.c.id, valid_on(survey.c.starts_on)))
    )
    place = _place_columns(query.level)
    grouped = {
        "city": city.c.slug,
        "survey": survey.c.slug,
        "survey_unit": survey.c.unit,
        **place,
        "indicator": asked.c.indicator_id,
        "counted": asked.c.counted,
    }
    population = _population()
    answered = func.coalesce(tally.c.n, 0) > 0
    summed: dict[str, ColumnElement[Any]] = {
        "definition_version": func.max(func.coalesce(tally.c.definition_version, asked.c.version)),
        **{name: func.coalesce(func.sum(tally.c[name]), 0) for name in SUMS},
        # A total over places is only said where it is known of each.
        "population": case((func.bool_and(population.is_not(None)).filter(answered), func.sum(population))),
        "residents": func.sum(_residents()).filter(boundary.c.area_m2.is_not(None)),
        "area_m2": func.sum(boundary.c.area_m2).filter(answered),
        "_drawn": func.array_agg(aggregate_order_by(boundary.c.id, boundary.c.id)),
    }
    if query.geometry:
        shape = func.ST_Union(boundary.c.geom) if query.level != "settlement" else func.ST_Collect(boundary.c.geom)
        summed["geometry"] = as_geojson(func.ST_Multi(func.ST_CollectionExtract(shape, 3)))
    cells = select(*(c.label(name) for name, c in (grouped | summed).items())).select_from(source)
    if not query.drafts:
        cells = cells.where(survey.c.state == "published")
    if query.cities:
        cells = cells.where(city.c.slug.in_(query.cities))
    if query.surveys:
        cells = cells.where(survey.c.slug.in_(query.surveys))
    if query.settlements:
        cells = cells.where(settlement.c.code.in_(query.settlements))
    if query.level == "ward":
        cells = cells.where(settlement.c.ward_id.is_not(None))
    named = [c for c in place.values() if c.key is not None]
    cells = cells.group_by(
        city.c.slug, survey.c.slug, survey.c.unit, survey.c.starts_on, asked.c.indicator_id, asked.c.counted, *named
    )
    code = place["ward_code"] if query.level == "ward" else place["settlement_code"]
    key: list[ColumnElement[Any]] = [city.c.slug, survey.c.starts_on, survey.c.slug, asked.c.indicator_id]
    return cells, key if query.level == "city" else [*key, code]


def _population() -> ColumnElement[Any]:
    """Households (or persons) a settlement's tally speaks for; NULL where a sample does not say how many there are."""
    mean = tally.c.sum_a / func.nullif(tally.c.sum_w, 0)
    return case(
        (survey_frame.c.households.is_not(None), survey_frame.c.households * mean),
        (
            (survey.c.mode == "census") | (survey.c.unit == "settlement"),
            tally.c.sum_a + tally.c.sum_a_unknown,
        ),
    )


def _residents() -> ColumnElement[Any]:
    """Persons (or households) who live in a settlement; those of unknown size are taken to be of the mean size."""
    share = tally.c.sum_ay / func.nullif(tally.c.sum_w, 0)
    return case(
        (survey_frame.c.households.is_not(None), survey_frame.c.households * share),
        (survey.c.unit == "settlement", share * (tally.c.sum_w + tally.c.sum_w_unknown)),
        (
            survey.c.mode == "census",
            tally.c.sum_ay * (tally.c.n + tally.c.n_unknown) / func.nullif(tally.c.n, 0),
        ),
    )
