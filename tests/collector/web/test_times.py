"""Instants, ages, durations and numbers as people read them."""

from __future__ import annotations

import math

import pytest

from collector.web import times, units
from collector.web.i18n import words

AT = 1_785_474_309_000


def test_korea_time_and_site_time() -> None:
    assert times.stamp(AT) == "2026-07-31 14:05:09"
    assert times.both(AT, "Asia/Seoul") == times.both(AT, "Asia/Tokyo") == "2026-07-31 14:05:09 KST"
    assert times.both(AT, "Europe/Berlin") == "2026-07-31 14:05:09 KST · 2026-07-31 07:05:09 Europe/Berlin"
    both = times.both(AT, "Asia/Tokyo", "Europe/Berlin")
    assert (
        both
        == times.both(AT, "", "Europe/Berlin")
        == times.both(AT, "Europe/Paris", "Europe/Berlin").replace("Paris", "Berlin")
    )
    assert times.zone_label("Asia/Kolkata", AT) == "Asia/Kolkata (UTC+05:30)"
    assert times.zone_label("No/Such", AT) == "No/Such (UTC+00:00)"
    assert times.iso(AT) == "2026-07-31T05:05:09Z"


@pytest.mark.parametrize(
    ("seconds", "korean", "english"),
    [
        (-120, "미래 시각", "in the future"),
        (-5, "방금", "just now"),
        (0, "방금", "just now"),
        (1, "1초 전", "1 s ago"),
        (99, "99초 전", "99 s ago"),
        (100, "1분 전", "1 min ago"),
        (5999, "99분 전", "99 min ago"),
        (6000, "1시간 전", "1 h ago"),
        (172_799, "47시간 전", "47 h ago"),
        (172_800, "2일 전", "2 d ago"),
    ],
)
def test_ages(seconds: int, korean: str, english: str) -> None:
    assert times.age(AT, AT - seconds * 1000, words("ko")) == korean
    assert times.age(AT, AT - seconds * 1000, words("en")) == english


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59, "59 s"), (61, "1 min"), (3_700, "1 h 1 min"), (90_000, "1 d 1 h")]
)
def test_durations(seconds: float, text: str) -> None:
    assert times.duration(seconds, words("en")) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (units.percent(0.4231), "42.3 %"),
        (units.size(0), "0 B"),
        (units.size(1536), "1.5 KiB"),
        (units.size(8 * 2**30), "8.0 GiB"),
        (units.size(2**60), "1024 PiB"),
        (units.plain(3.0), "3"),
        (units.plain(1234567.5), "1,234,567.5"),
        (units.plain(math.inf), "+Inf"),
        (units.plain(math.nan), "NaN"),
        (units.by_unit(2048, "bytes_per_second"), "2.0 KiB/s"),
        (units.milliseconds(-1400), "-1.4 s"),
        (units.milliseconds(12), "+12 ms"),
    ],
)
def test_numbers(text: str, expected: str) -> None:
    assert text == expected
