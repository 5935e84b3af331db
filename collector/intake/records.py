"""What the records beside samples say: states of checks, declared losses, roll-ups. Hostile until read here."""

from __future__ import annotations

import msgspec

from agent.link.model import Loss, Record, StateChange
from agent.link.names import KIND_LOSS, KIND_ROLLUP, KIND_STATE, Limits
from agent.link.rollup import RollUp, rollup_of
from agent.link.wire import WireError
from collector.fleet.registry import Agent
from collector.live.shape import is_check_name

_LOSS = tuple[tuple[int, int], str]
_STATE = tuple[str, str, int, int, str]
_ROLLUP = tuple[tuple[int, int], bytes, int, int, bytes, bytes, bytes, bytes, bytes, bytes]
_SPANS = list[tuple[int, int]]
_BAD = (msgspec.ValidationError, TypeError, ValueError, LookupError)
TEXT_CHARS = 1_000
"""Of a check's words; the record itself is kept as it came."""
REASON_CHARS = 64
EXPIRED, ROLLED_UP, REFUSED = "expired", "rolled_up", "refused"
"""Reasons that only we give; an agent that declares a loss by such a word declares a loss."""
DECLARED = "declared"


def check_record(record: Record, agent: Agent, limits: Limits) -> None:
    """Refuse a state of a foreign host or a loss that names no range. Raises WireError."""
    if record.kind == KIND_STATE:
        change = state_change(record)
        if change.host not in agent.hosts:
            raise WireError("bad_labels", f"state of host {change.host!r}, which is not bound to this agent")
        if not 0 <= change.state <= 3 or not is_check_name(change.check, limits):
            raise WireError("bad_labels", f"state {change.state} of check {change.check[:80]!r}")
    elif record.kind == KIND_LOSS:
        loss = declared_loss(record)
        if not 1 <= loss.first <= loss.last <= record.seq:
            raise WireError("malformed", f"loss of {loss.first}..{loss.last} in record {record.seq}")
    elif record.kind == KIND_ROLLUP:
        rollup = roll_up(record)
        first, last = rollup.replaces.as_lists()[0][0], rollup.replaces.last
        if not 1 <= first <= last < record.seq:
            raise WireError("malformed", f"roll-up of {first}..{last} in record {record.seq}")


def state_change(record: Record) -> StateChange:
    """Data of kind 2. Fields past the fifth are left to later versions. Raises WireError."""
    try:
        host, check, state, previous, text = msgspec.convert(record.data[:5], _STATE)
        return StateChange(host, check, state, previous, plain(text, TEXT_CHARS))
    except _BAD as why:
        raise WireError("malformed", f"state record {record.seq}: {why}") from why


def declared_loss(record: Record) -> Loss:
    """Data of kind 4. Raises WireError."""
    try:
        (first, last), reason = msgspec.convert(record.data[:2], _LOSS)
        words = plain(reason, REASON_CHARS)
        return Loss(first, last, DECLARED if words in (EXPIRED, ROLLED_UP) else words)
    except _BAD as why:
        raise WireError("malformed", f"loss record {record.seq}: {why}") from why


def roll_up(record: Record) -> RollUp:
    """Data of kind 3. Whether it fits its schema is another question. Raises WireError."""
    try:
        msgspec.convert(record.data[:10], _ROLLUP)
        if len(record.data) > 10:
            msgspec.convert(record.data[10], _SPANS)
        found = rollup_of(record)
    except _BAD as why:
        raise WireError("malformed", f"roll-up record {record.seq}: {why}") from why
    if found is None or not found.replaces:
        raise WireError("malformed", f"roll-up record {record.seq}: it stands for no numbers")
    return found


def replaced(record: Record) -> tuple[list[tuple[int, int]], str]:
    """Ranges of numbers that will not come because of this record, and why; none for most kinds. Raises WireError."""
    if record.kind == KIND_LOSS:
        loss = declared_loss(record)
        return [(loss.first, loss.last)], loss.reason
    if record.kind == KIND_ROLLUP:
        return list(roll_up(record).replaces), ROLLED_UP
    return [], ""


def time_of(record: Record) -> int:
    """When it happened, corrected: a roll-up is as young as the last sample in it. Raises WireError."""
    if record.kind == KIND_ROLLUP:
        return roll_up(record).ended_ms
    return record.taken_at_ms + record.offset_ms


def plain(text: str, most: int) -> str:
    """Words of an agent as people, terminals and databases can take them: no control characters, and not too many."""
    if len(text) > most:
        text = f"{text[: most - 1]}…"
    return text if text.isprintable() else "".join(each if each.isprintable() else " " for each in text)
