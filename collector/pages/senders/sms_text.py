"""What a Korean text message can carry: EUC-KR, 90 bytes for an SMS, 2,000 for an LMS whose title has 40.

Gateways cut what is longer and refuse what EUC-KR does not have, so both happen here, where it can be seen and tested.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

SMS_BYTES = 90
LMS_BYTES = 2000
TITLE_BYTES = 40
_DIGITS = re.compile(r"[0-9]{8,15}")


class Fitted(NamedTuple):
    """``kind`` SMS or LMS; a title only with LMS."""

    kind: str
    title: str
    text: str


def euc_kr_bytes(text: str) -> int:
    """How long a gateway says it is."""
    return len(plain(text).encode("euc_kr"))


def plain(text: str) -> str:
    """The same in letters that EUC-KR has: accents are dropped, what is left over becomes ``?``."""
    return "".join(letter if _is_known(letter) else _nearest(letter) for letter in text.replace("\r\n", "\n"))


def cut(text: str, most: int) -> str:
    """As much as fits, ending in ``…`` (two bytes) where something is missing."""
    text = plain(text)
    if len(text.encode("euc_kr")) <= most:
        return text
    kept, used = [], 2
    for letter in text:
        used += len(letter.encode("euc_kr"))
        if used > most:
            break
        kept.append(letter)
    return "".join(kept) + "…"


def fitted(title: str, text: str) -> Fitted:
    """One SMS where it fits, else an LMS."""
    if euc_kr_bytes(text) <= SMS_BYTES:
        return Fitted("SMS", "", plain(text))
    return Fitted("LMS", cut(" ".join(title.split()), TITLE_BYTES), cut(text, LMS_BYTES))


def digits(number: str) -> tuple[str, str]:
    """(country code, number as dialled there): ``+82 10-1234-5678`` -> ``("82", "01012345678")``.

    ``("", "")`` where it is no number. Without + it is Korean.
    """
    bare = re.sub(r"[ ().-]", "", number)
    if not bare.startswith("+"):
        return ("82", bare) if _DIGITS.fullmatch(bare) else ("", "")
    bare = bare[1:]
    if not _DIGITS.fullmatch(bare):
        return "", ""
    if bare.startswith("82"):
        return "82", "0" + bare[2:].removeprefix("0")
    return _country(bare)


def _country(bare: str) -> tuple[str, str]:
    """Country codes are prefix-free: one digit for 1 and 7, two for those listed, three for the rest."""
    if bare[0] in "17":
        return bare[0], bare[1:]
    length = 2 if bare[:2] in _TWO else 3
    return bare[:length], bare[length:]


_TWO = frozenset(
    map(
        str,
        (20, 27, 30, 31, 32, 33, 34, 36, 39, 40, 41, 43, 44, 45, 46, 47, 48, 49, 51, 52, 53, 54, 55, 56, 57, 58, 60, 61, 62, 63,
         64, 65, 66, 81, 82, 84, 86, 90, 91, 92, 93, 94, 95, 98),
    )
)  # fmt: skip


def _is_known(letter: str) -> bool:
    if letter < " " and letter != "\n":
        return False
    try:
        letter.encode("euc_kr")
    except UnicodeEncodeError:
        return False
    return True


def _nearest(letter: str) -> str:
    if unicodedata.category(letter) == "Cc":
        return " "
    bare = "".join(part for part in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(part))
    return bare if bare and all(_is_known(part) for part in bare) else "?"
