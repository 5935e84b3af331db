"""Answers of people who were paged: by the link in the page, a reply, a key pressed on the telephone.

Looking acknowledges nothing: scanners of mail and previews of messengers follow every link. Only ``answer`` does, once; who
answers again, or after somebody else, is told what is so and changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, select, update

from collector.access.audit import record
from collector.escalation.policy_apply import current_plan
from collector.escalation.queries import CANNOT, COMING, reply
from collector.fleet.registry import Fleet
from collector.incidents import queries as incidents
from collector.incidents.incident import TRIGGERED, Incident
from collector.incidents.shift import called_for, is_on_shift
from collector.pages import page as p
from collector.pages.answer_token import token_hash
from collector.pages.page import Delivery
from collector.pages.queries import find_page
from collector.pages.tables import page_deliveries
from collector.rosters.compile import ground_of
from collector.rosters.queries import load_rosters
from collector.store.scope import EVERYTHING

LASTS = timedelta(days=7)
ACKNOWLEDGED, ALREADY, OFF_SHIFT, OVER, REPLIED, RECEIVED = (
    "acknowledged",
    "already",
    "off_shift",
    "over",
    "replied",
    "received",
)
"""What came of it: it ended the calling; somebody had answered before; noted, and calling goes on; nothing is left to
answer; a summons was answered; a test was received."""


class Answerable(NamedTuple):
    """A page somebody may answer, and the incident it was about (None: a test)."""

    page: Delivery
    incident: Incident | None

    @property
    def person(self) -> str:
        return self.page.person


class Answered(NamedTuple):
    outcome: str
    person: str
    incident: Incident | None


def find_answer(connection: Connection, token: str, now: datetime | None = None) -> Answerable | None:
    """The page a token belongs to. None: never made, or of long ago."""
    of = page_deliveries.c
    row = connection.execute(select(of.id).where(of.answer_hash == token_hash(token))).first()
    return _answerable(connection, row.id, now) if row is not None else None


def find_reply(
    connection: Connection, channel: str, addresses: Sequence[str], now: datetime, number: int | None = None
) -> Answerable | None:
    """The newest page that went to one of these addresses by a channel and still waits for an answer; of an incident,
    where the reply names one."""
    of = page_deliveries.c
    wanted = [
        of.channel == channel,
        of.address.in_(list(addresses)),
        of.answer_hash.is_not(None),
        of.state.in_([p.SENDING, p.SENT]),
        of.created_at > now - LASTS,
    ]
    if number is not None:
        wanted.append(of.incident == number)
    rows = connection.execute(
        select(of.id, of.answered_at).where(*wanted).order_by(of.answered_at.is_not(None), of.id.desc()).limit(1)
    ).all()
    return _answerable(connection, rows[0].id, now) if rows else None


def answer(
    connection: Connection,
    found: Answerable,
    now: datetime,
    way: str,
    fleet: Fleet,
    *,
    comes: bool = True,
    for_: str = "",
) -> Answered:
    """Take the answer: in the caller's transaction, with whatever it leads to. ``way``: page, mail, sms, voice.

    ``comes``: the answer to a summons. ``for_``: for whom it is told (대리 인지).
    """
    page, incident = found
    of = page_deliveries.c
    is_first = connection.execute(
        update(page_deliveries)
        .where(of.id == page.id, of.answered_at.is_(None))
        .values(answered_at=now, answered_way=way)
    ).rowcount
    if incident is None:
        return Answered(RECEIVED if is_first else ALREADY, page.person, None)
    if page.kind == p.SUMMONS:
        word = COMING if comes else CANNOT
        if not reply(connection, incident.number, page.person, word, now, way):
            return Answered(ALREADY, page.person, incident)
        incidents.note_event(connection, incident.number, "replied", page.person, now, {"reply": word, "way": way})
        return Answered(REPLIED, page.person, incident)
    if incident.state != TRIGGERED:
        return Answered(ALREADY if incident.is_open else OVER, page.person, incident)
    on_shift = not current_plan(connection).only_on_shift or is_on_shift(
        page.person, called_for(incident, load_rosters(connection), ground_of(fleet), fleet, now)
    )
    done = incidents.acknowledge(connection, incident.number, page.person, now, for_, way, is_on_shift=on_shift)
    outcome = ACKNOWLEDGED if done else OFF_SHIFT if not on_shift else ALREADY
    after = incidents.find(connection, EVERYTHING, incident.number)
    data = {"way": way, "outcome": outcome} | ({"for": for_} if for_ else {})
    record(connection, now, page.person, "incident.acknowledge", str(incident.number), data)
    return Answered(outcome, page.person, after)


def _answerable(connection: Connection, page_id: int, now: datetime | None) -> Answerable | None:
    page = find_page(connection, page_id)
    if page is None or (now is not None and page.created_at is not None and now - page.created_at > LASTS):
        return None
    incident = incidents.find(connection, EVERYTHING, page.incident) if page.incident is not None else None
    return Answerable(page, incident)
