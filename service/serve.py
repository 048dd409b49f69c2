"""Serving the API and the maps, with a worker beside them."""

import errno
import signal
import socket
from contextlib import suppress

import uvicorn

from geo import database
from geo.database import service_url
from geo.errors import PortTaken, SetupError
from geo.settings import Settings
from service.app import create_app
from service.http.middleware.heads import BoundedHeads
from service.logs import configure_logs
from service.memory import keep_memory_low
from service.work.jobs import WorkerThread, prepare

_BACKLOG = 2048
_GRACE_S = 10


def serve(settings: Settings) -> None:
    """Serves until SIGINT or SIGTERM, and says where.

    A private cluster is started and brought up to date first. A database of your own is only used: `vasti db upgrade`
    changes it when you say so.

    Raises:
        PortTaken: another program listens there; nothing was started.
        SetupError: the address is not this machine's, or the database is not ready.
    """
    listener = listen(settings.host, settings.port)
    try:
        url = database.database_url(settings)
        if settings.database_url is None:
            database.upgrade(url)
            prepare(url)
        as_service = service_url(url, settings.service_password)
        configure_logs()
        address = f"http://{_as_in_url(settings.host)}:{settings.port}"
        print(f"Vasti serves {address}/api/v1/cities and the maps; Ctrl-C ends it.", flush=True)  # noqa: T201
        _run(url, as_service, listener, settings)
    finally:
        listener.close()


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; requests that come before the service is up wait in it.

    Raises:
        PortTaken: another program listens there.
        SetupError: the host is not an address of this machine, or the port needs an administrator.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise SetupError("host_not_here", host=host) from error
    try:
        # A port its last user has just left can be taken over at once; one in use cannot.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTaken("port_taken", port=port, host=host) from error
        if error.errno == errno.EACCES:
            raise SetupError("port_reserved", port=port, host=host) from error
        raise SetupError("host_not_here", host=host) from error
    return listener


def _run(url: str, as_service: str, listener: socket.socket, settings: Settings) -> None:
    keep_memory_low()
    engine = database.create_engine(as_service)
    worker = WorkerThread(url, settings) if settings.worker else None
    config = uvicorn.Config(
        create_app(engine, settings),
        http=BoundedHeads,
        log_config=None,
        # It writes whole addresses, with whatever was asked for in them; service.logs writes its own lines.
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
    )
    # The server hands the signal on when it has ended; by then it shall end this function, not the process.
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        if worker:
            worker.start()
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])
    finally:
        signal.signal(signal.SIGTERM, before)
        if worker:
            worker.stop()
        engine.dispose()


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _as_in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
