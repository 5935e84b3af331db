"""The door of a collector: the listening socket, and the server behind it."""

from __future__ import annotations

import resource
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn

from collector.connection import Connection
from collector.errors import UsageError
from collector.settings import Settings

KEEP_ALIVE_SECONDS = 150
"""Agents keep one connection: longer than two of the longest interval, so that none pays for a new one each time."""


class Server(uvicorn.Server):
    """Says when it listens and when it is about to stop."""

    def __init__(
        self, config: uvicorn.Config, started: Callable[[], Awaitable[None]], stopping: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._say_started = started
        self._say_stopping = stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        await self._say_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._say_stopping()
        await super().shutdown(sockets)


def uvicorn_config(app: Any, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="uvloop",
        http=Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=settings.server.behind_proxy,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=3,
        ssl_certfile=settings.server.tls_cert or None,
        ssl_keyfile=settings.server.tls_key or None,
    )


def listen(settings: Settings) -> socket.socket:
    """The listening socket, so that a taken port is said before anything is started. Raises UsageError."""
    server = settings.server
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            server.host, server.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(4096)
    except OSError as why:
        raise UsageError(
            f"cannot listen on {server.host}:{server.port}: {why.strerror or why}; stop what uses it, "
            "or choose another with --port N"
        ) from why
    return listening


def allow_connections() -> None:
    """Each agent keeps a connection, and 1,024 open files are what a service gets where nobody asks for more."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
