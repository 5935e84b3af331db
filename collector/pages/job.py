"""Every second: timers that are due become pages in the outbox, each in one transaction with what it leads to.

Claiming the timer, what the stages said, the pages and the next timer are committed together: whoever dies in between has
done nothing, and of two collectors on one database one does it. A timer that cannot be done for a fault of ours is put off
a little and told of; the others go on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from collector.escalation.policy import ON_DUTY, Step, thaw
from collector.escalation.queries import add_timer, claim, due, put_off
from collector.escalation.reach import Target, reach
from collector.escalation.timer import CALL_IN, DIGEST, FIX, RESOLVED, STEP, Timer
from collector.fleet.registry import Registry
from collector.incidents import queries as incidents
from collector.incidents.incident import TRIGGERED, Incident
from collector.pages import page as p
from collector.pages.desk import HOLE, Desk, HasWindows, Ways
from collector.pages.health import FAILING
from collector.pages.outbox import row_of
from collector.pages.page import Delivery, Why
from collector.pages.pipeline import Answer, Ask, Outgoing, run
from collector.pages.queries import (
    add_page,
    decisions_of,
    earlier_pages,
    last_of_incident,
    made_lately,
    note_decisions,
    pages_of,
    pages_of_all,
    supersede,
    tried_channels,
)
from collector.pages.recipients import PAGED_BEFORE, aims, enrolled, owners, told
from collector.pages.summons_queries import called_in, note_summons
from collector.pages.throttle import WINDOW
from collector.pages.watch_queries import read_health
from collector.people.queries import Book, whole_book
from collector.rosters.compile import ground_of
from collector.rosters.queries import load_rosters
from collector.rosters.roster import Roster
from collector.store.engine import Store
from collector.store.scope import EVERYTHING
from collector.verdicts.standing import Standing

log = logging.getLogger(__name__)
SECONDS = 1.0
AT_ONCE = 200
ASK_AGAIN = timedelta(seconds=15)
"""What a stage holds is looked at again after so long."""
PUT_OFF = timedelta(seconds=60)
LEFT_OUT = frozenset({"not_on_duty", "spare", "not_yet", "duty_hole", "no_roster"})
PERCENT = {"fix_50": 50, "fix_80": 80, "fix_100": 100}


Crew = Callable[[Connection], tuple[Sequence[Roster], Book]]
"""Where rosters and people are read from."""


class PageJob:
    def __init__(
        self,
        store: Store,
        registry: Registry,
        ways: Ways,
        standing: Callable[[], Standing],
        windows: HasWindows,
        silenced: Callable[[Mapping[str, str], datetime], str],
        wake: Callable[[], None] = lambda: None,
        on_point: Callable[[str], None] = lambda _name: None,
        crew: Crew | None = None,
    ) -> None:
        """``wake``: pages are in the outbox. ``on_point``: told the names of places where a test lets it die."""
        self._store = store
        self._registry = registry
        self._ways = ways
        self._standing = standing
        self._windows = windows
        self._silenced = silenced
        self._wake = wake
        self._on_point = on_point
        self._crew = crew or (lambda connection: (load_rosters(connection), whole_book(connection)))

    def step(self, now: datetime) -> datetime | None:
        with self._store.reading() as connection:
            timers = due(connection, now, AT_ONCE)
            if not timers:
                return None
            desk = self._desk(connection, now)
        broken: Exception | None = None
        for timer in timers:
            try:
                with self._store.transaction() as connection:
                    made = self._one(connection, timer, desk)
                    self._on_point("escalation step")
                self._on_point("after escalation step")
            except (
                Exception
            ) as why:  # one poisoned timer must not keep the others waiting; the first is told at the end
                broken = broken or why
                with self._store.transaction() as connection:
                    put_off(connection, timer.id, now + PUT_OFF)
                log.exception("a timer could not be done", extra={"timer": timer.id, "incident": timer.incident})
                continue
            if made:
                self._wake()
        if broken is not None:
            raise broken
        return now if len(timers) == AT_ONCE else None

    def _desk(self, connection: Connection, now: datetime) -> Desk:
        fleet = self._registry.fleet
        rosters, book = self._crew(connection)
        return Desk(
            now,
            fleet,
            self._standing(),
            rosters,
            ground_of(fleet),
            book,
            frozenset(one.channel for one in read_health(connection).values() if one.state == FAILING),
            self._windows.active(now),
            self._silenced,
        )

    def _one(self, connection: Connection, timer: Timer, desk: Desk) -> int:
        """Do one timer; how many pages it made."""
        if not claim(connection, timer.id, desk.now) or timer.incident is None:
            return 0
        incident = incidents.find(connection, EVERYTHING, timer.incident)
        if incident is None:
            return 0
        if timer.kind == RESOLVED:
            return self._tell(connection, timer, incident, desk, p.RECOVERY, ())
        if timer.kind == DIGEST:
            return self._tell(
                connection, timer, incident, desk, p.DIGEST, self._reach(desk, incident, Step(0, (ON_DUTY,)))
            )
        if timer.kind == CALL_IN:
            new = called_in(connection, incident.number)
            return self._tell(connection, timer, incident, desk, p.SUMMONS, new) if incident.is_open else 0
        if timer.kind in FIX:
            wanted = owners(incident, desk.book.people)
            if not wanted or timer.kind == "fix_100":
                wanted = (*wanted, *self._reach(desk, incident, Step(0, (ON_DUTY,))))
            return self._tell(connection, timer, incident, desk, p.FIX_WARNING, wanted) if incident.is_open else 0
        return self._escalate(connection, timer, incident, desk) if timer.kind == STEP else 0

    def _escalate(self, connection: Connection, timer: Timer, incident: Incident, desk: Desk) -> int:
        policy = thaw(incident.policy)
        step = policy.step(timer.step)
        if step is None or incident.state != TRIGGERED:
            return 0
        before = pages_of(connection, incident.number)
        targets = self._reach(desk, incident, step, before)
        is_first = not any(page.kind in p.CALLS for page in before)
        kind = p.DUTY_HOLE if incident.reason == HOLE else p.TRIGGER if is_first else p.ESCALATION
        made = self._tell(connection, timer, incident, desk, kind, targets, before)
        if made < 0:
            return 0
        following = policy.following(timer.step, desk.now)
        if following is not None:
            add_timer(connection, incident.number, STEP, following, timer.step + 1)
        note_summons(connection, incident.number, targets, desk.now, policy.summons_seconds)
        return made

    def _reach(self, desk: Desk, incident: Incident, step: Step, before: Sequence[Delivery] = ()) -> tuple[Target, ...]:
        return reach(
            step,
            desk.called_for(incident),
            desk.book.people,
            tried_channels(before),
            desk.book.teams,
            desk.named(),
            incident.number,
        )

    def _tell(
        self,
        connection: Connection,
        timer: Timer,
        incident: Incident,
        desk: Desk,
        kind: str,
        targets: Sequence[Target],
        before: Sequence[Delivery] | None = None,
    ) -> int:
        """Through the stages and into the outbox; how many pages, -1 where they were held and are asked again."""
        before = pages_of(connection, incident.number) if before is None else before
        if kind == p.RECOVERY:
            targets = told(pages_of_all(connection, incident.number))
        ask = self._ask(connection, timer, incident, desk, kind, before)
        wanted = aims(targets, ask.called, desk.now, PAGED_BEFORE if kind in (p.RECOVERY, p.FIX_WARNING) else "")
        answer = run(ask, wanted)
        self._note(connection, timer, answer, desk.now)
        if answer.is_held:
            put_off(connection, timer.id, desk.now + ASK_AGAIN)
            return -1
        if kind == p.RECOVERY:
            supersede(connection, incident.number, "over", kinds=p.CALLS | {p.FIX_WARNING})
        made = self._put(connection, timer, ask, answer.pages)
        if made and kind in p.CALLS:
            incidents.mark_paged(connection, incident.number, desk.now)
        if made:
            people = sorted({out.person for out in answer.pages})
            data = {"kind": kind, "step": timer.step, "people": people, "percent": PERCENT.get(timer.kind, 0)}
            event = "fix_warning" if kind == p.FIX_WARNING else "paged"
            incidents.note_event(connection, incident.number, event, "", desk.now, data)
        return made

    def _ask(
        self,
        connection: Connection,
        timer: Timer,
        incident: Incident,
        desk: Desk,
        kind: str,
        before: Sequence[Delivery],
    ) -> Ask:
        signals = incidents.signals_of(connection, incident.number)
        called = desk.called_for(incident)
        base_url = self._ways.base_url
        return Ask(
            now=desk.now,
            incident=incident,
            kind=kind,
            step=timer.step,
            matter=desk.matter(kind, incident, signals, base_url, PERCENT.get(timer.kind, 0)),
            called=called,
            people=desk.book.people,
            window=desk.window(incident),
            silence=desk.silence(incident, signals),
            standing=desk.standing,
            earlier=earlier_pages(before),
            lately=made_lately(connection, enrolled(called), desk.now - WINDOW) if kind in p.CALLS else {},
            configured=self._ways.configured,
            failing=desk.failing,
            outside=self._ways.outside,
        )

    def _put(self, connection: Connection, timer: Timer, ask: Ask, pages: Sequence[Outgoing]) -> int:
        """Into the outbox, in place of older news that did not leave yet; how many are new."""
        incident = ask.incident
        rows = [
            row_of(
                out,
                kind=p.SUMMONS if out.team else ask.kind,
                severity=incident.severity,
                uid=incident.uid,
                timer=timer.id,
                step=timer.step,
                now=ask.now,
                secret=self._ways.secret,
                incident=incident.number,
                site=incident.site,
                agency=incident.agency,
            )
            for out in pages
        ]
        keys = [row["page_key"] for row in rows]
        for person, channel in dict.fromkeys((row["person"], row["channel"]) for row in rows):
            supersede(
                connection,
                incident.number,
                "newer",
                person=person,
                channel=channel,
                kinds=set(p.KINDS) - {p.SUMMONS},
                except_keys=keys,
            )
        return sum(add_page(connection, row) for row in rows)

    def _note(self, connection: Connection, timer: Timer, answer: Answer, now: datetime) -> None:
        """Keep what was said, once: who waits behind a silence for a day is not told so every quarter of a minute."""
        assert timer.incident is not None
        whys: Sequence[Why] = answer.whys
        if answer.is_held:
            whys = [] if last_of_incident(connection, timer.incident) == whys[-1] else whys
        else:
            before = [one.why for one in decisions_of(connection, timer.incident)]
            said = {(one.person, one.outcome) for one in before}
            whys = [one for one in whys if one.outcome not in LEFT_OUT or (one.person, one.outcome) not in said]
            if not answer.pages:  # nobody can be told, at every step anew
                whys = [one for one in whys if one not in before]
        note_decisions(connection, timer.incident, whys, now, timer.id, timer.step)
