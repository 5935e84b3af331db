"""How long pages are kept, and what a short text says of answering by a word."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from paging_stage import PagingStage

from collector.pages.forget_queries import forget_pages
from collector.pages.outbox import message_of
from collector.pages.senders.sms_text import euc_kr_bytes
from collector.pages.tables import page_decisions, page_deliveries
from collector.store.engine import Store


def test_what_is_old_goes_and_what_an_open_incident_sent_stays(store: Store) -> None:
    stage = PagingStage(store)
    over, still = stage.open(), stage.open(severity="warning", site="there")
    stage.run(1)
    stage.resolve(over)
    stage.run(1)
    kept = len(stage.rows(still))
    before = stage.now + timedelta(days=1)
    assert kept
    assert len(stage.rows(over)) > 1
    with store.transaction() as connection:
        assert forget_pages(connection, stage.now - timedelta(days=1), 1000) == 0
        rows = 0
        while deleted := forget_pages(connection, before, 1):  # a little at a time
            rows += deleted
            assert deleted <= 2
    assert rows > 2
    assert (stage.rows(over), len(stage.rows(still))) == ([], kept)
    assert stage.count(page_deliveries) == kept
    assert stage.count(page_decisions) > 0


@pytest.mark.parametrize(
    ("base_url", "language", "channel", "said"),
    [
        ("https://bongsu.test", "ko", "sms", " 회신 1=확인"),
        ("https://bongsu.test", "en", "sms", " reply 1=ack"),
        ("https://monitoring.bongsu.test", "ko", "sms", " 회신 1"),
        ("https://monitoring.room.bongsu.test", "ko", "sms", ""),  # it would not be one text message any more
        ("https://monitoring.operations.bongsu.test", "ko", "sms", " 회신 1=확인"),  # it is not one anyway
        ("https://bongsu.test", "ko", "phone", ""),  # a voice says what to press
    ],
)
def test_a_short_text_says_how_to_answer(store: Store, base_url: str, language: str, channel: str, said: str) -> None:
    stage = PagingStage(store)
    page = stage.rows(_paged(stage))[0]
    short = "[봉수] 긴급 장애 건 #418 S-1A2B {link}"
    page = replace(page, language=language, channel=channel, data={**page.data, "short": short})
    without = message_of(page, b"secret", base_url).short
    told = message_of(page, b"secret", base_url, takes_replies=True).short
    assert (told.removeprefix(without), told.startswith(without)) == (said, True), euc_kr_bytes(without)


def _paged(stage: PagingStage) -> int:
    number = stage.open()
    stage.run(0.1)
    return number
