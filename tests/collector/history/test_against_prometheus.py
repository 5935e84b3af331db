"""The same samples to our agents' way in and to a real Prometheus; the same questions; the same answers.

Series with gaps, resets, stale ends, NaN and infinities, on three hosts: one reports on the beat, one with jitter and a
gap of seven minutes, one seldom and only for a while. Half of ours lies in chunks, half in the log's tail.
"""

from __future__ import annotations

import math
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from archive import HOUR, MINUTE, NOW_MS, Archive
from asked_expressions import EXPRESSIONS, REFUSED, lines
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from sender import Sender
from told_prometheus import ask, tell, told_prometheus

from agent.link.model import Schema, Series, make_schema
from collector.access.caller import Caller
from collector.history.api import router
from collector.store.engine import Store
from collector.store.scope import EVERYTHING

pytestmark = [pytest.mark.real, pytest.mark.slow]
START = NOW_MS - NOW_MS % MINUTE
MIDDLE, END = START + HOUR // 2, START + HOUR
STAMPED = {"agency": "for", "hub": "mea", "site": "abuja", "job": "node"}
Report = tuple[int, list[float | None]]
Labels = tuple[tuple[str, str], ...]

COLUMNS: list[tuple[str, int, Labels]] = [
    *(("test_total", 1, (("cpu", cpu), ("mode", mode))) for cpu in "01" for mode in ("user", "idle")),
    ("test_gauge", 0, ()),
    ("test_odd", 0, ()),
    ("test_sparse", 0, ()),
    ("test_flat", 0, ()),
]
INFO: list[tuple[str, int, Labels]] = [("test_info", 0, (("version", "1"),)), ("test_info", 0, (("version", "2"),))]


def columns(version: int) -> list[tuple[str, int, Labels]]:
    return [*COLUMNS, INFO[version]]


def schema(host: str, version: int) -> Schema:
    return make_schema(tuple(Series(host, name, kind, labels) for name, kind, labels in columns(version)), ())


def reports(seed: int, times: list[int]) -> list[Report]:
    """Values in the order of ``COLUMNS`` and an info; None where a series was left out."""
    chance = random.Random(seed)
    counters = [chance.uniform(0, 50) for _ in range(4)]
    found: list[Report] = []
    for count, at_ms in enumerate(times):
        minute = (at_ms - START) / MINUTE
        for which in range(4):
            counters[which] += chance.expovariate(1) * (which + 1)
            if chance.random() < 0.03:
                counters[which] = chance.uniform(0, 3)  # a reset
        odd = chance.choice([math.nan, math.inf, -math.inf, 0.0, -0.0, 1.5, -2.5, 1e-300, 1e300, 7.0])
        gone = 12 <= minute < 20 or 31 <= minute < 33 or count % 17 == 3
        gauge = math.sin(minute / 3 + seed) + chance.uniform(-0.1, 0.1)
        found.append((at_ms, [*counters, gauge, odd, None if gone else minute + seed, 100.0 + seed, 1.0]))
    return found


def host_times(host: str) -> list[int]:
    chance = random.Random(host)
    if host == "srv1":
        return list(range(START, END, 15_000))
    if host == "srv2":
        beats = range(START + 5_000, END, 15_000)
        return [at + chance.randrange(-3000, 3000) for at in beats if not 22 <= (at - START) / MINUTE < 29]
    return list(range(START + 10 * MINUTE + 7_000, START + 45 * MINUTE, MINUTE))


@pytest.fixture(scope="module")
def both(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, str]]:
    """Ours over HTTP, and a Prometheus' address, with the same samples."""
    folder = tmp_path_factory.mktemp("both")
    shutil.copy(sqlite_template, folder / "bongsu.db")
    store = Store(f"sqlite:///{folder / 'bongsu.db'}")
    archive = Archive(store)
    with told_prometheus(folder / "prometheus") as address:
        senders = {host: archive.centre.enrolled(host) for host in ("srv1", "srv2", "srv3")}
        rows = {host: reports(seed, host_times(host)) for seed, host in enumerate(senders)}
        for host, sender in senders.items():
            send(archive, sender, rows[host], START, MIDDLE)
            tell(address, told(sender.host, rows[host]))
        archive.chunk(END)
        for host, sender in senders.items():
            send(archive, sender, rows[host], MIDDLE, END)
        assert archive.count("chunked samples") > 100
        assert archive.count("waiting") > 100
        services: Any = SimpleNamespace(history=archive.history, clock=archive.centre.clock)
        app = FastAPI()

        @app.middleware("http")
        async def who(request: Request, call_next: Any) -> Any:
            request.state.caller = Caller("someone", "viewer", EVERYTHING)
            return await call_next(request)

        app.include_router(router(services))
        with TestClient(app) as client:
            yield client, address
    archive.centre.stop()
    store.close()


def version_at(at_ms: int) -> int:
    """In the middle of the hour the agents are updated: another schema, another info."""
    return int(at_ms >= MIDDLE)


def send(archive: Archive, sender: Sender, rows: list[Report], from_ms: int, to_ms: int) -> None:
    for start in range(from_ms, to_ms, 5 * MINUTE):
        some = [row for row in rows if start <= row[0] < start + 5 * MINUTE]
        if some:
            archive.send(sender, schema(sender.host, version_at(start)), some, start + 5 * MINUTE)


