"""What counts as an acknowledgement, and what must not."""

from __future__ import annotations

import pytest

from collector.pages.reply_text import keys_in, read_reply


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", None),
        (" 1. ", None),
        ("１", None),
        ("확인", None),
        ("확인했습니다.", None),
        ("확인 #418", 418),
        ("1 418", 418),
        ("1,418번", 418),
        ("OK 418!", 418),
        ("418", 418),
        ("118", 118),
        ("1 118", 118),
        ("11", 11),
        ("#418", 418),
        ("\n\n  Ack\n\n> [긴급] 아부자", None),
        ("확인\r\n\r\n2026년 11월 22일 (일) 오전 1:42, Bongsu 님이 작성:\n> 1", None),
        ("네", None),
    ],
)
def test_yes(text: str, number: int | None) -> None:
    said = read_reply(text, is_mail=True)
    assert said is not None
    assert said.number == number


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "?", "2", "확인이 안 됩니다", "확인 후 연락드리겠습니다", "1번 서버 말인가요", "아니오", "no", "not ok",
        "> 확인", "On Sun, Nov 22, 2026 at 1:42 AM Bongsu wrote:\n> 1", "-----원본 메시지-----\n1", "From: kim\n1",
        "부재중입니다.\n확인", "확인 418 419", "1" * 20, "확\x00인x", "ack " * 400, "#", "번",
    ],
)  # fmt: skip
def test_no(text: str) -> None:
    said = read_reply(text, is_mail=True)
    # "2" is a number like any other: it names incident 2, which then waits or does not.
    assert said is None or (text == "2" and said.number == 2)


def test_keys() -> None:
    assert keys_in("<abc@example.org>\r\n <incident-4@example.org> def") == ["abc", "incident-4", "def"]
    assert keys_in("") == []
    assert keys_in("\x00 a\x00b <> é@x ' or 1=1") == ["or"]


def test_only_a_mail_goes_on_after_its_first_line() -> None:
    assert read_reply("1\n\n김철수 드림", is_mail=True) == (None,)
    assert read_reply("1\n못 갑니다") is None
    assert read_reply("\n 확인 \n") == (None,)
