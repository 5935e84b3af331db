"""How long a certificate is still good, as a state of its own beside the probe that saw it."""

from __future__ import annotations

from datetime import UTC, datetime

from agent.checks.base import CRITICAL, OK, WARNING, State
from agent.probes.model import Certificate

DAY_SECONDS = 86_400
STEPS = ((7, CRITICAL), (30, WARNING), (60, WARNING))
"""(days left or fewer, state), the worst first: time to order one, to press for one, to act today."""


def judge_certificate(name: str, certificate: Certificate, now: float) -> State:
    """``certificate:<probe>``; the text names the step, so that each one is a change people see."""
    left = certificate.earliest_end - now
    day = f"{datetime.fromtimestamp(certificate.earliest_end, UTC):%Y-%m-%d}"
    whose = f"certificate of {certificate.subject}" if certificate.subject else "certificate"
    if left <= 0:
        return State(f"certificate:{name}", CRITICAL, f"{whose} ended on {day}")
    for days, state in STEPS:
        if left <= days * DAY_SECONDS:
            return State(f"certificate:{name}", state, f"{whose} ends on {day}, within {days} days")
    return State(f"certificate:{name}", OK, f"{whose} ends on {day}")
