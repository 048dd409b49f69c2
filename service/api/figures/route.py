"""A kind of figures over HTTP: declared once, and its route, its bodies and its forms follow."""

import inspect
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Annotated, Any

import pandas as pd
from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field, create_model
from sqlalchemy import Connection

from geo.base import validated
from geo.indicators.figures import REASONS, Access, Column, FigurePage
from geo.publications import FigureList
from service.body_fields import Body
from service.formats.format import TEXT, Needs
from service.formats.rows import CsvForm, Link, Rows, tags_of
from service.formats.table import FORMATS, JSON, formats_for
from service.http.access import reading_figures, seen_with
from service.http.asked import asked_by
from service.http.bodies import ListBody
from service.http.described import responses
from service.http.parameters import (
    AccessParameter,
    Cursor,
    Excel,
    Hxl,
    Limit,
    OneForm,
    form_query,
    is_repeatable,
    limit_note,
    page_request,
    parameters_given,
)
from service.http.responses import list_answer

_NAMING = ("city", "survey", "from", "to", "indicator")
"""Parameters whose values name a file that is saved."""


@dataclass(frozen=True)
class FigureKind:
    """A kind of figures: how it is asked for, and what is answered."""

    name: str
    """Its address, what its rows are called in JSON, and what the name of a file begins with."""
    title: str
    about: str
    row: str
    """What OpenAPI calls a row."""
    about_row: str
    about_rows: str
    columns: Sequence[Column]
    ask: Callable[..., Any]
    """Makes the query of its own parameters. Every kind has `access`, `format`, `limit` and `cursor` besides."""
    find: Callable[[Connection, Any], FigurePage]
    """Finds what is seen in full."""
    find_published: Callable[[Connection, Any], FigurePage]
    """Finds what everybody sees."""
    list_published: Callable[[Connection, Any], FigureList] | None = None
    """The same, as plain values: of what is asked for most."""
    feature_id: Sequence[str] = ()
    """The columns that name a feature. Without them it has no shapes; with them its query has `geometry`."""
    beside: Mapping[str, tuple[type[BaseModel], Callable[[Any], Mapping[str, Any]]]] = field(default_factory=dict)
    """What an answer says of all its rows, by name: its body, and what fills that from a page."""
    links: Callable[[Request], Sequence[Link]] = lambda _: ()
    """Links whose address each row fills in with what it says of itself."""

    @property
    def has(self) -> tuple[Needs, ...]:
        """What its rows have for formats that need it."""
        return ("shapes",) if self.feature_id else ()

    @cached_property
    def body(self) -> type[BaseModel]:
        """The body of an answer as JSON."""
        cells: dict[str, Any] = {column.name: _described(column) for column in self.columns}
        row = create_model(self.row, __base__=Body, __doc__=self.about_row, **cells)
        beside: dict[str, Any] = {name: (body, ...) for name, (body, _) in self.beside.items()}
        rows: dict[str, Any] = {self.name: (list[row], ...)}  # type: ignore[valid-type]
        return create_model(self.name.capitalize(), __base__=ListBody, __doc__=self.about_rows, **rows, **beside)


def _described(column: Column) -> tuple[Any, Any]:
    examples = None if column.example is None else [column.example]
    return column.type, Field(description=column.description, examples=examples)


class _FigureRoute(APIRoute):
    """A route of a kind of figures, whose address is taken apart at once: FastAPI looks for each parameter by itself.

    FastAPI describes it from the same declaration.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What FastAPI calls with a request."""
        own = [each for each in inspect.signature(self.endpoint).parameters.values() if each.name != "request"]
        required = inspect.Parameter.empty
        fields: dict[str, Any] = {
            each.name: each.annotation if each.default is required else (each.annotation, each.default) for each in own
        }
        asked = create_model("Asked", **fields)
        declared = {field.alias or name: is_repeatable(field.annotation) for name, field in asked.model_fields.items()}

        def answer(request: Request) -> Response:
            given = validated(asked, parameters_given(request, declared))
            answered: Response = self.endpoint(request, **dict(given))
            return answered

        async def handle(request: Request) -> Response:
            return await run_in_threadpool(answer, request)

        return handle


