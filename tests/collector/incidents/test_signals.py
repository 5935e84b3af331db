"""How grave a cause is and when it may be told; how far it reaches; when a digest goes out: tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from collector.fleet.paths import Link
from collector.fleet.registry import Fleet, HostEntry, Site, System
from collector.incidents.digest import daytime
from collector.incidents.from_verdicts import is_unjudged, verdict_signals
from collector.incidents.impact import as_json, fix_time, impact_of, priority_of, systems_by_host
from collector.incidents.incident import EVENTS, STATES
from collector.incidents.signal import SEVERITIES
from collector.incidents.words import phrase, title
from collector.verdicts.standing import Cause, Fact, FailingCheck, HostStanding, PlaceStanding, Standing

AT = 1_000_000
SITES = {n: Site(n, "owner", "mea", n, n, None, None, "Asia/Seoul", "lan") for n in ("a", "b", "c", "d", "e")}
HOSTS = {f"web.{n}": HostEntry(f"web.{n}", "web", n, "owner", n == "b", "", None) for n in SITES}
SYSTEMS = {
    "one": System("one", "owner", "", "", 1, ("web.a",)),
    "two": System("two", "other", "", "", 2, ("web.b",)),
    "four": System("four", "owner", "", "", 4, ("web.c",)),
}
FLEET = Fleet(version=1, sites=SITES, hosts=HOSTS, systems=SYSTEMS)
ON_HOST = systems_by_host(FLEET)


def standing(cause: Cause, systems: Mapping[str, int], checks: tuple[int, ...] = ()) -> Standing:
    failing = tuple(FailingCheck("web.a", f"c{n}", state, "", AT) for n, state in enumerate(checks))
    return Standing(
        at_ms=AT,
        hosts={"web.a": HostStanding(3, AT, cause.reason, AT, failing)},
        systems={name: PlaceStanding(state, AT, "members_down") for name, state in systems.items()},
        causes={cause.id: cause},
    )


def cause(id_: str, state: int = 4, reason: str = "silent", affected: tuple[tuple[str, str], ...] = ()) -> Cause:
    return Cause(id_, state, AT, reason, (), affected, AT + 30_000, 30_000)


CASES = [
    ("a hub down", cause("hub:mea"), {}, (), ("critical", 30, True)),
    ("a site silent", cause("site:a", 2), {}, (), ("critical", 30, True)),
    ("a site on its backup", cause("site:a", 3, "on_backup"), {}, (), ("warning", 300, False)),
    ("a site on its battery", cause("site:a", 3, "on_battery"), {}, (), ("warning", 30, False)),
    ("a site on its battery, as its UPS says", cause("site:a", 3, "on_battery", (("host", "web.a"),)), {}, (2,), ("critical", 30, False)),
    ("a host silent", cause("host:web.a", 2), {}, (), ("warning", 30, True)),
    ("a check warns", cause("host:web.a", 3, "checks_failing"), {}, (1,), ("info", 30, False)),
    ("a check is critical", cause("host:web.a", 3, "checks_failing"), {}, (1, 2), ("critical", 30, False)),
    ("hosts that fell silent together", cause("site:a", 3, "hosts_silent", (("host", "web.a"),)), {}, (), ("warning", 30, False)),
    ("those of a grade 1 system", cause("site:a", 3, "hosts_silent", (("host", "web.a"), ("system", "one"))), {"one": 3}, (), ("critical", 30, False)),
    ("a line down", cause("link:a/main", 4, "uplink"), {}, (), ("warning", 120, True)),
    ("a host that a grade 1 system needs", cause("host:web.a", 4, affected=(("system", "one"),)), {"one": 4}, (), ("critical", 30, True)),
    ("one that it has a second of", cause("host:web.a", 4, affected=(("system", "one"),)), {"one": 3}, (), ("warning", 30, True)),
    ("a host that a grade 4 system needs", cause("host:web.a", 4, affected=(("system", "four"),)), {"four": 4}, (), ("warning", 30, True)),
    ("a grade 4 system", cause("system:four"), {"four": 4}, (), ("critical", 30, True)),
    ("a system that is worse", cause("system:one", 3, "dependency"), {"one": 3}, (), ("warning", 300, False)),
    ("a carrier", cause("carrier:kt"), {}, (), ("critical", 30, True)),
    ("our own line", cause("collector:centre", 2, "collector_blind"), {}, (), ("critical", 30, True)),
]  # fmt: skip


@pytest.mark.parametrize(("told", "systems", "checks", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_how_grave_and_when(
    told: Cause, systems: dict[str, int], checks: tuple[int, ...], expected: tuple[str, int, bool]
) -> None:
    (signal,) = verdict_signals(standing(told, systems, checks), FLEET)
    assert signal.due_ms is not None
    assert (signal.severity, (signal.due_ms - AT) // 1000, signal.hides) == expected
    (unknown,) = verdict_signals(standing(told._replace(due_ms=None), systems, checks), FLEET)
    assert unknown.due_ms is None


def test_what_the_ups_of_a_dark_site_says_is_evidence_and_no_title() -> None:
    dark = cause("site:a", 3, "on_battery", (("host", "web.a"),))
    (signal,) = verdict_signals(standing(dark, {}, (2,)), FLEET)
    assert [(fact.code, fact.subject) for fact in signal.evidence] == [("check_critical", "c0")]
    assert title(signal, FLEET, "en").endswith(phrase("en", "reason", "on_battery"))


@pytest.mark.parametrize(
    ("checks", "korean", "english"),
    [
        ((), "호스트 web.a: 검사 이상", "Host web.a: checks are failing"),
        ((1,), "호스트 web.a: c0: 68 C, hot", "Host web.a: c0: 68 C, hot"),
        ((1, 3, 2, 1), "호스트 web.a: c2: 68 C, hot 외 2건", "Host web.a: c2: 68 C, hot (and 2 more)"),
    ],
)
def test_a_title_names_the_worst_check_and_what_it_says(checks: tuple[int, ...], korean: str, english: str) -> None:
    told = standing(cause("host:web.a", 3, "checks_failing"), {}, checks)
    failing = tuple(one._replace(text="68 C,\n hot") for one in told.hosts["web.a"].failing)
    told = replace(told, hosts={"web.a": told.hosts["web.a"]._replace(failing=failing)})
    (signal,) = verdict_signals(told, FLEET)
    assert (title(signal, FLEET, "ko"), title(signal, FLEET, "en")) == (korean, english)
    assert len(title(signal._replace(evidence=(Fact("check_critical", "c", "x" * 999),)), FLEET, "en")) < 160


LINES = {f"{site}/{name}": Link(f"{site}/{name}", site, name, role, "vpn")
         for site, name, role in (("a", "backup", "backup"), ("a", "main", "primary"), ("b", "main", "primary"))}  # fmt: skip
MAIN, BACKUP, OTHER = cause("link:a/main"), cause("link:a/backup"), cause("link:b/main")
HUB = cause("hub:mea", 2, "hub_silent")
LONG_AGO = HUB._replace(since_ms=AT - 600_000)


@pytest.mark.parametrize(
    ("causes", "told"),
    [
        ((MAIN,), ["link:a/main"]),  # its second line carries
        ((MAIN, BACKUP), ["link:a/main"]),
        ((MAIN, BACKUP, OTHER), ["link:a/main", "link:b/main"]),
        ((MAIN, BACKUP, HUB), ["hub:mea"]),
        ((MAIN, BACKUP, LONG_AGO), ["hub:mea", "link:a/main"]),  # another disturbance
        ((MAIN, HUB), ["hub:mea", "link:a/main"]),
        ((MAIN, BACKUP, HUB._replace(reason="hub_process")), ["hub:mea", "link:a/main"]),
        ((MAIN, BACKUP, cause("site:a")), ["site:a"]),
    ],
)
def test_lines_of_one_site_that_are_cut_at_once_are_one(causes: tuple[Cause, ...], told: list[str]) -> None:
    found = verdict_signals(Standing(AT, causes={one.id: one for one in causes}), replace(FLEET, links=LINES))
    assert sorted(one.key for one in found) == told
    things = {thing for one in found for thing in (one.subject, *one.affected)}
    assert things >= {tuple(one.id.split(":")) for one in causes}, "nothing is forgotten"


@pytest.mark.parametrize(
    ("own", "asked", "due"),
    [(30, 0, 30), (30, 30, 30), (30, 60, 60), (75, 60, 75), (75, 120, 120)],
)
def test_an_operator_may_have_everything_wait_for_longer(own: int, asked: int, due: int) -> None:
    told = cause("hub:mea")._replace(due_ms=AT + own * 1000, hold_ms=own * 1000)
    (signal,) = verdict_signals(standing(told, {}), FLEET, asked)
    assert (signal.due_ms, signal.hold_ms) == (AT + due * 1000, due * 1000)
    (unknown,) = verdict_signals(standing(told._replace(due_ms=None), {}), FLEET, asked)
    assert unknown.due_ms is None


def test_nothing_is_concluded_while_the_collector_starts() -> None:
    assert is_unjudged(Standing())
    assert not is_unjudged(standing(cause("host:web.a"), {}))
    assert is_unjudged(standing(cause("host:web.a", reason="collector_starting"), {}))


@pytest.mark.parametrize(
    ("severity", "things", "expected"),
    [
        ("critical", [("system", "one")], 1),
        ("critical", [("system", "two")], 2),
        ("critical", [("system", "four")], 3),
        ("critical", [("host", "web.a")], 1),
        ("critical", [("host", "web.d")], 3),
        ("critical", [("site", "a")], 2),
        ("critical", [("site", name) for name in SITES], 1),
        ("warning", [("site", name) for name in SITES], 2),
        ("warning", [("site", "a")], 3),
        ("warning", [("alert", "x")], 4),
        ("info", [("system", "one")], 4),
    ],
)
def test_priority(severity: str, things: list[tuple[str, str]], expected: int) -> None:
    assert priority_of(severity, impact_of(things, FLEET, ON_HOST), FLEET) == expected


def test_the_blast_radius_names_and_counts() -> None:
    found = as_json(
        impact_of([("site", "a"), ("host", "web.b"), ("system", "one"), ("host", "gone")], FLEET, ON_HOST), FLEET
    )
    assert (found["sites"], found["hosts"], found["systems"], found["touched"]) == (
        ["a"],
        ["web.b"],
        [["one", 1]],
        ["two"],
    )
    assert (found["agencies"], found["grades"], found["host_count"]) == (["other", "owner"], {"1": 1}, 1)


def test_the_clock_is_the_highest_grades() -> None:
    limits = {1: 7200, 2: 10_800}
    hours = [fix_time(s, d, FLEET, limits) for s, d in (("critical", ["one", "two"]), ("critical", ["two"]),
             ("critical", ["four"]), ("critical", []), ("warning", ["one"]))]  # fmt: skip
    assert [each and each.total_seconds() / 3600 for each in hours] == [2, 3, None, None, None]


@pytest.mark.parametrize(
    ("hours", "now", "expected"),
    [
        ("09:00-18:00", "2026-11-22T03:00", "2026-11-22T03:00"),
        ("09:00-18:00", "2026-11-21T23:59", "2026-11-22T00:00"),
        ("09:00-18:00", "2026-11-22T09:00", "2026-11-23T00:00"),
        ("22:00-06:00", "2026-11-22T15:00", "2026-11-22T15:00"),
        ("22:00-06:00", "2026-11-22T03:00", "2026-11-22T13:00"),
    ],
)
def test_a_digest_waits_for_the_day(hours: str, now: str, expected: str) -> None:
    read = [datetime.fromisoformat(each).replace(tzinfo=UTC) for each in (now, expected)]
    assert daytime(hours, "Asia/Seoul", read[0]) == read[1]


def test_every_event_severity_and_state_has_words_in_both_languages() -> None:
    codes = [("incident_event", kind) for kind in EVENTS]
    codes += [("severity", each) for each in SEVERITIES] + [("incident_state", each) for each in STATES]
    for language in ("ko", "en"):
        assert [code for code in codes if phrase(language, *code) == code[1]] == []
