"""Answers: a list with its total and links in one of the output formats, and the links as headers too."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import orjson
from fastapi import Request, Response

from geo.settings import Settings
from service.formats.format import Format
from service.formats.rows import Link, Rows, file_name
from service.formats.table import FORMATS, JSON
from service.http.asked import asked_by

NO_SNIFFING = {"x-content-type-options": "nosniff"}
"""On every answer: it is what it says it is."""

NO_STORE = {"cache-control": "private, no-store"}
"""On every answer that is for somebody: nobody on the way, and no browser, keeps it."""


CACHE_CONTROL = "public, max-age=0, must-revalidate"
"""On what is for everybody: it may be kept, and is to be asked for again each time."""


def names_etag(request_headers: Iterable[tuple[bytes, bytes]], etag: bytes) -> bool:
    """Whether the reader has this very answer (If-None-Match)."""
    for name, value in request_headers:
        if name == b"if-none-match":
            named = [part.strip().removeprefix(b"W/") for part in value.split(b",")]
            if etag in named or b"*" in named:
                return True
    return False


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


def page_links(request: Request, shown: str, next_cursor: str | None, formats: Sequence[Format] = ()) -> list[Link]:
    """Links to this answer, to the next rows and to the same in other forms."""
    asked = asked_by(request).written()
    media_type = FORMATS[shown].media_type
    links = [link("self", _with(request, asked), media_type)]
    if next_cursor is not None:
        links.append(link("next", _with(request, asked, cursor=next_cursor), media_type))
    others = [other for other in formats if other.name != shown]
    return links + [link("alternate", _with(request, asked, format=other.name), other.media_type) for other in others]


def _with(request: Request, asked: Sequence[tuple[str, str]], **changed: str) -> str:
    """This address with other parameters; those `asked` are names with how they are written, in order."""
    query = [written for name, written in asked if name not in changed]
    query += [urlencode([each]) for each in changed.items()]
    return address(request, request.url.path) + (f"?{'&'.join(query)}" if query else "")


def list_answer(request: Request, output: str, formats: Sequence[Format], found: Rows) -> Response:
    """The rows in the format asked for, which is one of `formats`."""
    form = FORMATS[output]
    links = [*page_links(request, output, found.next_cursor, formats), *found.links]
    answer = _answer(form.write(replace(found, links=links)), form, links)
    if form.saved is not None:
        answer.headers["content-disposition"] = _saved_as(form.saved, found.file_name, form.name)
    return answer


def json_bytes(body: Mapping[str, Any]) -> Response:
    """JSON that leads nowhere."""
    return Response(_json(body), headers={"content-type": FORMATS[JSON].media_type} | NO_SNIFFING)


def body_answer(request: Request, body: Mapping[str, Any]) -> Response:
    """One thing as JSON, with its link."""
    links = page_links(request, JSON, None)
    return _answer(_json({**body, "links": links}), FORMATS[JSON], links)


def _saved_as(how: str, name: str, suffix: str) -> str:
    """A Content-Disposition; the name is made of slugs and ids, and may stand between quotes as it is."""
    return f'{how}; filename="{name}.{suffix}"'


def private_answer(body: Mapping[str, Any] | None, *, status: int = 200) -> Response:
    """JSON for somebody, which nobody else may keep; without a body, none."""
    content = b"" if body is None else _json(body)
    headers = NO_STORE | NO_SNIFFING
    return Response(content, status, headers, media_type=None if body is None else FORMATS[JSON].media_type)


def private_list(
    request: Request,
    name: str,
    rows: Sequence[Mapping[str, Any]],
    total: int,
    next_cursor: str | None,
    formats: Sequence[Format] = (),
    *,
    note: str | None,
) -> Response:
    """Rows for somebody, under their own name."""
    links = page_links(request, JSON, next_cursor, formats)
    return private_answer({name: rows, "total": total, "returned": len(rows), "note": note, "links": links})


def _json(body: Mapping[str, Any]) -> bytes:
    # A column's name is a text of SQLAlchemy's own kind, which orjson takes for no text.
    return orjson.dumps(body, option=orjson.OPT_NON_STR_KEYS)


def html_answer(text: str, names: Sequence[str], policy: str) -> Response:
    """A page that may do no more than its policy says."""
    saved = {"content-disposition": _saved_as("inline", file_name(names), "html")}
    return Response(
        text.encode(),
        media_type="text/html; charset=utf-8",
        headers={"content-security-policy": policy} | saved | NO_SNIFFING,
    )


def _answer(body: bytes, form: Format, links: Sequence[Link]) -> Response:
    plain = [f'<{one["href"]}>; rel="{one["rel"]}"; type="{one["type"]}"' for one in links if "templated" not in one]
    # What is yet to be filled in is no address, which is all that Link can hold: it has a header of its own (RFC 9652).
    templates = [f'"{one["href"]}"; rel="{one["rel"]}"; type="{one["type"]}"' for one in links if "templated" in one]
    headers = {"content-type": form.media_type, "link": ", ".join(plain)}
    headers |= {"link-template": ", ".join(templates)} if templates else {}
    return Response(body, media_type=None, headers=headers | NO_SNIFFING)
