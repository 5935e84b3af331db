"""Our checks beside a real node_exporter on the machine the test runs on, at the same moment.

It is started with the upstream defaults for what a distribution may have narrowed (Debian leaves out lo, /run, /mnt
and /media). It is read twice, our collection in between: constants must be equal, moving values lie between its two.
"""

from __future__ import annotations

import http.client
import re
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
from real import require

from agent.checks.base import Sample
from agent.checks.local import LocalHost
from agent.checks.runner import run_check
from agent.checks.table import DEFAULT, load

pytestmark = pytest.mark.real

LACKING = frozenset({"node_textfile_scrape_error", "node_textfile_mtime_seconds", "node_exporter_build_info"})
"""Explained in docs/parity.md."""
UPSTREAM_DEFAULTS = (
    "--collector.netdev.device-exclude=",
    "--collector.filesystem.mount-points-exclude="
    "^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)",
)
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
TYPE_NUMBERS = {"gauge": 0, "counter": 1, "untyped": 2}
READINGS = 5
"""Gauges of a machine at work go up and down between two readings, so each value has several chances to lie between."""
FLOOR = {"bytes": 16 << 20, "seconds": 0.5, "load": 0.1, "filefd": 96.0, "": 8.0}
"""How far outside a moving gauge may lie, by unit: other programs run on the same machine. Open files are counted by
each processor for itself and told to the total in steps of 32, so a few steps come and go between two readings."""

Key = tuple[str, tuple[tuple[str, str], ...]]


class Reading(NamedTuple):
    types: dict[str, int]
    values: dict[Key, float]


def parse_exposition(text: str) -> Reading:
    types: dict[str, int] = {}
    values: dict[Key, float] = {}
    for line in text.splitlines():
        if line.startswith("# TYPE node_"):
            _, _, name, type_ = line.split()
            types[name] = TYPE_NUMBERS[type_]
        elif line.startswith("node_") and not line.startswith("node_scrape_"):
            series, _, value = line.rpartition(" ")
            name, _, labels = series.partition("{")
            values[name, tuple(sorted(LABEL.findall(labels)))] = float(value)
    return Reading({name: type_ for name, type_ in types.items() if not name.startswith("node_scrape_")}, values)


@pytest.fixture(scope="module")
def scrape() -> Iterator[Callable[[], Reading]]:
    """Reads a running node_exporter over one kept connection, so that its sockets are the same at each reading."""
    program = require("prometheus-node-exporter")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [program, f"--web.listen-address=127.0.0.1:{port}", *UPSTREAM_DEFAULTS],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if "Listening on" in line:
                break
        else:
            pytest.fail(f"node_exporter ended with {process.wait()} before it listened")
        rest = threading.Thread(target=process.stderr.read, daemon=True)
        rest.start()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

        def read() -> Reading:
            connection.request("GET", "/metrics")
            return parse_exposition(connection.getresponse().read().decode())

        yield read
        connection.close()
    finally:
        process.terminate()
        process.wait(10)
        rest.join(10)
        process.stderr.close()


def collect(host: LocalHost) -> Reading:
    samples = [
        result for name in DEFAULT for result in run_check(load(name), host).results if isinstance(result, Sample)
    ]
    return Reading(
        {sample.name: sample.type for sample in samples},
        {(sample.name, tuple(sorted(sample.labels))): float(sample.value) for sample in samples},
    )


class Round(NamedTuple):
    before: Reading
    ours: Reading
    after: Reading


@pytest.fixture(scope="module")
def rounds(scrape: Callable[[], Reading]) -> list[Round]:
    host = LocalHost()
    collect(host)  # opens the files that stay open, so that open files are counted alike
    scrape()
    return [Round(scrape(), collect(host), scrape()) for _ in range(READINGS)]


def test_names_are_there(rounds: list[Round]) -> None:
    theirs = set(rounds[0].before.types) - LACKING
    ours = set(rounds[0].ours.types)
    matched = theirs & ours
    print(f"names: theirs {len(theirs)}, matched {len(matched)}, ours {len(ours)}; lacking {sorted(theirs - ours)}")
    assert len(matched) >= 0.95 * len(rounds[0].before.types)
    assert ours - theirs == set()


def test_types_are_equal(rounds: list[Round]) -> None:
    before, ours, _ = rounds[0]
    assert {name: type_ for name, type_ in ours.types.items() if before.types.get(name, type_) != type_} == {}


def test_labels_are_equal(rounds: list[Round]) -> None:
    before, ours, after = rounds[0]
    stable = before.values.keys() & after.values.keys()
    assert {key for key in stable if key[0] not in LACKING} - ours.values.keys() == set()
    assert {key for key in ours.values if key[0] in before.types} - before.values.keys() - after.values.keys() == set()


def test_values_are_equal_or_in_between(rounds: list[Round]) -> None:
    wrong: dict[Key, list[tuple[float, float, float]]] = {}
    for before, ours, after in rounds:
        for key, value in ours.values.items():
            if key not in before.values or key not in after.values:
                continue
            low, high = sorted((before.values[key], after.values[key]))
            margin = abs(high) * 1e-9 + (0.0 if _is_constant(rounds, key) else _floor(key[0], ours.types[key[0]]))
            if not low - margin <= value <= high + margin:
                wrong.setdefault(key, []).append((low, value, high))
    assert {key: values for key, values in wrong.items() if len(values) > READINGS // 2} == {}


def _is_constant(rounds: list[Round], key: Key) -> bool:
    """Equal in every reading of theirs. Open files never are: the files and connections of whoever reads are in them."""
    return (
        key[0] != "node_filefd_allocated"
        and len({value for one in rounds for value in (one.before.values.get(key), one.after.values.get(key))}) == 1
    )


def _floor(name: str, type_: int) -> float:
    """A counter may not lie outside at all but for rounding; a gauge by what the machine does meanwhile."""
    if type_ == TYPE_NUMBERS["counter"]:
        return 1e-6
    return next(margin for unit, margin in FLOOR.items() if f"_{unit}" in name or not unit)
