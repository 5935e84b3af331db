"""Each policy of the pipeline by a table: what goes in, what comes out, and why."""

from __future__ import annotations

import re
import string
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.incidents.incident import Incident
from collector.pages import page as p
from collector.pages.advice import advice
from collector.pages.answer_token import token_hash, token_of
from collector.pages.barrier import behind_barrier
from collector.pages.clocks import clocks
from collector.pages.drill import drill_due
from collector.pages.duplicate import Earlier, is_duplicate
from collector.pages.health import failed, succeeded
from collector.pages.inhibition import parent_of
from collector.pages.page import page_key
from collector.pages.pipeline import HELD, OF_INCIDENT, PASSED
from collector.pages.quiet import quiet, quiet_ends
from collector.pages.redact import alias
from collector.pages.retry import after_failure
from collector.pages.route import routes, unreachable
from collector.pages.throttle import throttled_until
from collector.pages.wanted import why_not_wanted
from collector.pages.why import REPLACED
from collector.pages.wording import Matter, Reader, word
from collector.pages.words import LANGUAGES, catalog
from collector.people.person import Contact, Person
from collector.verdicts.standing import DEGRADED, DOWN, NO_DATA, Cause, HostStanding, SiteStanding, Standing

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
PARTICLES = r"(?:은|는|이|가|을|를|과|와|으로|로|의|에서|에게|에|도|만|부터|까지)"


def person(name: str, quiet_hours: str = "", zone: str = "Asia/Seoul", *contacts: Contact) -> Person:
    return Person(name, name, name, timezone=zone, quiet_hours=quiet_hours, contacts=contacts)


def incident(state: str = "triggered", **more: object) -> Incident:
    values = {
        "number": 7, "uid": "a" * 32, "key": "site:here", "source": "verdict", "state": state, "severity": "critical",
        "priority": 1, "reason": "power", "subject_kind": "site", "subject_id": "here", "site": "here", "agency": "owner",
        "title_ko": "여기 정전", "title_en": "Here without power", "occurred_at": NOW, "opened_at": NOW,
    } | more  # fmt: skip
    return Incident(**values)  # type: ignore[arg-type]


SLEEPER, AWAKE = person("a", "16:00-19:00"), person("b")


@pytest.mark.parametrize(
    ("who", "severity", "others", "expected"),
    [
        (SLEEPER, "warning", [AWAKE], "next"),
        (SLEEPER, "warning", [SLEEPER], "wait"),
        (SLEEPER, "warning", [person("c", "00:00-23:59")], "wait"),
        (SLEEPER, "critical", [AWAKE], "now"),
        (AWAKE, "warning", [], "now"),
        (SLEEPER, "info", [], "wait"),
    ],
)
def test_quiet_hours(who: Person, severity: str, others: list[Person], expected: str) -> None:
    assert quiet(who, severity, others, NOW)[0] == expected


@pytest.mark.parametrize(
    ("hours", "zone", "now", "ends"),
    [
        ("16:00-19:00", "Asia/Seoul", "2026-11-22T08:00", "2026-11-22T10:00"),
        ("23:00-07:00", "Asia/Seoul", "2026-11-22T14:30", "2026-11-22T22:00"),
        ("23:00-07:00", "Asia/Seoul", "2026-11-22T21:59", "2026-11-22T22:00"),
        ("23:00-07:00", "Asia/Seoul", "2026-11-22T22:00", "2026-11-22T22:00"),
        ("22:00-06:00", "Europe/Berlin", "2026-10-24T21:00", "2026-10-25T05:00"),  # the night has an hour more
        ("22:00-06:00", "Europe/Berlin", "2027-03-27T22:00", "2027-03-28T04:00"),  # and an hour less
    ],
)
def test_quiet_hours_end_by_the_clock_on_the_wall(hours: str, zone: str, now: str, ends: str) -> None:
    at = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert quiet_ends(person("a", hours, zone), at) == datetime.fromisoformat(ends).replace(tzinfo=UTC)


def ago(*minutes: float) -> list[datetime]:
    return [NOW - timedelta(minutes=each) for each in minutes]


@pytest.mark.parametrize(
    ("severity", "earlier", "wait_minutes"),
    [
        ("warning", ago(1, 2, 3, 4, 5), None),
        ("warning", ago(1, 2, 3, 4, 5, 9), 1),
        ("warning", ago(1, 2, 3, 4, 5, 10), None),
        ("warning", ago(*[1] * 5, 2, 8), 8),
        ("critical", ago(*[1] * 29), None),
        ("critical", ago(*[1] * 30), 9),
    ],
)
def test_throttle(severity: str, earlier: list[datetime], wait_minutes: float | None) -> None:
    expected = None if wait_minutes is None else NOW + timedelta(minutes=wait_minutes)
    assert throttled_until(severity, earlier, NOW) == expected


