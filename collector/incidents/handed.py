"""An incident that a hub opened while its centre was out of reach, as it is handed to the centre. Pure.

    POST /v1/incidents?digest=<SHA-256 of the body>     {"incidents": [{"uid": "…", "key": "site:abuja", "state": …}]}

The request is signed by the hub's key over method, path and nonce; the digest in the path binds the body to it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from collector.incidents import incident as inc
from collector.incidents.incident import Incident

PATH = "/v1/incidents"
AT_ONCE = 50
CENTRE_UNREACHABLE = "CentreUnreachable"
"""What a hub says while it is alone; the centre knows the same as the hub's being away."""


class Told(msgspec.Struct, frozen=True):
    """Who was called at the hub: ids of its own people, no address."""

    person: str
    channel: str
    sent_at_ms: int


class Report(msgspec.Struct, frozen=True):
    """Times in milliseconds; ``ended_at_ms`` None while it holds."""

    uid: str
    number: int
    key: str
    source: str
    state: str
    severity: str
    priority: int
    reason: str
    subject: tuple[str, str]
    site: str
    title_ko: str
    title_en: str
    occurred_at_ms: int
    opened_at_ms: int
    ended_at_ms: int | None = None
    paged_at_ms: int | None = None
    acknowledged_at_ms: int | None = None
    acknowledged_by: str = ""
    acknowledged_for: str = ""
    action_at_ms: int | None = None
    cause_text: str = ""
    prevention_text: str = ""
    told: tuple[Told, ...] = ()

    @property
    def digest(self) -> str:
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()


class Handed(msgspec.Struct, frozen=True):
    incidents: tuple[Report, ...]


class Taken(msgspec.Struct, frozen=True):
    taken: tuple[str, ...]


def report_of(incident: Incident, told: Sequence[Told]) -> Report:
    over = incident.recovered_at or incident.resolved_at
    return Report(
        incident.uid,
        incident.number,
        incident.key,
        incident.source,
        incident.state,
        incident.severity,
        incident.priority,
        incident.reason,
        incident.subject,
        incident.site,
        incident.title_ko,
        incident.title_en,
        _ms(incident.occurred_at) or 0,
        _ms(incident.opened_at) or 0,
        _ms(over) if over is not None or incident.state in inc.OPEN else _ms(incident.closed_at),
        _ms(incident.paged_at),
        _ms(incident.acknowledged_at),
        incident.acknowledged_by,
        incident.acknowledged_for,
        _ms(incident.action_at),
        incident.cause_text,
        incident.prevention_text,
        tuple(told),
    )


def pack(reports: Iterable[Report]) -> bytes:
    return msgspec.json.encode(Handed(tuple(reports)))


def digest_of(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def key_at_centre(report: Report, hub: str) -> str:
    """The centre's name of the same disturbance."""
    return f"hub:{hub}" if report.reason == CENTRE_UNREACHABLE else report.key


def _ms(at: datetime | None) -> int | None:
    return None if at is None else round(at.timestamp() * 1000)
