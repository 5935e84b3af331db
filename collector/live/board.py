"""What every host said last.

One thread at a time writes (the intake's writer); anyone reads without a lock, because a host's entry is replaced,
never changed. Order comes from the receiver's clock and the sequence, never from the agent's clock: within an epoch a
higher number is newer; between epochs the corrected time tells, and at the same time the newly seen one is newer. What
was taken more than ``STALE_INTERVALS`` intervals ago is history and never becomes "now"; neither does what claims to
come from the future.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from agent.link.model import Labels
from agent.link.names import ABSENT_WORD, FUTURE_LIMIT_MS, STALE_INTERVALS
from collector.live.shape import HostColumns, Layout


@dataclass(frozen=True, slots=True)
class LiveCheck:
    """Newest result of a check: 0 ok, 1 warning, 2 critical, 3 unknown; ``since_ms`` by the corrected clock."""

    state: int
    since_ms: int
    text: str
    seq: int = 0


@dataclass(slots=True)
class LiveHost:
    """A host's newest sample. ``words`` are uint64 in the order of ``columns.shape``. Replaced whole, never edited."""

    host: str
    agent_id: bytes
    epoch: bytes
    seq: int
    taken_at_ms: int
    received_at_ms: int
    offset_ms: int
    interval_ms: int
    columns: HostColumns
    words: NDArray[np.uint64]
    checks: Mapping[str, LiveCheck]

    def is_current(self, now_ms: int) -> bool:
        """Whether its numbers may be shown as now: three intervals, by the receiver's clock."""
        return now_ms - self.received_at_ms <= STALE_INTERVALS * self.interval_ms

    def value(self, name: str, **labels: str) -> float | None:
        """The first series of that name that carries these labels, or None."""
        shape = self.columns.shape
        column = shape.first.get(name)
        wanted = set(labels.items())
        while column is not None and column < len(shape.names) and shape.names[column] == name:
            if wanted.issubset(shape.labels[column]) and self.words[column] != ABSENT_WORD:
                return float(self.words[column : column + 1].view(np.float64)[0])
            column += 1
        return None

    def has(self, name: str) -> bool:
        """Whether a series of this name is in its schema."""
        return name in self.columns.shape.first

    def named(self, name: str) -> Iterator[tuple[Labels, float]]:
        """(labels, value) of every series of this name that has a value."""
        shape = self.columns.shape
        column = shape.first.get(name, len(shape.names))
        while column < len(shape.names) and shape.names[column] == name:
            if self.words[column] != ABSENT_WORD:
                yield shape.labels[column], float(self.words[column : column + 1].view(np.float64)[0])
            column += 1

    def series(self) -> Iterator[tuple[str, int, Labels, float]]:
        """(name, type, labels, value) of every series that has a value, in family order."""
        shape = self.columns.shape
        present = self.words != ABSENT_WORD
        for column, value in enumerate(self.words.view(np.float64).tolist()):
            if present[column]:
                yield shape.names[column], shape.types[column], shape.labels[column], value


@dataclass(frozen=True, slots=True)
class LiveAgent:
    """An agent as its reports show it; ``lag_ms`` = age of its newest record when that was received."""

    received_at_ms: int
    offset_ms: int = 0
    lag_ms: int = 0
    epoch: bytes = b""
    interval_ms: int = 0
    """Of the host it reported last; 0 where it has brought nothing current yet."""


REPORT_INTERVAL = "agent_report_interval_seconds"
SHORTEST_SECONDS, LONGEST_SECONDS = 1.0, 3600.0
CHECKS_REMEMBERED = 1_000
"""Of one host beyond those its newest sample names."""
EPOCHS_ORDERED = 100
"""Of one agent: an older one than these counts as new, should it ever be heard again."""


