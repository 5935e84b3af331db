"""An agent of the demonstration: the simulator's, with a machine's living numbers instead of unique ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agent.link.model import StateChange, pack_values
from agent.link.names import COUNTER, GAUGE
from agent.link.profile import LinkProfile
from agent.link.spool_record import Draft, SampleDraft, StateDraft
from collector.world.agent import Identity, WorldAgent
from collector.world.clock import BusyClock, Timeline
from collector.world.demo.condition import Condition
from collector.world.demo.machine import WELL, Numbers, Reading
from collector.world.disk import DiskModel
from collector.world.link import Wire

SPOOL_BYTES = 4 << 20
VERSION = "0.2.0"


class DemoAgent(WorldAgent):
    """Speaks for ``numbers``, its own machine first. ``saw``: what the machine saw of others."""

    def __init__(
        self,
        timeline: Timeline,
        identity: Identity,
        centre_key: bytes,
        connect: Callable[[BusyClock], Wire],
        profile: LinkProfile,
        numbers: Sequence[Numbers],
        condition: Condition,
        saw: Callable[[], list[Reading]],
    ) -> None:
        disk = DiskModel(identity.number)

        def exchange(busy: BusyClock) -> Wire:
            self._wire = connect(busy)
            return self._wire

        super().__init__(timeline, identity, centre_key, disk, exchange, profile, SPOOL_BYTES)
        self._numbers = numbers
        self._condition = condition
        self._saw = saw
        self._said: dict[tuple[str, str], int] = {}

    def report(self, count: int = 1) -> None:
        """Append what all its machines say now. Raises PowerGone."""
        del count
        at_ms, offset_ms = self.clock.wall_ms(), self.offset.offset_ms()
        drafts: list[Draft] = [StateDraft(change, at_ms, offset_ms) for change in self._changes()]
        for numbers in self._numbers:
            host = numbers.machine.id
            if host in self._condition.dead_hosts:
                continue
            more = [*self._saw(), *self._own(at_ms)] if host == self.identity.host else []
            more.append(Reading("agent_report_interval_seconds", GAUGE, (), self.profile.interval_seconds))
            schema, values = numbers.next(at_ms, self._condition, self._timeline.now, more)
            drafts.append(SampleDraft(schema, at_ms, offset_ms, pack_values(values)))
        self.spool.append(drafts)

    def _changes(self) -> list[StateChange]:
        found = []
        failing = {
            (numbers.machine.id, check): known
            for numbers in self._numbers
            for check, known in numbers.failing(self._condition, self._timeline.now).items()
        }
        for host, check in [*failing, *(name for name in self._said if name not in failing)]:
            state, text = failing.get((host, check), WELL)
            before = self._said.get((host, check), 0)
            if state != before:
                found.append(StateChange(host, check, state, before, text))
                self._said[host, check] = state
        return found

    def _own(self, at_ms: int) -> list[Reading]:
        figures = self.spool.figures()
        gauges = {
            "agent_spool_records": float(figures.records),
            "agent_spool_bytes": float(figures.bytes),
            "agent_spool_oldest_timestamp_seconds": (figures.oldest_ms or at_ms) / 1000,
            "agent_clock_offset_seconds": self.offset.offset_ms() / 1000,
            "agent_process_resident_memory_bytes": 31e6,
            "agent_spool_on_disk": 1.0,
        }
        return [
            Reading("agent_info", GAUGE, (("version", VERSION),), 1.0),
            Reading("agent_policy_info", GAUGE, (("overridden", ""), ("version", "1")), 1.0),
            *(Reading(name, GAUGE, (), value) for name, value in gauges.items()),
            Reading("agent_records_lost_total", COUNTER, (), float(figures.lost)),
            Reading("agent_link_sent_bytes_total", COUNTER, (), float(self._wire.bytes_sent)),
            Reading("agent_link_received_bytes_total", COUNTER, (), float(self._wire.bytes_received)),
        ]
