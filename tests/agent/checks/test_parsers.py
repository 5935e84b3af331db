"""What each parser makes of files that are right, odd, cut or no such file at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from recorded import recorded_host, unpack

from agent.checks import (
    bcache,
    btrfs,
    conntrack,
    cpu,
    diskstats,
    filesystem,
    hwmon,
    ipvs,
    mdadm,
    netstat,
    os_release,
    pressure,
    selinux,
    time,
    timex,
)
from agent.checks.base import UNKNOWN, CheckFailed, Sample, State
from agent.checks.kernel import ClockDiscipline
from agent.checks.runner import run_check
from agent.checks.table import load


@pytest.mark.parametrize(
    ("device", "is_excluded"),
    [
        *(
            (device, False)
            for device in ("sda", "xvda", "nvme0n1", "dm-0", "md127", "mmcblk0", "zram0", "sr0", "vdaa1")
        ),
        *(
            (device, True)
            for device in ("sda1", "hdb12", "vda2", "xvda1", "nvme0n1p1", "nvme12n3p14", "loop0", "ram7", "fd0")
        ),
    ],
)
def test_disks_left_out(device: str, is_excluded: bool) -> None:
    assert diskstats.is_excluded(device) is is_excluded


@pytest.mark.parametrize(
    ("mount_point", "is_excluded"),
    [
        *(
            (point, False)
            for point in ("/", "/devices", "/srv/dev", "/run", "/run/credentials", "/mnt/data", "/var/lib/docker")
        ),
        *((point, True) for point in ("/dev", "/dev/shm", "/proc", "/sys/fs/cgroup", "/run/credentials/a.service")),
        *((point, True) for point in ("/var/lib/docker/overlay2/x", "/var/lib/containers/storage/overlay")),
    ],
)
def test_mount_points_left_out(mount_point: str, is_excluded: bool) -> None:
    assert filesystem.is_excluded(mount_point) is is_excluded


def test_mounts_are_unescaped_and_told_once() -> None:
    line = "//nas/x\\040y /srv/a\\011b\\134c cifs ro,noexec 0 0\n"
    assert filesystem.parse_mounts(line + line) == [filesystem.Mount("//nas/x y", "/srv/a\tb\\c", "cifs", True)]


@pytest.mark.parametrize(
    ("text", "expected"), [("", []), ("\n", []), ("3", [3]), ("0,4-6\n", [0, 4, 5, 6]), ("1-2,8", [1, 2, 8])]
)
def test_processor_lists(text: str, expected: list[int]) -> None:
    assert cpu.parse_list(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("12", 12.0), ("22.04", 22.04), ("9.3.1", 9.3), ("", None), ("rolling", None), ("12.x", 12.0)],
)
def test_distribution_versions(text: str, expected: float | None) -> None:
    assert os_release.version_number(text) == expected


def test_os_release_takes_quotes_off() -> None:
    text = '# comment\nNAME=\'A "B"\'\nPRETTY_NAME="say \\"hi\\" \\$5"\nID=x\nbroken line\n'
    assert os_release.parse_release(text) == {"name": 'A "B"', "pretty_name": 'say "hi" $5', "id": "x"}


@pytest.mark.parametrize(
    ("text", "expected"), [("7.5k", 7680.0), ("2", 2.0), ("1.5G", 1.5 * 2**30), ("x", None), ("", None)]
)
def test_bcache_sizes(text: str, expected: float | None) -> None:
    assert bcache.parse_size(text) == expected


@pytest.mark.parametrize(
    ("layout", "devices", "expected"),
    [("single", 1, 1), ("raid1", 2, 2), ("raid5", 3, 1.5), ("raid6", 4, 2), ("raid5", 1, 0), ("new", 3, 0)],
)
def test_btrfs_ratio(layout: str, devices: int, expected: float) -> None:
    assert btrfs.ratio(layout, devices) == expected


@pytest.mark.parametrize(
    ("field", "is_kept"),
    [
        ("Tcp_InErrs", True),
        ("UdpLite_InErrors", True),
        ("TcpExt_ListenDrops", True),
        ("TcpExt_SyncookiesSent", True),
        ("Ip_Forwarding", True),
        ("Tcp_RtoMin", False),
        ("TcpExt_TCPTimeouts", True),
        ("Icmp6_InMsgs", True),
        ("Icmp6_InErrors", True),
        ("Ip_InReceives", False),
    ],
)
def test_netstat_fields(field: str, is_kept: bool) -> None:
    assert netstat.is_kept(field) is is_kept


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("temp1_input", ("temp", "temp1", "input")),
        ("in0_min_alarm", ("in", "in0", "min_alarm")),
        ("pwm2", ("pwm", "pwm2", "")),
        ("update_interval", ("update_interval", "update_interval0", "")),
        ("name", None),
        ("in_garbage", None),
        ("power", None),
    ],
)
def test_sensor_files(file: str, expected: tuple[str, str, str] | None) -> None:
    assert hwmon.split_name(file) == expected


@pytest.mark.parametrize(
    ("type_", "element", "expected"),
    [
        ("temp", "input", ("node_hwmon_temp_celsius", 1e-3)),
        ("temp", "type", ("node_hwmon_temp_type", 1)),
        ("fan", "input", ("node_hwmon_fan_rpm", 1)),
        ("fan", "alarm", ("node_hwmon_fan_alarm", 1)),
        ("in", "max", ("node_hwmon_in_max_volts", 1e-3)),
        ("power", "average_interval", ("node_hwmon_power_average_interval_seconds", 1e-3)),
        ("power", "accuracy", ("node_hwmon_power_accuracy", 1e-6)),
        ("energy", "input", ("node_hwmon_energy_joule_total", 1e-6)),
        ("temp", "beep", ("node_hwmon_temp_beep_enabled", 1)),
    ],
)
def test_sensor_units(type_: str, element: str, expected: tuple[str, float]) -> None:
    name, _, factor = hwmon.metric(type_, element, False)
    assert (name, factor) == expected


def test_raid_states() -> None:
    text = "Personalities : [raid1]\nmd1 : active raid1 sda1[0] sdb1[1]\n  100 blocks [2/2] [UU]\n  [>...]  check = 0.1% (1/100) x\n"
    array = mdadm.parse_mdstat(text)[0]
    assert (array.state, array.active, array.required, array.blocks, array.blocks_synced) == ("check", 2, 2, 100, 1)


@pytest.mark.parametrize(("status", "offset"), [(0x2000, 5e-9), (0, 5e-6)])
def test_clock_offset_follows_its_unit(status: int, offset: float) -> None:
    clock = ClockDiscipline(0, 5, 65_536, 0, 0, status, 0, 10_000, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    found = {sample.name: sample.value for sample in timex.parse_discipline(clock)}
    assert found["node_timex_offset_seconds"] == offset
    assert found["node_timex_frequency_adjustment_ratio"] == pytest.approx(1 + 1e-6, abs=1e-12)
    assert found["node_timex_sync_status"] == 1
    assert found["node_timex_tick_seconds"] == 0.01


def test_clock_without_synchronisation() -> None:
    clock = ClockDiscipline(5, 0, 0, 0, 0, 0x40, 0, 10_000, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    found = {sample.name: sample.value for sample in timex.parse_discipline(clock)}
    assert found["node_timex_sync_status"] == 0


@pytest.mark.parametrize(("text", "expected"), [("KST+0900\n", ("KST", 32_400)), ("-03-0330", ("-03", -12_600))])
def test_zones(text: str, expected: tuple[str, int]) -> None:
    assert time.parse_zone(text) == expected


@pytest.mark.parametrize(
    ("text", "mode"), [("SELINUX=enforcing", 1), ("#SELINUX=enforcing\n SELINUX=permissive", 0), ("", -1)]
)
def test_selinux_modes(text: str, mode: int) -> None:
    assert selinux.parse_config(text) == mode


GARBAGE: list[tuple[Callable[..., Any], tuple[str, ...], str]] = [
    (cpu.parse_stat, ("",), "a line for each processor"),
    (cpu.parse_stat, ("cpu0 1 2\n",), "at least user, nice, system and idle"),
    (cpu.parse_stat, ("cpu0 1 2 3 4 x\n",), "whole numbers"),
    (filesystem.parse_mounts, ("/dev/sda1 /\n",), "device, mount point, type and options"),
    (diskstats.parse_diskstats, ("8 0 sda 1 2 3\n",), "at least 11 numbers"),
    (diskstats.parse_diskstats, ("8 0\n",), "name of a device"),
    (conntrack.parse_statistics, ("a b\n1\n",), "a hexadecimal number for each title"),
    (ipvs.parse_totals, ("",), "five hexadecimal numbers"),
    (ipvs.parse_backends, ("a\nb\nc\n-> \n",), "an arrow and a backend"),
    (mdadm.parse_mdstat, ("md0 : broken raid1\n",), "'active' or 'inactive'"),
    (time.parse_zone, ("hello",), "a zone and an offset"),
    (netstat.parse_table, ("/proc/net/snmp", "Tcp: InErrs\n"), "a line of values after each line of titles"),
    (netstat.parse_table, ("/proc/net/snmp", "Tcp: InErrs InSegs\nTcp: 1\n"), "as many whole numbers as titles"),
    (netstat.parse_names, ("Ip6InOctets\n",), "a whole number after each name"),
    (pressure.parse_pressure, ("/proc/pressure/io", "some avg10=0\n"), "total=<microseconds>"),
]


@pytest.mark.parametrize(("parse", "arguments", "expected"), GARBAGE)
def test_garbage_is_a_failure_with_a_clear_text(
    parse: Callable[..., Any], arguments: tuple[str, ...], expected: str
) -> None:
    with pytest.raises(CheckFailed, match="expected") as failure:
        list(parse(*arguments))
    assert expected in str(failure.value)


FILES = {
    "cpu": "/proc/stat",
    "memory": "/proc/meminfo",
    "load": "/proc/loadavg",
    "filesystem": "/proc/1/mounts",
    "diskstats": "/proc/diskstats",
    "netdev": "/proc/net/dev",
    "netstat": "/proc/net/snmp",
    "sockstat": "/proc/net/sockstat",
    "softnet": "/proc/net/softnet_stat",
    "pressure": "/proc/pressure/io",
    "vmstat": "/proc/vmstat",
    "filefd": "/proc/sys/fs/file-nr",
    "entropy": "/proc/sys/kernel/random/poolsize",
    "schedstat": "/proc/schedstat",
    "arp": "/proc/net/arp",
    "nfs": "/proc/net/rpc/nfs",
    "nfsd": "/proc/net/rpc/nfsd",
    "ipvs": "/proc/net/ip_vs_stats",
    "mdadm": "/proc/mdstat",
    "udp_queues": "/proc/net/udp",
    "zfs": "/proc/spl/kstat/zfs/arcstats",
}
BAD = {
    "schedstat": "cpu0 1 2\n",
    "udp_queues": "title\nbad\n",
    "arp": "title\nbad\n",
    "mdadm": "md0 : \nmd1 : x\n",
    "vmstat": "pgpgin 1\npgpgout",
    "nfsd": "net 1 2\n",
    "nfs": "net 1\n",
}


@pytest.mark.parametrize("name", FILES)
def test_cut_file_is_unknown_with_its_name_and_never_a_traceback(name: str, tmp_path: Path) -> None:
    unpack(f"== {FILES[name]}\n{BAD.get(name, 'x')}", tmp_path)
    outcome = run_check(load(name), recorded_host(tmp_path))
    assert outcome.state == UNKNOWN
    assert outcome.results == [State(name, UNKNOWN, outcome.text)]
    assert "expected" in outcome.text
    assert FILES[name] in outcome.text or (name == "filesystem" and "/proc/mounts" in outcome.text)


def test_old_kernels_have_fewer_columns(tmp_path: Path) -> None:
    unpack("== /proc/diskstats\n 8 0 sda 1 2 3 4 5 6 7 8 9 10 11\n== /proc/stat\ncpu0 1 2 3 4\n", tmp_path)
    host = recorded_host(tmp_path)
    disk = {result.name for result in run_check(load("diskstats"), host).results if isinstance(result, Sample)}
    assert "node_disk_io_time_weighted_seconds_total" in disk
    assert "node_disk_discards_completed_total" not in disk
    processor = [result for result in run_check(load("cpu"), host).results if isinstance(result, Sample)]
    assert [sample.value for sample in processor] == [0.01, 0.02, 0.03, 0.04]


def test_kernels_before_arch_are_asked_for_it(tmp_path: Path) -> None:
    unpack("== /proc/sys/kernel/osrelease\n5.10.0\n", tmp_path)
    samples = [
        result for result in run_check(load("uname"), recorded_host(tmp_path)).results if isinstance(result, Sample)
    ]
    assert [(dict(sample.labels)["machine"], dict(sample.labels)["release"]) for sample in samples] == [
        ("x86_64", "5.10.0")
    ]
