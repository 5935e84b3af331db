"""Everything an agent sent stands in a real Prometheus and a real VictoriaMetrics, sample for sample as in our history.

All programs are real: collector, Prometheus, VictoriaMetrics. In between the collector is killed with -9 while it sends,
Prometheus is ended and started again, and half an hour of samples arrives late, newest first.
"""

from __future__ import annotations

import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from real import require

sys.path.insert(0, str(Path(__file__).parents[1] / "dashboards"))

from reporting_collector import TOPOLOGY, enrol
from running import Running, bongsu, start, stop, wait_until
from sender import Sender, request
from stores import Program, Samples, ask, ask_range, exported, prometheus, raw, victoria

from agent.link.model import Sample, Schema, Series, make_schema
from agent.link.names import ENVELOPES_TYPE, SENT_AT_HEADER
from collector.settings_read import load
from collector.store.engine import Store

pytestmark = pytest.mark.real

SERIES = 30
STEP_MS = 5_000
"""The lan profile's interval is 15 s; samples lie closer, so that there are many."""


def schema_of(host: str) -> Schema:
    series = [
        Series(host, "node_cpu_seconds_total", 1, (("cpu", str(at)), ("mode", "idle"))) for at in range(SERIES - 1)
    ]
    return make_schema((*series, Series(host, "node_load1", 0, ())), ((host, "disk"),))