@pytest.mark.parametrize(
    ("seconds", "step", "kind", "who", "expected"),
    [(30, 0, "trigger", "kim", True), (60, 0, "trigger", "kim", False), (30, 1, "trigger", "kim", False),
     (30, 0, "recovery", "kim", False), (30, 0, "trigger", "lee", False), (-5, 0, "trigger", "kim", False)],
)  # fmt: skip
def test_duplicate(seconds: int, step: int, kind: str, who: str, expected: bool) -> None:
    before = [Earlier("kim", "sms", "trigger", 0, "sent", NOW - timedelta(seconds=seconds))]
    assert is_duplicate(who, kind, step, before, NOW) is expected


def cause(name: str, state: int, *affected: tuple[str, str]) -> Cause:
    return Cause(name, state, 0, "", (), affected, None)


@pytest.mark.parametrize(
    ("causes", "key", "subject", "expected"),
    [
        ([cause("hub:mea", DOWN, ("site", "here"))], "site:here", ("site", "here"), "hub:mea"),
        ([cause("hub:mea", DEGRADED, ("site", "here"))], "site:here", ("site", "here"), ""),
        ([cause("hub:mea", DOWN, ("site", "here"))], "hub:mea", ("hub", "mea"), ""),
        ([cause("hub:mea", NO_DATA, ("site", "here"))], "alert:1", ("host", "web.here"), "hub:mea"),
        ([cause("site:here", DOWN)], "alert:1", ("host", "web.here"), "site:here"),
        ([cause("site:there", DOWN)], "alert:1", ("host", "web.here"), ""),
        ([cause("host:db.here", DOWN, ("site", "here"))], "alert:1", ("host", "web.here"), ""),
        ([cause("host:web.here", DOWN, ("system", "portal"))], "alert:1", ("system", "portal"), "host:web.here"),
    ],
)
def test_inhibition(causes: list[Cause], key: str, subject: tuple[str, str], expected: str) -> None:
    assert parent_of(key, subject, "here", {one.id: one for one in causes}) == expected


def test_barrier() -> None:
    standing = Standing(
        at_ms=1,
        sites={"here": SiteStanding(2, 0, "recovering", None), "there": SiteStanding(2, 0, "silent", None)},
        hosts={"web.there": HostStanding(2, 0, "collector_starting", None)},
    )
    assert behind_barrier(("host", "web.here"), "here", standing) == "site:here"
    assert behind_barrier(("host", "web.there"), "there", standing) == "host:web.there"
    assert behind_barrier(("site", "there"), "there", standing) == ""
    assert behind_barrier(("hub", "mea"), "", standing) == ""
    assert behind_barrier(("hub", "mea"), "", Standing()) == "collector", "it has not looked yet"
    assert behind_barrier(("hub", "mea"), "", Standing(), is_known=True) == ""
    assert behind_barrier(("host", "web.there"), "there", standing, is_known=True) == ""
    assert behind_barrier(("host", "web.here"), "here", standing, is_known=True) == "site:here"


@pytest.mark.parametrize(
    ("kind", "heard_ms", "at_ms", "is_held"),
    [
        ("host", 900, 1_010, True),  # its last report is of before the start
        ("host", 1_005, 1_010, False),
        ("host", None, 1_010, True),
        ("host", 900, 1_120, False),  # it had the time
        ("site", 900, 1_010, True),
        ("site", 1_005, 1_010, False),
        ("link", 1_005, 1_010, True),  # others than the place's own hosts tell of it
        ("hub", 1_005, 1_119, True),
        ("system", None, 1_120, False),
        ("hole", None, 1_010, False),  # nobody reports that
    ],
)
def test_what_is_remembered_of_before_a_start_pages_nobody(
    kind: str, heard_ms: int | None, at_ms: int, is_held: bool
) -> None:
    standing = Standing(
        at_ms=at_ms,
        sites={"here": SiteStanding(3, 0, "agent_down", heard_ms)},
        hosts={"here": HostStanding(3, 0, "checks_failing", heard_ms)},
        judged_from_ms=1_120,
        started_at_ms=1_000,
    )
    assert behind_barrier((kind, "here"), "", standing) == (f"{kind}:here" if is_held else "")
    assert behind_barrier((kind, "here"), "", standing, is_known=True) == ""


