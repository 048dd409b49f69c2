"""Answers: a list with its total and links as JSON, as GeoJSON (RFC 7946) or as CSV, and the links as headers too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal
from urllib.parse import urlencode

import geopandas as gpd
import orjson
import pandas as pd
from fastapi import Request, Response

from geo.base import STORAGE_CRS
from geo.settings import Settings

Format = Literal["json", "csv", "geojson", "gpkg"]

MEDIA_TYPES: Mapping[Format, str] = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8; header=present",
    "geojson": "application/geo+json",
    "gpkg": "application/geopackage+sqlite3",
}

_LONGEST_NAME = 80

_NO_SNIFFING = {"x-content-type-options": "nosniff"}

NO_STORE = {"cache-control": "private, no-store"}
"""On every answer that is for somebody: nobody on the way, and no browser, keeps it."""


@dataclass(frozen=True)
class Rows:
    """Rows to answer with, under the name of what they are."""

    name: str
    rows: Sequence[Mapping[str, Any]]
    total: int
    next_cursor: str | None
    data_version: int
    about: Mapping[str, Any] = field(default_factory=dict)
    """What else the answer says of all of them, as JSON."""
    templates: Sequence["Link"] = ()
    """Links whose address each row fills in with what it says of itself."""
    note: str | None = None
    """What else is to be known of this answer, in words."""


Link = dict[str, str | bool]
"""A link as bodies hold it."""


def link(rel: str, href: str, media_type: str) -> Link:
    """A link."""
    return {"rel": rel, "href": href, "type": media_type}


def template(rel: str, href: str, media_type: str) -> Link:
    """A link whose address is yet to be filled in (RFC 6570), which says so."""
    return {**link(rel, href, media_type), "templated": True}


def address(request: Request, path: str, **parameters: str) -> str:
    """An address of this service, relative to its host.

    With the host in it, the first request would decide where everybody's links lead. The path people reach the
    service under is a setting for the same reason.
    """
    settings: Settings = request.app.state.settings
    return f"{settings.base_path}{path}{'?' if parameters else ''}{urlencode(parameters)}"


def page_links(request: Request, shown: Format, next_cursor: str | None, formats: Sequence[Format]) -> list[Link]:
    """Links to this answer, to the next rows and to the same in other forms."""
    asked = sorted(request.query_params.multi_items())
    links = [link("self", _with(request, asked), MEDIA_TYPES[shown])]
    if next_cursor is not None:
        links.append(link("next", _with(request, asked, cursor=next_cursor), MEDIA_TYPES[shown]))
    others = [other for other in formats if other != shown]
    return links + [link("alternate", _with(request, asked, format=other), MEDIA_TYPES[other]) for other in others]


def _with(request: Request, asked: Sequence[tuple[str, str]], **changed: str) -> str:
    query = [(name, value) for name, value in asked if name not in changed] + list(changed.items())
    return address(request, request.url.path) + (f"?{urlencode(query)}" if query else "")


def json_answer(request: Request, found: Rows, formats: Sequence[Format] = ("json",)) -> Response:
    """The rows as JSON, under their own name."""
    links = [*page_links(request, "json", found.next_cursor, formats), *found.templates]
    counts = {**found.about, **_counts(found), "data_version": found.data_version, "note": found.note}
    return _answer(orjson.dumps({found.name: found.rows, **counts, "links": links}), "json", links)


def json_bytes(body: Mapping[str, Any]) -> Response:
    """JSON that leads nowhere."""
    return Response(_json(body), headers={"content-type": MEDIA_TYPES["json"]} | _NO_SNIFFING)


def body_answer(request: Request, body: Mapping[str, Any]) -> Response:
    """One thing as JSON, with its link."""
    links = page_links(request, "json", None, ("json",))
    return _answer(_json({**body, "links": links}), "json", links)


def geojson_answer(
    request: Request, found: Rows, ids: Sequence[str], formats: Sequence[Format], names: Sequence[str]
) -> Response:
    """The rows as GeoJSON: each a feature with its `geometry` (GeoJSON text or None) and the rest as properties."""
    links = [*page_links(request, "geojson", found.next_cursor, formats), *found.templates]
    features = [_feature(dict(row), ids) for row in found.rows]
    body = {
        "type": "FeatureCollection",
        "features": features,
        "numberMatched": found.total,
        "numberReturned": len(features),
        "data_version": found.data_version,
        "links": links,
    }
    answer = _answer(orjson.dumps(body), "geojson", links)
    # Saved only where somebody saves it: browsers show it.
    answer.headers["content-disposition"] = _saved_as("inline", names, "geojson")
    return answer


def _feature(properties: dict[str, Any], ids: Sequence[str]) -> dict[str, Any]:
    geometry = properties.pop("geometry")
    return {
        "type": "Feature",
        "id": "/".join(str(properties[name]) for name in ids if properties[name] is not None),
        # The database wrote it as GeoJSON already: it goes through as it is.
        "geometry": None if geometry is None else orjson.Fragment(geometry),
        "properties": properties,
    }


def csv_answer(
    request: Request,
    text: str,
    next_cursor: str | None,
    formats: Sequence[Format],
    names: Sequence[str],
    *,
    excel: bool = False,
    templates: Sequence[Link] = (),
) -> Response:
    """CSV to be saved under a name made of slugs; the links are in the headers.

    `excel`: it begins with a byte order mark, without which Excel takes UTF-8 for an older encoding.
    """
    body = text.encode("utf-8-sig" if excel else "utf-8")
    answer = _answer(body, "csv", [*page_links(request, "csv", next_cursor, formats), *templates])
    answer.headers["content-disposition"] = _saved_as("attachment", names, "csv")
    return answer


def _saved_as(how: Literal["attachment", "inline"], names: Sequence[str], suffix: str) -> str:
    """A Content-Disposition; the names are slugs and ids, and may stand between quotes as they are."""
    return f'{how}; filename="{"-".join(names)[:_LONGEST_NAME]}.{suffix}"'


def geopackage_answer(
    request: Request, frame: pd.DataFrame, next_cursor: str | None, formats: Sequence[Format], names: Sequence[str]
) -> Response:
    """A GeoPackage of points, at the columns longitude and latitude; what lies nowhere is there without a point."""
    name = "-".join(names)[:_LONGEST_NAME]
    is_placed = frame["longitude"].notna()
    points = gpd.GeoSeries.from_xy(frame["longitude"].astype(float), frame["latitude"].astype(float)).where(is_placed)
    placed = gpd.GeoDataFrame(frame.drop(columns=["longitude", "latitude"]), geometry=points, crs=STORAGE_CRS)
    with TemporaryDirectory(prefix="vasti-") as folder:
        path = Path(folder) / f"{name}.gpkg"
        placed.to_file(path, layer=name, driver="GPKG", geometry_type="Point")
        answer = _answer(path.read_bytes(), "gpkg", page_links(request, "gpkg", next_cursor, formats))
    answer.headers["content-disposition"] = _saved_as("attachment", names, "gpkg")
    return answer


def private_answer(body: Mapping[str, Any] | None, *, status: int = 200) -> Response:
    """JSON for somebody, which nobody else may keep; without a body, none."""
    content = b"" if body is None else _json(body)
    headers = NO_STORE | _NO_SNIFFING
    return Response(content, status, headers, media_type=None if body is None else MEDIA_TYPES["json"])


def private_list(
    request: Request,
    name: str,
    rows: Sequence[Mapping[str, Any]],
    total: int,
    next_cursor: str | None,
    formats: Sequence[Format] = ("json",),
    *,
    note: str | None,
) -> Response:
    """Rows for somebody, under their own name."""
    links = page_links(request, "json", next_cursor, formats)
    return private_answer({name: rows, "total": total, "returned": len(rows), "note": note, "links": links})


def _json(body: Mapping[str, Any]) -> bytes:
    # A column's name is a text of SQLAlchemy's own kind, which orjson takes for no text.
    return orjson.dumps(body, option=orjson.OPT_NON_STR_KEYS)


def html_answer(text: str, names: Sequence[str], policy: str) -> Response:
    """A page that may do no more than its policy says."""
    saved = {"content-disposition": _saved_as("inline", names, "html")}
    return Response(
        text.encode(),
        media_type="text/html; charset=utf-8",
        headers={"content-security-policy": policy} | saved | _NO_SNIFFING,
    )


def _counts(found: Rows) -> dict[str, int]:
    return {"total": found.total, "returned": len(found.rows)}


def _answer(body: bytes, form: Format, links: Sequence[Link]) -> Response:
    plain = [f'<{one["href"]}>; rel="{one["rel"]}"; type="{one["type"]}"' for one in links if "templated" not in one]
    # What is yet to be filled in is no address, which is all that Link can hold: it has a header of its own (RFC 9652).
    templates = [f'"{one["href"]}"; rel="{one["rel"]}"; type="{one["type"]}"' for one in links if "templated" in one]
    headers = {"content-type": MEDIA_TYPES[form], "link": ", ".join(plain)}
    headers |= {"link-template": ", ".join(templates)} if templates else {}
    return Response(body, media_type=None, headers=headers | _NO_SNIFFING)
