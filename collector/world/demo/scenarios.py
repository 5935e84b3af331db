"""Ten disasters, each a story in steps of time. They end by themselves, and two may be played at once.

A scenario is a function of the demonstration that plants the first step and plans the others on its timeline.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple

from collector.world.demo.demo import AT, CENTRE, Demo, hub_url
from collector.world.demo.fleet import CABLES, SERVICES, WATCHER
from collector.world.liar import Liar
from collector.world.station import Station

MINUTE = 60.0
DAY = 86_400.0


class Scenario(NamedTuple):
    number: int
    title_ko: str
    title_en: str
    what_ko: str
    what_en: str
    seconds: float
    """Until all is well again."""
    play: Callable[[Demo], None]


def large_packets(demo: Demo) -> None:
    """A port of the core in Gwangju drops only large packets: ping stays green."""
    narrow = demo.condition.narrow_links
    narrow.add("dc-gwj/main")
    demo.timeline.after(20 * MINUTE, lambda: narrow.discard("dc-gwj/main"))


def battery_heat(demo: Demo) -> None:
    """Batteries in Daejeon heat up, cooling fails, and healthy machines are shut down too."""
    condition, site = demo.condition, "dc-djn"
    watcher = f"{WATCHER}.{site}"
    condition.celsius[site] = 34.0
    condition.failing[watcher, "ups:rack1"] = (1, "battery temperature 41 C")
    lost = [host for host in demo.agents if host.endswith(f".{site}") and host != watcher]

    def stop(host: str) -> None:
        condition.dead_hosts.add(host)

    def hotter() -> None:
        condition.celsius[site] = 47.0
        condition.failing[watcher, "ups:rack1"] = (2, "battery temperature 68 C, cooling lost")

    demo.timeline.after(2 * MINUTE, hotter)
    for at, host in enumerate(lost):
        demo.timeline.after(3 * MINUTE + 20 * at, lambda host=host: stop(host))  # type: ignore[misc]

    def cool() -> None:
        condition.celsius.pop(site, None)
        condition.failing.pop((watcher, "ups:rack1"), None)
        for at, host in enumerate(lost):
            demo.timeline.after(60 * at, lambda host=host: condition.dead_hosts.discard(host))  # type: ignore[misc]

    demo.timeline.after(25 * MINUTE, cool)


def slow_sea(demo: Demo) -> None:
    """A cable in the Red Sea is cut: lines of the Gulf, East Africa and New Delhi stay up and become slow."""
    slow = demo.condition.slow_links
    links = [f"{site}/main" for site, cable in CABLES.items() if cable == "red-sea"]
    slow.update(dict.fromkeys(links, 4.5))
    demo.timeline.after(30 * MINUTE, lambda: _calm(slow, links))


def hub_down(demo: Demo) -> None:
    """The hub in Dubai dies; its sites' agents go to the centre by themselves."""
    station = demo.stations[hub_url("mea")]
    station.end()
    demo.timeline.after(15 * MINUTE, lambda: _begin(station))


def power_cut(demo: Demo) -> None:
    """Abuja: the mains go, the UPS says so, the dish dies first; a generator keeps the servers, which bring it all later."""
    condition, site = demo.condition, "abuja"
    link = f"{site}/main"
    condition.dark_sites[site] = (demo.timeline.now, DAY)
    demo.timeline.after(4 * MINUTE, lambda: condition.cut_links.add(link))

    def light() -> None:
        condition.dark_sites.pop(site, None)
        condition.cut_links.discard(link)

    demo.timeline.after(40 * MINUTE, light)


def office_hours(demo: Demo) -> None:
    """Work on the lines of North America that was agreed by Korean night meets office hours there."""
    cut = demo.condition.cut_links
    links = [f"{site}/main" for site in ("new-york", "los-angeles", "ottawa")]
    for at, link in enumerate(links):
        demo.timeline.after(at * 5 * MINUTE, lambda link=link: cut.add(link))  # type: ignore[misc]
        demo.timeline.after((at + 1) * 5 * MINUTE + 60, lambda link=link: cut.discard(link))  # type: ignore[misc]


def roster_gap(demo: Demo) -> None:
    """A substitute holiday nobody entered: a line fails while no one of the mission's team is on duty."""
    cut = demo.condition.cut_links
    cut.add("tashkent/main")
    demo.timeline.after(20 * MINUTE, lambda: cut.discard("tashkent/main"))


