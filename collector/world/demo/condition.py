"""What is wrong in the demonstration now. Scenarios change it; machines and lines are as it says."""

from __future__ import annotations

from dataclasses import dataclass, field

from agent.link.names import CRITICAL, OK
from collector.world.topology import Place


@dataclass
class Condition:
    dark_sites: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Site without mains -> since when (seconds of the timeline), and for how many seconds its batteries last."""
    cut_links: set[str] = field(default_factory=set)
    """``SITE/main`` or ``SITE/backup``: nothing passes."""
    slow_links: dict[str, float] = field(default_factory=dict)
    """Link -> by how much a round trip is longer."""
    narrow_links: set[str] = field(default_factory=set)
    """Large packets are lost, small ones pass."""
    dead_hosts: set[str] = field(default_factory=set)
    """Hosts that are switched off; their agents with them."""
    failing: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)
    """(host, check) -> state 1 warning, 2 critical, and what it says."""
    celsius: dict[str, float] = field(default_factory=dict)
    """Server room of a site -> degrees, where it is not as usual."""
    without_copy: set[str] = field(default_factory=set)
    """Systems whose off-site copy is missing."""

    def battery_ratio(self, site: str, now: float) -> float:
        """What is left in a site's batteries, 0 to 1; full while the mains are there."""
        since, lasting = self.dark_sites.get(site, (now, 1.0))
        return max(0.0, 1 - (now - since) / lasting)

    def power_state(self, site: str, now: float) -> tuple[int, str]:
        """What the check of a site's UPS says of the mains, in an agent's words."""
        if site not in self.dark_sites:
            return OK, ""
        return CRITICAL, "battery is nearly empty" if self.is_low(site, now) else "mains lost, on battery"

    def is_low(self, site: str, now: float) -> bool:
        return self.battery_ratio(site, now) < LOW_RATIO

    def carries(self, place: Place) -> bool:
        """Whether anything passes between a place and the world."""
        has_backup = "+" in place.link
        return f"{place.id}/main" not in self.cut_links or (has_backup and f"{place.id}/backup" not in self.cut_links)

    def rtt(self, place: Place, link: str = "main") -> float:
        """Seconds for a round trip on its line, as slow as it is now."""
        return place.rtt_ms / 1000 * self.slow_links.get(f"{place.id}/{link}", 1.0)


LOW_RATIO = 0.2
USUAL_CELSIUS = 23.0
