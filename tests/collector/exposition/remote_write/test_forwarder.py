"""From the wire through the log to a store that is a real little server, and back again by what it kept."""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from archive import HOUR, MINUTE, NOW_MS, Archive
from fake_store import TAKEN, Answer, FakeStore, Rule, Sample, serving
from sender import Sender, request, schema_of
from sqlalchemy import delete, func, insert, select

from agent.link.exchange import HttpExchange
from agent.link.model import Series, make_schema
from collector.exposition.remote_write.forwarder import Forwarder
from collector.exposition.remote_write.job import RemoteWrite
from collector.fleet.registry import bump_version
from collector.fleet.tables import hosts
from collector.log.tables import envelopes, schemas
from collector.settings_remote_write import Destination
from collector.telemetry import Telemetry

HOST = "srv1.abuja"
LOAD = schema_of(HOST, ["node_load1", "node_load5"], ["disk"])
STAMPED = {"agency": "for", "hub": "mea", "site": "abuja", "instance": HOST}
INTERVAL = 15_000


class Still:
    """Chance that always waits longest."""

    def bytes(self, count: int) -> bytes:
        return bytes(count)

    def uniform(self, low: float, high: float) -> float:
        return high


class Counted:
    def __init__(self) -> None:
        self.of_samples: Counter[str] = Counter()
        self.of_reports: Counter[str] = Counter()

    def samples(self, destination: str, result: str, count: int) -> None:
        self.of_samples[result] += count

    def reports(self, destination: str, reason: str, count: int) -> None:
        self.of_reports[reason] += count


@dataclass
class Way:
    """An archive, a store, and the forwarder between them."""

    archive: Archive
    store: FakeStore
    counted: Counted = field(default_factory=Counted)
    now: float = 1000.0
    exchanges: list[HttpExchange] = field(default_factory=list)
    sender: Sender | None = None

    def make(self, **settings: Any) -> Forwarder:
        to = Destination(**{"name": "test", "url": self.store.url, **settings})
        centre = self.archive.centre
        exchange = HttpExchange(lambda: self.now)
        made = Forwarder(
            to, self.archive.store, centre.registry, self.archive.history, exchange, centre.clock, Still(), self.counted
        )
        self.exchanges.append(exchange)
        return made

    def run(self, forwarder: Forwarder, steps: int = 2000) -> int:
        """Step until there is nothing to do at once; how many steps."""
        for step in range(steps):
            due = forwarder.step(self.now)
            if due > self.now:
                return step
        raise AssertionError("never came to rest")

    def endure(self, forwarder: Forwarder, seconds: float) -> None:
        """Step as the thread does, time passing as asked for."""
        end = self.now + seconds
        while self.now < end:
            self.now = max(self.now, forwarder.step(self.now))


@pytest.fixture
def way(archive: Archive) -> Iterator[Way]:
    with serving() as store:
        made = Way(archive, store)
        yield made
        for exchange in made.exchanges:
            exchange.close()


@pytest.fixture
def way_on_both(archive_on_both: Archive) -> Iterator[Way]:
    with serving() as store:
        made = Way(archive_on_both, store)
        yield made
        for exchange in made.exchanges:
            exchange.close()


def rows(count: int, start_ms: int = NOW_MS, step_ms: int = INTERVAL) -> list[tuple[int, list[float | None]]]:
    return [(start_ms + at * step_ms, [float(at), at / 2, float(at % 4)]) for at in range(count)]


def send_live(way: Way, count: int = 10, start_ms: int = NOW_MS) -> None:
    way.sender = way.sender or way.archive.centre.enrolled()
    reports = rows(count, start_ms)
    way.archive.send(way.sender, LOAD, reports, received_ms=reports[-1][0] + 100)


