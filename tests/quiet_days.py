"""Days on which a great deal happens and nothing that anybody need be called for, drawn from a seed.

What happens is short or agreed: it comes in spells, as it does in life, several things within minutes at different
places, and each of them is over before the time after which somebody is to be told.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from collector.maintenance.occurrence import Schedule
from collector.maintenance.queries import PLANNED, SHUTDOWN, add_window
from collector.store.schema import instant
from collector.world.demo.demo import CENTRE, Demo, hub_url
from collector.world.demo.fleet import hubs, machines, places
from collector.world.demo.tempo import Tempo
from collector.world.station import Station
from collector.world.topology import Place

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
TEMPO = Tempo(15.0, 0.0, 300.0, 300.0)
"""A job at most every 15 s and reports as lines have them in a spell; both every 5 minutes between them, which is as
seldom as a policy may ask for reports, and as the shipped rules let a task rest."""
LEAD = 4 * MINUTE
"""Before the first thing of a spell, whoever is concerned is back at the usual pace."""
SPELL = 10 * MINUTE
TAIL = 5 * MINUTE
SPELLS = 2
"""A day."""
SITES = 7
"""At which things happen in one spell."""
SETTLE = 30 * MINUTE
"""Nothing happens before everybody has learned what is usual here."""
LOSS = (0.0, 0.01, 0.03, 0.05)
MESSAGES = {"lost": 0.002, "unanswered": 0.002, "doubled": 0.002, "late": 0.001}
"""Chance of each exchange, on every line and all the time."""

PLACES, HUBS = places(is_thin=True), hubs(is_thin=True)
MISSIONS = [place for place in PLACES if place.link]
CHECK_OF = {machine.id: machine.checks[0] for machine in machines(is_thin=True) if machine.checks}

Happening = Callable[["QuietDays", float], None]


class QuietDays:
    """Plans all of it on the timeline of ``demo``; ``happened`` counts what did, by kind."""

    def __init__(self, demo: Demo, seed: int, days: float) -> None:
        self.demo = demo
        self.chance = random.Random(f"quiet {seed}")
        self.happened: Counter[str] = Counter()
        self.hub = ""
        self.sites: list[Place] = []
        """Of this spell, as far as nothing happened there yet: two things at one place would be one long disturbance."""
        for place in MISSIONS:
            for url in (hub_url(place.hub), CENTRE):
                line, _ = demo.route(place, url)
                line.loss, line.faults = self.chance.choice(LOSS), dict(MESSAGES)
        day = 0.0
        while day < days:
            for part in range(SPELLS):
                begins = (day + (part + self.chance.uniform(0.05, 0.7)) / SPELLS) * DAY
                if SETTLE < begins < days * DAY - SPELL - TAIL:
                    self._plan_spell(begins)
            day += 1

    def _plan_spell(self, begins: float) -> None:
        timeline = self.demo.timeline
        timeline.at(begins - LEAD, self._gather)
        kinds = self.chance.sample(sorted(HAPPENINGS), k=self.chance.randint(6, 9))
        for kind in kinds:
            at = begins + self.chance.uniform(0, SPELL)
            timeline.at(at, lambda kind=kind: HAPPENINGS[kind](self, timeline.now))  # type: ignore[misc]

    def _gather(self) -> None:
        """Choose where the next things happen: two missions behind one hub that may be restarted, and others."""
        self.hub = self.chance.choice(HUBS)[0]
        behind = [place for place in MISSIONS if place.hub == self.hub]
        others = [place for place in PLACES if place.hub != self.hub]
        self.sites = [*self.chance.sample(behind, 2), *self.chance.sample(others, SITES - 2)]
        self.chance.shuffle(self.sites)
        self.demo.stir(LEAD + SPELL + TAIL, [place.id for place in self.sites])

    # ------------------------------------------------------------ who

    def mission(self) -> Place | None:
        """One where nothing happened yet in this spell."""
        found = next((place for place in self.sites if place.link), None)
        if found is not None:
            self.sites.remove(found)
        return found

    def host(self) -> str:
        """A machine with an agent, at a place where nothing happened yet; "" where there is none."""
        place = self.sites.pop() if self.sites else None
        here = [host for host in self.demo.agents if place is not None and host.endswith(f".{place.id}")]
        return self.chance.choice(here) if here else ""

    def count(self, kind: str) -> None:
        self.happened[kind] += 1


def cut(days: QuietDays, _now: float) -> None:
    """A line is gone for a moment; main, or both where there are two and no hub stands, whose region would be cut off."""
    place = days.mission()
    if place is None:
        return
    links = [f"{place.id}/main"]
    if "+" in place.link and days.chance.random() < 0.5 and place.id not in {site for _, _, _, site in HUBS}:
        links.append(f"{place.id}/backup")
    days.demo.condition.cut_links.update(links)
    days.demo.timeline.after(
        days.chance.uniform(10, 70), lambda: days.demo.condition.cut_links.difference_update(links)
    )
    days.count("lines cut for a moment")


def slow(days: QuietDays, _now: float) -> None:
    place = days.mission()
    if place is None:
        return
    link, slow_links = f"{place.id}/main", days.demo.condition.slow_links
    slow_links[link] = days.chance.uniform(1.5, 4)
    days.demo.timeline.after(days.chance.uniform(20, 60), lambda: _end_slow(slow_links, link))
    days.count("lines slow for a moment")


def _end_slow(slow_links: dict[str, float], link: str) -> None:
    slow_links.pop(link, None)


def service(days: QuietDays, _now: float) -> None:
    """A service is restarted: its check is critical, and well again before anybody is to be told."""
    host = days.host()
    if not host:
        return
    failing, at = days.demo.condition.failing, days.demo.agents[host]
    name = (host, CHECK_OF[host])

    def told() -> None:
        if at.is_up:
            at.speak()

    def mend() -> None:
        failing.pop(name, None)
        told()

    failing[name] = (2, "not running")
    told()
    days.demo.timeline.after(days.chance.uniform(3, 25), mend)
    days.count("services restarted")


def agent(days: QuietDays, _now: float) -> None:
    """An agent's process dies and is started again."""
    host = days.host()
    if host:
        days.demo.agents[host].kill(cut_power=False)
        days.count("agents restarted")


