"""The list of agents: what is asked of it, in which order, and what it all comes to. Values only, no words, no markup."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from collector.fleet.registry import Site
from collector.verdicts.standing import OK
from collector.web.site_view import AgentLine

CLOCK_OFF_MS = 2_000
"""Beyond this its samples are corrected, and somebody should look at its clock."""
BEHIND_MS = 300_000
SHOWN = 250
"""On one page."""
FINGERPRINT_CHARS = 32
TROUBLES = ("silent", "clock", "backlog", "policy")


class Key(NamedTuple):
    """The newest public key of an agent. ``bound_at``: when its first key was bound to it; ``renewed_at`` None = it still
    has that one."""

    number: int
    fingerprint: str
    bound_at: datetime
    renewed_at: datetime | None


class Asked(NamedTuple):
    """What a reader wants to see; empty = no matter."""

    text: str = ""
    trouble: str = ""
    version: str = ""
    sort: str = ""
    is_reversed: bool = False


def newest_key(keys: Sequence[tuple[int, bytes, datetime]]) -> Key | None:
    """``keys``: (number, public key, since when) of one agent, in any order."""
    if not keys:
        return None
    (_, _, bound_at), (number, public, at) = min(keys), max(keys)
    return Key(number, fingerprint(public), bound_at, at if len(keys) > 1 else None)


def fingerprint(public: bytes) -> str:
    """The beginning of the SHA-256 of a public key, in groups of four."""
    digits = hashlib.sha256(public).hexdigest()[:FINGERPRINT_CHARS]
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def troubles_of(line: AgentLine) -> tuple[str, ...]:
    """Which of ``TROUBLES`` an agent has."""
    found = []
    if line.verdict.state != OK:
        found.append("silent")
    if line.offset_ms is not None and abs(line.offset_ms) > CLOCK_OFF_MS:
        found.append("clock")
    if is_behind(line):
        found.append("backlog")
    if line.policy.state in ("pending", "unreported"):
        found.append("policy")
    return tuple(found)


def is_behind(line: AgentLine) -> bool:
    """Whether reports wait with it for long: one that is under way when it is counted waits for no more than its turn."""
    if not line.spool_records or line.spool_oldest_ms is None or line.received_at_ms is None:
        return bool(line.spool_records)
    return line.received_at_ms - line.spool_oldest_ms > BEHIND_MS


def _below(value: float | None) -> float:
    return value if value is not None else float("-inf")


_Order = Callable[[AgentLine, Key | None], object]
ORDERS: Mapping[str, _Order] = {
    "state": lambda line, _: -line.verdict.state,
    "host": lambda line, _: line.agent.host,
    "site": lambda line, _: line.agent.site,
    "report": lambda line, _: line.received_at_ms or 0,
    "spool": lambda line, _: -_below(line.spool_records),
    "clock": lambda line, _: -_below(None if line.offset_ms is None else abs(line.offset_ms)),
    "version": lambda line, _: _parts(line.version),
    "key": lambda _, key: (key.renewed_at or key.bound_at).timestamp() if key is not None else 0.0,
}
"""What one wants to see first: the worst, the oldest, the largest."""


def _parts(version: str) -> list[tuple[bool, int, str]]:
    """``0.10.0`` after ``0.9.2``; none comes first."""
    return [(part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in version.split(".")]


def chosen(
    lines: Iterable[AgentLine], keys: Mapping[bytes, Key], sites: Mapping[str, Site], asked: Asked
) -> list[AgentLine]:
    """Those asked for, in the order asked for; whatever that order leaves open goes by state, site and host."""
    found = [line for line in lines if _fits(line, sites, asked)]
    found.sort(key=lambda line: (-line.verdict.state, line.agent.site, line.agent.host, line.agent.id))
    order = ORDERS.get(asked.sort or "state", ORDERS["state"])
    found.sort(key=lambda line: order(line, keys.get(line.agent.id)), reverse=asked.is_reversed)  # type: ignore[arg-type, return-value]
    return found


def _fits(line: AgentLine, sites: Mapping[str, Site], asked: Asked) -> bool:
    if asked.trouble and asked.trouble not in troubles_of(line):
        return False
    if asked.version and asked.version != line.version:
        return False
    site = sites[line.agent.site]
    known = f"{line.agent.host} {line.id} {site.id} {site.name_ko} {site.name_en}"
    return asked.text.casefold() in known.casefold()


class Sums(NamedTuple):
    """``troubles``: number of agents by trouble; ``versions``: (version, number), the most usual first."""

    troubles: Mapping[str, int]
    versions: Sequence[tuple[str, int]]


def sums(lines: Iterable[AgentLine]) -> Sums:
    troubles: Counter[str] = Counter()
    versions: Counter[str] = Counter()
    for line in lines:
        troubles.update(troubles_of(line))
        if line.version:
            versions[line.version] += 1
    return Sums({name: troubles[name] for name in TROUBLES}, sorted(versions.items(), key=lambda one: (-one[1], one)))
