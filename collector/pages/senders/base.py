"""What every sender is: it takes one message to one address, and returns or raises.

A sender knows nothing of incidents, people's rights or tries: the message is worded and redacted before, and whoever calls
decides what a failure means for the next try.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

REASONS = (
    "settings",  # our own settings are wrong: a secret missing, a credential refused
    "address",  # the address is refused or is none
    "message",  # the service refuses what is said: too long, an unknown template
    "refused",  # the service refuses for another reason
    "throttled",  # it asks us to wait
    "unavailable",  # it is there and cannot: 5xx, 4yz, no answer understood
    "unreachable",  # no connection: name, route, TLS
    "timeout",  # no answer in time; the message may have arrived
    "blocked",  # our own door does not open for that address
    "unknown",  # a library that says no more than no
)
"""Why a send failed, a closed set: a label of a metric, so no text of a service is ever one."""


class Message(NamedTuple):
    """Already worded, redacted and in the recipient's language."""

    key: str
    """The same on every try of one page, so that a service, a relay or a person can know a duplicate. ASCII, no spaces."""
    kind: str
    """trigger, escalation, recovery, digest, fix_warning, summons, test, verify or duty_hole."""
    severity: str
    """critical, warning or info."""
    incident: int | None
    address: str
    person: str
    language: str
    """ko or en."""
    subject: str
    text: str
    """The whole body, in plain lines."""
    short: str
    """For services that count bytes: at most 90 bytes of EUC-KR where that is possible."""
    link: str
    """Where a person answers; empty where nothing is to be answered."""
    fields: Mapping[str, str]
    """Single facts by name, for services with registered templates (site, since, code, ...)."""


class SendError(Exception):
    """A message did not leave, or nobody knows whether it did.

    ``permanent``: the same try would fail again, so the next channel is due. ``reason`` is one of REASONS.
    ``retry_after_seconds``: what the service asked for, else None.
    """

    def __init__(
        self,
        text: str,
        permanent: bool = False,
        reason: str = "unknown",
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(text)
        assert reason in REASONS, reason
        self.text = text
        self.permanent = permanent
        self.reason = reason
        self.retry_after_seconds = retry_after_seconds


class Sender(Protocol):
    def send(self, message: Message) -> str:
        """The service's receipt, or "". Blocks for at most its timeouts. Raises SendError, and nothing else."""
        ...
