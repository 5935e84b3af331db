"""Which kernel runs there, and under which name? What uname(2) tells, from /proc/sys/kernel::

    ostype: Linux   hostname: srv1   osrelease: 6.1.0-18-amd64   version: #1 SMP ...   domainname: (none)   arch: x86_64

``arch`` came with Linux 6.1; before, the C library is asked, or ``uname -m`` of another machine, once per host.
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.base import GAUGE, Check, CheckFailed, Host, NoData, Sample
from agent.checks.kernel import kernel_of
from agent.checks.labels import labels
from agent.checks.reading import PerHost

FOLDER = "/proc/sys/kernel/"
FILES = tuple(FOLDER + name for name in ("arch", "domainname", "hostname", "osrelease", "ostype", "version"))
_machines: PerHost[str] = PerHost()


def _machine(host: Host) -> str:
    kernel = kernel_of(host)
    if kernel is not None:
        return kernel.machine()
    known = _machines.get(host)
    if known is not None:
        return known
    answer = host.run(["uname", "-m"])
    if answer.exit_code != 0:
        raise CheckFailed(f"uname -m ended with {answer.exit_code}: {answer.stderr.strip()[:80]}")
    return _machines.keep(host, answer.stdout.strip())


def collect(host: Host) -> Iterator[Sample]:
    facts = {path.removeprefix(FOLDER): text.rstrip("\n") for path, text in host.read_tree(*FILES).items()}
    if "osrelease" not in facts:
        raise NoData(f"{FOLDER}osrelease is not there")
    yield Sample(
        "node_uname_info",
        GAUGE,
        labels(
            *("domainname", facts.get("domainname", ""), "machine", facts.get("arch") or _machine(host)),
            *("nodename", facts.get("hostname", ""), "release", facts["osrelease"]),
            *("sysname", facts.get("ostype", "Linux"), "version", facts.get("version", "")),
        ),
        1,
    )


CHECK = Check("uname", collect)
