"""What the centre refused for ever is handed down in few words, however many numbers it is about."""

from __future__ import annotations

from agent.link.keys import new_key
from collector.relay.custody import Custody, News, Refusal

NAME = (b"a" * 16, b"e" * 8)


def test_refusals_of_one_kind_are_one() -> None:
    custody = Custody(new_key().public)
    for seq in (1, 2, 3, 7):
        custody.learn(News(refusals=[Refusal(NAME, seq, seq, "drop", "bad_labels", f"record {seq}")]))
    custody.learn(News(refusals=[Refusal(NAME, 9, 9, "renew", "fork", "a copy")]))
    said = [(one.seqs, one.action, one.code, one.text) for one in custody.refused(NAME)]
    assert said == [([(1, 3), (7, 7)], "drop", "bad_labels", "record 7"), ([(9, 9)], "renew", "fork", "a copy")]