class Live:
    def __init__(self) -> None:
        self.hosts: dict[str, LiveHost] = {}
        self.agents: dict[bytes, LiveAgent] = {}
        self.reports: Counter[tuple[str, str]] = Counter()
        """(site, result) -> records; result: accepted, duplicate, late, future, expired, refused, clash."""
        self.version = 0
        """Grows with every change, so that watchers can tell."""
        self._epochs: dict[bytes, list[bytes]] = {}
        self._remembered: dict[str, dict[str, LiveCheck]] = {}

    def interval_ms(self, host: str) -> int:
        """How often a host reports by its own word; 0 where nothing of it is known."""
        known = self.hosts.get(host)
        return known.interval_ms if known is not None else 0

    def remember(self, host: str, check: str, known: LiveCheck) -> None:
        """What was known of a check before this host's first sample: kept where that sample says the same state.

        From before a restart, or from a state record that overtook the sample.
        """
        of_host = self._remembered.setdefault(host, {})
        if check in of_host or len(of_host) < CHECKS_REMEMBERED:
            of_host[check] = known

    def heard(self, agent_id: bytes, epoch: bytes, received_at_ms: int) -> None:
        """An agent's envelope was committed, whatever was in it."""
        order = self._epochs.setdefault(agent_id, [])
        if epoch not in order:
            order.append(epoch)
            del order[:-EPOCHS_ORDERED]
        known = self.agents.get(agent_id)
        if known is None:
            self.agents[agent_id] = LiveAgent(received_at_ms, epoch=epoch)
        elif received_at_ms > known.received_at_ms:  # by hand: replace() takes 4 us, and every envelope comes by
            self.agents[agent_id] = LiveAgent(received_at_ms, known.offset_ms, known.lag_ms, epoch, known.interval_ms)
        self.version += 1

    def sample(
        self,
        agent_id: bytes,
        epoch: bytes,
        layout: Layout,
        seq: int,
        taken_at_ms: int,
        offset_ms: int,
        words: NDArray[np.uint64],
        received_at_ms: int,
        interval_ms: int,
    ) -> str:
        """Take a committed sample; ``accepted`` where it is now the newest of a host, else ``late`` or ``future``."""
        corrected = taken_at_ms + offset_ms
        lag = received_at_ms - corrected
        if lag < -FUTURE_LIMIT_MS:
            return "future"
        result = "late"
        for columns in layout.hosts:
            own_interval_ms = reported_interval_ms(columns, words, interval_ms)
            before = self.hosts.get(columns.host)
            if lag > STALE_INTERVALS * own_interval_ms:
                continue
            if before is not None and not self._is_newer(agent_id, epoch, seq, corrected, before):
                continue
            self.hosts[columns.host] = LiveHost(
                columns.host,
                agent_id,
                epoch,
                seq,
                corrected,
                received_at_ms,
                offset_ms,
                own_interval_ms,
                columns,
                words[columns.columns],
                self._checks(columns, words, before, epoch, corrected, seq),
            )
            result = "accepted"
        if result == "accepted":
            self.agents[agent_id] = LiveAgent(received_at_ms, offset_ms, max(0, lag), epoch, own_interval_ms)
            self.version += 1
        return result

    def state(
        self,
        agent_id: bytes,
        epoch: bytes,
        seq: int,
        at_ms: int,
        host: str,
        check: str,
        state: int,
        text: str,
        received_at_ms: int,
        interval_ms: int,
    ) -> str:
        """Take a committed state change (``at_ms`` corrected); the same answers as ``sample``."""
        if at_ms - received_at_ms > FUTURE_LIMIT_MS:
            return "future"
        known = self.hosts.get(host)
        if received_at_ms - at_ms > STALE_INTERVALS * (known.interval_ms if known is not None else interval_ms):
            return "late"
        if known is None or known.agent_id != agent_id:
            self.remember(host, check, LiveCheck(state, at_ms, text, seq))
            return "accepted"
        before = known.checks.get(check)
        if before is None and len(known.checks) >= len(known.columns.checks) + CHECKS_REMEMBERED:
            return "refused"
        is_known = before is not None and before.state == state
        newest = max(known.seq, before.seq) if before is not None and known.epoch == epoch else 0
        if newest > seq and before is not None and (before.text or not is_known):
            return "late"
        since = min(before.since_ms, at_ms) if before is not None and is_known else at_ms
        checks = {**known.checks, check: LiveCheck(state, since, text, max(seq, newest))}
        self.hosts[host] = replace(known, checks=checks)
        self.version += 1
        return "accepted"

    def forget(self, keep_hosts: frozenset[str], keep_agents: frozenset[bytes]) -> None:
        """Drop hosts and agents the registry no longer knows."""
        for host in self.hosts.keys() - keep_hosts:
            del self.hosts[host]
        for host in self._remembered.keys() - keep_hosts:
            del self._remembered[host]
        for agent in self.agents.keys() - keep_agents:
            del self.agents[agent]
            self._epochs.pop(agent, None)

    def _is_newer(self, agent_id: bytes, epoch: bytes, seq: int, corrected: int, before: LiveHost) -> bool:
        if before.agent_id != agent_id:
            return True  # the host was bound to another agent; the registry decided
        if before.epoch == epoch:
            return seq > before.seq
        if before.taken_at_ms != corrected:
            return corrected > before.taken_at_ms  # an agent whose disk comes and goes uses two epochs in turn
        order = self._epochs.get(agent_id, [])
        return epoch in order and (before.epoch not in order or order.index(epoch) > order.index(before.epoch))

    def _checks(
        self,
        columns: HostColumns,
        words: NDArray[np.uint64],
        before: LiveHost | None,
        epoch: bytes,
        at_ms: int,
        seq: int,
    ) -> Mapping[str, LiveCheck]:
        if before is None:
            known: Mapping[str, LiveCheck] = self._remembered.pop(columns.host, {})
        elif before.epoch == epoch:
            known = before.checks
        else:  # numbers of another epoch say nothing about order in this one
            known = {check: replace(result, seq=0) for check, result in before.checks.items()}
        return checks_of(columns, words, known, at_ms, seq)


def reported_interval_ms(columns: HostColumns, words: NDArray[np.uint64], default_ms: int) -> int:
    """How often the host is reported, as its agent says (its own file may override the site's profile)."""
    column = columns.shape.first.get(REPORT_INTERVAL)
    if column is None:
        return default_ms
    at = columns.columns[column]
    seconds = float(words[at : at + 1].view(np.float64)[0])
    return int(seconds * 1000) if SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS else default_ms


def checks_of(
    columns: HostColumns, words: NDArray[np.uint64], known: Mapping[str, LiveCheck], at_ms: int, seq: int
) -> Mapping[str, LiveCheck]:
    """A sample's check results: what is as it was keeps its words and its "since"."""
    states = words[columns.check_columns].view(np.float64)
    pairs = list(zip(columns.checks, states.tolist(), strict=True))
    unchanged = (known.get(check) for check, _ in pairs)
    if len(known) == len(pairs) and all(
        old is not None and old.state == state and old.seq < seq
        for old, (_, state) in zip(unchanged, pairs, strict=True)
    ):
        return known
    checks = {}
    for check, value in pairs:
        state = int(value) if value in (0.0, 1.0, 2.0) else 3
        old = known.get(check)
        if old is not None and (old.state == state or old.seq > seq):
            checks[check] = old
        else:
            checks[check] = LiveCheck(state, at_ms, "", seq)
    return checks
