"""A real collector that kills itself at a named point of its own work.

    python crashing_collector.py DATA POINT NTH

POINT ``before-commit``: rows written, transaction open. ``after-commit``: committed, nobody answered yet. ``never``.
The points are where the product itself reports (a commit's event, ``Writer.on_commit``); nothing of it is replaced.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path

import uvicorn
from sqlalchemy import event

from agent.link.clock import SystemClock
from collector.app import build
from collector.settings import load


def main() -> None:
    data, point, nth = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    app = build(load(None, {}, data), SystemClock())
    count = 0

    def die(*_: object) -> None:
        nonlocal count
        count += 1
        if count >= nth:
            os.kill(os.getpid(), signal.SIGKILL)

    if point == "after-commit":
        app.log.on_commit = die
    elif point == "before-commit":
        event.listen(app.store.engine, "commit", lambda _connection: die() if _is_writer() else None)
    app.start()
    listening = socket.create_server(("127.0.0.1", 0))
    print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
    uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off")).run(sockets=[listening])


def _is_writer() -> bool:
    """Only the intake's own commits count, not those of background work."""
    import threading

    return threading.current_thread().name == "log-writer"


if __name__ == "__main__":
    main()
