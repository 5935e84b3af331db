"""Reports by the wire, history by its job, completeness by its own: what a site's hours say in the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from centre import NOW_MS, Centre
from sender import Sender, request, schema_of

from agent.link.model import Record, Sample, Schema
from collector.completeness import queries
from collector.completeness.gaps import Gap
from collector.completeness.hours import HOUR_MS, SiteHour
from collector.completeness.job import SETTLE_MS, CompletenessJob
from collector.fleet.tables import sites
from collector.history.job import ChunkJob
from collector.history.reader import History
from collector.store.engine import Store
from collector.telemetry import Telemetry

START = NOW_MS // HOUR_MS * HOUR_MS + HOUR_MS
"""The first whole hour."""
STEP = 60_000
"""The site is on the geo profile."""
PER_HOUR = HOUR_MS // STEP


@dataclass
class Counted:
    store: Store
    centre: Centre = field(init=False)
    spooled: dict[str, int] = field(default_factory=dict)
    """Host -> when the oldest record was taken that its agent keeps."""
    agreed: list[tuple[tuple[str, str], tuple[datetime, datetime]]] = field(default_factory=list)
    """Work, as (kind, id) and from when to when."""

    def __post_init__(self) -> None:
        self.centre = Centre(self.store)
        self.centre.plant()
        with self.store.transaction() as connection:
            connection.execute(sites.update().values(link_profile="geo"))
        self.centre.start()
        self.restart()

    def restart(self) -> None:
        """A new process' view of the same rows."""
        self.centre.registry.refresh()
        self.completeness = CompletenessJob(
            self.store, self.centre.registry, self.spooled.get, lambda _from_at, _to_at: self.agreed
        )
        history = History(self.store, self.centre.registry, raw_days=15)
        self.chunks = ChunkJob(self.store, self.centre.registry, history, Telemetry("test"), self.completeness.count)

    def samples(self, sender: Sender, from_ms: int, count: int, schema: Schema | None = None) -> list[Sample]:
        schema = schema or schema_of(sender.host)
        return [sender.sample(schema, [1.0], from_ms + at * STEP) for at in range(count)]

    def send(
        self,
        sender: Sender,
        samples: Iterable[Sample] = (),
        records: Iterable[Record] = (),
        late_ms: int = 500,
        schema: Schema | None = None,
    ) -> None:
        """Two samples in an envelope, received ``late_ms`` after the second was taken; records after all of them."""
        schemas = [(schema or schema_of(sender.host)).packed]
        for pair in batched(list(samples), 2):
            self.centre.clock.now_ms = pair[-1].taken_at_ms + pair[-1].offset_ms + late_ms
            self._post(sender.envelope(pair, schemas))
        for record in records:
            self._post(sender.envelope([], schemas, [record]))

    def send_at(self, sender: Sender, samples: list[Sample], at_ms: int) -> None:
        """All in one envelope, at an instant."""
        self.centre.clock.now_ms = at_ms
        self._post(sender.envelope(samples, [schema_of(sender.host).packed]))

    def _post(self, envelope: bytes) -> None:
        answer = self.centre.answer(request(envelope))
        assert not answer.envelopes, answer

    def turn(self, at_ms: int) -> None:
        """A checkpoint, all chunks that are due, and a step."""
        self.centre.clock.now_ms = max(self.centre.clock.now_ms, at_ms)
        with self.store.transaction() as connection:
            saved = self.centre.positions.save(connection)
        saved()
        due: datetime | None = moment(at_ms)
        while due is not None:
            due = self.chunks.step(due)
        self.completeness.step(moment(at_ms))

    def settle(self, hours: int = 1) -> None:
        """The end of some hours after ``START``, and the wait until they are judged."""
        self.turn(START + hours * HOUR_MS + SETTLE_MS)

    def hours(self, first: int = 0) -> list[SiteHour]:
        """From the hour ``first`` hours after ``START`` on."""
        with self.store.reading() as connection:
            settled = queries.settled_ms(connection) or 0
            known = queries.site_hours(connection, START + first * HOUR_MS, START + 1000 * HOUR_MS, settled, "abuja")
        return known.get("abuja", [])

    def hour(self, number: int = 0) -> SiteHour:
        """The hour ``number`` hours after ``START``."""
        (found,) = [hour for hour in self.hours(number) if hour.hour_ms == START + number * HOUR_MS]
        return found

    def gaps(self) -> list[Gap]:
        with self.store.reading() as connection:
            return [gap for gaps in queries.all_gaps(connection).values() for gap in gaps]


def batched(samples: list[Sample], size: int) -> Iterator[list[Sample]]:
    return (samples[at : at + size] for at in range(0, len(samples), size))


def moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
