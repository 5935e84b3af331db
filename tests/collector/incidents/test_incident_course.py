"""What opens, joins, merges, settles, comes back and closes, told as signals and seen in rows and timers."""

from __future__ import annotations

from datetime import timedelta

from told_signals import START, Told, alert, ended, replace_, verdict

from collector.incidents.ending_queries import close, resolve
from collector.incidents.queries import acknowledge, comment, find, snooze
from collector.incidents.signal import Signal
from collector.store.scope import EVERYTHING
from collector.verdicts.standing import Fact

WEB = verdict("host:web.here", severity="warning")
HERE = verdict("site:here", affected=(("host", "web.here"), ("host", "shared.here")))
MEA = verdict("hub:mea", since=20, affected=(("site", "here"), ("host", "web.here"), ("host", "shared.here")))
PORTAL = verdict("system:portal", down=("portal",), affected=(("host", "web.here"),))


def test_it_is_on_the_board_at_once_and_told_when_due(told: Told) -> None:
    told.at(0, HERE)
    assert (told.one().state, told.one().severity, told.paged) == ("triggered", "critical", [])
    assert told.waiting(1) == [("step", 30)]
    told.until(40)
    assert told.paged == [(30, 1, "step")]
    assert told.one().paged_at == START + timedelta(seconds=30)


def test_what_ends_before_it_is_due_pages_nobody(told: Told) -> None:
    told.at(0, HERE)
    told.at(20)
    told.until(400)
    assert (told.one().state, told.paged, told.waiting(1)) == ("closed", [], [])
    assert told.events(1) == ["opened", "recovered", "closed_quietly"]


def test_a_cause_that_is_not_due_yet_waits_for_its_parent(told: Told) -> None:
    told.at(0, replace_(HERE, due_ms=None))
    told.until(100)
    assert (told.waiting(1), told.paged) == ([], [])
    told.at(110, replace_(HERE, due_ms=HERE.due_ms))
    assert told.paged == [(110, 1, "step")]


def test_a_cause_that_seems_another_the_moment_it_is_due_waits(told: Told) -> None:
    told.at(0, HERE)
    told.at(30, replace_(HERE, due_ms=None, reason="flapping"))
    told.until(400)
    assert told.paged == []


def test_its_title_follows_which_checks_fail_but_not_each_word_of_them(told: Told) -> None:
    def failing(*facts: tuple[str, str, str]) -> Signal:
        evidence = tuple(Fact(*one) for one in facts)
        return verdict("host:web.here", severity="warning", reason="checks_failing", evidence=evidence)

    told.at(0, failing(("check_warning", "ups:rack1", "41 C")))
    told.at(10, failing(("check_warning", "ups:rack1", "45 C")))
    assert told.one().title_en == "Host web.here: ups:rack1: 41 C"
    told.at(20, failing(("check_critical", "disk", "full"), ("check_warning", "ups:rack1", "50 C")))
    assert told.one().title_en == "Host web.here: disk: full (and 1 more)"
    assert [row[:3] for row in told.one().evidence][1] == ("check_warning", "ups:rack1", "50 C")
    assert told.events(1) == ["opened"]


def test_the_hub_found_later_takes_its_hosts_in_and_pages_once(told: Told) -> None:
    told.at(0, verdict("site:here"), verdict("host:shared.here", severity="warning"))
    told.at(20, MEA)
    told.until(300)
    (hub,) = [each for each in told.all() if each.merged_into is None]
    assert hub.key == "hub:mea"
    assert [each.merged_into for each in told.all()] == [hub.number, hub.number, None]
    assert told.paged == [(50, hub.number, "step")]
    assert hub.impact["sites"] == ("here",)


