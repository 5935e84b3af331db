"""Machines as text: the files of /proc and /sys a collection reads, recorded once and unpacked below a temporary root.

A fixture is a list of sections; a line ``== /path`` begins a file, ``== /path -> target`` is a link::

    == /proc/loadavg
    0.21 0.37 0.39 1/719 19737

``python tests/agent/checks/recorded.py`` prints the machine it runs on; take out names and addresses before committing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from agent.checks.base import FilesystemSpace, Sample, State
from agent.checks.kernel import ClockDiscipline
from agent.checks.local import LocalHost
from agent.checks.runner import run_check
from agent.checks.table import DEFAULT, load

FIXTURES = Path(__file__).parent / "fixtures"
NOW_MS = 1_795_333_632_250
TYPES = ("gauge", "counter", "untyped")


class RecordedKernel:
    """What the recorded machines answered to system calls."""

    def page_bytes(self) -> int:
        return 4096

    def machine(self) -> str:
        return "x86_64"

    def statvfs(self, path: str) -> FilesystemSpace:
        if path.endswith("/srv/gone"):
            raise OSError(5, "Input/output error")
        return FilesystemSpace(270_553_174_016, 245_397_762_048, 83_788_881_920, 16_777_216, 16_346_716, False)

    def adjtimex(self) -> ClockDiscipline:
        return ClockDiscipline(0, -12_500, 1_310_720, 16_000, 250, 0x2001, 7, 10_000, 0, 0, 0, 0, 0, 0, 0, 0, 37)

    def time_zone(self, now: float) -> tuple[str, int]:
        return "KST", 32_400


class RecordedClock:
    """Stands still at the moment of the recording."""

    def wall_ms(self) -> int:
        return NOW_MS

    def monotonic(self) -> float:
        return 1000.0


def unpack(text: str, root: Path) -> None:
    """Write the files and links of a fixture below ``root``."""
    for section in text.split("== /")[1:]:
        head, _, content = section.partition("\n")
        name, _, target = head.partition(" -> ")
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if target:
            path.symlink_to(target)
        else:
            path.write_text(content)


def recorded_host(root: Path, machine: str = "") -> LocalHost:
    """A host that is the recorded machine (an empty one without a name)."""
    if machine:
        unpack((FIXTURES / f"{machine}.txt").read_text(), root)
    return LocalHost(str(root), machine or "empty", kernel=RecordedKernel(), clock=RecordedClock())


def collect_all(host: LocalHost, names: Iterable[str] = DEFAULT) -> list[Sample | State]:
    return [result for name in names for result in run_check(load(name), host).results]


def exposition(results: Iterable[Sample | State]) -> str:
    """Samples in the text format, sorted, and the states that are not ok as comments."""
    families: dict[str, list[str]] = {}
    states = []
    for result in results:
        if isinstance(result, State):
            states += [f"# STATE {result.check} {result.state} {result.text}\n"] if result.state else []
            continue
        labels = ",".join(f'{name}="{value}"' for name, value in sorted(result.labels))
        head = f"# TYPE {result.name} {TYPES[result.type]}\n"
        families.setdefault(head, []).append(f"{result.name}{{{labels}}} {float(result.value)!r}\n")
    lines = [head + "".join(sorted(families[head])) for head in sorted(families)]
    return "".join(states + lines)


class _Recorder(LocalHost):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}

    def read(self, path: str) -> str:
        self.found[path] = super().read(path)
        return self.found[path]

    def read_tree(self, *patterns: str) -> dict[str, str]:
        files = super().read_tree(*patterns)
        self.found.update(files)
        return files

    def link(self, path: str) -> str:
        target = super().link(path)
        self.found[f"{path} -> {target}"] = ""
        return target


if __name__ == "__main__":
    recorder = _Recorder()
    collect_all(recorder)
    for path, content in sorted(recorder.found.items()):
        sys.stdout.write(f"== {path}\n{content}")
        if content and not content.endswith("\n"):
            sys.stdout.write("\n")
