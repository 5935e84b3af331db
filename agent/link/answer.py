"""What a collector answers to envelopes, as JSON (docs/protocol.md, "Answer"); written and read with these structs.

    {"receiver":{"role":"centre","id":"c0ffee…","epoch":"0011223344556677"},
     "envelopes":[{"index":3,"action":"drop","code":"bad_signature","text":"…"}],
     "agents":[{"agent":"<32 hex>","epoch":"<16 hex>","held":[[1,40]],
                "refused":[{"seqs":[[7,7]],"action":"drop","code":"bad_labels","text":"…"}],"receipt":"<base64>",
                "policy":"<8 hex>"}],
     "need_schemas":["<32 hex>"],"now_ms":1790000000000,"nonce":"<hex>",
     "retry_after_seconds":0.0,"backlog_bytes_per_second":0}

Bytes are lower-case hex, the receipt is base64. Fields unknown to this version are ignored when read, so that a newer
receiver may say more.
"""

from __future__ import annotations

import msgspec

from agent.link.ranges import Ranges

DROP, HOLD, RENEW = "drop", "hold", "renew"
"""drop: will never be taken. hold: not now, ask hourly, keep everything. renew: the names are spent, begin a new epoch."""

HUB, CENTRE = "hub", "centre"
MAX_ANSWER_BYTES = 4 << 20


class AnswerError(Exception):
    """What came is not an answer of a collector, whatever its status and type say."""


class Receiver(msgspec.Struct, frozen=True):
    """Who answered. ``epoch`` changes when a receiver begins with an empty store: what it held before is forgotten."""

    role: str
    id: str
    epoch: str


class EnvelopeRefusal(msgspec.Struct, frozen=True, omit_defaults=True):
    """An envelope that was refused whole; ``index`` counts in the request from 0."""

    index: int
    action: str
    code: str
    text: str = ""


class RecordRefusal(msgspec.Struct, frozen=True, omit_defaults=True):
    """Records of one agent and epoch that were refused, as closed ranges of sequence numbers."""

    seqs: list[tuple[int, int]]
    action: str
    code: str
    text: str = ""


class AgentAnswer(msgspec.Struct, frozen=True):
    """What the receiver holds of one agent and epoch after its commit.

    ``held`` covers at least the numbers of this request. ``receipt`` is the centre's, base64, "" where a hub has none.
    ``policy`` is the hint of the agent's newest policy (``agent.link.policy``), "" where there is none.
    """

    agent: str
    epoch: str
    held: list[tuple[int, int]] = []
    refused: list[RecordRefusal] = []
    receipt: str = ""
    policy: str = ""


class Answer(msgspec.Struct, frozen=True):
    """``backlog_bytes_per_second`` 0 = no limit beyond the link profile's; ``retry_after_seconds`` 0 = at once."""

    receiver: Receiver
    now_ms: int
    envelopes: list[EnvelopeRefusal] = []
    agents: list[AgentAnswer] = []
    need_schemas: list[str] = []
    nonce: str = ""
    retry_after_seconds: float = 0.0
    backlog_bytes_per_second: int = 0


write_answer = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Answer).decode


def read_answer(body: bytes) -> Answer:
    """An answer with every field of the expected shape. Raises AnswerError."""
    if len(body) > MAX_ANSWER_BYTES:
        raise AnswerError(f"answer of {len(body)} bytes: expected at most {MAX_ANSWER_BYTES}")
    try:
        answer = _decode(body)
        for agent in answer.agents:
            bytes.fromhex(agent.agent + agent.epoch)
            Ranges(agent.held)
            for refusal in agent.refused:
                Ranges(refusal.seqs)
        bytes.fromhex("".join(answer.need_schemas))
    except (msgspec.MsgspecError, RecursionError, ValueError) as why:
        raise AnswerError(f"answer: {why}") from why
    return answer