def test_who_was_paged_for_the_site_is_not_paged_again_for_its_hub(told: Told) -> None:
    told.at(0, HERE)
    told.until(30)
    with told.store.transaction() as connection:
        assert acknowledge(connection, 1, "kim", told.now)
    told.at(40, MEA)
    told.until(300)
    hub = told.one()
    assert (hub.key, hub.state, hub.acknowledged_by) == ("hub:mea", "acknowledged", "kim")
    assert told.paged == [(30, 1, "step")]
    assert [kind for kind, _ in told.waiting(hub.number)] == ["reack"]


def test_a_graver_parent_is_told_although_its_child_was(told: Told) -> None:
    told.at(0, WEB)
    told.until(30)
    told.at(40, HERE)
    assert told.paged == [(30, 1, "step"), (40, 2, "step")]


def test_a_graver_parent_that_is_over_at_once_still_ends_what_its_child_called_for(told: Told) -> None:
    told.at(0, WEB)
    told.until(30)
    told.at(40, replace_(HERE, due_ms=None))
    told.at(50)
    told.until(200)
    assert [each.state for each in told.all()] == ["closed", "closed"]
    assert told.paged == [(30, 1, "step"), (170, 2, "resolved")]


def test_a_child_that_stays_bad_after_its_parent_stands_by_itself_since_it_began(told: Told) -> None:
    told.at(0, HERE)
    told.at(20, MEA)
    told.until(60)
    told.at(70, HERE)
    child, hub = told.all()
    assert (child.merged_into, child.state, child.occurred_at) == (None, "triggered", START)
    assert "split" in told.events(child.number)
    told.until(200)
    assert told.paged == [(50, 2, "step"), (130, 1, "step"), (190, 2, "resolved")], "it had to show itself once more"
    assert hub.number == 2


def test_alerts_behind_a_cause_join_it(told: Told) -> None:
    told.at(0, MEA, alert("HostNoData", ("host", "web.here")), alert("DiskFull", ("host", "web.away")))
    assert [each.key for each in told.all()] == ["hub:mea", "alert:DiskFull:web.away"]


def test_an_alert_before_its_cause_goes_into_it(told: Told) -> None:
    told.at(0, alert("HostNoData", ("host", "web.here"), severity="critical"))
    told.at(10, HERE, alert("HostNoData", ("host", "web.here"), severity="critical"))
    told.until(200)
    assert [each.merged_into for each in told.all()] == [2, None]
    assert told.paged == [(30, 2, "step")]


def test_a_joining_alert_makes_it_graver_only_if_it_stays(told: Told) -> None:
    seen = replace_(WEB, severity="info", hides=False)
    full = alert("DiskFull", ("host", "web.here"), severity="critical")
    told.at(0, seen)
    told.at(60, seen, full)
    told.at(70, seen)
    told.until(120)
    assert (told.one().severity, told.paged) == ("info", [])
    told.at(130, seen, full)
    told.until(200)
    assert (told.one().severity, told.paged) == ("critical", [(160, 1, "step")])


def test_a_verdict_that_comes_to_know_better_calls_once_and_as_gravely_as_it_is(told: Told) -> None:
    told.at(20, replace_(MEA, severity="warning", reason="hub_children_silent"))
    told.at(30, MEA)
    told.until(100)
    assert (told.one().severity, told.paged) == ("critical", [(50, 1, "step")])


def test_recovery_is_told_after_it_settled_and_a_return_is_the_same_incident(told: Told) -> None:
    told.at(0, HERE)
    told.until(60)
    told.at(70)
    told.until(180)
    assert told.one().state == "triggered"
    told.until(190)
    assert (told.one().state, told.one().recovered_at) == ("resolved", START + timedelta(seconds=70))
    told.at(400, replace_(HERE, since_ms=HERE.since_ms + 400_000, due_ms=HERE.since_ms + 430_000))
    told.until(440)
    assert (told.one().state, told.one().returns) == ("triggered", 1)
    assert told.paged == [(30, 1, "step"), (190, 1, "resolved"), (430, 1, "step")]


