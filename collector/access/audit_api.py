"""``/api/audit``: the log of who did what, for auditors. Reading it is itself in it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from collector.access.audit import list_heads, read_log, record, tip_of, whole_log
from collector.access.chain import Row, faults
from collector.access.guard import Auditor
from collector.access.paging import Limit, Page, page
from collector.access.review import review
from collector.errors import Refused, UsageError
from collector.store.schema import instant

if TYPE_CHECKING:
    from collector.services import Services

Text = Annotated[str, Query(max_length=255)]


class AuditRow(BaseModel):
    """``hash`` covers this row and ``previous``, the hash of the row before."""

    seq: int
    at: datetime
    actor: str
    action: str
    subject: str
    data: dict[str, Any]
    previous: str
    hash: str


class Checked(BaseModel):
    """``faults`` empty: the chain is whole. The keys of the signed heads are the collector's own, so ask ``bongsu audit
    verify`` on its machine where the machine itself is in doubt."""

    rows: int
    hash: str
    faults: list[dict[str, Any]]


class Reviewed(BaseModel):
    actor: str
    role: str
    logins: int
    failed_logins: int
    personal_data_views: int
    other: int
    is_idle: bool


def router(services: Services, public: bytes) -> APIRouter:
    """``public``: the key by which heads of this collector are checked."""
    routes = APIRouter(prefix="/api/audit", tags=["audit"])
    store = services.store

    def now() -> datetime:
        return instant(services.clock.wall_ms())

    @routes.get("")
    def rows(
        caller: Auditor, actor: Text = "", action: Text = "", subject: Text = "", since: datetime | None = None,
        until: datetime | None = None, after: Annotated[int, Query(ge=0)] = 0, limit: Limit = 100,
    ) -> Page[AuditRow]:  # fmt: skip
        """The newest first; ``after`` = ``next`` of the answer before. ``action`` may be a noun alone (``login``)."""
        asked = {"actor": actor, "action": action, "subject": subject}
        with store.transaction() as connection:
            found = read_log(
                connection, **asked, from_ms=_ms(since, 0), to_ms=_ms(until, 1 << 62), before=after or 1 << 62,
                limit=limit + 1,
            )  # fmt: skip
            if not after:  # the first page: who asked for what; the next pages are the same question
                record(connection, now(), caller.name, "audit.view", "", {key: v for key, v in asked.items() if v})
        return page([shown(row) for row in found], [str(row.seq) for row in found], limit)

    @routes.get("/check")
    def check(caller: Auditor) -> Checked:  # noqa: ARG001 - who may ask gets the same answer
        """Whether a row was edited, removed or put in."""
        with store.reading() as connection:
            tip = tip_of(connection)
            wrong = [fault._asdict() for fault in faults(whole_log(connection), list_heads(connection), tip, public)]
        return Checked(rows=tip[0], hash=tip[1].hex(), faults=wrong)

    @routes.get("/review")
    def month_of(caller: Auditor, month: Annotated[str, Query(max_length=7)]) -> list[Reviewed]:
        """The access review of a month (``2026-11``): for each user and token, what they may and what they did."""
        try:
            with store.transaction() as connection:
                made = review(connection, month)
                record(connection, now(), caller.name, "audit.review", month)
        except UsageError as why:
            raise Refused(422, "bad_month", str(why)) from why
        return [Reviewed(**row) for row in made]

    return routes


def shown(row: Row) -> AuditRow:
    return AuditRow(
        seq=row.seq, at=datetime.fromtimestamp(row.at_ms / 1000, UTC), actor=row.actor, action=row.action,
        subject=row.subject, data=dict(row.data), previous=row.previous.hex(), hash=row.hash.hex(),
    )  # fmt: skip


def _ms(at: datetime | None, default: int) -> int:
    """Instants without a zone are taken for UTC."""
    if at is None:
        return default
    return int((at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp() * 1000)
