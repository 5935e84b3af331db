"""Every default check on two whole machines, against committed output: a renamed metric is a visible change.

After a wanted change: ``BONGSU_UPDATE_GOLDEN=1 pytest tests/agent/checks/test_golden.py``, then read the difference.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from recorded import FIXTURES, collect_all, exposition, recorded_host

from agent.checks.base import Sample
from agent.checks.profiles import LEVELS, keep
from agent.checks.table import DEFAULT


@pytest.mark.parametrize("machine", ["vm", "server"])
def test_output_is_the_committed_one(machine: str, tmp_path: Path) -> None:
    found = exposition(collect_all(recorded_host(tmp_path, machine)))
    golden = FIXTURES / f"{machine}.prom"
    if os.environ.get("BONGSU_UPDATE_GOLDEN") == "1":
        golden.write_text(found)
    assert found == golden.read_text()


def test_empty_machine_yields_what_needs_no_file(tmp_path: Path) -> None:
    samples = [result for result in collect_all(recorded_host(tmp_path)) if isinstance(result, Sample)]
    names = {sample.name for sample in samples}
    assert {name for name in names if not name.startswith(("node_timex_", "node_time_"))} == {"node_selinux_enabled"}


@pytest.mark.parametrize(("profile", "fewest", "most"), [("core", 45, 75), ("standard", 130, 180), ("full", 350, 450)])
def test_profiles_hold_their_size_on_a_small_machine(profile: str, fewest: int, most: int, tmp_path: Path) -> None:
    results = collect_all(recorded_host(tmp_path, "vm"))
    kept = [result for result in results if isinstance(result, Sample) and keep(profile, result)]
    assert fewest <= len(kept) <= most


def test_profiles_contain_each_other(tmp_path: Path) -> None:
    samples = [result for result in collect_all(recorded_host(tmp_path, "server")) if isinstance(result, Sample)]
    sizes = [{sample for sample in samples if keep(profile, sample)} for profile in LEVELS]
    assert sizes[0] < sizes[1] < sizes[2]
    assert sizes[2] == set(samples)


def test_core_feeds_the_overview(tmp_path: Path) -> None:
    samples = [result for result in collect_all(recorded_host(tmp_path, "vm")) if isinstance(result, Sample)]
    kept = {(sample.name, dict(sample.labels).get("device", "")) for sample in samples if keep("core", sample)}
    wanted = {
        ("node_cpu_seconds_total", ""),
        ("node_load1", ""),
        ("node_memory_MemAvailable_bytes", ""),
        ("node_filesystem_avail_bytes", "/dev/vda"),
        ("node_boot_time_seconds", ""),
        ("node_network_receive_bytes_total", "eth0"),
        ("node_timex_sync_status", ""),
        ("node_disk_io_time_seconds_total", "vda"),
    }
    assert wanted <= kept
    assert not {device for _, device in kept} & {"lo", "ifb0", "zram0"}


def test_a_second_round_gives_the_same_series_as_the_same_objects(tmp_path: Path) -> None:
    host = recorded_host(tmp_path, "vm")
    first = [result for result in collect_all(host) if isinstance(result, Sample)]
    second = [result for result in collect_all(host) if isinstance(result, Sample)]
    assert first == second
    assert all(one.labels is other.labels for one, other in zip(first, second, strict=True))


def test_no_series_comes_twice(tmp_path: Path) -> None:
    samples = [result for result in collect_all(recorded_host(tmp_path, "server")) if isinstance(result, Sample)]
    assert len({(sample.name, sample.labels) for sample in samples}) == len(samples)
    assert len(DEFAULT) == len(set(DEFAULT))
