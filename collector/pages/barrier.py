"""The recovery barrier: whoever lay behind something that came back is told of only by what was reported since.

When a hub returns, its sites still show what they showed an hour ago; each is to be heard anew before it may wake anybody.
The verdicts know which are still awaited; an alert by rules on such a host or site waits with them. The same holds while
the collector itself starts: what it remembers of the time before may be over, and nobody was there to hear that.
"""

from __future__ import annotations

from collector.verdicts import reasons as r
from collector.verdicts.standing import Standing

AWAITED = frozenset({r.RECOVERING, r.STARTING, r.COLLECTOR_BLIND})
JUDGED = frozenset({"host", "site", "link", "hub", "system", "interface"})


def behind_barrier(subject: tuple[str, str], site: str, standing: Standing, is_known: bool = False) -> str:
    """What is still awaited, as ``site:abuja``; empty where nothing is.

    ``is_known``: somebody was told of it before this collector started, so its own start holds nothing back.
    """
    awaited = AWAITED - {r.STARTING} if is_known else AWAITED
    if not standing.at_ms and not is_known:
        return "collector"
    kind, name = subject
    if not is_known and not _heard_anew(subject, standing):
        return f"{kind}:{name}"
    if kind == "host" and name in standing.hosts and standing.hosts[name].reason in awaited:
        return f"host:{name}"
    found = standing.sites.get(name if kind == "site" else site)
    if found is not None and found.reason in awaited:
        return f"site:{name if kind == 'site' else site}"
    place = {"hub": standing.hubs, "link": standing.links, "system": standing.systems}.get(kind, {}).get(name)
    return f"{kind}:{name}" if place is not None and place.reason in awaited else ""


def _heard_anew(subject: tuple[str, str], standing: Standing) -> bool:
    """Whether something was reported since this collector started, or had the time to be. Lines, hubs and systems are told
    of by many who report: they wait for as long as everybody has."""
    kind, name = subject
    if kind not in JUDGED or standing.at_ms >= standing.judged_from_ms:
        return True
    found = standing.hosts.get(name) if kind == "host" else standing.sites.get(name) if kind == "site" else None
    return found is not None and found.last_report_ms is not None and found.last_report_ms >= standing.started_at_ms
