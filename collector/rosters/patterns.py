"""Shift work as Korean offices know it, by name: a cycle of days, how far crews are behind each other, and the hours.

``4x2`` four crews, two shifts of twelve hours (4조 2교대): two days, two nights, four off. ``4x2-short`` the same one by one
(주야비휴). ``4x3`` four crews, three shifts of eight hours (4조 3교대). ``3x3`` three crews, three shifts, a week each
(3교대). ``3x2`` three crews, two shifts (주야비).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Pattern(NamedTuple):
    crews: int
    step_days: int
    cycle: tuple[str, ...]
    slots: Mapping[str, str]


_TWO = {"D": "08:00-20:00", "N": "20:00-08:00"}
_THREE = {"D": "07:00-15:00", "E": "15:00-23:00", "N": "23:00-07:00"}
PATTERNS: Mapping[str, Pattern] = {
    "4x2": Pattern(4, 2, tuple("DDNN----"), _TWO),
    "4x2-short": Pattern(4, 1, tuple("DN--"), _TWO),
    "4x3": Pattern(4, 2, tuple("DDEENN--"), _THREE),
    "3x3": Pattern(3, 7, tuple("D" * 7 + "E" * 7 + "N" * 7), _THREE),
    "3x2": Pattern(3, 1, tuple("DN-"), _TWO),
}
"""One crew after the other is ``step_days`` behind, so that crews times step is the cycle's length."""
ALSO_CALLED: Mapping[str, str] = {
    "4조2교대": "4x2",
    "주야비휴": "4x2-short",
    "4조3교대": "4x3",
    "3교대": "3x3",
    "3조3교대": "3x3",
    "3조2교대": "3x2",
}
