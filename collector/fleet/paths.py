"""What lies between places, and what systems stand on: values of the topology file that verdicts are made from.

``members`` of a group name what a system stands on: ``web1.dc-gwj`` a host, ``web1.dc-gwj/process:nginx`` a check of a
host, ``login`` another system.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

LINK_KINDS = ("lan", "leased", "vpn", "geo", "leo", "thin")
PRIMARY, BACKUP = "primary", "backup"
LINK_ROLES = (PRIMARY, BACKUP)
ALL, ANY, STANDBY = "all", "any", "standby"


class MemberKind(Enum):
    HOST = "host"
    CHECK = "check"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Link:
    """A site's line to the rest: ``id`` is SITE/NAME. Limits None = those of its kind."""

    id: str
    site: str
    name: str
    role: str
    kind: str
    carrier: str = ""
    cable: str = ""
    rtt_ms_limit: float | None = None
    loss_ratio_limit: float | None = None
    test_days: int = 0
    """A backup unused for longer than this is degraded; 0 = it is not asked."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What a series ``probe_success{target="…"}`` of a host says something about: one of site, link, hub or host.

    An ``anchor`` says something about the vantage itself: who reaches none of its anchors has no vote.
    """

    host: str
    target: str
    site: str = ""
    link: str = ""
    hub: str = ""
    of_host: str = ""
    is_anchor: bool = False

    @property
    def id(self) -> str:
        return f"{self.host}>{self.target}"


@dataclass(frozen=True, slots=True)
class Group:
    """A component group of a system: it serves while ``needed`` of its members do."""

    name: str
    rule: str
    """``all``, ``any``, ``standby`` or ``N of M``."""
    members: tuple[str, ...]

    @property
    def needed(self) -> int:
        if self.rule == ALL:
            return len(self.members)
        return 1 if self.rule in (ANY, STANDBY) else int(self.rule.split()[0])


@dataclass(frozen=True, slots=True)
class Interface:
    """연계: what one system hands to another; each end has its own owner, and both are told."""

    id: str
    name_ko: str
    name_en: str
    source: str
    target: str
    source_owner: str
    target_owner: str
    check: str = ""
    """``HOST/CHECK`` that tells whether it works; empty = nobody watches it."""


@dataclass(frozen=True, slots=True)
class SiteCalendar:
    """When a site works. Dates are ISO; ``weekend`` empty = the country's; hours are local ``HH:MM-HH:MM``."""

    country: str = ""
    subdivision: str = ""
    weekend: tuple[str, ...] = ()
    korean_days: tuple[str, ...] = ()
    closures: tuple[str, ...] = ()
    business_hours: str = "09:00-18:00"


def member_kind(member: str) -> MemberKind:
    if "/" in member:
        return MemberKind.CHECK
    return MemberKind.HOST if "." in member else MemberKind.SYSTEM
