"""What the sender knows of one collector, and which collector it uses.

Collectors are listed in order, the hub first, the centre next. The first that is neither gone nor asked us to hold is
used. One is gone after two failures in a row; it is asked now and then with an empty request, and used again as soon
as it answers. Records that both took are one record.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agent.link.answer import CENTRE, Receiver
from agent.link.backoff import backoff_seconds
from agent.link.clock import Chance
from agent.link.ranges import Ranges

GONE_AFTER_FAILURES = 2
HOLD_SECONDS = AWAY_SECONDS = 3600.0
RENEWALS_AN_HOUR = 3
"""On a hub's word; after that it is left for an hour, and the next collector is asked."""
SHED_SECONDS = 300.0
"""A collector that only ever says it is too busy is not gone for so long: its agents would swamp the next one."""


class CollectorLink:
    """``held``, ``sent`` and ``refused``: numbers by epoch, as this receiver said and as this process sent them to it.

    ``key_at``: which of the agent's keys it takes, 0 the newest; ``newest_key_at``: when the newest is tried again.
    ``policy_hint``: the policy it names.
    """

    def __init__(self, url: str, *, is_last: bool = True) -> None:
        """``is_last``: the last of the list, where the centre stands."""
        self.url = url
        self._is_last = is_last
        self.failures = 0
        self.failing_since: float | None = None
        self.ready_at = 0.0
        self.hold_code = ""
        self.is_greeted = False
        self.receiver: Receiver | None = None
        self.held: dict[bytes, Ranges] = {}
        self.sent: dict[bytes, Ranges] = {}
        self.refused: dict[bytes, Ranges] = {}
        self.key_at = 0
        self.newest_key_at = 0.0
        self.policy_hint = ""
        self.shedding_since: float | None = None
        self._renewed_at: list[float] = []
        self.known_schemas: set[tuple[bytes, bytes]] = set()
        self.wanted_schemas: list[bytes] = []
        self.last_answer_ms = 0
        self.last_trouble = ""

    @property
    def is_gone(self) -> bool:
        return self.failures >= GONE_AFTER_FAILURES

    def is_away(self, now: float) -> bool:
        """Whether it has not answered for so long that it may be out of reach for good."""
        return self.failing_since is not None and now - self.failing_since > AWAY_SECONDS

    @property
    def is_centre(self) -> bool:
        """Whether its refusals end records. Its word alone proves nothing: a hub may call itself the centre."""
        return self._is_last and self.receiver is not None and self.receiver.role == CENTRE

    def meet(self, receiver: Receiver) -> bool:
        """Another receiver, or the same with an empty store, holds nothing of what the former one held: then True."""
        self.failures, self.hold_code, self.is_greeted, self.last_trouble = 0, "", True, ""
        self.shedding_since = self.failing_since = None
        if receiver == self.receiver:
            return False
        self.receiver = receiver
        self.key_at = 0
        self.held.clear()
        self.sent.clear()
        self.refused.clear()
        self.known_schemas.clear()
        return True

    def fail(self, now: float, chance: Chance, text: str, retry_after_seconds: float = 0.0) -> None:
        self.failures += 1
        self.failing_since = now if self.failing_since is None else self.failing_since
        self.last_trouble = text
        self.ready_at = now + max(backoff_seconds(self.failures, chance), retry_after_seconds)

    def shed(self, now: float, chance: Chance, text: str, retry_after_seconds: float) -> None:
        """It is too busy for now and said so: wait as asked, and a moment more, so that not all come back at once."""
        self.shedding_since = now if self.shedding_since is None else self.shedding_since
        if now - self.shedding_since > SHED_SECONDS:
            self.fail(now, chance, text, retry_after_seconds)
            return
        self.last_trouble = text
        self.ready_at = now + retry_after_seconds + backoff_seconds(3, chance)

    def hold(self, now: float, code: str, seconds: float = HOLD_SECONDS) -> None:
        self.hold_code = code
        self.ready_at = now + seconds

    def end_hold(self, now: float, code: str) -> None:
        """Where it is held for this reason, it may be used again."""
        if self.hold_code == code:
            self.hold_code, self.ready_at = "", now

    def may_renew(self, now: float) -> bool:
        """Whether it is believed that our names are spent. The centre always; a hub may be wrong or altered, and each new
        epoch writes the whole spool anew."""
        if self.is_centre:
            return True
        self._renewed_at = [at for at in self._renewed_at if now - at < HOLD_SECONDS]
        if len(self._renewed_at) >= RENEWALS_AN_HOUR:
            return False
        self._renewed_at.append(now)
        return True

    def note_sent(self, epoch: bytes, seqs: Sequence[int]) -> None:
        sent = self.sent.setdefault(epoch, Ranges())
        for seq in seqs:
            sent.add(seq)

    def note_held(self, epoch: bytes, ranges: Sequence[tuple[int, int]]) -> None:
        held = self.held.setdefault(epoch, Ranges())
        for span in self.own(epoch, ranges):
            held.add(*span)

    def own(self, epoch: bytes, ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
        """Of these only what we sent it ourselves: a copied machine's records may stand there under our numbers."""
        sent = self.sent.get(epoch)
        return list(sent.shared(ranges)) if sent is not None else []

    def holds(self, epoch: bytes) -> Ranges:
        return self.held.get(epoch) or Ranges()

    def refuses(self, epoch: bytes) -> Ranges:
        """What it said it will never take; kept for the centre to decide."""
        return self.refused.get(epoch) or Ranges()

    def forget_epoch(self, epoch: bytes) -> None:
        for numbers in (self.held, self.sent, self.refused):
            numbers.pop(epoch, None)


def choose(collectors: Sequence[CollectorLink]) -> CollectorLink:
    """The one to use now; its ``ready_at`` may still lie ahead."""
    usable = [collector for collector in collectors if not collector.hold_code]
    for collector in usable:
        if not collector.is_gone:
            return collector
    return min(collectors, key=lambda collector: collector.ready_at)  # who asked to hold is asked when its time is over


def missed(collectors: Sequence[CollectorLink], used: CollectorLink, now: float) -> CollectorLink | None:
    """A better one that should be asked whether it is back."""
    for collector in collectors:
        if collector is used:
            return None
        if collector.ready_at <= now:
            return collector
    return None
