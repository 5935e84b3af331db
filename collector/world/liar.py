"""A hub that lies: what it may do to envelopes on their way to the centre, and what it may tell its agents.

It has its own key and everybody's sealed envelopes, and neither the agents' keys nor the centre's.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import msgspec

from agent.link.answer import CENTRE, RENEW, Answer, AnswerError, RecordRefusal, read_answer, write_answer
from agent.link.exchange import Request, Response
from agent.link.keys import SigningKey, new_key
from agent.link.names import ANSWER_TYPE
from agent.link.packing import pack_envelopes, seal
from agent.link.receipt import Receipt, pack_receipt, receipt_text
from agent.link.send_request import ENVELOPES_PATH
from agent.link.wire import open_envelope, open_header, open_request

CLAIMED = 1_000_000
"""It claims to hold every number up to this, and that the centre does."""


class Liar:
    def __init__(self, chance: random.Random) -> None:
        self.lies = 0
        self._chance = chance
        self._key: SigningKey = new_key(chance.randbytes)
        self._seen: list[bytes] = []
        self._moods = random.Random(self._key.public)

    def towards_centre(self, request: Request) -> Request:
        """The request as it passes it on."""
        if request.path != ENVELOPES_PATH or len(request.body) < 2:
            return request
        envelopes = [bytes(raw) for raw in open_request(request.body)]
        self._seen = [*self._seen, *envelopes][-50:]
        self.lies += 1
        lie: Callable[[Sequence[bytes]], Sequence[bytes]] = self._chance.choice(
            (self._altered, self._dropped, self._replayed, self._invented)
        )
        return request._replace(body=pack_envelopes(list(lie(envelopes))))

    def towards_agents(self, response: Response) -> Response:
        """The answer as it words it."""
        if response.content_type != ANSWER_TYPE:
            return response
        try:
            answer = read_answer(response.body)
        except AnswerError:
            return response
        self.lies += 1
        role = self._chance.choice((answer.receiver.role, CENTRE))
        agents = [
            msgspec.structs.replace(
                mine,
                held=[(1, CLAIMED)],
                receipt=self._forged(mine.agent, mine.epoch, answer),
                refused=[*mine.refused, *self._alarm()],
            )
            for mine in answer.agents
        ]
        receiver = msgspec.structs.replace(answer.receiver, role=role)
        return response._replace(body=write_answer(msgspec.structs.replace(answer, receiver=receiver, agents=agents)))

    def _alarm(self) -> list[RecordRefusal]:
        """Now and then: that a copy of the agent is about, and its names are spent."""
        if self._moods.random() > 0.1:
            return []
        return [RecordRefusal([(1, CLAIMED)], RENEW, "fork")]

    def _forged(self, agent: str, epoch: str, answer: Answer) -> str:
        receipt = Receipt(bytes.fromhex(agent), bytes.fromhex(epoch), [(1, CLAIMED)], answer.now_ms)
        return receipt_text(pack_receipt(receipt, self._key.sign))

    def _altered(self, envelopes: Sequence[bytes]) -> Sequence[bytes]:
        changed = bytearray(envelopes[0])
        changed[-1 - self._chance.randrange(8)] ^= 1 << self._chance.randrange(8)
        return [bytes(changed), *envelopes[1:]]

    def _dropped(self, envelopes: Sequence[bytes]) -> Sequence[bytes]:
        return envelopes[1:]

    def _replayed(self, envelopes: Sequence[bytes]) -> Sequence[bytes]:
        return [*envelopes, *self._chance.sample(self._seen, min(5, len(self._seen)))]

    def _invented(self, envelopes: Sequence[bytes]) -> Sequence[bytes]:
        header, _, body = open_envelope(envelopes[0])
        said = open_header(header)
        seqs = [said.last_seq + 1]
        return [*envelopes, seal(said.agent_id, said.key_no, said.epoch, seqs, body, self._key.sign)]
