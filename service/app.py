"""The web application, put together: routes, problems, cache, logs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from threading import BoundedSemaphore
from types import ModuleType

from fastapi import Depends, FastAPI
from sqlalchemy import Engine

from geo.base.version import vasti_version
from geo.database import DataVersionWatch
from geo.settings import Settings
from service.api import document, health, metrics
from service.api.figures import indicators, kinds, maps, sources
from service.api.people import accounts, audit, session
from service.api.places import cities, own_cities, own_settlements, settlements
from service.api.surveys import own as own_surveys
from service.api.surveys import publications
from service.api.surveys import published as surveys
from service.api.uploads import resumable as incoming
from service.api.uploads import uploads
from service.http.access import MOST_ACTING
from service.http.addresses import Addresses
from service.http.metrics import Metrics
from service.http.middleware.body_limits import BodyLimits
from service.http.middleware.cross_origin import CrossOrigin
from service.http.middleware.public_cache import MAX_BYTES, PublicCache
from service.http.middleware.rate_limits import QuestionLimits, RateLimits
from service.http.middleware.request_limits import RequestLimits
from service.http.middleware.request_log import RequestLog
from service.http.middleware.turns import PublicTurns
from service.http.openapi import DescribedAPI, about
from service.http.parameters import check_query
from service.http.problems import FaultWall, add_problem_handlers
from service.http.sub_path import SubPath
from service.memory import give_back
from service.pages import accounts as account_pages
from service.pages import cities as city_pages
from service.pages import sign_in, static
from service.pages import surveys as own_pages
from service.pages import uploads as upload_pages

_DESCRIPTION = """
Coverage figures of informal settlements: by settlement, ward and city, for each published survey round.

Figures on fewer than 10 answering households are withheld: they are listed with their reason and without a value.
Lists come in pages as JSON: follow the `next` link, which is in the body and in the `Link` header. CSV and GeoJSON are
whole. Every public answer carries an `ETag`; send it back as `If-None-Match` and get 304 while nothing changed.
Pages of other sites may read public answers (CORS), and no others.
"""


@dataclass(frozen=True)
class _Group:
    """Routes that have much in common."""

    tag: str
    routes: tuple[ModuleType, ...]
    prefix: str = ""
    is_public: bool = False
    is_described: bool = True


_API = "/api/v1"
_FIGURES = (cities, settlements, surveys, publications, indicators, kinds, sources)
_GROUPS = (
    _Group("figures", _FIGURES, _API, is_public=True),
    _Group("accounts", (session, accounts, own_surveys, own_cities, own_settlements, uploads, incoming, audit), _API),
    _Group("maps", (maps,), "/maps", is_public=True),
    _Group("description", (document,), _API, is_public=True, is_described=False),
    _Group("pages", (sign_in, account_pages, own_pages, city_pages, upload_pages, static), is_described=False),
    _Group("health", (health,), is_public=True),
    _Group("health", (metrics,)),
)


def create_app(engine: Engine, settings: Settings, *, cache_bytes: int = MAX_BYTES) -> FastAPI:
    """The application on a database. It watches the data version from its start to its end."""
    watch = DataVersionWatch(engine.url)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        watch.start()
        giving_back = asyncio.create_task(give_back())
        try:
            yield
        finally:
            giving_back.cancel()
            watch.stop()

    app = DescribedAPI(
        title="Vasti",
        version=vasti_version(),
        description=_DESCRIPTION,
        # Answered by a route of our own (service.api.document), as any other that is for everybody.
        openapi_url=None,
        # The pages FastAPI has for this load their scripts from another host, which maps and pages here never do.
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        # Nobody collects it here, and each request would be looked at for it.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        **about(settings),
        # Redirects would be made from the Host header.
        redirect_slashes=False,
    )
    app.state.engine = engine
    app.state.watch = watch
    app.state.settings = settings
    app.state.metrics = Metrics()
    app.state.acting = BoundedSemaphore(MOST_ACTING)
    app.state.addresses = Addresses()
    for group in _GROUPS:
        for route in group.routes:
            app.state.addresses.add(route.router, group.prefix, public=group.is_public)
            app.include_router(
                route.router,
                prefix=group.prefix,
                dependencies=[Depends(check_query)],
                tags=[group.tag],
                include_in_schema=group.is_described,
            )
    add_problem_handlers(app)
    # The last one added is the first one asked.
    app.add_middleware(
        BodyLimits,
        files_at=("/api/v1/uploads", "/uploads"),
        files_under=("/api/v1/incoming/",),
        choices_under=("/api/v1/uploads/", "/uploads/"),
        max_file_bytes=settings.upload_max_bytes,
    )
    app.add_middleware(PublicTurns, at_once=settings.answers_at_once)
    app.add_middleware(QuestionLimits, settings=settings)
    app.add_middleware(PublicCache, watch=watch, max_bytes=cache_bytes)
    app.add_middleware(RateLimits, settings=settings)
    app.add_middleware(RequestLimits)
    app.add_middleware(FaultWall)
    app.add_middleware(CrossOrigin, addresses=app.state.addresses)
    app.add_middleware(RequestLog, metrics=app.state.metrics)
    if settings.base_path:
        app.add_middleware(SubPath, path=settings.base_path)
    return app
