"""What stands on a host, and which agreed work is ahead at a place: for whoever may see it, and no more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from collector.fleet.paths import Group, SiteCalendar
from collector.fleet.registry import Fleet, HostEntry, Named, Site, System
from collector.maintenance.occurrence import DAY, Repeat, Schedule
from collector.maintenance.queries import PLANNED, SHUTDOWN, WindowRow
from collector.store.scope import EVERYTHING, Scope
from collector.verdicts.standing import Standing
from collector.web.coming_view import coming_at_hub, coming_at_site
from collector.web.reach_view import reach_of

NOW = datetime(2026, 11, 17, 0, 0, tzinfo=UTC)
SEOUL = SiteCalendar(country="KR")


def site(id_: str, hub: str = "", zone: str = "Asia/Seoul", behind: tuple[str, ...] = ()) -> Site:
    return Site(id_, "for", hub, "", "", None, None, zone, "lan", behind=behind, calendar=SEOUL)


def system(id_: str, agency: str, grade: int, hosts: tuple[str, ...], **more: tuple[str, ...]) -> System:
    groups = (Group("web", "any", hosts),) if hosts else ()
    return System(id_, agency, "", "", grade, hosts, groups, **more)


def host(id_: str, agency: str = "adm", behind: tuple[str, ...] = ()) -> HostEntry:
    return HostEntry(id_, id_.partition(".")[0], id_.partition(".")[2], agency, False, "", None, behind=behind)


HOSTS = [host("core.dc"), host("web1.dc"), host("web2.dc"), host("lone.far", behind=("web2.dc",))]
SYSTEMS = [
    system("login", "adm", 1, ("web1.dc", "web2.dc")),
    system("portal", "pub", 2, (), depends_on=("login",)),
    system("kiosk", "pub", 3, (), uses=("portal",)),
    system("other", "pub", 4, ("lone.far",)),
]
FLEET = Fleet(
    agencies={name: Named(name, name, name) for name in ("adm", "pub", "for")},
    systems={one.id: one for one in SYSTEMS},
    hubs={"eur": Named("eur", "", "")},
    sites={"dc": site("dc", behind=("core.dc",)), "far": site("far", "eur", "Europe/Berlin"), "near": site("near")},
    hosts={one.id: one for one in HOSTS},
    hosts_by_site={"dc": ("core.dc", "web1.dc", "web2.dc"), "far": ("lone.far",)},
)


@pytest.mark.parametrize(
    ("hosts", "scope", "systems", "grades", "others"),
    [
        (["web1.dc"], EVERYTHING, ["login", "portal", "kiosk"], ((1, 1), (2, 1), (3, 1)), 0),
        (["web2.dc"], EVERYTHING, ["login", "portal", "kiosk", "other"], ((1, 1), (2, 1), (3, 1), (4, 1)), 1),
        (["core.dc"], EVERYTHING, ["login", "portal", "kiosk", "other"], ((1, 1), (2, 1), (3, 1), (4, 1)), 3),
        (["lone.far"], EVERYTHING, ["other"], ((4, 1),), 0),
        (["core.dc"], Scope(frozenset({"adm"})), ["login"], ((1, 1),), 3),
        (["web1.dc"], Scope(frozenset({"pub"})), [], (), 0),
    ],
    ids=["a web server", "one that leads on", "what all is reached through", "one", "own only", "another's"],
)
def test_what_stands_on_a_host(hosts, scope, systems, grades, others) -> None:  # type: ignore[no-untyped-def]
    found = reach_of(hosts, FLEET, Standing(), scope)
    assert ([line.system.id for line in found.lines], found.grades, found.hosts) == (systems, grades, others)


def test_it_says_by_which_way() -> None:
    login, portal, kiosk = reach_of(["web1.dc"], FLEET, Standing(), EVERYTHING).lines
    assert [group.rule for group in login.groups] == ["any"], "one of two: it need not go down with it"
    assert (portal.through, kiosk.through) == (FLEET.systems["login"], FLEET.systems["portal"])


def window(number: int, subject: tuple[str, str], hour: int, *, is_daily: bool = False, **more: object) -> WindowRow:
    schedule = Schedule("UTC", datetime(2026, 11, 17, hour), 120, Repeat(DAY) if is_daily else None)  # noqa: DTZ001
    told = {"kind": PLANNED, "notified_at": None} | more
    return WindowRow(number, "work", str(told["kind"]), (subject,), schedule, told["notified_at"], NOW, "kim")  # type: ignore[arg-type]


def test_the_next_work_at_a_site_says_whose_hours_it_meets() -> None:
    rows = [
        window(1, ("site", "far"), 9, is_daily=True),
        window(2, ("host", "lone.far"), 21, kind=SHUTDOWN),
        window(3, ("site", "dc"), 1),
        window(4, ("site", "far"), 12, notified_at=NOW),
    ]
    found = coming_at_site(rows, FLEET, "far", NOW + timedelta(hours=10))
    assert [(one.window.id, one.is_on, one.places[0].meets is not None, one.is_untold) for one in found] == [
        (1, True, True, True),
        (4, False, True, False),
        (2, False, False, False),
    ]
    assert coming_at_site(rows, FLEET, "near", NOW) == ()


def test_work_behind_a_hub_is_the_hubs() -> None:
    rows = [window(1, ("host", "lone.far"), 9), window(2, ("site", "dc"), 1), window(3, ("hub", "eur"), 2)]
    assert [one.window.id for one in coming_at_hub(rows, FLEET, "eur", {"far"}, NOW)] == [3, 1]
