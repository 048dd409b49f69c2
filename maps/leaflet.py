"""Leaflet from a package on this machine, and the one self-contained document a map becomes.

Folium writes a page that fetches Leaflet, jQuery, Bootstrap and fonts from four hosts. Here Folium only
writes the script that builds the map; the page around it is ours, with Leaflet inside. The
Content-Security-Policy is a second wall: it forbids every request, and lets no script run but those written
here, known by their hashes.
"""

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import folium
from branca.element import Element, Figure
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from xstatic.pkg import leaflet as leaflet_package

AnyElement = TypeVar("AnyElement", bound=Element)

_URL = re.compile(r"url\(([^)#]+)\)")
_SOURCE_MAP = re.compile(r"//# sourceMappingURL=\S+\s*$")


class BareMap(folium.Map):
    """A Folium map that asks for no script and no style sheet: `write_document` puts Leaflet inside."""

    default_js: list[tuple[str, str]] = []  # noqa: RUF012  Folium reads a plain list on the class
    default_css: list[tuple[str, str]] = []  # noqa: RUF012


def named(element: AnyElement, name: str) -> AnyElement:
    """The element under a name of ours: Folium's own names are random, and no two files would be the same."""
    element._id = name
    return element


@cache
def leaflet_script() -> str:
    """Leaflet's JavaScript, without the address of its source map, which a browser's tools would fetch."""
    return _SOURCE_MAP.sub("", _asset("leaflet.js").decode("utf-8")).strip()


@cache
def leaflet_css() -> str:
    """Leaflet's style sheet, its images inside as data URIs."""
    return _URL.sub(lambda match: f"url({_data_uri(match[1])})", _asset("leaflet.css").decode("utf-8"))


def _asset(path: str) -> bytes:
    """One file of the package."""
    return (Path(leaflet_package.BASE_DIR) / path).read_bytes()


def _data_uri(path: str) -> str:
    """An image of the package as a data URI."""
    return f"data:image/png;base64,{base64.b64encode(_asset(path)).decode('ascii')}"


@cache
def templates() -> Environment:
    """The templates of this package; they escape, and a name they do not know is an error."""
    return Environment(
        loader=PackageLoader("maps"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def template_source(name: str) -> str:
    """A script or style sheet among the templates, as it stands."""
    return (Path(__file__).parent / "templates" / name).read_text(encoding="utf-8").strip()


def embed(data: Mapping[str, Any]) -> Markup:
    """JSON that can stand in a script element of type application/json: no text in it can end the element."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&`\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704  what could be markup was escaped above


def write_document(
    drawn: BareMap, *, data: Mapping[str, Any], finish: str, template: str, context: Mapping[str, Any]
) -> str:
    """A map and what stands around it as one HTML document that needs nothing else.

    Args:
        drawn: the map, with every element under a stable name (`named`), and without any text from a survey:
            branca takes the script Folium wrote for a Jinja template and renders it once more, so a
            settlement named `{{ ... }}` would run as an expression on this machine.
        data: what the script reads instead, through `mapData` in templates/map.js.
        finish: JavaScript to run once Folium's has built the map.
        template: file name of the page among this package's templates.
        context: what the template is given; plain strings in it are escaped.
    """
    figure = drawn.get_root()
    if not isinstance(figure, Figure):  # always so for a folium.Map; Folium's types do not say it
        raise TypeError("The map has no page.")
    figure.render()
    # One closure, so that a map embedded in a page leaves no names behind there.
    script = "\n".join(
        [
            "(function () {",
            '"use strict";',
            template_source("map.js"),
            figure.script.render(),
            finish,
            "})();",
        ]
    )
    scripts = [leaflet_script(), script]
    page = templates().get_template(template)
    return page.render(
        **context,
        policy=content_security_policy(scripts),
        css=Markup(f"{leaflet_css()}\n{template_source('map.css')}"),  # noqa: S704  ours and the package's
        scripts=[Markup(code) for code in scripts],  # noqa: S704  ours, Folium's and Leaflet's
        data=embed(data),
        map_html=Markup(figure.html.render()),  # noqa: S704  an empty div with a name of ours
    )


def content_security_policy(scripts: list[str]) -> str:
    """A policy that allows no request at all, and of scripts only these.

    A browser that knows hashes ignores 'unsafe-inline' beside them, and so runs no event handler smuggled
    into the page; it stands there for the few that do not.
    """
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(code.encode('utf-8')).digest()).decode('ascii')}'"
        for code in scripts
    )
    return (
        "default-src 'none'; style-src 'unsafe-inline'; "
        f"script-src {_FOR_FEW} {hashes}; img-src data:; base-uri 'none'; form-action 'none'"
    )


_FOR_FEW = "'unsafe-inline'"
_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">')


def policy_of(page: str) -> str:
    """The policy of a page that was drawn, for the header it is served with: its own scripts, by their hashes alone."""
    found = _POLICY.search(page)
    assert found is not None  # noqa: S101 (every page has one)
    return html.unescape(found[1]).replace(f"script-src {_FOR_FEW} ", "script-src ")
