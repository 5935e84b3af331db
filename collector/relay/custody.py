"""What the centre said of each agent's records, for handing down: its newest receipt, and what it refused for ever.

Nothing is believed here but the centre's signature. A hub signs no receipt, so where the centre said nothing yet, the
answer to an agent holds none, and the agent deletes nothing.

A receipt is handed down only where the centre took each number it covers from this hub's own rows, as far as they are
held here. Otherwise a copied machine's records may stand at the centre under the numbers of rows that still wait here:
the agent would delete what the centre will refuse as a fork.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select

from agent.link.answer import RENEW, RecordRefusal
from agent.link.ranges import Ranges
from agent.link.receipt import Receipt, ReceiptError, open_receipt
from collector.log.positions import Name
from collector.relay.tables import receipts, relay_refusals

REFUSALS_KEPT = 200
"""Of one agent and epoch; the oldest are told no more, here and in rows. Forks are all kept: they hold receipts back, and end
their epoch."""


@dataclass(frozen=True, slots=True)
class Word:
    """A receipt as it came and as it reads."""

    text: str
    receipt: Receipt

    @property
    def name(self) -> Name:
        return self.receipt.agent_id, self.receipt.epoch


@dataclass(frozen=True, slots=True)
class Refusal:
    """Numbers of one name that the centre will never take."""

    name: Name
    first: int
    last: int
    action: str
    code: str
    text: str


@dataclass(slots=True)
class News:
    """What one answer of the centre brought, to be kept in one transaction."""

    words: dict[Name, Word] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    taken: list[tuple[Name, Sequence[int]]] = field(default_factory=list)
    """Numbers of rows that are settled and were no fork."""


class Custody:
    """Read by whoever answers agents, written by the relay's thread."""

    def __init__(self, centre_key: bytes) -> None:
        self._centre_key = centre_key
        self._lock = threading.Lock()
        self._words: dict[Name, Word] = {}
        self._refusals: dict[Name, list[Refusal]] = {}
        self._taken: dict[Name, Ranges] = {}
        """Numbers the centre accounted for in its answer to the very rows that brought them here."""
        self._is_recalled = True
        """Whether that is known of all rows."""

    # ------------------------------------------------------------ for answers

    def receipt(self, name: Name, held: Ranges) -> str:
        """The newest, "" where there is none to hand down. ``held``: the numbers this hub holds of it."""
        word = self._words.get(name)
        if word is None or not self._is_recalled:
            return ""
        with self._lock:
            taken = self._taken.get(name) or Ranges()
            waiting = (gap for span in word.receipt.ranges for gap in taken.gaps(*span))
            return "" if any(True for _ in held.shared(waiting)) else word.text

    def refused(self, name: Name) -> list[RecordRefusal]:
        """By action and code, in the newest words: it goes down a thin line with every answer."""
        together: dict[tuple[str, str], tuple[Ranges, str]] = {}
        for one in self._refusals.get(name, ()):
            seqs, _ = together.get((one.action, one.code), (Ranges(), ""))
            seqs.add(one.first, one.last)
            together[one.action, one.code] = seqs, one.text
        return [RecordRefusal(list(seqs), action, code, text) for (action, code), (seqs, text) in together.items()]

    # ------------------------------------------------------------ for the relay

    def open(self, text: str, agent_id: bytes) -> Word:
        """A receipt whose signature holds. Raises ReceiptError."""
        return Word(text, open_receipt(text, self._centre_key, agent_id))

    def restore(self, connection: Connection) -> None:
        with self._lock:
            self._words.clear()
            self._refusals.clear()
            for row in connection.execute(select(receipts)):
                try:
                    self._words[row.agent_id, row.epoch] = self.open(row.text, row.agent_id)
                except ReceiptError:  # of another centre, before this hub joined anew: worth nothing now
                    continue
            for row in connection.execute(select(relay_refusals).order_by(relay_refusals.c.at_ms)):
                name = (row.agent_id, row.epoch)
                refusal = Refusal(name, row.first_seq, row.last_seq, row.action, row.code, row.text)
                self._refusals.setdefault(name, []).append(refusal)

    def recall(self, held: Iterable[tuple[Name, Ranges]]) -> None:
        """Begin to know again what the centre took: of what is held, all but the numbers of rows that wait or were forks.
        Until ``recalled`` nothing is handed down."""
        with self._lock:
            self._is_recalled = False
            self._taken = {name: numbers.copy() for name, numbers in held}

    def leave_out(self, waiting: Mapping[Name, Ranges]) -> None:
        """The numbers of rows that wait."""
        with self._lock:
            for name, numbers in waiting.items():
                taken = self._taken.get(name) or Ranges()
                for span in numbers:
                    taken.remove(*span)

    def recalled(self) -> None:
        """All that waits was left out."""
        with self._lock:
            for refusal in (one for kept in self._refusals.values() for one in kept if one.action == RENEW):
                self._taken.setdefault(refusal.name, Ranges()).remove(refusal.first, refusal.last)
            self._is_recalled = True

    def forget(self, connection: Connection) -> None:
        """The centre lost what it had: its former words say nothing about what must be sent."""
        connection.execute(delete(receipts))
        with self._lock:
            self._words.clear()
            self._taken.clear()

    @property
    def names(self) -> set[Name]:
        """Of whom anything is remembered."""
        with self._lock:
            return {*self._words, *self._refusals}

    def drop(self, connection: Connection, names: Iterable[Name]) -> None:
        """Forget what the centre said of epochs that are over, inside the caller's transaction."""
        for agent_id, epoch in names:
            for table in (receipts, relay_refusals):
                connection.execute(delete(table).where(table.c.agent_id == agent_id, table.c.epoch == epoch))

    def lose_sight_of(self, names: Iterable[Name]) -> None:
        """The same in memory, once that is committed. What was taken stays known: it is held for ever, too."""
        with self._lock:
            for name in names:
                self._words.pop(name, None)
                self._refusals.pop(name, None)

    def keep(self, connection: Connection, news: News, at_ms: int) -> None:
        """Write what is newer than what is known, inside the caller's transaction."""
        for name, word in self._newer(news).items():
            connection.execute(delete(receipts).where(receipts.c.agent_id == name[0], receipts.c.epoch == name[1]))
            row = {"agent_id": name[0], "epoch": name[1], "text": word.text, "at_ms": word.receipt.at_ms}
            connection.execute(insert(receipts), row)
        gone = [refusal for refusal in self._settled(news) if refusal not in news.refusals]
        for refusal in (*gone, *news.refusals):
            connection.execute(delete(relay_refusals).where(_is(refusal)))
        for refusal in news.refusals:
            connection.execute(insert(relay_refusals), _row(refusal, at_ms))
        for name in {refusal.name for refusal in news.refusals}:
            kept = {(one.first, one.last) for one in self._after(name, news, gone)}
            for refusal in {*self._refusals.get(name, ()), *news.refusals}:
                if refusal.name == name and (refusal.first, refusal.last) not in kept:
                    connection.execute(delete(relay_refusals).where(_is(refusal)))

    def learn(self, news: News) -> None:
        """The same in memory, once that is committed."""
        with self._lock:
            gone = self._settled(news)
            for name, seqs in news.taken:
                numbers = self._taken.setdefault(name, Ranges())
                for seq in seqs:
                    numbers.add(seq)
            for name, word in self._newer(news).items():
                self._words[name] = word
            for name in {refusal.name for refusal in (*gone, *news.refusals)}:
                self._refusals[name] = self._after(name, news, gone)

    def _after(self, name: Name, news: News, gone: Sequence[Refusal]) -> list[Refusal]:
        """Refusals of a name once the news are taken in, the oldest first."""
        kept = [one for one in self._refusals.get(name, ()) if one not in gone and one not in news.refusals]
        kept += [one for one in news.refusals if one.name == name]
        latest = {id(one) for one in [one for one in kept if one.action != RENEW][-REFUSALS_KEPT:]}
        return [one for one in kept if one.action == RENEW or id(one) in latest]

    def _newer(self, news: News) -> dict[Name, Word]:
        known = self._words
        return {
            name: word
            for name, word in news.words.items()
            if name not in known or known[name].receipt.at_ms <= word.receipt.at_ms
        }

    def _settled(self, news: News) -> list[Refusal]:
        """Refusals whose numbers the centre accounts for by now: declared lost, and so no longer the agent's concern.
        Not forks: there it accounts for a twin's.
        """
        return [
            refusal
            for name, word in news.words.items()
            for refusal in self._refusals.get(name, ())
            if refusal.action != RENEW and Ranges(word.receipt.ranges).covers(refusal.first, refusal.last)
        ]


def _is(refusal: Refusal) -> ColumnElement[bool]:
    table = relay_refusals.c
    return and_(
        table.agent_id == refusal.name[0],
        table.epoch == refusal.name[1],
        table.first_seq == refusal.first,
        table.last_seq == refusal.last,
    )


def _row(refusal: Refusal, at_ms: int) -> dict[str, object]:
    return {
        "agent_id": refusal.name[0],
        "epoch": refusal.name[1],
        "first_seq": refusal.first,
        "last_seq": refusal.last,
        "action": refusal.action,
        "code": refusal.code[:64],
        "text": refusal.text[:1000],
        "at_ms": at_ms,
    }