def test_every_sample_with_the_labels_of_the_exposition(way: Way) -> None:
    send_live(way, 10)
    forwarder = way.make()
    way.run(forwarder)
    expected = {NOW_MS + at * INTERVAL: float(at) for at in range(10)}
    assert way.store.of("node_load1") == expected
    assert way.store.of("node_load5") == {at: value / 2 for at, value in expected.items()}
    assert way.store.of("bongsu_check_state") == {at: value % 4 for at, value in expected.items()}
    assert way.store.of("up") == dict.fromkeys(expected, 1.0)
    by_name = {dict(labels)["__name__"]: labels for labels in way.store.kept}
    assert dict(by_name["node_load1"]) == {"__name__": "node_load1", "job": "node", **STAMPED}
    assert dict(by_name["bongsu_check_state"]) == {"__name__": "bongsu_check_state", "check": "disk", **STAMPED}
    assert all(list(labels) == sorted(labels) for labels in way.store.kept)
    assert way.counted.of_samples == {"sent": 40}
    assert (forwarder.progress.pending, forwarder.progress.oldest_received_ms) == (0, None)
    assert forwarder.progress.last_success_ms == way.archive.centre.clock.now_ms


def test_nothing_twice_and_nothing_left_out_as_more_comes(way: Way) -> None:
    forwarder = way.make()
    for at in range(5):
        send_live(way, 3, NOW_MS + at * MINUTE)
        way.run(forwarder)
    assert way.store.count == 60
    assert way.store.twice == 0


def test_a_crash_sends_again_what_was_not_saved_and_no_more(way_on_both: Way) -> None:
    way = way_on_both
    send_live(way, 6)
    first = way.make(batch_samples=4)
    way.run(first)
    way.now += 10
    send_live(way, 6, NOW_MS + HOUR)
    first.step(way.now)  # killed after one request
    again = way.make(batch_samples=4)
    way.run(again)
    assert way.store.count == 48
    assert way.store.twice == 4
    again.save(way.now)
    third = way.make()
    way.run(third)
    assert way.store.twice == 4


def test_newest_first_or_in_order(way: Way) -> None:
    send_live(way, 250)
    first = way.make(batch_samples=40)
    way.run(first)
    assert way.store.order[0] == NOW_MS + 240 * INTERVAL, "what came last is there first"
    way.store.order.clear()
    way.run(way.make(name="ordered", order="ordered", batch_samples=40))
    assert way.store.order[::40] == sorted(way.store.order[::40])
    assert way.store.count == way.store.twice == 1000


def test_a_backlog_goes_at_its_true_time(way: Way) -> None:
    sender = way.archive.centre.enrolled()
    way.archive.send(sender, LOAD, rows(100, NOW_MS - 3 * HOUR), received_ms=NOW_MS, at_once=True)
    way.run(way.make())
    assert sorted(way.store.of("node_load1")) == [NOW_MS - 3 * HOUR + at * INTERVAL for at in range(100)]


@pytest.mark.parametrize("bundled", [False, True])
def test_beside_scraping_only_what_a_scraper_could_not_see(way: Way, bundled: bool) -> None:
    sender = way.archive.centre.enrolled()
    way.archive.send(sender, LOAD, rows(3), received_ms=NOW_MS + 2 * INTERVAL + 1, at_once=bundled)  # a short pause
    way.archive.send(sender, LOAD, rows(20, NOW_MS - HOUR), received_ms=NOW_MS + MINUTE, at_once=bundled)
    way.archive.send(sender, LOAD, rows(1, NOW_MS + MINUTE), received_ms=NOW_MS + MINUTE + 100)
    forwarder = way.make(mode="backlog")
    way.run(forwarder)
    late = [NOW_MS - HOUR + at * INTERVAL for at in range(20)]
    assert sorted(way.store.of("node_load1")) == [*late, NOW_MS, NOW_MS + INTERVAL]
    assert {dict(labels)["__name__"] for labels in way.store.kept} == {"node_load1", "node_load5", "bongsu_check_state"}
    assert way.counted.of_reports == {"scraped": 2}
    assert forwarder.progress.pending == 0


