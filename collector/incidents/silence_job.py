"""What silence does: who acknowledged and says nothing more is paged again, a snoozed incident wakes, and a summons
nobody answered goes on to the next step. (I/O: it is the other half of the job.)"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, update

from collector.escalation.policy import thaw
from collector.escalation.queries import add_timer, cancel, claim, due, postpone, summoned
from collector.escalation.timer import JUDGED, PURSUIT, REACK, STEP, SUMMONS, UNSNOOZE, Timer
from collector.incidents import incident as inc
from collector.incidents.incident import Incident
from collector.incidents.queries import find, note_event
from collector.incidents.tables import incidents
from collector.store.engine import Store
from collector.store.scope import EVERYTHING

MOST = 200
LOOK_AGAIN = timedelta(minutes=2)


def act_on_silence(store: Store, now: datetime) -> int:
    """Do what is due of it, each in a transaction of its own; how many this collector did."""
    with store.reading() as connection:
        waiting = due(connection, now, MOST, JUDGED)
    done = 0
    for timer in waiting:
        with store.transaction() as connection:
            if claim(connection, timer.id, now):
                done += 1
                _act(connection, timer, now)
    return done


def _act(connection: Connection, timer: Timer, now: datetime) -> None:
    assert timer.incident is not None
    found = find(connection, EVERYTHING, timer.incident)
    if found is None or not found.is_open:
        return
    if found.recovered_at is not None:
        # Whether that lasts is known soon; if it does, nobody is to be called.
        add_timer(connection, found.number, timer.kind, now + LOOK_AGAIN)
    elif timer.kind == REACK and found.state == inc.ACKNOWLEDGED:
        _page_again(connection, found, now, "silent_again", {"by": found.acknowledged_by})
    elif timer.kind == UNSNOOZE:
        _wake(connection, found, now)
    elif timer.kind == SUMMONS:
        _look_for_answers(connection, found, now)


def _page_again(connection: Connection, found: Incident, now: datetime, kind: str, data: dict[str, str]) -> None:
    """From the first step on."""
    of = incidents.c
    connection.execute(
        update(incidents).where(of.number == found.number).values(state=inc.TRIGGERED, snoozed_until=None)
    )
    cancel(connection, found.number, PURSUIT, now)
    if thaw(found.policy).steps:
        add_timer(connection, found.number, STEP, now)
    note_event(connection, found.number, kind, "", now, data)


def _wake(connection: Connection, found: Incident, now: datetime) -> None:
    if found.state == inc.TRIGGERED:
        _page_again(connection, found, now, "woke", {})
        return
    of = incidents.c
    connection.execute(update(incidents).where(of.number == found.number).values(snoozed_until=None))
    note_event(connection, found.number, "woke", "", now)
    seconds = thaw(found.policy).reack_seconds
    if seconds:
        add_timer(connection, found.number, REACK, now + timedelta(seconds=seconds))


def _look_for_answers(connection: Connection, found: Incident, now: datetime) -> None:
    called = summoned(connection, found.number)
    if not called or any(each.reply for each in called):
        return
    if found.state == inc.ACKNOWLEDGED:
        # Whoever has it summoned others: those on duty have to hear that nobody comes.
        _page_again(connection, found, now, "summons_unanswered", {"called": str(len(called))})
        return
    note_event(connection, found.number, "summons_unanswered", "", now, {"called": len(called)})
    if not postpone(connection, found.number, STEP, now):
        # It was the last step: take it again, so that somebody hears that nobody comes.
        add_timer(connection, found.number, STEP, now, max(0, len(thaw(found.policy).steps) - 1))
