"""Whether something larger explains it: what lies behind a failed hub, cable or site is that one's incident."""

from __future__ import annotations

from collections.abc import Mapping

from collector.verdicts.standing import DOWN, NO_DATA, Cause

OUT = frozenset({NO_DATA, DOWN})


def parent_of(key: str, subject: tuple[str, str], site: str, causes: Mapping[str, Cause]) -> str:
    """The cause that explains this one, by its id; empty = none. One that only degrades explains nothing."""
    for cause in causes.values():
        kind, _, name = cause.id.partition(":")
        if cause.id == key or (kind, name) == subject or cause.state not in OUT:
            continue
        if subject in cause.affected:
            return cause.id
        # Alerts of something at a site that itself is out, or lies behind what is. A host that is out explains only itself.
        is_of_site = bool(site) and kind not in ("host", "agent") and subject[0] in ("host", "alert")
        if is_of_site and ((kind, name) == ("site", site) or ("site", site) in cause.affected):
            return cause.id
    return ""
