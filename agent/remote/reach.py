"""Does a host answer over SSH at all? The first check of every target; where it fails it alone says why.

The others are then unknown in one constant sentence (``Unreachable``), so that a dead host is one reason on the board and
not forty, and costs one deadline a round.
"""

from __future__ import annotations

from collections.abc import Iterable

from agent.checks.base import CRITICAL, OK, Check, CheckFailed, Host, Result, State, Unreachable

INTERVAL_SECONDS = 5.0
NAME = "ssh"


def collect(host: Host) -> Iterable[Result]:
    try:
        host.now()
    except Unreachable as error:
        yield State(NAME, CRITICAL, error.why)
    except CheckFailed as error:
        yield State(NAME, CRITICAL, str(error))
    else:
        yield State(NAME, OK, "")


CHECK = Check(NAME, collect, interval_seconds=INTERVAL_SECONDS)