def test_routes() -> None:
    kim = person("kim", "", "Asia/Seoul", Contact("email", "a", NOW), Contact("sms", "b", NOW), Contact("jandi", "c"))

    def ways(channels: tuple[str, ...], configured: str = "email sms jandi", failing: str = "") -> str:
        return " ".join(way.channel for way in routes(kim, channels, configured.split(), failing.split()))

    assert ways(()) == "email sms"
    assert ways(("sms",)) == "sms email"
    assert ways((), failing="email") == "sms email"
    assert ways((), configured="sms") == "sms"
    assert ways((), configured="jandi") == ""
    assert "configured: email, sms" in unreachable(kim, {"jandi"})
    assert "verified" in unreachable(person("x", "", "UTC", Contact("sms", "1")), {"sms"})
    assert unreachable(None, ()) == "nobody of that name is known"


class Highest:
    def bytes(self, count: int) -> bytes:
        return b"\0" * count

    def uniform(self, _low: float, high: float) -> float:
        return high


@pytest.mark.parametrize(
    ("attempts", "severity", "permanent", "asked", "wait", "falls_back"),
    [
        (1, "warning", True, None, None, True),
        (1, "warning", False, None, 4, False),
        (3, "warning", False, None, 16, False),
        (4, "warning", False, None, 32, True),
        (2, "critical", False, None, 8, True),
        (9, "warning", False, None, 300, True),
        (500, "warning", False, None, 300, True),
        (1, "warning", False, 120.0, 120, False),
        (1, "warning", False, 1e9, 3600, False),
    ],
)
def test_retry(
    attempts: int, severity: str, permanent: bool, asked: float | None, wait: int | None, falls_back: bool
) -> None:
    found = after_failure(attempts, severity, permanent, asked, NOW, Highest())
    assert found == (None if wait is None else NOW + timedelta(seconds=wait), falls_back)


def test_a_channel_fails_after_three_in_a_row_and_is_well_with_one() -> None:
    health = None
    states = []
    for minute in range(4):
        health = failed(health, "sms", NOW + timedelta(minutes=minute), "away")
        states.append(health.state)
    assert states == ["ok", "ok", "failing", "failing"]
    assert health is not None
    assert health.since_at == NOW + timedelta(minutes=2)
    well = succeeded(health, "sms", NOW + timedelta(minutes=9))
    assert (well.state, well.failures, well.since_at) == ("ok", 0, NOW + timedelta(minutes=9))


@pytest.mark.parametrize(
    ("kind", "state", "age", "expected"),
    [
        ("trigger", "triggered", 0, ""),
        ("trigger", "acknowledged", 0, "answered"),
        ("escalation", "resolved", 0, "over"),
        ("recovery", "resolved", 0, ""),
        ("recovery", "triggered", 0, "back"),
        ("fix_warning", "acknowledged", 0, ""),
        ("summons", "closed", 0, "over"),
        ("trigger", "triggered", 25, "too_old"),
        ("digest", "triggered", 9, ""),
    ],
)
def test_what_a_page_has_still_to_say(kind: str, state: str, age: int, expected: str) -> None:
    row = p.Delivery(
        1, "k", "k", 7, "kim", "sms", "1", "", "", kind, "critical", "ko", "sending", NOW, 1, "", "", {}, NOW
    )
    assert why_not_wanted(row, incident(state), NOW + timedelta(hours=age)) == expected


def test_a_heartbeat_is_soon_too_old() -> None:
    row = p.Delivery(1, "k", "k", None, "w", "webhook", "u", "", "", "heartbeat", "info", "en", "sending", NOW, 1, "", "",
                     {}, NOW)  # fmt: skip
    assert why_not_wanted(row, None, NOW + timedelta(minutes=14)) == ""
    assert why_not_wanted(row, None, NOW + timedelta(minutes=16)) == "too_old"


def test_aliases_tell_nothing() -> None:
    assert alias("abuja", {"mission", "alias:M17"}) == "M17"
    assert re.fullmatch(r"S-[0-9A-F]{4}", alias("abuja"))
    assert alias("abuja") != alias("cairo")
    assert alias("") == ""


def test_clocks_show_each_once() -> None:
    at = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert clocks(at, "Europe/Berlin", "Asia/Seoul", "en") == (
        "2026-03-29 03:30 Europe/Berlin (local time) / 2026-03-29 10:30 Asia/Seoul (your time) / 2026-03-29 01:30 UTC"
    )
    assert (
        clocks(at, "Asia/Seoul", "Asia/Seoul", "ko") == "2026-03-29 10:30 Asia/Seoul (현지시각) / 2026-03-29 01:30 UTC"
    )