def test_a_return_whose_parent_is_not_judged_yet_waits_too(told: Told) -> None:
    told.at(0, HERE)
    told.until(40)
    told.at(50)
    told.until(190)
    again = replace_(HERE, since_ms=HERE.since_ms + 300_000, due_ms=None)
    told.at(300, again)
    told.until(400)
    assert told.paged == [(30, 1, "step"), (170, 1, "resolved")]
    told.at(410, replace_(again, due_ms=HERE.since_ms + 330_000))
    assert told.paged[2:] == [(410, 1, "step")]


def test_the_very_same_alert_after_a_gap_is_the_same_incident(told: Told) -> None:
    full = alert("DiskFull", ("host", "web.away"))
    told.at(0, full)
    told.until(40)
    told.at(50)
    told.until(200)
    told.at(2000, full)
    assert (told.one().number, told.one().state, told.events(1)[-1]) == (1, "triggered", "reopened")


def test_after_a_while_it_is_a_new_one(told: Told) -> None:
    told.at(0, HERE)
    told.until(30)
    told.at(40)
    told.until(200)
    told.at(900, replace_(HERE, since_ms=HERE.since_ms + 900_000))
    assert len(told.all()) == 2


def test_what_comes_and_goes_pages_once(told: Told) -> None:
    for second in range(0, 1200, 120):
        told.at(second, HERE)
        told.until(second + 60, by=30)
        told.at(second + 70)
    told.until(4000, by=300)
    assert [kind for _, _, kind in told.paged] == ["step", "resolved"]


def test_what_comes_back_each_time_it_was_resolved_must_stay_well_for_longer(told: Told) -> None:
    for second in range(0, 2400, 240):
        told.at(second, HERE._replace(due_ms=HERE.since_ms + second * 1000))
        told.at(second + 70)
        told.until(second + 190, by=120)
    told.until(6000, by=300)
    assert [kind for _, _, kind in told.paged] == ["step", "resolved", "step", "resolved"]


def test_an_alert_that_rules_keep_firing_does_not_move_the_time_of_recovery(told: Told) -> None:
    late = alert("SiteNoData", ("site", "here"), severity="critical")
    told.at(0, HERE, late)
    told.until(60)
    told.at(70, late)
    told.at(370, ended(late, 365))
    told.until(500)
    assert told.one().recovered_at == START + timedelta(seconds=70)


def test_no_step_is_taken_while_it_is_seen_whether_recovery_lasts(told: Told) -> None:
    told.at(0, HERE)
    told.until(30)
    with told.store.transaction() as connection:
        from collector.escalation.queries import add_timer

        add_timer(connection, 1, "step", START + timedelta(seconds=80), 1)
    told.at(70)
    told.until(400)
    assert [page for page in told.paged if page[2] == "step"] == [(30, 1, "step")]


def test_a_restart_changes_nothing_and_ends_nothing_that_cannot_be_judged_yet(told: Told) -> None:
    told.at(0, HERE)
    told.until(40)
    told.restart()
    told.is_unjudged = True
    told.at(50)
    told.until(400)
    told.is_unjudged = False
    told.at(410, HERE)
    assert (told.one().state, told.one().returns, told.paged) == ("triggered", 0, [(30, 1, "step")])


def test_the_clock_for_fixing_runs_from_the_beginning(told: Told) -> None:
    told.at(600, replace_(PORTAL, due_ms=PORTAL.due_ms))
    found = told.one()
    assert (found.priority, found.fix_due_at) == (1, START + timedelta(hours=2))
    assert [entry for entry in told.waiting(1) if entry[0].startswith("fix")] == [
        ("fix_50", 3600),
        ("fix_80", 5760),
        ("fix_100", 7200),
    ]
    told.at(700)
    told.until(900)
    assert [kind for kind, _ in told.waiting(1)] == []


