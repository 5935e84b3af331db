"""A line's state from who sees what at its end. Small packets that pass while large ones are lost are a fault of their own."""

from __future__ import annotations

from collections.abc import Iterable

from collector.fleet.paths import BACKUP, Link, Probe
from collector.verdicts import reasons as r
from collector.verdicts.finding import Finding
from collector.verdicts.path_state import PathState
from collector.verdicts.standing import DEGRADED, DOWN, NO_DATA, OK, Fact
from collector.verdicts.votes import Paths, Tally

DAY_MS = 86_400_000


def judge_link(
    link: Link,
    probes: Iterable[Probe],
    tally: Tally,
    paths: Paths,
    is_only_and_heard: bool,
    carried_ms: int | None,
    now_ms: int,
) -> Finding:
    """``is_only_and_heard``: the site has no other line and reports, so it must be well; ``carried_ms``: when a backup was
    last seen to work."""
    probes = tuple(probes)
    if not probes:
        if is_only_and_heard:
            return Finding(OK, r.REPORTING)
        return _untested(link, carried_ms, now_ms) or Finding(NO_DATA, r.NOT_PROBED)
    facts = tally.facts(f"link:{link.id}")
    if tally.is_confirmed_down:
        return Finding(DOWN, r.UNREACHABLE, "", facts)
    if not tally.reached and not tally.failed:
        return _untested(link, carried_ms, now_ms) or Finding(NO_DATA, r.SILENT, "", facts)
    if not tally.reached:
        return Finding(NO_DATA, r.ONE_PATH, "", facts)
    quality = _quality(link, probes, tally, paths)
    if quality is not None:
        return quality
    if tally.failed:
        return Finding(DEGRADED, r.ONE_PATH, "", facts)
    return _untested(link, carried_ms, now_ms) or Finding(OK, r.REPORTING)


def _quality(link: Link, probes: tuple[Probe, ...], tally: Tally, paths: Paths) -> Finding | None:
    """Degraded where at least half of those who reach it see it so."""
    seen: list[tuple[Probe, PathState]] = []
    for probe in probes:
        state = paths.get((probe.host, probe.target))
        if state is not None and state.is_reached and probe.host.rpartition(".")[2] in tally.reached:
            seen.append((probe, state))
    for reason in (r.LARGE_PACKETS_LOST, r.LOSSY, r.SLOW):
        bad = [(probe, state) for probe, state in seen if _is_bad(state, reason)]
        if bad and len(bad) * 2 >= len(seen):
            facts = [fact for probe, state in bad for fact in _facts(probe, state, reason)]
            return Finding(
                DEGRADED, reason, "", (*facts, Fact("probe_answered", f"link:{link.id}", ", ".join(tally.reached)))
            )
    return None


def _is_bad(state: PathState, reason: str) -> bool:
    if reason == r.LARGE_PACKETS_LOST:
        return state.loses_large
    return state.is_lossy if reason == r.LOSSY else state.is_slow


def _facts(probe: Probe, state: PathState, reason: str) -> list[Fact]:
    if reason == r.LARGE_PACKETS_LOST:
        return [Fact("large_loss", probe.id, f"MTU {state.mtu_bytes:.0f}" if state.mtu_bytes else "")]
    if reason == r.LOSSY:
        return [Fact("loss", probe.id, f"{(state.loss_ratio or 0) * 100:.0f} %")]
    facts = [Fact("rtt", probe.id, f"{state.rtt_ms or 0:.0f} ms")]
    if state.slow_above_ms is not None:
        facts.append(Fact("baseline", probe.id, f"{state.usual_ms:.0f} ms"))
    return facts


def _untested(link: Link, carried_ms: int | None, now_ms: int) -> Finding | None:
    if link.role != BACKUP or not link.test_days or carried_ms is None:
        return None
    if now_ms - carried_ms <= link.test_days * DAY_MS:
        return None
    return Finding(DEGRADED, r.BACKUP_UNTESTED, "", (Fact("backup_tested", link.id, "", carried_ms),))