def test_absent_is_a_stale_marker_and_said_once(way: Way) -> None:
    sender = way.archive.centre.enrolled()
    values: list[float | None] = [1.0, None, None, None, 5.0, None]
    reports = [(NOW_MS + at * INTERVAL, [value, 0.0, 0.0]) for at, value in enumerate(values)]
    way.archive.send(sender, LOAD, reports, at_once=True)
    way.run(way.make())
    found = way.store.of("node_load1")
    assert {at: value for at, value in found.items() if not math.isnan(value)} == {
        NOW_MS: 1.0,
        NOW_MS + 4 * INTERVAL: 5.0,
    }
    assert [at for at, value in sorted(found.items()) if math.isnan(value)] == [
        NOW_MS + INTERVAL,
        NOW_MS + 5 * INTERVAL,
    ]


def test_a_series_that_two_schemas_name_goes_once_for_each_instant(way: Way) -> None:
    send_live(way, 3)
    assert way.sender is not None
    again = schema_of(HOST, ["node_load1", "node_more"])
    way.archive.send(way.sender, again, [(NOW_MS, [9.0, 1.0]), (NOW_MS + 1, [9.0, 1.0])], received_ms=NOW_MS + MINUTE)
    way.run(way.make())
    assert way.store.twice == 0
    assert sorted(way.store.of("node_load1")) == [NOW_MS, NOW_MS + 1, NOW_MS + INTERVAL, NOW_MS + 2 * INTERVAL]


def test_the_future_never_goes_on(way: Way) -> None:
    sender = way.archive.centre.enrolled()
    way.archive.send(sender, LOAD, [*rows(1), (NOW_MS + 61_000, [1.0, 1.0, 1.0])], received_ms=NOW_MS, at_once=True)
    way.archive.send(sender, LOAD, rows(1, NOW_MS + HOUR), received_ms=NOW_MS + HOUR)
    way.archive.centre.clock.now_ms = NOW_MS  # the collector's clock was an hour ahead for a while
    way.run(way.make())
    assert sorted(way.store.of("node_load1")) == [NOW_MS]
    assert way.counted.of_reports == {"future": 2}


def test_what_waits_for_a_schema_goes_when_it_comes(way_on_both: Way) -> None:
    way = way_on_both
    centre = way.archive.centre
    sender = way.sender = centre.enrolled()
    late = make_schema((Series(HOST, "node_late", 0, ()),), ())
    assert centre.answer(request(sender.envelope([sender.sample(late, [7.0], NOW_MS + 500)]))).need_schemas
    send_live(way, 3)
    forwarder = way.make()
    way.run(forwarder)
    assert way.store.count == 12
    assert forwarder.progress.pending == 1
    assert forwarder.progress.oldest_received_ms is None, "it is not the destination that is late"
    centre.answer(request(sender.envelope([sender.sample(late, [8.0], NOW_MS + 1000)], [late.packed])))
    for at in range(2):  # the errand that unparks is done when the second after it has answered
        centre.answer(request(sender.report(NOW_MS + 2000 + at)))
    way.now += 20
    way.run(forwarder)
    assert way.store.of("node_late") == {NOW_MS + 500: 7.0, NOW_MS + 1000: 8.0}
    assert forwarder.progress.pending == 0
    assert way.store.twice == 0


def test_a_row_whose_schema_cannot_be_found_waits_for_it(way: Way) -> None:
    send_live(way, 3)
    with way.archive.store.transaction() as connection:
        connection.execute(delete(schemas))
    way.archive.restart()
    forwarder = way.make()
    way.run(forwarder)
    assert (way.store.count, forwarder.progress.pending) == (0, 3)
    with way.archive.store.transaction() as connection:
        connection.execute(insert(schemas), {"hash": LOAD.hash, "packed": LOAD.packed})
    way.now += 20
    way.run(forwarder)
    assert (way.store.count, forwarder.progress.pending) == (12, 0)


def test_a_host_that_is_no_longer_the_agent_s_is_left_out(way: Way) -> None:
    send_live(way, 3)
    with way.archive.store.transaction() as connection:
        connection.execute(hosts.update().values(agent_id=None))
        bump_version(connection)
    way.archive.centre.registry.refresh()
    forwarder = way.make()
    way.run(forwarder)
    assert way.store.count == 0
    assert way.counted.of_reports == {"unbound": 3}
    assert forwarder.progress.pending == 0


