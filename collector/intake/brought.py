"""What hubs bring and may not come in: counted by hub, and said aloud where the agent did not send it so."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from agent.link.answer import DROP
from collector.intake.admit import Refused
from collector.telemetry import Telemetry

log = logging.getLogger(__name__)
BAD_SIGNATURE = "bad_signature"
MOST_NAMED = 5


def note_brought(telemetry: Telemetry, hub: str, refusal: Refused) -> None:
    telemetry.brought(hub, refusal.code)
    if refusal.action == DROP and refusal.name is None:  # what the agent signed is the agent's own doing
        agent = refusal.header.agent_id.hex() if refusal.header is not None else ""
        fields = {"hub": hub, "code": refusal.code, "agent": agent, "detail": refusal.text}
        log.error("a hub brought an envelope that its agent did not send so", extra=fields)


def say_forged(refusals: Sequence[Refused]) -> None:
    """Name the agents that envelopes claimed to be of and were not sealed by; one line for a request."""
    forged = [one for one in refusals if one.code == BAD_SIGNATURE]
    if forged:
        claimed = {one.header.agent_id.hex() for one in forged if one.header is not None}
        fields = {"agents": " ".join(sorted(claimed)[:MOST_NAMED]), "count": len(forged)}
        log.warning("envelopes came that their agent did not seal, and were refused", extra=fields)
