"""What was over before anybody could know: told once, in one digest, and never twice."""

from __future__ import annotations

from dataclasses import replace as replaced
from datetime import timedelta

import pytest
from told_signals import START, START_MS, Told

from collector.fleet.paths import Probe
from collector.incidents.from_past import past_signals
from collector.incidents.job import IncidentJob
from collector.incidents.queries import signals_of
from collector.rules.past import PastAlert
from collector.rules.past_queries import PastRow, add_past_alerts, untold_past_alerts

RULE = ("file:group", "0")


def past(name: str, instance: str, began: int, ended: int, **labels: str) -> PastAlert:
    """Seconds before ``START``."""
    told = {"alertname": name, "instance": instance, "severity": "warning"} | labels
    at = [START_MS - second * 1000 for second in (began, began, ended)]
    return PastAlert(tuple(sorted(told.items())), (("summary", name),), 1.0, *at)


def found(told: Told, *alerts: PastAlert) -> None:
    with told.store.transaction() as connection:
        add_past_alerts(connection, RULE, alerts, START_MS)


def untold(told: Told) -> int:
    with told.store.reading() as connection:
        return len(untold_past_alerts(connection))


def test_a_cut_is_one_digest_and_told_once(told: Told) -> None:
    found(told, past("HostMemoryLow", "web.here", 900, 600), past("UpsOnBattery", "web.here", 800, 700))
    found(told, past("HostMemoryLow", "web.here", 500, 400))  # again: another stretch of the same alert
    told.at(0)
    assert untold(told) == 0
    found(told, past("Quiet", "web.here", 300, 200, severity="none"))
    told.until(60)
    told.restart()
    told.until(1200, by=60)
    digest = told.one()
    assert (digest.is_digest, digest.subject, digest.state, untold(told)) == (True, ("hub", "mea"), "resolved", 0)
    with told.store.reading() as connection:
        kept = signals_of(connection, digest.number)
    assert sorted((dict(each.labels)["alertname"], each.first_at, each.ended_at) for each in kept) == [
        (name, START - timedelta(seconds=began), START - timedelta(seconds=ended))
        for name, began, ended in (
            ("HostMemoryLow", 900, 600),
            ("HostMemoryLow", 500, 400),
            ("UpsOnBattery", 800, 700),
        )
    ]
    assert [kind for _, _, kind in told.paged] == ["digest"]


def test_a_hub_leaves_it_to_its_centre(told: Told) -> None:
    found(told, past("HostMemoryLow", "web.here", 900, 600))
    told.job = IncidentJob(told.store, told.registry, lambda _now, _plan: ((), False), tells_past=False)
    told.until(1200, by=60)
    assert (told.all(), untold(told)) == ([], 1)


@pytest.mark.parametrize(
    ("votes", "stretches"),
    [
        ([("web.here", 900, 600)], []),  # one of three: it says more about who looked
        ([("web.here", 900, 600), ("web.there", 800, 500)], [(900, 500)]),
        ([("web.here", 900, 800), ("web.there", 300, 200)], []),  # not at the same time
        ([("web.here", 900, 800), ("web.there", 800, 700), ("web.here", 200, 100), ("web.there", 150, 100)],
         [(900, 700), (200, 100)]),
    ],
)  # fmt: skip
def test_what_several_looked_at_is_told_once_where_most_saw_it(
    told: Told, votes: list[tuple[str, int, int]], stretches: list[tuple[int, int]]
) -> None:
    hosts = ("web.here", "web.there", "web.away")
    fleet = told.registry.fleet
    probes = tuple(Probe(host, "hub-mea", hub="mea") for host in hosts)
    fleet = replaced(
        fleet,
        hosts={**fleet.hosts, **{host: replaced(fleet.hosts["web.here"], id=host) for host in hosts}},
        probes=probes,
        probe_of={(probe.host, probe.target): probe for probe in probes},
    )
    rows = [
        PastRow(number, "file:group", "ProbeFailed", past("ProbeFailed", host, *span, target="hub-mea"), START_MS, None)
        for number, (host, *span) in enumerate(votes)
    ]
    signals = past_signals(rows, fleet)
    assert [(each.subject, each.since_ms, each.ended_ms) for each in signals] == [
        (("hub", "mea"), START_MS - began * 1000, START_MS - ended * 1000) for began, ended in stretches
    ]
