"""Bytes of a Korean text message, and telephone numbers."""

from __future__ import annotations

import pytest

from collector.pages.senders.sms_text import cut, digits, euc_kr_bytes, fitted


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("abc", 3),
        ("가나다", 6),
        ("가 a\n", 5),
        ("São", 3),
        ("·…", 4),
        ("장애🔥", 5),
        ("a\tb\x00", 4),
        ("a\r\nb", 3),
    ],
)
def test_bytes(text: str, count: int) -> None:
    assert euc_kr_bytes(text) == count


def test_at_90_bytes_it_is_an_sms_and_at_91_an_lms() -> None:
    assert fitted("제목", "가" * 45) == ("SMS", "", "가" * 45)
    assert fitted("제목", "가" * 45 + "a").kind == "LMS"
    long = fitted("가" * 30 + "\r\nX: y", "가" * 1200)
    assert long.kind == "LMS"
    assert long.title == "가" * 19 + "…"
    assert len(long.title.encode("euc_kr")) == 40
    assert len(long.text.encode("euc_kr")) == 2000
    assert fitted("", "São Tomé ☎ 🔥").text == "Sao Tome ☎ ?"


def test_cut_keeps_letters_whole() -> None:
    for most in range(2, 12):
        assert len(cut("가a나b다c라d", most).encode("euc_kr")) <= most
    assert cut("가a나b", 6) == "가a나b"


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("010-1234-5678", ("82", "01012345678")),
        ("+82 10 1234 5678", ("82", "01012345678")),
        ("+82 (0)10.1234.5678", ("82", "01012345678")),
        ("+1 212 555 0100", ("1", "2125550100")),
        ("+234 803 123 4567", ("234", "8031234567")),
        ("+44 20 7946 0000", ("44", "2079460000")),
        ("02-123-4567", ("82", "021234567")),
        ("119", ("", "")),
        ("+", ("", "")),
        ("010123456780123456", ("", "")),
        ("0101234567a", ("", "")),
        ("٠١٠١٢٣٤٥٦٧٨", ("", "")),
    ],
)
def test_numbers(written: str, found: tuple[str, str]) -> None:
    assert digits(written) == found