def reboot(days: QuietDays, _now: float) -> None:
    """A machine is reset: its disk forgets what was not synced."""
    host = days.host()
    if not host:
        return
    dead = days.demo.condition.dead_hosts
    dead.add(host)
    days.demo.timeline.after(days.chance.uniform(20, 60), lambda: dead.discard(host))
    days.count("machines rebooted")


def hub(days: QuietDays, _now: float) -> None:
    _restart(days.demo, days.demo.stations[hub_url(days.hub)], days.chance.uniform(3, 40))
    days.count("hubs restarted")


def centre(days: QuietDays, _now: float) -> None:
    _restart(days.demo, days.demo.stations[CENTRE], days.chance.uniform(3, 40))
    days.count("collector restarted")


def _restart(demo: Demo, station: Station, seconds: float) -> None:
    def begin() -> None:
        if station.app is None:
            station.begin()

    station.end()
    demo.timeline.after(seconds, begin)


def agent_clock(days: QuietDays, _now: float) -> None:
    """A time service sets a machine's clock, by a little or by seconds; some minutes later the other way."""
    host = days.host()
    if host:
        clock = days.demo.agents[host].clock
        clock.shift_ms = round(days.chance.choice((-1, 1)) * 10 ** days.chance.uniform(2, 4))
        days.demo.timeline.after(days.chance.uniform(1, 6) * MINUTE, lambda: setattr(clock, "shift_ms", 0))
        days.count("agents' clocks set")


def station_clock(days: QuietDays, _now: float) -> None:
    """The same of a hub, or of the centre itself."""
    station = days.demo.stations[days.chance.choice(sorted(days.demo.stations))]
    clock = station.clock
    clock.shift_ms = round(days.chance.choice((-1, 1)) * 10 ** days.chance.uniform(2, 3.7))
    days.demo.timeline.after(days.chance.uniform(1, 6) * MINUTE, lambda: setattr(clock, "shift_ms", 0))
    days.count("collectors' clocks set")


def work(days: QuietDays, _now: float) -> None:
    """Agreed work on a mission's line and machines: all of it is out for as long as it takes."""
    place, demo = days.mission(), days.demo
    app = demo.centre.app
    if place is None or app is None:
        return
    begins, minutes = demo.timeline.now + 2 * MINUTE, days.chance.randint(15, 40)
    shutdown = days.chance.random() < 0.3
    local = _wall(demo, begins, place.timezone)
    now = instant(demo.centre.clock.wall_ms())
    with app.store.transaction() as connection:
        kind, schedule = (SHUTDOWN if shutdown else PLANNED), Schedule(place.timezone, local, minutes + 2)
        add_window(connection, "line work", kind, [("site", place.id)], schedule, now, now, "kim")
    link, condition, timeline = f"{place.id}/main", demo.condition, demo.timeline
    demo.stir(minutes * MINUTE + LEAD + TAIL, (place.id,))
    out = [host for host in demo.agents if host.endswith(f".{place.id}")] if shutdown else []
    timeline.at(begins + 2 * MINUTE, lambda: condition.cut_links.add(link))
    timeline.at(begins + 2 * MINUTE, lambda: condition.dead_hosts.update(out))
    ends = begins + (minutes - 3) * MINUTE
    timeline.at(ends, lambda: condition.dead_hosts.difference_update(out))
    timeline.at(ends, lambda: condition.cut_links.discard(link))
    days.count("planned work")


def _wall(demo: Demo, moment: float, timezone: str) -> datetime:
    """The clock on the wall of a place, to the minute."""
    at = datetime.fromtimestamp(demo.timeline.start_ms / 1000 + moment, UTC)
    return at.astimezone(ZoneInfo(timezone)).replace(tzinfo=None, second=0, microsecond=0) + timedelta(minutes=1)


HAPPENINGS: dict[str, Happening] = {
    "cut": cut, "slow": slow, "service": service, "agent": agent, "reboot": reboot, "hub": hub, "centre": centre,
    "agent clock": agent_clock, "station clock": station_clock, "work": work,
}  # fmt: skip