@pytest.mark.parametrize(
    ("day", "clock", "zone", "now", "due"),
    [
        ("", "10:00", "Asia/Seoul", "2026-11-23T01:00", None),
        ("mon", "10:00", "Asia/Seoul", "2026-11-23T01:00", "2026-11-23T01:00"),
        ("mon", "10:00", "Asia/Seoul", "2026-11-23T01:59", "2026-11-23T01:00"),
        ("mon", "10:00", "Asia/Seoul", "2026-11-23T02:00", None),
        ("mon", "10:00", "Asia/Seoul", "2026-11-24T01:00", None),
        ("daily", "10:00", "Europe/Berlin", "2026-11-24T09:30", "2026-11-24T09:00"),
        ("daily", "10:00", "Europe/Berlin", "2026-07-24T08:30", "2026-07-24T08:00"),
    ],
)
def test_the_test_page_is_due(day: str, clock: str, zone: str, now: str, due: str | None) -> None:
    found = drill_due(day, clock, zone, datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert found == (datetime.fromisoformat(due).replace(tzinfo=UTC) if due else None)


def test_tokens_are_made_again_and_are_nobody_elses() -> None:
    key = page_key("a" * 32, 3, "kim", "sms", "1")
    assert key == page_key("a" * 32, 3, "kim", "sms", "1")
    assert len(key) == 48
    assert len({page_key("a" * 32, timer, who, "sms", "1") for timer in (3, 4) for who in ("kim", "lee")}) == 4
    token = token_of(b"s" * 32, key)
    assert re.fullmatch(r"[A-Za-z0-9_-]{16}", token)
    assert token != token_of(b"t" * 32, key)
    assert token_hash(token) == token_hash(token_of(b"s" * 32, key))


def test_advice_comes_from_annotations_first() -> None:
    ours = {"cause": "Full.", "cause_ko": "가득 참.", "action": "Clean.", "runbook_url": "/runbooks/HostFilesystemFull"}
    assert advice("HostFilesystemFull", "host", ours, "ko") == ("가득 참.", "Clean.", "/runbooks/HostFilesystemFull")
    theirs = advice("Whatever", "alert", {"description": "It broke."}, "en")
    assert theirs == ("It broke.", "See the evidence on the page of the incident.", "")
    assert advice("silent", "site", {}, "en").runbook == "/runbooks/SiteNoData"
    runbooks = Path(__file__).parents[3] / "docs/runbooks"
    for kind in ("hub", "link", "system", "site", "host", "agent"):
        for reason in ("silent", "checks_failing", "on_battery", "slow", "hub_down", "members_down"):
            name = advice(reason, kind, {}, "ko").runbook.rpartition("/")[2]
            assert (runbooks / f"{name}.md").is_file(), (kind, reason, name)


def test_texts_are_the_same_in_both_languages_and_no_particle_follows_a_value() -> None:
    korean, english = catalog("ko"), catalog("en")
    assert korean.keys() == english.keys()
    for key, text in korean.items():
        names = {name for _, name, _, _ in string.Formatter().parse(text) if name}
        assert names == {name for _, name, _, _ in string.Formatter().parse(english[key]) if name}, key
        assert not re.search(r"\}\s?" + PARTICLES + r"(?:[\s.,)]|$)", text), key
        assert not re.search("[가-힣]", english[key]), key
        assert not re.search("심각(?!도)|경계|주의|관심", text), f"{key}: words of crisis alert levels"


def test_every_outcome_has_words() -> None:
    texts = catalog("ko")
    outcomes = {
        *HELD,
        *REPLACED.values(),
        PASSED,
        "grouped",
        "nobody",
        "no_step",
        "not_due",
        "over",
        "snoozed",
        "too_old",
    }
    assert {f"outcome.{one}" for one in outcomes} <= texts.keys()
    assert [stage.__name__ for stage in OF_INCIDENT] == ["maintenance", "silence", "inhibition", "barrier", "grouping"]


@pytest.mark.parametrize("kind", [kind for kind in p.KINDS if kind not in p.OF_NO_INCIDENT])
@pytest.mark.parametrize("language", LANGUAGES)
def test_outside_channels_are_told_the_number_the_severity_and_an_alias(kind: str, language: str) -> None:
    matter = Matter(
        kind, "https://bongsu.test", incident(assignee="kim"), "M17", "Africa/Lagos", {"cause": "disk of web1"}
    )
    said = word(matter, Reader(language, "Asia/Seoul", True), NOW)
    everything = " ".join((said.subject, said.text, said.short, *said.fields.values()))
    for secret in ("here", "여기", "정전", "power", "kim", "web1", "owner", "2026"):
        assert secret not in everything.replace("bongsu.test", ""), secret
    assert "7" in said.subject
    assert len(said.short.replace(p.LINK, "https://bongsu.test/a/0123456789abcdef").encode("euc-kr")) <= 90
    inside = word(matter, Reader(language, "Asia/Seoul", False), NOW)
    assert incident().title(language) in inside.text