def add_route(router: APIRouter, kind: FigureKind) -> None:
    """Adds the route that answers figures of a kind, in every format that can hold them."""
    forms = formats_for(*kind.has)
    tags, declared = tags_of(kind.columns), {column.name: column for column in kind.columns}

    def answer(
        request: Request,
        *,
        access: Access,
        output: str,
        limit: int | None,
        cursor: str | None,
        hxl: bool,
        excel: bool,
        **asked: Any,
    ) -> Response:
        query = replace(
            kind.ask(**asked), access=access, seen=seen_with(access), page=page_request(limit, cursor, output)
        )
        if FORMATS[output].needs == "shapes":
            query = replace(query, geometry=True)
        with reading_figures(request, access) as reading:
            page, rows, shapes = _found(kind, reading.connection, query)
        found = Rows(
            kind.name,
            rows,
            page.total,
            page.next_cursor,
            reading.data_version,
            tags=tags,
            declared=declared,
            saved_as=[kind.name, *(value for name in _NAMING for value in asked_by(request).values(name))],
            feature_id=kind.feature_id,
            about={name: told(page) for name, (_, told) in kind.beside.items()},
            links=kind.links(request),
            note=limit_note(limit),
            csv=CsvForm(hxl, excel),
            shapes=shapes,
        )
        return list_answer(request, output, forms, found)

    answer.__signature__ = _signature(kind)  # type: ignore[attr-defined]
    example = pd.DataFrame([{column.name: column.example for column in kind.columns}], dtype=object)
    shown = Rows(kind.name, example, 1, None, None, tags=tags, declared=declared)
    examples = {form.name: form.write(shown).decode() for form in forms if form.schema is TEXT}
    described = responses(kind.body, forms=forms, examples=examples, full=True)
    router.add_api_route(
        f"/{kind.name}",
        answer,
        name=kind.name,
        summary=kind.title,
        description=kind.about,
        responses=described,
        route_class_override=_FigureRoute,
    )


def _found(
    kind: FigureKind, connection: Connection, query: Any
) -> tuple[FigurePage | FigureList, pd.DataFrame | list[dict[str, Any]], Sequence[str | None] | None]:
    """The figures asked for, and their rows and shapes as formats take them."""
    if query.access == "public" and kind.list_published is not None:
        listed = kind.list_published(connection, query)
        return listed, listed.rows, listed.shapes
    page = (kind.find_published if query.access == "public" else kind.find)(connection, query)
    return page, _in_words(page.figures, kind.columns), None


def _signature(kind: FigureKind) -> inspect.Signature:
    """The parameters of a kind's route: its own, and those that all kinds have."""

    def one(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
        return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)

    own = inspect.signature(kind.ask).parameters.values()
    return inspect.Signature(
        [
            one("request", Request),
            *(one(parameter.name, parameter.annotation, parameter.default) for parameter in own),
            one("access", AccessParameter, "public"),
            one("output", Annotated[str, form_query(*kind.has), OneForm(kind.has)], JSON),
            one("limit", Limit, None),
            one("cursor", Cursor, None),
            one("hxl", Hxl, False),
            one("excel", Excel, False),
        ],
        return_annotation=Response,
    )


def _in_words(figures: pd.DataFrame, columns: Sequence[Column]) -> pd.DataFrame:
    """Figures with the columns that say in words what another says as a code."""
    words = {}
    for column in columns:
        if column.words_of is not None:
            told = [None if pd.isna(code) else REASONS.get(code, code) for code in figures[column.words_of]]
            words[column.name] = pd.Series(told, index=figures.index, dtype=object)
    return figures.assign(**words)