class Fleet:
    """A few agents, and what they still have to say."""

    def __init__(self, store: Store) -> None:
        self.senders = [enrol(store, site) for site in ("abuja", "local")]
        self.schemas = {sender.host: schema_of(sender.host) for sender in self.senders}

    def samples(self, sender: Sender, times: list[int]) -> list[Sample]:
        schema = self.schemas[sender.host]
        made = []
        for at_ms in times:
            values: list[float | None] = [at_ms // 1000 % 1_000_000 + at / 8 for at in range(SERIES)]
            # few digits, because VictoriaMetrics keeps fifteen of them
            if at_ms // STEP_MS % 10 == 3:
                values[5] = None  # once in a while a series is missing
            made.append(sender.sample(schema, [*values, float(at_ms // STEP_MS % 4)], at_ms))
        return made

    def post(self, url: str, times: list[int], at_once: int = 1) -> None:
        """Samples of these instants, in envelopes of ``at_once``."""
        envelopes = []
        for sender in self.senders:
            made = self.samples(sender, times)
            packed = [self.schemas[sender.host].packed]
            envelopes += [sender.envelope(made[at : at + at_once], packed) for at in range(0, len(made), at_once)]
        headers = {"content-type": ENVELOPES_TYPE, SENT_AT_HEADER: str(time.time_ns() // 1_000_000)}
        asked = urllib.request.Request(f"{url}/v1/envelopes", data=request(*envelopes), headers=headers)
        with urllib.request.urlopen(asked, timeout=30) as answer:
            answer.read()


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def instants(end_ms: int, minutes: float) -> list[int]:
    count = int(minutes * 60_000 / STEP_MS)
    return [end_ms - at * STEP_MS for at in range(count)][::-1]


@contextmanager
def fleet_at(data: Path, destinations: str) -> Iterator[tuple[Fleet, list[Running]]]:
    """A collector with these destinations; the list holds the running one, for a test to put another in."""
    topology = data.parent / "topology.toml"
    topology.write_text(TOPOLOGY, encoding="utf-8")
    bongsu("init", data=data)
    bongsu("apply", str(topology), data=data)
    with (data / "collector.toml").open("a") as file:
        file.write(destinations)
    store = Store(load(None, {}, data).store_url)
    fleet = Fleet(store)
    store.close()
    running = [start(data)]
    try:
        yield fleet, running
    finally:
        stop(running[0])


def destination(name: str, program: Program, more: str = "") -> str:
    return f'\n[[remote_write]]\nname = "{name}"\nurl = "{program.url}/api/v1/write"\n{more}\n'


def own_metrics(running: Running) -> dict[str, float]:
    _, text = running.get("/metrics")
    lines = (line.rpartition(" ") for line in text.splitlines() if line.startswith("bongsu_remote_write"))
    return {name: float(value) for name, _, value in lines}


def is_done(running: Running, *names: str) -> bool:
    metrics = own_metrics(running)
    return all(
        metrics[f'bongsu_remote_write_pending_envelopes{{destination="{name}"}}'] == 0
        and metrics[f'bongsu_remote_write_last_success_timestamp_seconds{{destination="{name}"}}'] > 0
        for name in names
    )


def reported(samples: Samples) -> Samples:
    """What agents reported: without the collector's own series, and without what we say of silence, the zeros of ``up``."""
    return {
        labels: {at: value for at, value in kept.items() if value or dict(labels)["__name__"] != "up"}
        for labels, kept in samples.items()
        if not is_own(dict(labels))
    }


def is_own(labels: dict[str, str]) -> bool:
    """Whether the collector made it: its metrics, its alerts, what its rules recorded, what it says of itself."""
    name = labels["__name__"]
    is_recorded = ":" in name or name.startswith(("bongsu_", "ALERTS"))
    return (is_recorded and name != "bongsu_check_state") or "instance" not in labels


def differences(ours: Samples, theirs: Samples) -> list[str]:
    found = [f"only one side has {dict(labels)}" for labels in ours.keys() ^ theirs.keys()]
    for labels in ours.keys() & theirs.keys():
        if ours[labels] != theirs[labels]:
            other = [at for at in ours[labels].keys() & theirs[labels].keys() if ours[labels][at] != theirs[labels][at]]
            lacking = sorted(ours[labels].keys() - theirs[labels].keys())
            beyond = sorted(theirs[labels].keys() - ours[labels].keys())
            found.append(
                f"{dict(labels)}: lacks {lacking[:5]} to {lacking[-1:]} of {len(lacking)}, beyond {beyond[:5]} of {len(beyond)}, other {[(at, ours[labels][at], theirs[labels][at]) for at in other[:3]]}"
            )
    return found


@pytest.mark.slow
def test_both_stores_have_what_we_have(tmp_path: Path) -> None:
    require("victoria-metrics")
    with prometheus(tmp_path / "prometheus", "1h") as prom, victoria(tmp_path / "victoria") as vm:
        settings = destination("prometheus", prom, 'order = "ordered"\nhorizon_seconds = 3600\nbatch_samples = 500')
        settings += destination("victoria", vm, "batch_samples = 500")
        with fleet_at(tmp_path / "data", settings) as (fleet, running):
            began = now_ms() // STEP_MS * STEP_MS
            fleet.post(running[0].url, instants(began, 2))
            wait_until(lambda: is_done(running[0], "prometheus", "victoria"), "the first samples to be there")
            late = instants(began - 6 * 60_000, 30)
            fleet.post(running[0].url, late[200:], 20)
            running[0].kill()  # while it sends
            stop(running[0])
            running[0] = start(tmp_path / "data")
            prom.stop()
            fleet.post(running[0].url, late[:200][::-1], 20)
            fleet.post(running[0].url, instants(began - 3 * 60_000, 1), 1)
            wait_until(lambda: is_done(running[0], "victoria"), "one store to be told while the other is away")
            assert own_metrics(running[0])[PENDING] > 0
            prom.start()
            fleet.post(running[0].url, [now_ms()])
            wait_until(lambda: is_done(running[0], "prometheus", "victoria"), "all of it to be there", 90)
            at = now_ms()
            ours = reported(raw(running[0].url, '{__name__=~".+"}', at))
            assert_same("Prometheus", ours, lambda: raw(prom.url, '{__name__=~".+"}', at))
            assert_same("VictoriaMetrics", ours, lambda: flushed(vm.url))
            metrics = own_metrics(running[0])
            dropped = {
                name for name, value in metrics.items() if "samples_total" in name and "sent" not in name and value
            }
            assert not dropped
            same_answers(running[0].url, prom.url, began)


def assert_same(store: str, ours: Samples, theirs: Callable[[], Samples], seconds: float = 20) -> None:
    """Fails where a store does not come to have exactly ours: the newest may be on their way for a second yet."""
    end = time.monotonic() + seconds
    while (found := differences(ours, theirs())) and time.monotonic() < end:
        time.sleep(0.5)
    assert found == [], store


def flushed(url: str) -> Samples:
    urllib.request.urlopen(f"{url}/internal/force_flush").close()
    return exported(url, '{__name__!=""}')


def same_answers(ours: str, theirs: str, began: int) -> None:
    """Plain selectors at instants all over the time, gaps and missing series among them: the same values or none."""
    for minutes in range(0, 45, 1):
        at = began - minutes * 60_000 + 137
        for query in ("node_load1", 'node_cpu_seconds_total{cpu="5"}', 'bongsu_check_state{check="disk"}'):
            answers = [
                {tuple(sorted(one["metric"].items())): one["value"] for one in ask(url, query, at)}  # type: ignore[attr-defined]
                for url in (ours, theirs)
            ]
            assert answers[0] == answers[1], (query, minutes)
    window = {"start": f"{(began - 45 * 60_000 + 137) / 1000}", "end": f"{(began + 137) / 1000}", "step": "15"}
    for query in ("node_load1", 'node_cpu_seconds_total{cpu="5"}'):
        ranges = [ask_range(url, query, window) for url in (ours, theirs)]
        assert ranges[0] == ranges[1], query
        assert len(ranges[0]) == 2


SCRAPE = """
scrape_configs:
  - job_name: bongsu-sites
    honor_labels: true
    http_sd_configs:
      - url: {url}/sd/prometheus
        refresh_interval: 1s
"""


@pytest.mark.slow
@pytest.mark.parametrize("window", ["1h", ""])
def test_beside_scraping_what_came_late_is_filled_in(tmp_path: Path, window: str) -> None:
    """With a window every late sample is there at its true time; without one they are dropped and counted, and nothing stops."""
    with fleet_at(tmp_path / "data", "") as (fleet, running):
        port = int(running[0].url.rpartition(":")[2])
        scrape = SCRAPE.format(url=running[0].url)
        with prometheus(tmp_path / "prometheus", window, scrape) as prom:
            horizon = 3600 if window else 0
            settings = f'mode = "backlog"\norder = "ordered"\nhorizon_seconds = {horizon}'
            with (tmp_path / "data" / "collector.toml").open("a") as file:
                file.write(destination("prometheus", prom, settings))
            stop(running[0])
            running[0] = start(tmp_path / "data", port=port)
            ended = threading.Event()

            def live() -> None:
                while not ended.wait(0.5):
                    fleet.post(running[0].url, [now_ms()])

            thread = threading.Thread(target=live)
            thread.start()
            try:
                wait_until(lambda: ask(prom.url, "node_load1"), "Prometheus to scrape")
                late = instants(now_ms() // STEP_MS * STEP_MS - 10 * 60_000, 30)
                ended.set()
                thread.join()
                fleet.post(running[0].url, late, 20)
                wait_until(lambda: own_metrics(running[0])[PENDING] == 0, "the backlog to be dealt with")
                for _ in range(5):
                    fleet.post(running[0].url, [now_ms()])
                    time.sleep(1)
                at = now_ms()
                newest = {dict(s)["instance"]: max(k) for s, k in raw(prom.url, "node_load1", at, "1m").items()}
                assert len(newest) == 2
                assert all(at - newest_ms < 5_000 for newest_ms in newest.values()), "scraping goes on"
                metrics = own_metrics(running[0])
                theirs = raw(prom.url, "node_load1", at)
                ours = raw(running[0].url, "node_load1", at)
                for labels, kept in ours.items():
                    wanted = {ms: kept[ms] for ms in late}
                    there = {ms: value for ms, value in theirs[labels].items() if ms in wanted}
                    assert there == (wanted if window else {})
                count = 2 * (SERIES + 1) * len(late)
                if window:
                    assert metrics[RESULT % "sent"] >= count
                    assert metrics[RESULT % "too_old"] == metrics[RESULT % "out_of_order"] == 0
                else:
                    assert metrics[RESULT % "out_of_order"] + metrics[RESULT % "too_old"] >= count
            finally:
                ended.set()
                thread.join()


PENDING = 'bongsu_remote_write_pending_envelopes{destination="prometheus"}'
RESULT = 'bongsu_remote_write_samples_total{destination="prometheus",result="%s"}'
