"""``/api/incidents/{n}/why`` and ``/api/pages…``: who was called, why or why not, how channels fare, and what was noise.

No address is ever answered here: which channel it was says enough.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from collector.access.audit import record
from collector.access.guard import Reader, Writer
from collector.access.paging import After, Limit, Page, page
from collector.errors import Refused
from collector.incidents import queries as incidents
from collector.pages.noise_queries import noise_of
from collector.pages.page import VERIFY, Delivery
from collector.pages.queries import list_pages
from collector.pages.watch_queries import read_health
from collector.pages.why_queries import why_of
from collector.pages.words import LANGUAGES, say
from collector.store.schema import instant

if TYPE_CHECKING:
    from collector.pages.office import PostOffice
    from collector.services import Services


class PageOut(BaseModel):
    """A page to one person by one channel. ``reason`` and ``error``: why it did not leave, or not yet."""

    id: int
    key: str
    incident: int | None
    person: str
    channel: str
    kind: str
    severity: str
    language: str
    state: str
    subject: str
    attempts: int
    due_at: datetime
    created_at: datetime | None
    sent_at: datetime | None
    receipt: str
    reason: str
    error: str
    answered_at: datetime | None
    answered_way: str
    answer_seconds: float | None


class StageOut(BaseModel):
    stage: str
    outcome: str
    detail: str


class PersonWhyOut(BaseModel):
    """``text``: the outcome in words, by language."""

    person: str
    roster: str
    outcome: str
    text: dict[str, str]
    detail: str
    at: datetime | None
    pages: list[PageOut]


class WhyOut(BaseModel):
    """``outcome`` of the incident as a whole is ``passed`` where no stage held it."""

    incident: int
    state: str
    outcome: str
    text: dict[str, str]
    detail: str
    stages: list[StageOut]
    people: list[PersonWhyOut]


class ChannelOut(BaseModel):
    channel: str
    is_configured: bool
    state: str
    since_at: datetime | None
    last_success_at: datetime | None
    last_failure_at: datetime | None
    last_error: str
    failures: int


class ShiftNoiseOut(BaseModel):
    roster: str
    began_at: datetime
    ended_at: datetime
    people: list[str]
    pages: int


class RuleNoiseOut(BaseModel):
    reason: str
    pages: int
    incidents: int
    acted_ratio: float | None
    brief: int


class NoiseOut(BaseModel):
    """``acted_ratio``: the share of paged incidents that led anybody to act; null without any."""

    days: int
    pages: int
    incidents: int
    acted_ratio: float | None
    pages_per_shift: float | None
    shifts: list[ShiftNoiseOut]
    rules: list[RuleNoiseOut]


class TestIn(BaseModel):
    """Of which roster the people on duty are called; empty = of every one."""

    roster: str = ""


class TestOut(BaseModel):
    pages: int


def router(services: Services, office: PostOffice) -> APIRouter:
    routes = APIRouter(prefix="/api", tags=["pages"])
    store = services.store

    @routes.get("/incidents/{number}/why")
    def why(number: int, caller: Reader) -> WhyOut:
        """For each person of the rosters involved: why paged, or why not."""
        with store.reading() as connection:
            incident = incidents.find(connection, caller.scope, number)
            if incident is None:
                raise Refused(404, "not_found", f"There is no incident {number}.")
            found = why_of(connection, incident, services.registry.fleet, _now())
        people = [
            PersonWhyOut(
                person=one.person,
                roster=one.roster,
                outcome=one.outcome,
                text=_text(one.outcome),
                detail=one.detail,
                at=one.at,
                pages=[page_out(each) for each in one.pages],
            )
            for one in found.people
        ]
        stages = [StageOut(stage=stage, outcome=said, detail=detail) for stage, said, detail in found.stages]
        return WhyOut(
            incident=number,
            state=incident.state,
            outcome=found.outcome,
            text=_text(found.outcome),
            detail=found.detail,
            stages=stages,
            people=people,
        )

    @routes.get("/pages")
    def pages(
        caller: Reader,
        incident: int | None = None,
        person: str = "",
        state: str = "",
        kind: str = "",
        after: After = "",
        limit: Limit = 100,
    ) -> Page[PageOut]:
        """Pages, the newest first."""
        if after and not after.isdecimal():
            raise Refused(422, "bad_key", "after: expected what `next` said")
        with store.reading() as connection:
            rows = list_pages(
                connection,
                caller.scope,
                incident=incident,
                person=person,
                state=state,
                kind=kind,
                before=int(after) if after else None,
                limit=limit + 1,
            )
        return page([page_out(row) for row in rows], [str(row.id) for row in rows], limit)

    @routes.get("/pages/channels")
    def channels(caller: Reader) -> list[ChannelOut]:
        """Each channel: whether it is set up, and whether pages leave by it. What a service said is for the centre's own."""
        with store.reading() as connection:
            health = read_health(connection)
        if caller.scope.agencies is not None:
            health = {name: one._replace(last_error="") for name, one in health.items()}
        names = sorted({*office.senders, *health})
        return [
            ChannelOut(is_configured=name in office.senders, **health[name]._asdict())
            if name in health
            else ChannelOut(
                channel=name,
                is_configured=True,
                state="unused",
                since_at=None,
                last_success_at=None,
                last_failure_at=None,
                last_error="",
                failures=0,
            )
            for name in names
        ]

    @routes.get("/pages/noise")
    def noise(caller: Reader, days: Annotated[int, Query(ge=1, le=92)] = 7) -> NoiseOut:
        """Pages per shift, the share that led to action, and the rules that call the most."""
        now = _now()
        with store.reading() as connection:
            found = noise_of(connection, caller.scope, services.registry.fleet, now - timedelta(days=days), now)
        return NoiseOut(
            days=days,
            pages=found.pages,
            incidents=found.incidents,
            acted_ratio=found.acted_ratio,
            pages_per_shift=found.pages_per_shift,
            shifts=[ShiftNoiseOut(**one._asdict() | {"people": list(one.people)}) for one in found.shifts],
            rules=[RuleNoiseOut(**one._asdict()) for one in found.rules],
        )

    @routes.post("/pages/tests", status_code=201)
    def test(caller: Writer, body: TestIn) -> TestOut:
        """Send a test page to whoever is on duty now; `/api/pages?kind=test` has how long each took to answer."""
        if caller.scope.agencies is not None or caller.scope.sites is not None:
            raise Refused(403, "not_allowed", "Test pages call people of every agency: ask the operating centre.")
        now = _now()
        with store.transaction() as connection:
            made = office.drill.call(connection, now, round(now.timestamp()), body.roster)
            record(connection, now, caller.name, "page.test", body.roster or "all", {"pages": made})
        office.deliveries.wake()
        return TestOut(pages=made)

    def _now() -> datetime:
        return instant(services.clock.wall_ms())

    return routes


def page_out(row: Delivery) -> PageOut:
    return PageOut(
        id=row.id,
        key=row.page_key,
        incident=row.incident,
        person=row.person,
        channel=row.channel,
        kind=row.kind,
        severity=row.severity,
        language=row.language,
        state=row.state,
        subject="" if row.kind == VERIFY else row.subject,
        attempts=row.attempts,
        due_at=row.due_at,
        created_at=row.created_at,
        sent_at=row.sent_at,
        receipt=row.receipt,
        reason=row.reason,
        error=row.error,
        answered_at=row.answered_at,
        answered_way=row.answered_way,
        answer_seconds=row.answer_seconds,
    )


def _text(outcome: str) -> dict[str, str]:
    return {language: say(language, f"outcome.{outcome}") for language in LANGUAGES}
