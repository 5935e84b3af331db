"""What the records beside samples say: states of checks, declared losses. Hostile until read here."""

from __future__ import annotations

import msgspec

from agent.link.model import Loss, Record, StateChange
from agent.link.names import KIND_LOSS, KIND_STATE, Limits
from agent.link.wire import WireError
from collector.fleet.registry import Agent
from collector.live.shape import is_check_name

_LOSS = tuple[tuple[int, int], str]
_STATE = tuple[str, str, int, int, str]
_BAD = (msgspec.ValidationError, TypeError, ValueError, LookupError)
TEXT_CHARS = 1_000
"""Of a check's words; the record itself is kept as it came."""
REASON_CHARS = 64


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
        return Loss(first, last, plain(reason, REASON_CHARS))
    except _BAD as why:
        raise WireError("malformed", f"loss record {record.seq}: {why}") from why


def plain(text: str, most: int) -> str:
    """Words of an agent as people, terminals and databases can take them: no control characters, and not too many."""
    if len(text) > most:
        text = f"{text[: most - 1]}…"
    return text if text.isprintable() else "".join(each if each.isprintable() else " " for each in text)
