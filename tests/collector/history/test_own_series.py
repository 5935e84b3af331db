"""The collector's own series: sampled, ended, compacted, forgotten, and shown to whom they belong."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from collector.history.own import OwnSeries
from collector.history.promql.parse import parse_selector
from collector.history.query import Query
from collector.history.source import LabelSet
from collector.history.tables import own_layouts, own_samples
from collector.store.engine import Store
from collector.store.scope import EVERYTHING, Scope

MINUTE = 60_000
START = 1_790_000_040_000
ABUJA: LabelSet = (("__name__", "bongsu_site_state"), ("agency", "for"), ("site", "abuja"))
DUBAI: LabelSet = (("__name__", "bongsu_site_state"), ("agency", "koica"), ("site", "dubai"))
JOBS: LabelSet = (("__name__", "bongsu_job_runs_total"), ("task", "verdicts"))
STATE = parse_selector("bongsu_site_state")


def record(own: OwnSeries, store: Store, at_ms: int, rows: list[tuple[LabelSet, float]], stream: str = "fleet") -> None:
    noted = own.note(stream, rows, at_ms)
    with store.transaction() as connection:
        own.write(connection, [noted])


def values(own: OwnSeries, text: str, at_ms: int, scope: Scope = EVERYTHING) -> dict[str, str]:
    answer = Query([own], scope).instant(text, at_ms)["result"]
    return {one["metric"].get("site", ""): one["value"][1] for one in answer}


@pytest.fixture(params=["in memory", "restarted", "from rows"])
def own(request: pytest.FixtureRequest, store: Store) -> OwnSeries:
    """Ten minutes of two sites, of which one is taken out of the fleet in the middle, and one task."""
    made = OwnSeries(store)
    for minute in range(10):
        sites = [(ABUJA, 0.0), (DUBAI, 3.0)] if minute < 5 else [(ABUJA, 4.0)]
        record(made, store, START + minute * MINUTE, [*sites, (JOBS, float(minute))])
        record(made, store, START + minute * MINUTE, [((("__name__", "recorded"),), 1.0)], "a.yaml;g#0")
    if request.param == "in memory":
        return made
    again = OwnSeries(store)
    if request.param == "restarted":
        again.restore(START + 10 * MINUTE)
    else:  # so long after that nothing of it is in memory
        again.restore(START + 600 * MINUTE)
        again.compact(datetime.fromtimestamp((START + 600 * MINUTE) / 1000, UTC))
    return again


def test_what_was_said_and_what_ended(own: OwnSeries) -> None:
    assert values(own, "bongsu_site_state", START + 4 * MINUTE) == {"abuja": "0", "dubai": "3"}
    assert values(own, "bongsu_site_state", START + 5 * MINUTE) == {"abuja": "4"}
    assert values(own, "max(bongsu_site_state)", START + 9 * MINUTE) == {"": "4"}
    assert values(own, "increase(bongsu_job_runs_total[5m])", START + 9 * MINUTE) == {"": "5"}
    assert values(own, "count_over_time(recorded[10m])", START + 9 * MINUTE) == {"": "10"}
    assert values(own, "nothing", START) == {}


def test_everybody_sees_their_own(own: OwnSeries) -> None:
    at_ms = START + 4 * MINUTE
    assert values(own, '{__name__=~".+"}', at_ms, Scope(agencies=frozenset({"koica"}))) == {"dubai": "3"}
    assert values(own, '{__name__=~".+"}', at_ms, Scope(sites=frozenset({"abuja"}))) == {"abuja": "0"}
    assert own.label_sets(STATE, START, at_ms, Scope(agencies=frozenset({"for"}))) == [ABUJA]


def rows(store: Store) -> int:
    with store.reading() as connection:
        return connection.execute(select(func.count()).select_from(own_samples)).scalar_one()


def test_samples_are_put_together_and_forgotten(store: Store) -> None:
    own = OwnSeries(store)
    own.restore(START)
    for minute in range(300):
        record(own, store, START + minute * MINUTE, [(ABUJA, float(minute % 5))])
    own.compact(datetime.fromtimestamp((START + 300 * MINUTE) / 1000, UTC))
    assert rows(store) == 1 + 60  # an hour may stand alone
    again = OwnSeries(store)
    again.restore(START + 300 * MINUTE)
    (series,) = again.select(STATE, START, START + 300 * MINUTE, EVERYTHING)
    assert series.values.tolist() == [float(minute % 5) for minute in range(300)]
    assert own.forget(START + 1_000 * MINUTE) == 61
    with store.reading() as connection:
        assert connection.execute(select(func.count()).select_from(own_layouts)).scalar_one() == 0
    record(own, store, START + 1_000 * MINUTE, [(ABUJA, 1.0)])  # the layout is written again
    again = OwnSeries(store)
    again.restore(START + 1_000 * MINUTE)
    assert values(again, "bongsu_site_state", START + 1_000 * MINUTE) == {"abuja": "1"}


def test_series_that_come_and_go_make_few_layouts(store: Store) -> None:
    """Alerts of forty hosts, a third of them at each minute; then one alone, for which so many holes are too much."""
    own = OwnSeries(store)
    own.restore(START)
    alerts: list[LabelSet] = [(("__name__", "ALERTS"), ("site", f"s{at}")) for at in range(40)]
    for minute in range(30):
        there = [(labels, float(minute)) for at, labels in enumerate(alerts) if (at + minute) % 3 == 0]
        record(own, store, START + minute * MINUTE, there, "rules")
        assert len(values(own, "ALERTS", START + minute * MINUTE)) == len(there)
    with store.reading() as connection:
        assert connection.execute(select(func.count()).select_from(own_layouts)).scalar_one() <= 3
    (one,) = own.select(parse_selector('ALERTS{site="s0"}'), START, START + 30 * MINUTE, EVERYTHING)
    assert one.present.values.tolist() == [float(minute) for minute in range(0, 30, 3)]
    wide: list[LabelSet] = [(("__name__", "ALERTS"), ("site", f"w{at}")) for at in range(400)]
    record(own, store, START + 30 * MINUTE, [(labels, 1.0) for labels in wide], "rules")
    record(own, store, START + 31 * MINUTE, [(wide[0], 1.0)], "rules")
    assert values(own, "ALERTS", START + 31 * MINUTE) == {"w0": "1"}
    assert len(own._memory["rules"][-1].words) == 1


def test_of_old_samples_one_for_five_minutes_stays(store: Store) -> None:
    own = OwnSeries(store)
    own.restore(START)
    for minute in range(60):
        record(own, store, START + minute * MINUTE, [(ABUJA, float(minute))])
    own.compact(datetime.fromtimestamp((START + 600 * MINUTE) / 1000, UTC))
    assert own.thin(START + 30 * MINUTE) == 0  # the row reaches beyond
    assert own.thin(START + 600 * MINUTE) == 1
    assert own.thin(START + 600 * MINUTE) == 0
    again = OwnSeries(store)
    again.restore(START + 600 * MINUTE)
    (series,) = again.select(STATE, START, START + 60 * MINUTE, EVERYTHING)
    edges = [at for at in range(60) if (START // MINUTE + at) % 5 == 4 or at == 59]
    assert series.values.tolist() == [float(at) for at in edges]