def told(instance: str, rows: list[Report]) -> list[tuple[dict[str, str], list[tuple[int, float | None]]]]:
    """The same as Prometheus would have noted it: a series that was left out gets one mark, where it had a value."""
    found = []
    for at, (name, _, labels) in enumerate([*COLUMNS, *INFO]):
        samples: list[tuple[int, float | None]] = []
        for at_ms, values in rows:
            value = values[min(at, len(COLUMNS))]
            if at >= len(COLUMNS) and version_at(at_ms) != at - len(COLUMNS):
                value = None
            if value is not None or (samples and samples[-1][1] is not None):
                samples.append((at_ms, value))
        if samples:
            found.append(({"__name__": name, "instance": instance, **STAMPED, **dict(labels)}, samples))
    return found


def same(ours: str, theirs: str) -> bool:
    one, other = float(ours), float(theirs)
    return (one != one and other != other) or math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-300)


def by_labels(data: Any) -> dict[tuple[tuple[str, str], ...], list[list[Any]]]:
    """Points of each series."""
    if data["resultType"] in ("scalar", "string"):
        return {(): [data["result"]]}
    found = {tuple(sorted(one["metric"].items())): one.get("values") or [one["value"]] for one in data["result"]}
    assert len(found) == len(data["result"])
    return found


def differences(ours: Any, theirs: Any) -> str:
    """What is not the same in two answers' data; empty where nothing."""
    if ours["resultType"] != theirs["resultType"]:
        return f"{ours['resultType']} instead of {theirs['resultType']}"
    if ours["resultType"] == "string":
        return "" if ours == theirs else "another text"
    one, other = by_labels(ours), by_labels(theirs)
    if one.keys() != other.keys():
        return f"series: only ours {sorted(one.keys() - other.keys())}, only theirs {sorted(other.keys() - one.keys())}"
    for labels, points in one.items():
        expected = other[labels]
        if [at for at, _ in points] != [at for at, _ in expected]:
            return f"{labels}: at {[at for at, _ in points]} instead of {[at for at, _ in expected]}"
        for (at, value), (_, wanted) in zip(points, expected, strict=True):
            if not same(value, wanted):
                return f"{labels} at {at}: {value} instead of {wanted}"
    return ""


INSTANTS = (
    START,
    START + 15 * MINUTE,  # on a sample of the first host: edges of windows matter
    START + 26 * MINUTE + 12_345,  # in the second host's gap
    START + 32 * MINUTE + 1_000,
    START + 59 * MINUTE,
    END + 5 * MINUTE,  # only what is still looked back to
)


def asked(both: tuple[TestClient, str], path: str, form: dict[str, str]) -> tuple[tuple[int, Any], tuple[int, Any]]:
    client, address = both
    ours = client.post(f"/api/v1/{path}", data=form)
    return (ours.status_code, ours.json()), ask(address, path, **form)


def test_there_are_enough_questions() -> None:
    assert len(set(EXPRESSIONS)) >= 300


def disagreement(ours: tuple[int, Any], theirs: tuple[int, Any]) -> str:
    """What is not the same in two whole answers; both may refuse, in the same way."""
    if ours[0] != theirs[0] or ours[1].get("errorType") != theirs[1].get("errorType"):
        return f"{str(ours)[:300]} / {str(theirs)[:300]}"
    return differences(ours[1]["data"], theirs[1]["data"]) if ours[0] == 200 else ""


def test_instant_answers_agree(both: tuple[TestClient, str]) -> None:
    found = []
    empty = set(EXPRESSIONS)
    for text in EXPRESSIONS:
        for at_ms in INSTANTS:
            ours, theirs = asked(both, "query", {"query": text, "time": f"{at_ms / 1000:.3f}"})
            if wrong := disagreement(ours, theirs):
                found.append(f"{text} at {at_ms - START}: {wrong}")
            if theirs[0] == 200 and theirs[1]["data"]["result"]:
                empty.discard(text)
    assert found == []
    assert len(empty) < 20, f"questions nobody ever has an answer to prove little: {sorted(empty)}"


@pytest.mark.parametrize("step_ms", [47_000, 60_000])
def test_range_answers_agree(both: tuple[TestClient, str], step_ms: int) -> None:
    found = []
    for text in EXPRESSIONS:
        start, end = START - MINUTE, END + 6 * MINUTE
        form = {"query": text, "start": f"{start / 1000:.3f}", "end": f"{end / 1000:.3f}", "step": f"{step_ms / 1000}"}
        ours, theirs = asked(both, "query_range", form)
        if wrong := disagreement(ours, theirs):
            found.append(f"{text}: {wrong}")
    assert found == []


def test_what_one_refuses_the_other_refuses(both: tuple[TestClient, str]) -> None:
    found = []
    for text in lines(REFUSED):
        at = f"{(START + 40 * MINUTE) / 1000:.3f}"
        ours, theirs = asked(both, "query", {"query": text, "time": at})
        kinds = (ours[1].get("errorType"), theirs[1].get("errorType"))
        if ours[0] != theirs[0] or kinds[0] != kinds[1]:
            found.append(f"{text}: {ours} / {theirs}")
        elif kinds[0] == "execution" and ours[1]["error"].split("{")[0] != theirs[1]["error"].split("{")[0]:
            found.append(f"{text}: {ours[1]['error']} / {theirs[1]['error']}")
    assert found == []