def refuse(is_bad: Callable[[Sample], bool], answer: Answer) -> Rule:
    return lambda samples: answer if any(map(is_bad, samples)) else TAKEN


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(400, "text/plain", b"duplicate sample for timestamp"), "duplicate"),
        (Answer(400, "text/plain", b"label x is not what this store likes"), "refused"),
    ],
)
def test_one_poisoned_series_costs_no_other(way: Way, answer: Answer, reason: str, caplog: Any) -> None:
    send_live(way, 50)
    way.store.rule = refuse(lambda sample: sample.name == "node_load5", answer)
    forwarder = way.make()
    way.run(forwarder)
    assert way.counted.of_samples == {"sent": 150, reason: 50}
    assert way.store.count == 150
    assert forwarder.progress.pending == 0
    (said,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert said.first.startswith('node_load5{agency="for"')
    assert (said.reason, said.samples) == (reason, 50)


def test_older_than_the_window_is_dropped_once_the_store_says_so(way: Way) -> None:
    sender = way.archive.centre.enrolled()
    way.archive.send(sender, LOAD, rows(100, NOW_MS - 2 * HOUR), received_ms=NOW_MS, at_once=True)
    way.archive.send(sender, LOAD, rows(10, NOW_MS - 3 * MINUTE), received_ms=NOW_MS, at_once=True)
    edge = NOW_MS - HOUR
    too_old = Answer(500, "text/plain", b"too old sample\n")
    way.store.rule = refuse(lambda sample: sample.at_ms < edge, too_old)
    way.run(way.make(order="ordered", horizon_seconds=3600))
    assert sorted(way.store.of("node_load1")) == [NOW_MS - 3 * MINUTE + at * INTERVAL for at in range(10)]
    assert way.counted.of_samples == {"sent": 40, "too_old": 400}
    assert way.store.requests == 2


def test_a_store_that_was_away_gets_old_samples_it_still_takes(way: Way) -> None:
    send_live(way, 20, NOW_MS - 3 * HOUR)
    way.archive.centre.clock.now_ms = NOW_MS
    way.run(way.make(order="ordered", horizon_seconds=60))
    assert way.store.count == 80


@pytest.mark.parametrize(
    "answer",
    [
        Answer(503, "text/plain", b"busy"),
        Answer(500, "text/plain", b"disk full"),
        Answer(400, "text/html", b"<h1>no</h1>"),
        Answer(200, "text/html", b"<h1>Log in to the hotel's network</h1>"),
        Answer(404, "text/plain", b"not found"),
        Answer(400, "text/plain", b"a proxy's own words"),
        Answer(401, "text/plain", b"who are you"),
    ],
)
def test_nothing_is_lost_while_no_store_answers(way: Way, answer: Answer) -> None:
    send_live(way, 30)
    way.store.rule = lambda _: answer
    forwarder = way.make()
    way.endure(forwarder, 600)
    asked = way.store.requests
    assert 10 < asked < 600, "with back-off"
    assert way.store.count == 0
    assert (forwarder.progress.pending, forwarder.progress.oldest_received_ms) == (30, NOW_MS + 29 * INTERVAL + 100)
    assert all(forwarder.needs(at) for at in range(1, 31)), "the log keeps them"
    send_live(way, 1, NOW_MS + HOUR)
    way.store.rule = lambda _: TAKEN
    way.endure(forwarder, 120)
    assert way.store.count == 124
    assert way.store.order[0] == NOW_MS + HOUR, "the present first"
    assert not any(forwarder.needs(at) for at in range(1, 32))
    assert set(way.counted.of_samples) == {"sent"}


@pytest.mark.parametrize(
    ("settings", "is_sent_again"),
    [({}, True), ({"order": "ordered"}, True), ({"order": "ordered", "horizon_seconds": 0}, False)],
)
def test_what_a_store_took_before_it_ended_is_sent_once_more(
    way: Way, settings: dict[str, Any], is_sent_again: bool
) -> None:
    """A store acknowledges before it writes: one that ended may lack what it took in its last seconds."""
    forwarder = way.make(batch_samples=4, **settings)
    send_live(way, 2)
    way.run(forwarder)
    way.now += 60
    send_live(way, 2, NOW_MS + HOUR)
    way.run(forwarder)
    for kept in way.store.kept.values():  # it forgets its last seconds
        for at_ms in (NOW_MS + HOUR, NOW_MS + HOUR + INTERVAL):
            kept.pop(at_ms)
    there, forwarder.to = forwarder.to, replace(forwarder.to, url="http://127.0.0.1:9/")
    send_live(way, 1, NOW_MS + 2 * HOUR)
    way.now += 1
    way.endure(forwarder, 5)
    assert forwarder.progress.pending == (3 if is_sent_again else 1)
    forwarder.to = there
    way.endure(forwarder, 60)
    assert way.store.count == (20 if is_sent_again else 12)
    assert way.store.twice == 0
    assert set(way.counted.of_samples) == {"sent"}


def test_a_line_that_comes_and_goes_sends_nothing_for_ever(way: Way) -> None:
    forwarder = way.make(batch_samples=4)
    there = forwarder.to
    send_live(way, 3)
    for at in range(6):
        way.run(forwarder)
        forwarder.to = replace(there, url="http://127.0.0.1:9/")
        send_live(way, 1, NOW_MS + (at + 1) * HOUR)
        way.endure(forwarder, 1)
        forwarder.to = there
        way.endure(forwarder, 60)
    assert way.store.count == 36
    assert way.store.twice <= 36


def test_a_store_asks_for_time(way: Way) -> None:
    send_live(way, 1)
    way.store.rule = lambda _: Answer(429, "text/plain", b"slow", (("Retry-After", "45"),))
    forwarder = way.make()
    assert forwarder.step(way.now) == way.now + 45


def test_a_store_that_fails_every_other_time_gets_everything(way: Way) -> None:
    send_live(way, 30)
    way.store.rule = lambda _: TAKEN if way.store.requests % 2 else Answer(503)
    way.endure(way.make(batch_samples=10), 600)
    assert way.store.count == 120


def test_secrets_and_headers(way: Way, tmp_path: Any) -> None:
    send_live(way, 1)
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    way.run(way.make(bearer_token_file=str(secret), headers={"X-Scope-OrgID": "mofa"}))
    sent = way.store.headers
    assert sent["authorization"] == "Bearer s3cret"
    assert sent["x-scope-orgid"] == "mofa"
    assert sent["content-encoding"] == "snappy"
    assert sent["content-type"] == "application/x-protobuf"
    assert sent["x-prometheus-remote-write-version"] == "0.1.0"
    send_live(way, 1, NOW_MS + HOUR)
    way.run(way.make(username="u", password_file=str(secret)))
    assert way.store.headers["authorization"] == "Basic dTpzM2NyZXQ="
    secret.unlink()
    send_live(way, 1, NOW_MS + 2 * HOUR)
    before = way.store.requests
    way.endure(way.make(username="u", password_file=str(secret)), 60)
    assert way.store.requests == before, "nothing is sent without its secret"


def test_threads_of_two_destinations_one_of_them_dead(way: Way, caplog: Any) -> None:
    send_live(way, 20)
    centre = way.archive.centre
    telemetry = Telemetry("test")
    dead = Destination(name="dead", url="http://127.0.0.1:9/write")
    good = Destination(name="good", url=way.store.url)
    taken = threading.Event()

    def rule(samples: list[Sample]) -> Answer:
        taken.set()
        return TAKEN

    way.store.rule = rule
    both = RemoteWrite([dead, good], way.archive.store, centre.registry, way.archive.history, centre.clock, telemetry)
    assert both.needs(1)
    both.start()
    assert taken.wait(10)
    both.stop()
    assert way.store.count == 80
    with way.archive.store.reading() as connection:
        assert connection.execute(select(func.count()).select_from(envelopes)).scalar_one() == 20
    assert both.needs(1), "the dead one does"
    text = telemetry.text().decode()
    assert 'bongsu_remote_write_samples_total{destination="good",result="sent"} 80.0' in text
    assert 'bongsu_remote_write_pending_envelopes{destination="good"} 0.0' in text
    assert 'bongsu_remote_write_samples_total{destination="dead",result="sent"} 0.0' in text
