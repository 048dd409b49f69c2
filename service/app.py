"""The web application, put together: routes, problems, cache, logs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version

from fastapi import Depends, FastAPI
from sqlalchemy import Engine

from geo.data_version import DataVersionWatch
from geo.indicators.hot_spots import preload
from geo.settings import Settings
from service.body_limits import BodyLimits
from service.cache import MAX_BYTES, PublicCache
from service.jobs import make_app
from service.logs import RequestLog
from service.metrics import Metrics
from service.openapi import DescribedAPI
from service.pages import accounts as account_pages
from service.pages import cities as city_pages
from service.pages import sign_in, static
from service.pages import surveys as own_pages
from service.pages import uploads as upload_pages
from service.parameters import check_query
from service.problems import FaultWall, add_problem_handlers
from service.rate_limits import RateLimits
from service.routes import (
    accounts,
    audit,
    changes,
    cities,
    gaps,
    health,
    incoming,
    indicators,
    maps,
    metrics,
    own_settlements,
    own_surveys,
    session,
    settlements,
    sources,
    surveys,
    trends,
    uploads,
    values,
)

_DESCRIPTION = """
Coverage figures of informal settlements: by settlement, ward and city, for each published survey round.

Figures on fewer than 10 answering households are withheld: they are listed with their reason and without a value.
Lists come in pages: follow the `next` link, which is in the body and in the `Link` header. Every answer carries an
`ETag`; send it back as `If-None-Match` and get 304 while nothing changed.
"""


def create_app(engine: Engine, settings: Settings, *, cache_bytes: int = MAX_BYTES) -> FastAPI:
    """The application on a database. It watches the data version from its start to its end."""
    url = engine.url.render_as_string(hide_password=False)
    watch = DataVersionWatch(engine.url)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        watch.start()
        preload()
        try:
            yield
        finally:
            watch.stop()

    app = DescribedAPI(
        title="Vasti",
        version=_version(),
        description=_DESCRIPTION,
        openapi_url="/api/v1/openapi.json",
        # The pages FastAPI has for this load their scripts from another host, which maps and pages here never do.
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        # Redirects would be made from the Host header.
        redirect_slashes=False,
    )
    app.state.engine = engine
    app.state.watch = watch
    app.state.settings = settings
    app.state.metrics = Metrics()
    # To ask for work: what is in it is done by a worker, with the rights of the tables' owner.
    app.state.queue = make_app(url, engine, settings)
    checked = [Depends(check_query)]
    for route in (cities, settlements, surveys, indicators, values, sources, changes, gaps, trends):
        app.include_router(route.router, prefix="/api/v1", dependencies=checked, tags=["figures"])
    for route in (session, accounts, own_surveys, own_settlements, uploads, incoming, audit):
        app.include_router(route.router, prefix="/api/v1", dependencies=checked, tags=["accounts"])
    app.include_router(maps.router, prefix="/maps", dependencies=checked, tags=["maps"])
    for page in (sign_in, account_pages, own_pages, city_pages, upload_pages, static):
        app.include_router(page.router, dependencies=checked, include_in_schema=False)
    for route in (health, metrics):
        app.include_router(route.router, dependencies=checked, tags=["health"])
    add_problem_handlers(app)
    # The last one added is the first one asked.
    app.add_middleware(
        BodyLimits,
        files_at=("/api/v1/uploads", "/uploads"),
        files_under=("/api/v1/incoming/",),
        max_file_bytes=settings.upload_max_bytes,
    )
    app.add_middleware(PublicCache, watch=watch, max_bytes=cache_bytes)
    app.add_middleware(RateLimits, settings=settings)
    app.add_middleware(FaultWall)
    app.add_middleware(RequestLog, metrics=app.state.metrics)
    return app


def _version() -> str:
    try:
        return version("vasti")
    except PackageNotFoundError:  # run from a source tree that is not installed
        return "0"
