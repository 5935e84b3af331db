"""Runs benchmarks one after the other and shows what came out."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from subprocess import SubprocessError

from tests.bench.client import BadReply
from tests.bench.cpu import verify_microseconds
from tests.bench.figures import Bench, Figure, Goal, Measure
from tests.bench.program import NotStarted


def run(goals: Sequence[Goal], quick: bool, out: Path) -> int:
    """Measure what is asked, print the table, write the file; 1 where something could not be measured."""
    figures: dict[str, Figure] = {}
    failed = False
    wanted = {goal.id for goal in goals}
    units = {goal.id: goal.unit for goal in goals}
    for measure in dict.fromkeys(goal.measure for goal in goals):
        began = time.monotonic()
        before = speed() + " before"
        say(f"== {measure}")
        folder = Path(tempfile.mkdtemp(prefix="bongsu-bench-"))
        try:
            found = _load(measure)(Bench(folder, quick, lambda text: say(f"   {text}")))
        except (NotStarted, BadReply, OSError, EOFError, SubprocessError, ValueError) as why:
            say(f"   not measured: {type(why).__name__}: {why}")
            failed = True
            continue
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        figures.update({figure.id: figure for figure in found if figure.id in wanted})
        write(out, figures.values(), units)  # what was measured stays, should a later one hang
        say(f"   took {time.monotonic() - began:.0f} s; {before}, {speed()} after it")
    print(table(goals, figures))
    return 1 if failed else 0


def speed() -> str:
    """How busy neighbours keep this machine, as something to judge absolute figures by."""
    return f"{verify_microseconds():.0f} us a signature check"


def _load(measure: str) -> Measure:
    module, _, name = measure.partition(":")
    found: Measure = getattr(import_module(f"tests.bench.{module}"), name)
    return found


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def write(out: Path, figures: Iterable[Figure], units: dict[str, str]) -> None:
    """The contract's file; what an earlier run measured and this one did not stays in it."""
    known = {row["id"]: row for row in json.loads(out.read_text("utf-8"))} if out.is_file() else {}
    for figure in figures:
        known[figure.id] = {
            "id": figure.id,
            "value": round(figure.value, 4),
            "unit": units[figure.id],
            "peers": {name: round(value, 4) for name, value in figure.peers.items()},
        }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(list(known.values()), indent=1) + "\n", "utf-8")


def table(goals: Sequence[Goal], figures: dict[str, Figure]) -> str:
    """A line for each figure: value, target, and each peer with how many times ours it is."""
    lines = [f"{'id':34} {'value':>10} {'target':>10}      {'unit':18} peers (x = times ours)"]
    for goal in goals:
        figure = figures.get(goal.id)
        if figure is None:
            lines.append(f"{goal.id:34} {'-':>10} {goal.target:>10g}      {goal.unit:18} not measured")
            continue
        verdict = "ok  " if figure.value <= goal.target else "OVER"
        peers = ", ".join(
            f"{name} {value:.3g} ({value / figure.value:.1f}x)" if figure.value else f"{name} {value:.3g}"
            for name, value in figure.peers.items()
        )
        tail = "; ".join(part for part in (peers, figure.note) if part)
        lines.append(f"{goal.id:34} {figure.value:>10.4g} {goal.target:>10g} {verdict} {goal.unit:18} {tail}")
    return "\n".join(lines)
