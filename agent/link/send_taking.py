"""What a collector's answer means for the records that were sent: held, settled, refused, or to be renamed.

A refusal deletes nothing on the word of a hub. What the centre refuses for ever is put aside and declared lost; what a
hub refuses stays in the spool and is kept from that hub, for a hub may be wrong, altered, or not know yet.

Nor is anything renamed on its word, unless the centre has been out of reach for an hour: what the hub relayed under its
former name would be counted twice. The records go to the centre directly. It tells a fork itself; where it finds none, the
epoch is left as soon as the centre has settled all of it, so that there is nothing to rename.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agent.link.answer import DROP, HOLD, RENEW, AgentAnswer, Answer, EnvelopeRefusal, RecordRefusal
from agent.link.clock import Chance, Clock
from agent.link.model import schema_hash
from agent.link.ranges import Ranges
from agent.link.receipt import ReceiptError, open_receipt
from agent.link.send_collector import HOLD_SECONDS, CollectorLink
from agent.link.send_lanes import Lanes
from agent.link.send_request import Enclosed
from agent.link.send_signers import UNKNOWN_KEY, Signers
from agent.link.spool import Spool

SCHEMAS_REMEMBERED = 2_000
FORK, FORK_SECONDS = "fork", 300.0
"""For so long a hub that says our names are spent is passed by."""
REMEDIES = {
    "bad_labels": "a host or label the collector does not take from this agent. Bind the host to this agent at the "
    "centre (its topology file), or take it out of [[targets]] of agent.toml",
    "bad_signature": "the records do not bear this agent's signature there. See whether something between alters "
    "requests, and whether agent.key belongs to agent.json",
    "malformed": "the collector cannot read them. See whether agent and collector are of versions that fit together",
    "too_large": "more than the collector's limits allow. Watch less with one agent, or raise the collector's limits",
}


class Taking:
    """Judges answers; the sender calls ``take`` after each exchange that carried envelopes."""

    def __init__(
        self,
        spool: Spool,
        lanes: Lanes,
        signers: Signers,
        centre_key: bytes,
        clock: Clock,
        chance: Chance,
        log: Callable[[str], None],
    ) -> None:
        self.forks = 0
        self._leaving: set[bytes] = set()
        """Epochs whose names a hub called spent."""
        self._spool = spool
        self._lanes = lanes
        self._signers = signers
        self._centre_key = centre_key
        self._clock = clock
        self._chance = chance
        self._log = log

    def take(
        self, collector: CollectorLink, enclosed: Sequence[Enclosed], answer: Answer, others: Sequence[CollectorLink]
    ) -> None:
        settled_any = False
        spent: set[bytes] = set()
        self._note_answered(collector, enclosed, answer)
        for refusal in answer.envelopes:
            if 0 <= refusal.index < len(enclosed):
                one = enclosed[refusal.index]
                self._refused(collector, one.epoch, Ranges((n, n) for n in one.seqs), refusal, spent)
                settled_any = True
        for mine in answer.agents:
            if bytes.fromhex(mine.agent) == self._signers.agent_id:
                settled_any |= self._take_own(collector, mine, spent)
        for epoch in spent:
            self._renew(collector, epoch, others)
        if collector.is_centre:
            self._leave(others)
        if len(collector.known_schemas) > SCHEMAS_REMEMBERED:
            collector.known_schemas.clear()  # sending one again costs less than remembering all
        for one in enclosed:
            collector.known_schemas.update((one.epoch, schema_hash(schema)) for schema in one.schemas)
        is_short = any(
            one.epoch not in spent
            and seq not in collector.holds(one.epoch)
            and not self._lanes.is_set_aside(collector, one.epoch, seq)
            for one in enclosed
            for seq in one.seqs
        )
        if not is_short and enclosed:
            newest = enclosed[-1]
            self._signers.note_taken(collector.key_at, newest.epoch, newest.seqs[-1], by_centre=collector.is_centre)
        elif is_short and not settled_any:
            text = f"{collector.url} answered without taking or refusing the records"
            collector.fail(self._clock.monotonic(), self._chance, text)

    def _note_answered(self, collector: CollectorLink, enclosed: Sequence[Enclosed], answer: Answer) -> None:
        """From here on a receipt may speak of these records. Not before their own answer: what is held under the name of
        a record that never arrived is a twin's, and believing it would delete ours unseen.
        """
        refused = {refusal.index for refusal in answer.envelopes}
        with self._spool.lock:
            for index, one in enumerate(enclosed):
                if index not in refused:
                    collector.note_sent(one.epoch, one.seqs)
                    if (shelf := self._spool.shelf(one.epoch)) is not None:
                        shelf.note_sent(one.seqs)

    def _take_own(self, collector: CollectorLink, mine: AgentAnswer, spent: set[bytes]) -> bool:
        epoch = bytes.fromhex(mine.epoch)
        collector.policy_hint = mine.policy
        for refusal in mine.refused:
            self._refused(collector, epoch, Ranges(refusal.seqs), refusal, spent)
        if epoch in spent:  # it may hold a twin's records under these names: believe nothing of it
            return True
        collector.note_held(epoch, mine.held)
        if not collector.is_centre:
            self._spool.note_held(epoch, collector.url, collector.holds(epoch))
        if mine.receipt:
            try:
                receipt = open_receipt(mine.receipt, self._centre_key, self._signers.agent_id)
            except ReceiptError as why:
                collector.last_trouble = str(why)
                self._log(f"receipt not believed: {why}")
            else:
                # Not what another collector took: that one may have died with it, and a twin's stand in its place.
                self._spool.settle(receipt.epoch, collector.own(receipt.epoch, receipt.ranges))
                self._signers.note_receipt(receipt.epoch, Ranges(receipt.ranges))
        return bool(mine.refused)

    def _refused(
        self,
        collector: CollectorLink,
        epoch: bytes,
        seqs: Ranges,
        refusal: EnvelopeRefusal | RecordRefusal,
        spent: set[bytes],
    ) -> None:
        action, code = refusal.action, refusal.code
        if action == RENEW:
            spent.add(epoch)
        elif action == DROP and isinstance(refusal, EnvelopeRefusal) and not self._lanes.is_certain(epoch, seqs):
            self._lanes.suspect(epoch, seqs)
        elif action == DROP:
            self._drop(collector, epoch, seqs, refusal)
        elif code == UNKNOWN_KEY and collector.key_at + 1 < self._signers.count:
            self._signers.note_unknown()
            collector.key_at += 1  # it has not heard of the new key yet: the former one still holds
            collector.newest_key_at = self._clock.monotonic() + HOLD_SECONDS
        else:  # HOLD, and any action of a later version, loses nothing
            collector.key_at = 0
            collector.hold(self._clock.monotonic(), code or HOLD)
            self._log(f"collector asks us to hold: {collector.url}: {code}; asking again in an hour")

    def _drop(
        self, collector: CollectorLink, epoch: bytes, seqs: Ranges, refusal: EnvelopeRefusal | RecordRefusal
    ) -> None:
        code = refusal.code
        news = Ranges(gap for span in seqs for gap in collector.refuses(epoch).gaps(*span))
        if not collector.is_centre:
            for span in news:
                collector.refused.setdefault(epoch, Ranges()).add(*span)
        if news:
            role, hosts = "centre" if collector.is_centre else "hub", ", ".join(self._hosts(epoch, news))
            became = "put aside and declared lost" if collector.is_centre else "kept, but not sent there again"
            what = f"records of {hosts or 'this agent'} refused for ever by the {role} {collector.url}: {code}"
            why = ". ".join(filter(None, (refusal.text.rstrip("."), REMEDIES.get(code, ""))))
            self._log(f"{what}: numbers {news.as_lists()} {became}. {why}")
        if collector.is_centre:
            self._spool.refuse(epoch, seqs, code)
            self._lanes.rest(epoch, seqs, self._clock.monotonic() + HOLD_SECONDS)

    def _hosts(self, epoch: bytes, seqs: Ranges) -> list[str]:
        """Whose records these are, for people."""
        with self._spool.lock:
            shelf = self._spool.shelf(epoch)
            return shelf.hosts(seqs) if shelf is not None else []

    def _renew(self, collector: CollectorLink, epoch: bytes, others: Sequence[CollectorLink]) -> None:
        now = self._clock.monotonic()
        is_asked = not collector.is_centre and others[-1] is not collector and not others[-1].is_away(now)
        if is_asked:
            collector.forget_epoch(epoch)  # what it says it holds, and the centre of it, may be a twin's
        if is_asked and epoch in self._leaving:
            collector.hold(now, FORK, FORK_SECONDS)
            return
        if not collector.may_renew(now):
            collector.hold(now, "ever new epochs")
            self._log(f"{collector.url} asks for ever new epochs: left for an hour, the next collector is asked")
            return
        self.forks += 1
        if is_asked:
            self._leaving.add(epoch)
            collector.hold(now, FORK, FORK_SECONDS)
            self._log(
                f"{collector.url} holds other records under our names (copied or rolled back?): asking the centre"
            )
        elif not self._begin_anew(epoch, others):
            collector.hold(now, "no room for a new epoch")

    def _leave(self, others: Sequence[CollectorLink]) -> None:
        """Begin anew in place of epochs that the centre has settled to the last record."""
        for epoch in list(self._leaving):
            with self._spool.lock:
                shelf = self._spool.shelf(epoch)
                if shelf is None or (not shelf.waiting()[0] and self._begin_anew(epoch, others)):
                    self._leaving.discard(epoch)

    def _begin_anew(self, epoch: bytes, others: Sequence[CollectorLink]) -> bool:
        if not self._spool.renew(epoch):
            return False
        self._log("the collector holds other records under our names (copied or rolled back?): new epoch begun")
        for each in others:
            each.forget_epoch(epoch)
            each.end_hold(self._clock.monotonic(), FORK)
        return True