def test_who_acknowledged_and_is_silent_is_paged_again(told: Told) -> None:
    told.at(0, HERE)
    told.until(30)
    with told.store.transaction() as connection:
        acknowledge(connection, 1, "kim", told.now)
    told.now = START + timedelta(seconds=3000)
    with told.store.transaction() as connection:
        comment(connection, 1, "kim", told.now, "on my way", is_action=True)
    told.until(6590, by=359)
    assert [page for page in told.paged if page[0] > 30] == []
    told.until(6610)
    assert (told.one().state, told.paged[-1]) == ("triggered", (6600, 1, "step"))
    assert told.one().acknowledged_at == START + timedelta(seconds=30)


def test_nobody_is_called_again_for_what_seems_to_be_over(told: Told) -> None:
    told.at(0, HERE)
    told.until(30)
    with told.store.transaction() as connection:
        acknowledge(connection, 1, "kim", told.now)
    told.until(3620, by=359)
    told.now = START + timedelta(seconds=3600)
    told.at(3610)
    told.until(3900, by=30)
    assert [kind for _, _, kind in told.paged] == ["step", "resolved"]


def test_a_snoozed_incident_wakes(told: Told) -> None:
    told.at(0, WEB)
    told.until(10)
    with told.store.transaction() as connection:
        snooze(connection, 1, "kim", told.now, START + timedelta(seconds=600))
    told.until(590)
    assert told.paged == []
    told.until(610)
    assert told.paged == [(600, 1, "step")]


def test_what_was_called_resolved_and_holds_on_is_opened_again(told: Told) -> None:
    told.at(0, HERE)
    told.until(30)
    with told.store.transaction() as connection:
        assert resolve(connection, 1, "kim", told.now)
        assert not close(connection, 1, "kim", told.now)
    told.until(620)
    assert told.one().state == "resolved"
    told.until(640)
    assert (told.one().state, told.paged[-1]) == ("triggered", (630, 1, "step"))


def test_more_than_fifty_in_a_minute_are_one_with_their_causes(told: Told) -> None:
    many = [alert("DiskFull" if n % 3 else "CpuBusy", ("alert", f"n{n}"), severity="critical") for n in range(80)]
    told.at(0, *many[:30])
    told.at(10, *many)
    told.until(60)
    whole = [each for each in told.all() if each.merged_into is None]
    assert [(each.is_storm, each.impact["count"]) for each in whole] == [(True, 80)]
    assert whole[0].impact["top"] == (("DiskFull", "", 53), ("CpuBusy", "", 27))
    assert told.paged == [(40, whole[0].number, "step")]
    told.at(100)
    told.until(400)
    assert told.paged[1:] == [(220, whole[0].number, "resolved")]
    told.at(2000, alert("New", ("alert", "later")))
    assert not told.all()[-1].is_storm


def test_a_storm_goes_into_the_hub_that_explains_it_and_pages_nobody_twice(told: Told) -> None:
    many = [alert(f"A{n}", ("host", "web.here"), severity="critical") for n in range(300)]
    told.at(0, *many)
    told.until(40)
    assert told.paged == [(30, 1, "step")]
    told.at(50, MEA, *many)
    told.until(200)
    assert (told.one().key, told.paged) == ("hub:mea", [(30, 1, "step")])


def test_what_came_and_went_during_a_cut_is_told_once_by_day(told: Told) -> None:
    late = [
        replace_(alert(f"L{n}", ("host", "web.here"), since=-5000), is_active=False, is_late=True, ended_ms=START_MS)
        for n, START_MS in enumerate([1_790_000_000_000] * 3)
    ]
    told.now = night = START + timedelta(hours=14)  # midnight in Seoul
    told.signals = late[:2]
    told.job.step(night)
    told.signals = late
    told.until(int((night - START).total_seconds()) + 1200, by=60)
    found = told.one()
    assert (found.is_digest, found.severity, found.state, found.subject) == (True, "info", "resolved", ("hub", "mea"))
    assert told.waiting(1) == [("digest", 23 * 3600)]  # 09:00 in Seoul
    assert told.paged == []
    with told.store.reading() as connection:
        assert find(connection, EVERYTHING, 1) == found
