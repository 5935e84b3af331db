"""Reading back what a Grafana has, through Grafana itself: are the boards ours, and does every panel get an answer?

Queries travel as a browser's do, through Grafana to its data source, so this also proves the way between the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from dashboards.api import EXCUSES, Found, look
from dashboards.asked import asked
from dashboards.board import DATASOURCE_NAME, DATASOURCE_UID
from dashboards.boards import BOARDS
from dashboards.door import Door, PushSettings
from dashboards.refusals import PushError

STATES = {"same": "ok", "missing": "missing", "differs": "differs", "by file": "ok"}


@dataclass(frozen=True, slots=True)
class Verified:
    """One thing looked at. ``result`` is ok, missing, differs, refused or no data; all but ok and no data are wrong."""

    kind: str
    uid: str
    title: str
    result: str
    reason: str = ""

    @property
    def is_wrong(self) -> bool:
        return self.result not in ("ok", "no data")


def verify(settings: PushSettings) -> list[Verified]:
    """Everything that ``push`` or files bring, and each panel that finds nothing. Raises PushError where no Grafana answers."""
    door = Door(settings)
    try:
        door.check_health()
        found = [_thing(one) for one in look(door, settings)]
        source = _source(door)
        return [*found, source, *(_panels(door) if source.result == "ok" else ())]
    finally:
        door.close()


def _thing(found: Found) -> Verified:
    details = tuple(each for each in found.details if each not in EXCUSES)
    # A board of a file that differs is another release's: its owner is the folder, not this command.
    result = "differs" if details else STATES[found.state]
    return Verified(found.kind, found.uid, found.title, result, "; ".join(found.details[:3]))


def _source(door: Door) -> Verified:
    """Whether the data source reaches a Prometheus that knows of a collector."""
    if door.find(f"/datasources/uid/{DATASOURCE_UID}") is None:
        return Verified("source", DATASOURCE_UID, DATASOURCE_NAME, "missing", "no data source of ours")
    try:
        known = _ask(door, "count(bongsu_collector_build_info)")
    except PushError as error:
        return Verified("source", DATASOURCE_UID, DATASOURCE_NAME, "refused", str(error))
    if not known:
        reason = "it answers and knows no collector: does its Prometheus scrape one (configs/prometheus)?"
        return Verified("source", DATASOURCE_UID, DATASOURCE_NAME, "missing", reason)
    return Verified("source", DATASOURCE_UID, DATASOURCE_NAME, "ok")


def _panels(door: Door) -> Iterator[Verified]:
    for board in (each.json() for each in BOARDS):
        answered: dict[tuple[int, str], bool] = {}
        for one in asked(board):
            key = (one.panel, one.title)
            try:
                has_data = bool(_ask(door, one.expr))
            except PushError as error:
                yield Verified("panel", f"{board['uid']}/{one.panel}", one.title, "refused", str(error))
                has_data = True
            answered[key] = answered.get(key, False) or has_data or one.is_rare
        for (panel, title), is_answered in answered.items():
            if not is_answered:
                reason = "finds nothing now: right where the fleet has none of it"
                yield Verified("panel", f"{board['uid']}/{panel}", title, "no data", reason)


def _ask(door: Door, expr: str) -> list[Any]:
    """Series that an expression gives now, asked through Grafana's proxy."""
    answer = door.ask("GET", f"/datasources/proxy/uid/{DATASOURCE_UID}/api/v1/query?query={quote(expr)}")
    try:
        return list(answer["data"]["result"])
    except (TypeError, KeyError) as error:
        raise PushError("the data source answered something else than a Prometheus") from error
