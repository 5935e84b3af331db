"""A real collector that kills itself at a named point of its own work, as often as it is asked to.

Standard input: one line ``DATA POINT NTH PORT`` a life (port 0: any). Standard output: ``born PID URL`` when it serves, ``dead STATUS`` when
it ended. Each life is a process of its own, forked from one that has only imported the product, so that a life begins
in a fraction of a second and everything it knows comes from the disk.

POINT, at the NTH time:
``before-commit``   rows written, transaction open
``after-commit``    committed, nobody answered yet
``never``           lives until it is killed from outside
``hasty``           answers before it commits, and dies in between. It is what the product must never be: planted here to
                    show that the tests would see it.

The points are where the product itself reports (a commit's event, ``Writer.on_commit``); nothing of it is replaced,
except in the hasty one.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

import uvicorn
from sqlalchemy import event

from agent.link.clock import SystemClock
from collector.app import App, build
from collector.intake.work import Outcome, Work
from collector.log.positions import Accepted
from collector.settings_read import load

CHECKPOINT_SECONDS = 0.2
"""The product's is a minute; lives here are shorter, and checkpoints are to be cut short, too."""


def main() -> None:
    for line in sys.stdin:
        data, point, nth, port = line.split()
        pid = os.fork()
        if pid == 0:
            live(Path(data), point, int(nth), int(port))
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        print(f"dead {os.waitstatus_to_exitcode(status)}", flush=True)


def live(data: Path, point: str, nth: int, port: int) -> None:
    app = build(load(None, {}, data), SystemClock())
    count = 0

    def die(*_: object) -> None:
        nonlocal count
        count += 1
        if count >= nth:
            if point == "hasty":
                time.sleep(0.1)  # its answers are on their way
            os.kill(os.getpid(), signal.SIGKILL)

    if point == "after-commit":
        app.log.on_commit = die
    elif point in ("before-commit", "hasty"):
        event.listen(app.store.engine, "commit", lambda _connection: die() if _is_writer() else None)
    if point == "hasty":
        answer_before_commit(app)
    app.start()
    threading.Thread(target=save_checkpoints, args=(app,), daemon=True).start()
    listening = socket.create_server(("127.0.0.1", port), backlog=100)
    print(f"born {os.getpid()} http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
    uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off")).run(sockets=[listening])


def save_checkpoints(app: App) -> None:
    while True:
        time.sleep(CHECKPOINT_SECONDS)
        app.log.save_checkpoint()


def answer_before_commit(app: App) -> None:
    """The mistake: each request hears that its numbers are held, and only then are they written."""
    commit = app.log.commit

    def hasty(works: list[Work]) -> None:
        for work in works:
            work.outcomes = [
                Outcome(one, Accepted([], b""), ranges=[(one.header.first_seq, one.header.last_seq)])
                for one in work.admitted
            ]
            work.finish(None)
        commit([Work(list(work.admitted), [], work.received_at_ms, lambda _error: None) for work in works])

    app.log.commit = hasty  # type: ignore[method-assign]


def _is_writer() -> bool:
    """Only the intake's own commits count, not those of background work."""
    return threading.current_thread().name == "log-writer"


if __name__ == "__main__":
    main()
