"""``POST /v1/alerts/{format}/{key}``: webhooks of Alertmanager, Grafana and others. The key in the address is the secret.

Answered after the commit. What cannot be read is refused as a whole with the reason: whoever sends it sees it at once.
"""

from __future__ import annotations

import hmac
import logging
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from collector.alerts.alert import INTAKE, WEBHOOK
from collector.alerts.book import AlertBook
from collector.alerts.mapping import read_document
from collector.alerts.received import BadAlert
from collector.errors import Refused
from collector.settings_alerts import Intake
from collector.store.schema import instant

if TYPE_CHECKING:
    from collector.services import Services

log = logging.getLogger(__name__)
HOUR_MS = 3_600_000


class Taken(BaseModel):
    """How many alerts the post held."""

    alerts: int


async def _body(request: Request) -> bytes:
    return await request.body()


def router(services: Services, book: AlertBook) -> APIRouter:
    routes = APIRouter(prefix="/v1/alerts", tags=["alerts"])

    @routes.post("/{kind}/{key}")
    def take(kind: str, key: str, body: Annotated[bytes, Depends(_body)]) -> Taken:
        """Alerts of the intake with this key."""
        intake = _find(services.settings.intakes, kind, key)
        try:
            sent = read_document(body, intake)
        except BadAlert as why:
            log.warning("a webhook was not understood", extra={"intake": intake.name, "detail": str(why)})
            raise Refused(400, "bad_alert", f"[[intakes]] {intake.name}: {why}") from why
        source = WEBHOOK if intake.format == "alertmanager" else INTAKE
        now = instant(services.clock.wall_ms())
        wrong = book.take(sent, source, intake.name, now, intake.lasts_hours * HOUR_MS)
        if wrong:
            log.warning("alerts not taken", extra={"sender": intake.name, "count": len(wrong), "detail": wrong[0]})
            raise Refused(400, "bad_alert", f"[[intakes]] {intake.name}: {'; '.join(wrong[:20])}")
        return Taken(alerts=len(sent))

    return routes


def _find(intakes: tuple[Intake, ...], kind: str, key: str) -> Intake:
    """Every key is compared, so that the time tells nothing."""
    found = [one for one in intakes if hmac.compare_digest(one.key.encode(), key.encode())]
    if not found or found[0].format != kind:
        raise Refused(404, "not_found", "No intake has this address.")
    return found[0]
