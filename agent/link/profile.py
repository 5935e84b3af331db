"""Link profiles: what a site's line can carry decides how often and how much its agents report."""

from __future__ import annotations

from typing import NamedTuple


class LinkProfile(NamedTuple):
    """``series`` is the amount of series (``agent.checks.profiles``); a backlog envelope holds at most
    ``backlog_records`` and the backlog uses at most ``backlog_share`` of the time the line is busy.
    """

    name: str
    interval_seconds: float
    series: str
    backlog_records: int
    backlog_share: float


PROFILES = {
    profile.name: profile
    for profile in (
        LinkProfile("lan", 15.0, "full", 20, 0.50),
        LinkProfile("leased", 30.0, "standard", 20, 0.25),
        LinkProfile("vpn", 30.0, "standard", 20, 0.25),
        LinkProfile("leo", 30.0, "standard", 20, 0.25),
        LinkProfile("geo", 60.0, "core", 60, 0.25),
        LinkProfile("thin", 60.0, "core", 60, 0.25),
    )
}
DEFAULT_PROFILE = "lan"
