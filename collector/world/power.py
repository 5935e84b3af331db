"""Where a machine may lose its power: moments named by what the program does to its disk or to its line."""

from __future__ import annotations

from collections.abc import Callable

from agent.link.exchange import Exchange, Failure, Request, Response
from agent.link.send_request import ENVELOPES_PATH
from collector.world.disk import DiskModel

IN_ROLL_UP = "in a roll-up, before its sync"
DISK_POINTS = {
    "after append, before sync": ("sync", ".seg"),
    "in seal: next segment not there": ("open", ".seg"),
    "in seal: next segment without its name": ("sync_folder", ""),
    "after reply, before acked is written": ("append", "acked.new"),
    "after acked is written, before its sync": ("sync", "acked.new"),
    "before acked takes its name": ("rename", "acked.new"),
    "before a settled segment is unlinked": ("remove", ".seg"),
    IN_ROLL_UP: ("sync", "-minutes-"),
}
"""The operation, and what its path contains."""
BEFORE_SEND, AFTER_SEND = "after sync, before send", "after send, before reply"
POINTS = (BEFORE_SEND, AFTER_SEND, *DISK_POINTS)


class PowerGone(BaseException):
    """Whoever was running stops here."""


class Power:
    """One machine's. ``doom``: the point at which it goes next, "" for none."""

    def __init__(self, disk: DiskModel) -> None:
        self.doom = ""
        self.trouble: Callable[[str, str], None] = lambda _operation, _path: None
        """What is wrong with the disk besides: may raise OSError."""
        disk.before = self._watch

    def _watch(self, operation: str, path: str) -> None:
        wanted, part = DISK_POINTS.get(self.doom, ("", ""))
        if operation == wanted and part in path:
            raise PowerGone
        self.trouble(operation, path)

    def over(self, exchange: Exchange) -> Exchange:
        """The line of a machine that may go down right before a report is sent, or right after."""

        def watched(request: Request) -> Response | Failure:
            is_report = request.path == ENVELOPES_PATH and len(request.body) > 1
            if is_report and self.doom == BEFORE_SEND:
                raise PowerGone
            response = exchange(request)
            if is_report and self.doom == AFTER_SEND:
                raise PowerGone
            return response

        return watched
