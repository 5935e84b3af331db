"""What goes first when the spool is full (docs/protocol.md, "Spool"). Pure.

In this order, oldest first each: what a hub holds already; samples, which become five-minute roll-ups; those, which
become hourly ones; what cannot be put together any further, declared lost; and only when none of these are left, states
and losses. The segment being written and the one that tells the next number stay: the newest is the product.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from agent.link.model import Sample
from agent.link.names import KIND_ROLLUP
from agent.link.ranges import Ranges
from agent.link.rollup import RollUp, counters_of, merge, roll_up, rollup_of
from agent.link.spool_part import HOURS, MINUTES, SAMPLES, STATES, Part
from agent.link.spool_record import ENTRUSTED, RollUpDraft, Spooled, schema_of

MINUTES_MS, HOURS_MS = 300_000, 3_600_000
STATES_RATIO = 0.1
"""Of the spool's limit, kept free for states, so that samples cannot crowd out a change of state."""
WORTH_RATIO = 7 / 8
"""A roll-up must take less of its segment than this."""


class Move(NamedTuple):
    """Take a segment away: ``into`` says what it is rolled up to (a step in ms), 0 = given up and declared lost."""

    part: Part
    into: int
    reason: str


def moves(parts: Iterable[Part], lent: set[bytes], done: Ranges, held: Ranges, reason: str) -> Iterator[Move]:
    """What may go, in order. ``parts`` are sealed; ``lent``: schemas other segments need of them; ``done``: numbers
    settled, lost or rolled up; ``held``: numbers a hub holds.
    """
    oldest_first = sorted(parts, key=lambda part: (bool(part.schemas & lent), part.age_order))
    measured = [part for part in oldest_first if part.family != STATES]
    known = Ranges([*done, *held])
    for part in (*measured, *oldest_first) if held else ():
        if all(known.covers(*span) for span in part.seqs):
            yield Move(part, 0, ENTRUSTED)
    for family, step in ((SAMPLES, MINUTES_MS), (MINUTES, HOURS_MS)):
        for part in measured:
            if part.family == family and not part.is_flat:
                yield Move(part, step, "")
    flat = [part for part in measured if part.family == HOURS or part.is_flat]
    for part in (*flat, *measured, *(part for part in oldest_first if part.family == STATES)):
        yield Move(part, 0, reason)


def is_over(samples_bytes: int, states_bytes: int, limit: int) -> bool:
    return samples_bytes + states_bytes > limit or samples_bytes > limit * (1 - STATES_RATIO)


def family_of(record: Spooled) -> str:
    if isinstance(record, Sample):
        return SAMPLES
    if record.kind != KIND_ROLLUP:
        return STATES
    rollup = rollup_of(record)
    return MINUTES if rollup is not None and rollup.ended_ms - rollup.began_ms < MINUTES_MS else HOURS


def rolled_up(
    records: Sequence[Spooled], schemas: Mapping[bytes, bytes], step_ms: int, last_values: dict[bytes, bytes]
) -> list[RollUpDraft]:
    """Samples, or roll-ups, of one segment put together by schema and step of corrected time, in their order.

    ``schemas``: packed, by hash. ``last_values``: by schema, the values before the first; kept up to date.
    A roll-up's own number is among those its successor stands for.
    """
    groups: dict[tuple[bytes, int], list[Spooled]] = {}
    for record in records:
        needed = schema_of(record)
        assert needed is not None
        groups.setdefault((needed, (record.taken_at_ms + record.offset_ms) // step_ms), []).append(record)
    drafts = []
    for (needed, _), group in groups.items():
        counters = counters_of(schemas[needed])
        samples = [record for record in group if isinstance(record, Sample)]
        if samples:
            made = roll_up(samples, counters, last_values.get(needed, b""))
            last_values[needed] = samples[-1].values
        else:
            made = _merged(group, counters)
        drafts.append(RollUpDraft(made, group[-1].taken_at_ms, group[-1].offset_ms))
    return drafts


def _merged(group: Sequence[Spooled], counters: Sequence[bool]) -> RollUp:
    found = [(record.seq, rollup) for record in group if (rollup := rollup_of(record)) is not None]
    whole = merge([rollup for _, rollup in found], counters)
    own = [(seq, seq) for seq, _ in found]
    return whole._replace(replaces=Ranges(sorted([*whole.replaces, *own])))
