"""What a request is told after its commit: who refused what and why, what is held, and the centre's receipt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from agent.link.answer import AgentAnswer, Answer, EnvelopeRefusal, Receiver, RecordRefusal
from agent.link.receipt import Receipt, pack_receipt, receipt_text
from collector.fleet.registry import Fleet
from collector.intake.work import Work
from collector.log.positions import Name


class Custody(Protocol):
    """What a hub hands down besides receipts: what the centre refused for ever."""

    def refused(self, name: Name) -> list[RecordRefusal]: ...


@dataclass(frozen=True, slots=True)
class Answering:
    """Who answers. ``sign`` is the centre's key; a hub has none to give, and hands down what is in ``custody``."""

    receiver: Receiver
    sign: Callable[[bytes], bytes] | None
    custody: Custody | None = None

    def receipt(self, name: Name, held: list[tuple[int, int]], now_ms: int, work: Work) -> str:
        if self.sign is None:
            return work.receipts.get(name, "")
        return receipt_text(pack_receipt(Receipt(*name, held, now_ms), self.sign)) if held else ""

    def refused(self, name: Name) -> list[RecordRefusal]:
        return self.custody.refused(name) if self.custody is not None else []


def answer(work: Work, answering: Answering, fleet: Fleet, now_ms: int, nonce: str, slowed: int = 0) -> Answer:
    """The answer to one committed request. Everything it says is held was committed: a receipt is a promise.
    ``slowed``: bytes a second that the backlog may bring for now, 0 = as many as the line carries."""
    ranges: dict[Name, set[tuple[int, int]]] = {}
    refused: dict[Name, list[RecordRefusal]] = {}
    missing: dict[bytes, None] = dict.fromkeys(work.wanted)
    for outcome in work.outcomes:
        header = outcome.envelope.header
        ranges.setdefault((header.agent_id, header.epoch), set()).update(outcome.ranges)
        missing.update(dict.fromkeys(outcome.envelope.missing))
    for refusal in work.refused:
        name = refusal.name
        if name is not None and refusal.header is not None:
            span = [(refusal.header.first_seq, refusal.header.last_seq)]
            refused.setdefault(name, []).append(RecordRefusal(span, refusal.action, refusal.code, refusal.text))
            ranges.setdefault(name, set(work.held.get(name, ())))
    return Answer(
        receiver=answering.receiver,
        now_ms=now_ms,
        envelopes=[
            EnvelopeRefusal(r.index, r.action, r.code, r.text) for r in sorted(work.refused, key=lambda r: r.index)
        ],
        agents=[
            AgentAnswer(
                name[0].hex(),
                name[1].hex(),
                held,
                refused.get(name, []) + answering.refused(name),
                answering.receipt(name, held, now_ms, work),
                policy_of(fleet, name[0]),
            )
            for name, found in ranges.items()
            for held in (sorted(found),)
        ],
        need_schemas=[schema.hex() for schema in missing],
        nonce=nonce,
        backlog_bytes_per_second=slowed,
    )


def policy_of(fleet: Fleet, agent_id: bytes) -> str:
    """The hint of an agent's newest policy."""
    agent = fleet.agents.get(agent_id)
    return agent.policy[1] if agent is not None else ""