def forged_reports(demo: Demo) -> None:
    """Somebody on the way alters reports of Lima and sends old ones again: none is believed, the agent is named."""
    line, _ = demo.route(AT["lima"], hub_url("latam"))
    line.changed = Liar(random.Random(demo.chance.random())).towards_centre

    def honest() -> None:
        line.changed = None

    demo.timeline.after(10 * MINUTE, honest)


def centre_lost(demo: Demo) -> None:
    """The centre's process is gone for three minutes; hubs and agents keep what they have, and bring it."""
    centre = demo.stations[CENTRE]
    centre.end()
    demo.timeline.after(3 * MINUTE, lambda: _begin(centre))


def no_copy(demo: Demo) -> None:
    """The records platform has no off-site copy: its stand-by in Gongju reports that the last one is missing."""
    service = next(one for one in SERVICES if one.id == "records")
    name = (f"{service.id}-dr1.{service.other}", "backup:off-site")
    demo.condition.failing[name] = (2, "no copy of the last 26 h outside the centre")
    demo.timeline.after(40 * MINUTE, lambda: _mend(demo, name))


def _calm(slow: dict[str, float], links: list[str]) -> None:
    for link in links:
        slow.pop(link, None)


def _begin(station: Station) -> None:
    if station.app is None:
        station.begin()


def _mend(demo: Demo, name: tuple[str, str]) -> None:
    demo.condition.failing.pop(name, None)


SCENARIOS = {
    one.number: one
    for one in (
        Scenario(1, "큰 패킷만 유실", "Only large packets are lost",
                 "광주센터 코어 포트가 큰 패킷만 버립니다. ping은 정상으로 보입니다.",
                 "A core port in Gwangju drops large packets; ping stays green.", 20 * MINUTE, large_packets),
        Scenario(2, "대전센터 배터리 과열", "Battery heat in Daejeon",
                 "배터리 과열로 냉각이 멈추고 서버가 차례로 꺼집니다.",
                 "Cooling fails and servers are shut down one by one.", 45 * MINUTE, battery_heat),
        Scenario(3, "홍해 해저케이블 지연", "Slow-down by the Red Sea",
                 "중동·아프리카와 뉴델리 회선이 끊기지 않은 채 느려집니다.",
                 "Lines of the Gulf, East Africa and New Delhi stay up and become slow.", 30 * MINUTE, slow_sea),
        Scenario(4, "두바이 거점 중단", "Hub down in Dubai",
                 "거점이 멈추면 소속 공관은 센터로 직접 보고합니다.",
                 "Its sites report to the centre directly.", 15 * MINUTE, hub_down),
        Scenario(5, "아부자 정전", "Power cut in Abuja",
                 "정전, UPS 전환, 수신두절, 복전 뒤 밀린 보고 도착.",
                 "Mains cut, UPS, silence, and a backlog when power is back.", 40 * MINUTE, power_cut),
        Scenario(6, "미주 근무시간의 작업", "Work in US office hours",
                 "한국 야간에 잡은 회선 작업이 현지 근무시간과 겹칩니다.",
                 "Work agreed for the Korean night meets local office hours.", 20 * MINUTE, office_hours),
        Scenario(7, "대체공휴일 근무 공백", "Roster gap on a substitute holiday",
                 "담당자가 없는 시간에 타슈켄트 회선이 끊깁니다.",
                 "A line fails while nobody of the team is on duty.", 20 * MINUTE, roster_gap),
        Scenario(8, "위조된 보고", "Forged reports",
                 "중간에서 바뀐 보고는 믿지 않고, 어느 에이전트인지 알립니다.",
                 "Reports altered on the way are refused, and the agent is named.", 10 * MINUTE, forged_reports),
        Scenario(9, "주 수집기 중단", "Primary collector lost",
                 "3분 동안 센터가 멈춥니다. 보고는 거점과 에이전트에 남아 있다가 도착합니다.",
                 "The centre is gone for three minutes; nothing is lost.", 3 * MINUTE, centre_lost),
        Scenario(10, "소산 백업 없음", "No off-site copy",
                 "기록 관리 시스템의 소산 백업이 없다고 알립니다.",
                 "The records platform has no off-site copy.", 40 * MINUTE, no_copy),
    )
}  # fmt: skip
"""By the number ``bongsu demo play N`` takes."""
