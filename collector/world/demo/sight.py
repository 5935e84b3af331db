"""What the demonstration's machines see of each other: how a probe of each target ends now, as the condition has it."""

from __future__ import annotations

import random
from collections.abc import Iterable

from agent.link.names import GAUGE
from collector.world.clock import Timeline
from collector.world.demo.condition import Condition
from collector.world.demo.fleet import Looked, looks
from collector.world.demo.machine import Reading
from collector.world.topology import AT

FULL_BYTES, NARROW_BYTES = 1500.0, 1400.0
NEXT_DOOR_RTT = 0.0004
"""Seconds, between machines of one centre."""
AWAY_SECONDS = 1.0
"""How long a probe waits for what does not answer."""


class Sight:
    def __init__(self, is_thin: bool, timeline: Timeline, condition: Condition, chance: random.Random) -> None:
        self._timeline = timeline
        self._condition = condition
        self._chance = chance
        self._looks: dict[str, list[Looked]] = {}
        self._eyes: dict[str, set[str]] = {}
        for look in looks(is_thin):
            self._looks.setdefault(look.host, []).append(look)
            self._eyes.setdefault(_site_of(look.target), set()).add(_site_of(look.host))

    def eyes_on(self, site: str) -> Iterable[str]:
        """Places that look at this one."""
        return self._eyes.get(site, ())

    def seen_from(self, host: str) -> list[Reading]:
        return [reading for look in self._looks.get(host, ()) for reading in self._look(host, look)]

    def _look(self, host: str, look: Looked) -> list[Reading]:
        condition, own, place = self._condition, AT[_site_of(host)], AT[_site_of(look.target)]
        link = look.id.rpartition("/")[2] if look.subject == "link" else "main"
        is_there = (condition.carries(own) or own is place) and condition.battery_ratio(
            place.id, self._timeline.now
        ) > 0
        if look.subject == "host":
            is_there = is_there and look.target not in condition.dead_hosts
        elif look.subject == "link":
            is_there = is_there and look.id not in condition.cut_links
        else:
            is_there = is_there and condition.carries(place)
        usual = NEXT_DOOR_RTT if look.subject == "host" else (condition.rtt(own) + condition.rtt(place, link)) / 2
        rtt = usual * self._chance.uniform(0.97, 1.06)
        found = [
            _probe("probe_success", look.target, "icmp", float(is_there)),
            _probe("probe_duration_seconds", look.target, "icmp", rtt if is_there else AWAY_SECONDS),
            _probe("probe_icmp_duration_seconds", look.target, "icmp", rtt if is_there else None, phase="rtt"),
            _probe("probe_icmp_loss_ratio", look.target, "icmp", 0.0 if is_there else 1.0),
        ]
        if look.subject in ("link", "anchor"):
            ends = {f"{place.id}/{link}", place.id}
            is_wide = is_there and not ends & condition.narrow_links
            mtu = (FULL_BYTES if is_wide else NARROW_BYTES) if is_there else None
            found.append(_probe("probe_success", look.target, "path_mtu", float(is_wide)))
            found.append(_probe("probe_path_mtu_bytes", look.target, "path_mtu", mtu))
        return found


def _site_of(host: str) -> str:
    return host.rpartition(".")[2]


def _probe(name: str, target: str, module: str, value: float | None, **labels: str) -> Reading:
    known = {"target": target, "module": module, **labels}
    rounded = None if value is None else round(value, 4)
    return Reading(name, GAUGE, tuple(sorted(known.items())), rounded)
