"""Many senders by the book: they keep what is not acknowledged, and every value is unique in the whole run."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from time import monotonic
from urllib.parse import urlsplit

from sender import Sender, request
from sqlalchemy import insert

from agent.link.answer import Answer, read_answer
from agent.link.clock import SystemClock, Waiter
from agent.link.names import ANSWER_TYPE
from agent.link.ranges import Ranges
from collector.fleet.registry import bump_version
from collector.fleet.tables import agent_keys, agents, hosts
from collector.store.engine import Store
from collector.store.schema import instant

WORKERS = 5
SENDERS_EACH = 4
BEAT_SECONDS = 0.1
"""Each sender reports ten times a second: 200 reports a second in all, as long as the collector keeps up."""
AT_ONCE = 200


@dataclass
class Member:
    """One sender; ``number`` makes its values its own. Only its worker's thread touches it."""

    number: int
    sender: Sender
    waiting: list[bytes] = field(default_factory=list)
    acknowledged: Ranges = field(default_factory=Ranges)

    def value(self, seq: int) -> float:
        return float(self.number * 1_000_000 + seq)

    def report(self) -> None:
        value = self.value(self.sender.seq + 1)
        self.waiting.append(self.sender.report(SystemClock().wall_ms(), value))

    def hear(self, answer: Answer, sent: int) -> None:
        assert not answer.envelopes, answer.envelopes
        (told,) = answer.agents
        for first, last in told.held:
            self.acknowledged.add(first, last)
        del self.waiting[:sent]


def enrol(store: Store, senders: Iterable[Sender]) -> None:
    """Rows of agents, as an enrolment makes them."""
    at = instant(SystemClock().wall_ms())
    with store.transaction() as connection:
        for sender in senders:
            row = {"id": sender.agent_id, "site": "local", "host": sender.host, "status": "active"}
            connection.execute(insert(agents), {**row, "enrolled_at": at, "status_at": at})
            key = {"agent_id": sender.agent_id, "key_no": 1, "public_key": sender.key.public, "created_at": at}
            connection.execute(insert(agent_keys), key)
            name = sender.host.removesuffix(".local")
            host = {"id": sender.host, "name": name, "site": "local", "agency": "local", "managed_by": "enrolment"}
            connection.execute(insert(hosts), {**host, "agent_id": sender.agent_id})
        bump_version(connection)


class Crowd:
    def __init__(self) -> None:
        self.members = [Member(n, Sender(f"h{n}.local")) for n in range(WORKERS * SENDERS_EACH)]
        self.answers = 0
        self.refused = 0
        self.seconds = 0.0
        """How long a collector was there to talk to."""
        self._mistakes: list[BaseException] = []

    @property
    def records(self) -> int:
        return sum(member.sender.seq for member in self.members)

    def talk(self, url: str, seconds: float, reports: bool = True) -> None:
        """All report on their beat until the time is over or nobody answers any more."""
        started = monotonic()
        workers = [
            threading.Thread(target=self._work, args=(url, self.members[n::WORKERS], started + seconds, reports))
            for n in range(WORKERS)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        self.seconds += monotonic() - started
        if self._mistakes:
            raise self._mistakes[0]

    def drain(self, url: str) -> None:
        """One more report of each, and everything waiting is sent."""
        self.talk(url, 0.0)
        while any(member.waiting for member in self.members):
            self.talk(url, 0.0, reports=False)

    def _work(self, url: str, mine: list[Member], until: float, reports: bool) -> None:
        line = Line(url)
        try:
            while True:
                beat = monotonic() + BEAT_SECONDS
                for member in mine:
                    if reports:
                        member.report()
                for member in mine:
                    if member.waiting and not self._send(line, member):
                        return
                if beat >= until:
                    return
                Waiter().wait(beat - monotonic())
        except BaseException as why:  # noqa: BLE001 -- a thread's end is nobody's failure unless it is carried over
            self._mistakes.append(why)
        finally:
            line.close()

    def _send(self, line: Line, member: Member) -> bool:
        bundle = member.waiting[:AT_ONCE]
        answered = line.post("/v1/envelopes", request(*bundle))
        if answered is None:
            return False
        status, kind, body = answered
        if (status, kind) != (200, ANSWER_TYPE):
            assert status == 503, (status, body)
            self.refused += 1
            return True
        self.answers += 1
        member.hear(read_answer(body), len(bundle))
        return True


class Line:
    """One kept connection."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)

    def post(self, path: str, body: bytes) -> tuple[int, str, bytes] | None:
        """(status, content type, body), None where the other side is gone."""
        try:
            self._connection.request("POST", path, body)
            answer = self._connection.getresponse()
            return answer.status, answer.getheader("content-type", ""), answer.read()
        except (OSError, http.client.HTTPException):
            return None

    def close(self) -> None:
        self._connection.close()
