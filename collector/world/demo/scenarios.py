"""Ten disasters, each a story in steps of time. They end by themselves or are stopped, and two may be played at once.

A scenario's ``begin`` plants the first step, plans the others on the play, and gives back what mends all it did; the play
does that at its end. Their titles and what they are about stand in the pages' catalogs, by their names.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple

from collector.world.demo import agreed
from collector.world.demo.demo import CENTRE, Demo, hub_url
from collector.world.demo.fleet import CABLES, SERVICES, WATCHER
from collector.world.demo.people import COVER
from collector.world.liar import Liar
from collector.world.station import Station
from collector.world.topology import AT

MINUTE = 60.0
DAY = 86_400.0
WORK_MINUTES = 20
TEAM = "eur-cis"
"""Whose Tashkent is."""
Mend = Callable[[], None]


class Scenario(NamedTuple):
    number: int
    name: str
    seconds: float
    """Until all is well again."""
    begin: Callable[[Demo, Play], Mend]

    def play(self, demo: Demo) -> Play:
        return Play(demo, self)


class Play:
    """A scenario under way, from ``began`` to ``ends`` on the timeline."""

    def __init__(self, demo: Demo, scenario: Scenario) -> None:
        self.scenario = scenario
        self.is_over = False
        self._timeline = demo.timeline
        self.began = demo.timeline.now
        self.ends = self.began + scenario.seconds
        self._mend = scenario.begin(demo, self)
        self.after(scenario.seconds, self.stop)

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """As the timeline's, unless the play is stopped before."""
        self._timeline.after(seconds, lambda: None if self.is_over else action())

    def stop(self) -> None:
        """Mend everything now; what was planned does not happen."""
        if not self.is_over:
            self.is_over = True
            self._mend()


def large_packets(demo: Demo, _play: Play) -> Mend:
    """A port of the core in Gwangju drops only large packets: ping stays green."""
    narrow = demo.condition.narrow_links
    narrow.add("dc-gwj/main")
    return lambda: narrow.discard("dc-gwj/main")


def battery_heat(demo: Demo, play: Play) -> Mend:
    """Batteries in Daejeon heat up, cooling fails, and healthy machines are shut down too; then they start one by one."""
    condition, site = demo.condition, "dc-djn"
    watcher = f"{WATCHER}.{site}"
    condition.celsius[site] = 34.0
    condition.failing[watcher, "ups:rack1"] = (1, "battery temperature 41 C")
    lost = [host for host in demo.agents if host.endswith(f".{site}") and host != watcher]

    def hotter() -> None:
        condition.celsius[site] = 47.0
        condition.failing[watcher, "ups:rack1"] = (2, "battery temperature 68 C, cooling lost")

    def cool() -> None:
        condition.celsius.pop(site, None)
        condition.failing.pop((watcher, "ups:rack1"), None)

    def mend() -> None:
        cool()
        condition.dead_hosts.difference_update(lost)

    play.after(2 * MINUTE, hotter)
    play.after(25 * MINUTE, cool)
    for at, host in enumerate(lost):
        play.after(3 * MINUTE + 20 * at, lambda host=host: condition.dead_hosts.add(host))  # type: ignore[misc]
        play.after(25 * MINUTE + 60 * at, lambda host=host: condition.dead_hosts.discard(host))  # type: ignore[misc]
    return mend


def slow_sea(demo: Demo, _play: Play) -> Mend:
    """A cable in the Red Sea is cut: lines of the Gulf, East Africa and New Delhi stay up and become slow."""
    slow = demo.condition.slow_links
    links = [f"{site}/main" for site, cable in CABLES.items() if cable == "red-sea"]
    slow.update(dict.fromkeys(links, 4.5))

    def mend() -> None:
        for link in links:
            slow.pop(link, None)

    return mend


def hub_down(demo: Demo, _play: Play) -> Mend:
    """The hub in Dubai dies; its sites' agents go to the centre by themselves."""
    return _out(demo.stations[hub_url("mea")])


def power_cut(demo: Demo, play: Play) -> Mend:
    """Abuja: the mains go, the UPS says so, the dish dies first; a generator keeps the servers, which bring it all later."""
    condition, site = demo.condition, "abuja"
    link = f"{site}/main"
    condition.dark_sites[site] = (demo.timeline.now, DAY)
    play.after(4 * MINUTE, lambda: condition.cut_links.add(link))

    def light() -> None:
        condition.dark_sites.pop(site, None)
        condition.cut_links.discard(link)

    return light


def office_hours(demo: Demo, play: Play) -> Mend:
    """Work on the lines of North America, agreed by Korea's clock: one part is under way, the next is in a Korean night that
    is office hours there. The windows say so to whoever looks."""
    cut = demo.condition.cut_links
    sites = ("new-york", "los-angeles", "ottawa")
    links = [f"{site}/main" for site in sites]
    windows: list[int] = []
    demo.at_centre(lambda app: windows.extend(agreed.agree_line_work(app, sites, WORK_MINUTES)))
    for at, link in enumerate(links):
        play.after(at * 5 * MINUTE, lambda link=link: cut.add(link))  # type: ignore[misc]
        play.after((at + 1) * 5 * MINUTE + 60, lambda link=link: cut.discard(link))  # type: ignore[misc]

    def mend() -> None:
        cut.difference_update(links)
        demo.at_centre(lambda app: agreed.call_off(app, windows))

    return mend


def roster_gap(demo: Demo, _play: Play) -> Mend:
    """A substitute holiday for which nobody is entered: a line fails while no one of the mission's team is on duty."""
    cut = demo.condition.cut_links
    cut.add("tashkent/main")
    demo.at_centre(lambda app: agreed.close_team(app, TEAM))

    def mend() -> None:
        cut.discard("tashkent/main")
        demo.at_centre(lambda app: agreed.open_team(app, TEAM, COVER))

    return mend


def forged_reports(demo: Demo, _play: Play) -> Mend:
    """Somebody on the way alters reports of Lima and sends old ones again: none is believed, the agent is named."""
    line, _ = demo.route(AT["lima"], hub_url("latam"))
    line.changed = Liar(random.Random(demo.chance.random())).towards_centre

    def honest() -> None:
        line.changed = None

    return honest


def centre_lost(demo: Demo, _play: Play) -> Mend:
    """The centre's process is gone for three minutes; hubs and agents keep what they have, and bring it."""
    return _out(demo.stations[CENTRE])


def no_copy(demo: Demo, _play: Play) -> Mend:
    """The records platform has no off-site copy: its stand-by in Gongju reports that the last one is missing."""
    service = next(one for one in SERVICES if one.id == "records")
    name = (f"{service.id}-dr1.{service.other}", "backup:off-site")
    failing = demo.condition.failing
    failing[name] = (2, "no copy of the last 26 h outside the centre")

    def mend() -> None:
        failing.pop(name, None)

    return mend


def _out(station: Station) -> Mend:
    """A station's process ends, and begins again when mended."""
    station.end()

    def mend() -> None:
        if station.app is None:
            station.begin()

    return mend


SCENARIOS = {
    number: Scenario(number, begin.__name__, minutes * MINUTE, begin)
    for number, (begin, minutes) in enumerate(
        (
            (large_packets, 20),
            (battery_heat, 45),
            (slow_sea, 30),
            (hub_down, 15),
            (power_cut, 40),
            (office_hours, WORK_MINUTES),
            (roster_gap, 20),
            (forged_reports, 10),
            (centre_lost, 3),
            (no_copy, 40),
        ),
        1,
    )
}
"""By the number ``bongsu demo play N`` takes."""
