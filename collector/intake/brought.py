"""What hubs bring and may not come in: counted by hub, and said aloud where the agent did not send it so."""

from __future__ import annotations

import logging

from agent.link.answer import DROP
from collector.intake.admit import Refused
from collector.telemetry import Telemetry

log = logging.getLogger(__name__)


def note_brought(telemetry: Telemetry, hub: str, refusal: Refused) -> None:
    telemetry.brought(hub, refusal.code)
    if refusal.action == DROP and refusal.name is None:  # what the agent signed is the agent's own doing
        agent = refusal.header.agent_id.hex() if refusal.header is not None else ""
        fields = {"hub": hub, "code": refusal.code, "agent": agent, "detail": refusal.text}
        log.error("a hub brought an envelope that its agent did not send so", extra=fields)
