"""The smallest receiver that keeps the contract, at the exchange port: what it answered for, it holds for ever.

``mood`` may be set to a function (request) that gives another response, a failure, or None to go on as usual.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from still_clock import StillClock

from agent.link import wire
from agent.link.answer import AgentAnswer, Answer, EnvelopeRefusal, Receiver, RecordRefusal, write_answer
from agent.link.exchange import Failure, Request, Response
from agent.link.keys import SigningKey, is_signed, new_key
from agent.link.model import Loss, record_content_hash, sample_content_hash, schema_hash
from agent.link.names import ANSWER_TYPE, ENVELOPE_PREFIX, KIND_LOSS
from agent.link.ranges import Ranges
from agent.link.receipt import Receipt, pack_receipt, receipt_text


class ModelReceiver:
    """``content``: (epoch, seq) -> (hash, taken_at_ms, kind). A centre signs receipts, a hub (no ``centre``) does not."""

    def __init__(self, clock: StillClock, agent_key: bytes, centre: SigningKey | None, ident: str = "centre") -> None:
        self.clock = clock
        self.agent_key = agent_key
        self.centre = centre
        self.receiver = Receiver("centre" if centre else "hub", ident, "00" * 8)
        self.content: dict[tuple[bytes, int], tuple[bytes, int, int]] = {}
        self.losses: dict[bytes, list[Loss]] = {}
        self.schemas: dict[bytes, bytes] = {}
        self.requests: list[Request] = []
        self.enveloped: list[list[int]] = []
        self.duplicates = 0
        self.mood: Callable[[Request], Response | Failure | None] = lambda request: None
        self.refuse: Callable[[int, int], str] = lambda seq, taken_at_ms: ""
        self.seconds = 0.02
        self.skew_ms = 0
        self.answers = Answer(self.receiver, 0)

    def __call__(self, request: Request) -> Response | Failure:
        self.requests.append(request)
        self.clock.pass_(self.seconds)
        return self.mood(request) or self.take(request)

    def take(self, request: Request) -> Response:
        if request.path == "/v1/schemas":
            for packed in msgspec.msgpack.decode(request.body):
                self.schemas[schema_hash(packed)] = packed
            return self.answer([], {}, {})
        refusals: list[EnvelopeRefusal] = []
        refused: dict[tuple[bytes, bytes], list[RecordRefusal]] = {}
        touched: dict[tuple[bytes, bytes], None] = {}
        for index, packed in enumerate(wire.open_request(request.body)):
            head, signature, body = wire.open_envelope(packed)
            header = wire.open_header(head)
            assert is_signed(ENVELOPE_PREFIX + head + body, signature, self.agent_key)
            opened = wire.open_body(body, header)
            new = self.read(opened, header)
            self.enveloped.append([seq for seq, *_ in new])
            codes = {code for seq, _, taken, _ in new if (code := self.refuse(seq, taken))}
            if codes:
                refusals.append(EnvelopeRefusal(index, "drop", codes.pop()))
                continue
            touched[header.agent_id, header.epoch] = None
            forks = [s for s, h, *_ in new if self.content.get((header.epoch, s), (h,))[0] != h]
            if forks:
                spans = [(s, s) for s in forks]
                refused.setdefault((header.agent_id, header.epoch), []).append(RecordRefusal(spans, "renew", "fork"))
            self.schemas.update({schema_hash(packed): packed for packed in opened.schemas})
            for seq, content, taken, kind in new:
                self.duplicates += (header.epoch, seq) in self.content
                self.content.setdefault((header.epoch, seq), (content, taken, kind))
        return self.answer(refusals, refused, touched)

    def read(self, body: wire.Body, header: wire.Header) -> list[tuple[int, bytes, int, int]]:
        found = []
        for block in body.blocks:
            rows = wire.decode_columns(block.columns, len(block.seqs))
            for seq, taken, offset, row in zip(block.seqs, block.taken_at_ms, block.offset_ms, rows, strict=True):
                found.append((seq, sample_content_hash(block.schema_hash, taken, offset, row), taken, 1))
        for raw in body.records:
            record = wire.open_record(raw, header)
            found.append((record.seq, record_content_hash(record.kind, record.packed), record.taken_at_ms, record.kind))
            if record.kind == KIND_LOSS:
                self.losses.setdefault(header.epoch, []).append(Loss(*record.data[0], record.data[1]))
        return found

    def held(self, epoch: bytes) -> Ranges:
        return Ranges((seq, seq) for e, seq in self.content if e == epoch)

    def answer(self, refusals, refused, touched) -> Response:
        agents = []
        for agent_id, epoch in touched:
            held = [(a, b) for a, b in self.held(epoch)]
            receipt = ""
            if self.centre is not None:
                packed = pack_receipt(Receipt(agent_id, epoch, held, self.clock.wall_ms()), self.centre.sign)
                receipt = receipt_text(packed)
            agents.append(AgentAnswer(agent_id.hex(), epoch.hex(), held, refused.get((agent_id, epoch), []), receipt))
        answer = msgspec.structs.replace(
            self.answers,
            receiver=self.receiver,
            now_ms=self.clock.wall_ms() + self.skew_ms,
            envelopes=refusals,
            agents=agents,
        )
        return Response(200, ANSWER_TYPE, write_answer(answer))


def fresh_keys() -> tuple[SigningKey, SigningKey]:
    """(an agent's, the centre's)"""
    return new_key(), new_key()
