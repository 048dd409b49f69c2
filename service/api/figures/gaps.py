"""`/api/v1/gaps`."""

from typing import Any

from fastapi import APIRouter, Request, Response

from geo.indicators.figures import REASONS, GapsQuery, HotSpots, find_gaps
from service.formats.csv_tables import GAP_TAGS, explained, figures_csv, plain_rows
from service.http import bodies
from service.http.access import reading_figures, seen_with
from service.http.described import responses
from service.http.parameters import (
    AccessParameter,
    AnyFormat,
    AsCsv,
    CityParameter,
    Cursor,
    IndicatorParameter,
    Limit,
    RankedCounted,
    RankedLevelParameter,
    RankedSurvey,
    Target,
    limit_note,
    page_request,
)
from service.http.responses import Format, Rows, csv_answer, geojson_answer, json_answer

router = APIRouter()

_FORMATS: tuple[Format, ...] = ("json", "csv", "geojson")

_FEATURE_ID = ("city", "survey", "indicator", "counted", "ward_code", "settlement_code")

_CSV_EXAMPLE = (
    "city,survey,settlement_code,indicator,value,unserved,rank_unserved,rank_coverage,to_target\r\n"
    "khandesh,2024,S05,household_toilet,60.0,10,1,1,5\r\n"
)


@router.get(
    "/gaps", responses=responses(bodies.Gaps, csv_example=_CSV_EXAMPLE, geojson=True, full=True), summary="Priorities"
)
def gaps(
    request: Request,
    as_csv: AsCsv,
    city: CityParameter,
    indicator: IndicatorParameter,
    survey: RankedSurvey = None,
    level: RankedLevelParameter = "settlement",
    counted: RankedCounted = None,
    target: Target = None,
    access: AccessParameter = "public",
    output: AnyFormat = "json",
    limit: Limit = None,
    cursor: Cursor = None,
) -> Response:
    """Where to begin: settlements or wards ranked by unserved and by coverage, what a target takes, and hot spots."""
    query = GapsQuery(
        city=city,
        indicator=indicator,
        survey=survey,
        level=level,
        counted=counted,
        target=target,
        geometry=output == "geojson",
        access=access,
        seen=seen_with(access),
        page=page_request(limit, cursor, everything=output != "json"),
    )
    with reading_figures(request, access) as reading:
        page = find_gaps(reading.connection, query)
    figures = explained(page.figures)
    names = ["gaps", city, *([survey] if survey else []), indicator]
    if output == "csv":
        text = figures_csv(figures, GAP_TAGS, hxl=as_csv.hxl)
        return csv_answer(request, text, page.next_cursor, _FORMATS, names, excel=as_csv.excel)
    found = Rows(
        "gaps",
        plain_rows(figures),
        page.total,
        page.next_cursor,
        reading.data_version,
        about={"hot_spots": _told(page.hot_spots)},
        note=limit_note(limit),
    )
    if output == "geojson":
        return geojson_answer(request, found, _FEATURE_ID, _FORMATS, names)
    return json_answer(request, found, _FORMATS)


def _told(found: HotSpots) -> dict[str, Any]:
    """How hot spots were looked for, as bodies.HotSpotTest has it."""
    return {
        "settlements": found.settlements,
        "band_m": None if found.band_m is None else round(found.band_m),
        "p_cutoff": None if found.p_cutoff is None else round(found.p_cutoff, 6),
        "reason": found.refused,
        "reason_text": None if found.refused is None else REASONS[found.refused],
    }
