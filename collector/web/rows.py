"""The board's rows, made once for everybody who looks.

A row's markup changes when its site's state or its failing checks change, not when a report arrives: that only moves
the age. So the markup is kept with a hole where the age goes, and a board of a thousand sites is mostly joining strings.
Each change gets the number of the tick that saw it, which is how the event stream knows what a browser lacks.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jinja2 import Template
from markupsafe import Markup

from collector.fleet.registry import Fleet
from collector.store.scope import Scope
from collector.web import view
from collector.web.i18n import Words
from collector.web.render import age_markup, environment
from collector.web.view import SiteRow

if TYPE_CHECKING:
    from collector.live.board import Live
    from collector.verdicts.standing import Standing

HOLE = "\ue000"
"""Stands where the age goes; a private-use character that no name can carry through the topology file."""
SHOWN_FAILURES = 4
KEPT_SCOPES = 64


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The board of one scope at one tick. Times of ``seen`` are by the collector's clock."""

    epoch: str
    """Names the life of these ticks: a browser from before a restart must get everything anew."""
    tick: int
    at_ms: int | None
    """When the verdicts were made; None before the first."""
    fleet_version: int
    rows: Mapping[str, SiteRow]
    changed: Mapping[str, int]
    """Site -> tick of its newest change of markup."""
    seen: Mapping[str, int | None]
    """Site -> newest report."""
    seen_tick: Mapping[str, int]

    @property
    def token(self) -> str:
        """Where a browser stands that has all of this."""
        return f"{self.epoch}.{self.fleet_version}.{self.tick}"

    def is_same_fleet(self, token: str) -> bool:
        """Whether a browser at this token has the same sites; else it must load the page anew."""
        return token.split(".")[1:2] == [str(self.fleet_version)]

    def tick_of(self, token: str) -> int:
        """The tick a browser's token stands for; 0 (it has nothing) where it is from another life."""
        epoch, _, rest = token.partition(".")
        tick = rest.rpartition(".")[2]
        return int(tick) if epoch == self.epoch and tick.isdecimal() and int(tick) <= self.tick else 0


class BoardRows:
    """Rows of one scope. Safe to use from several threads."""

    def __init__(self, scope: Scope, epoch: str) -> None:
        self._scope = scope
        self._lock = threading.Lock()
        self._cause = (0, -1, 0)
        self._kept: tuple[Fleet | None, Standing | None] = (None, None)
        """What the identities in ``_cause`` belong to, held so that no other object can take them over."""
        self._now = Snapshot(epoch, 0, None, -1, {}, {}, {}, {})
        self._markup: dict[tuple[str, str], tuple[SiteRow, str, str]] = {}

    def observe(self, fleet: Fleet, live: Live, standing: Standing) -> Snapshot:
        """The board now. Costs nothing where neither fleet, numbers nor verdicts changed."""
        with self._lock:
            cause = (id(fleet), live.version, id(standing))
            if cause == self._cause:
                return self._now
            self._cause, self._kept = cause, (fleet, standing)
            before = self._now
            tick = before.tick + 1
            rows = view.site_rows(fleet, live, standing, self._scope)
            seen = {site: view.last_report_ms(fleet, live, site) for site in rows}
            rows = {site: before.rows[site] if before.rows.get(site) == row else row for site, row in rows.items()}
            self._now = Snapshot(
                before.epoch,
                tick,
                standing.at_ms or None,
                fleet.version,
                rows,
                {s: before.changed[s] if before.rows.get(s) is row else tick for s, row in rows.items()},
                seen,
                {s: before.seen_tick[s] if before.seen.get(s, 0) == ms else tick for s, ms in seen.items()},
            )
            return self._now

    def markup(self, row: SiteRow, seen_ms: int | None, now_ms: int, texts: Words) -> Markup:
        """One site as a table body."""
        key = (texts.language, row.site.id)
        known = self._markup.get(key)
        if known is None or known[0] is not row:
            text = _template().render(row=row, t=texts, hole=HOLE, limit=SHOWN_FAILURES)
            head, _, tail = text.partition(HOLE)
            known = self._markup[key] = (row, head, tail)
        if seen_ms is None:
            never = Markup('<time class="age quiet" data-zone="{}">{}</time>')
            seen = never.format(row.site.timezone, texts("app.never"))
        else:
            seen = age_markup(now_ms, seen_ms, row.site.timezone, texts)
        return Markup(f"{known[1]}{seen}{known[2]}")  # noqa: S704 the template escaped its part, the age is markup


class Boards:
    """A ``BoardRows`` for each scope in use; the least used one goes when there are too many."""

    def __init__(self, started_ms: int) -> None:
        self._started_ms = started_ms
        self._made = 0
        self._lock = threading.Lock()
        self._by_scope: OrderedDict[Scope, BoardRows] = OrderedDict()

    def of(self, scope: Scope) -> BoardRows:
        with self._lock:
            board = self._by_scope.get(scope)
            if board is None:
                self._made += 1
                board = self._by_scope[scope] = BoardRows(scope, f"{self._started_ms:x}-{self._made}")
            self._by_scope.move_to_end(scope)
            while len(self._by_scope) > KEPT_SCOPES:
                self._by_scope.popitem(last=False)
            return board


def _template() -> Template:
    return environment.get_template("board_row.html")
