"""What a person wrote back: an acknowledgement, and of which incident. Pure.

Strict on purpose. Only the first line that is the person's own counts, and it must be nothing but the word: an automatic answer
("… 확인 후 연락드리겠습니다") or a question ("확인이 안 됩니다") must not end an escalation.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

_YES = re.compile(
    r"(?:1(?![0-9])|ok|okay|ack|acked|acknowledge|acknowledged|yes|y|got it|확인|확인함|확인했음|확인했습니다|확인하였습니다|확인 완료|ㅇㅋ|네|예)"
)
_LINE = re.compile(rf"(?P<yes>{_YES.pattern})?[\s,.!:]*(?:#?\s*(?P<number>[0-9]{{1,9}})(?:\s*번)?)?[\s.!]*", re.I)
_QUOTE = re.compile(
    r"^(?:>|-{2,}\s*(?:original message|원본 메시지|전달된 메시지)|_{5,}$|(?:on|at) .+ wrote:$|.+(?:님이 작성|작성:|wrote:)$|보낸 ?사람:|from:|sent from )",
    re.I,
)


class Said(NamedTuple):
    """An acknowledgement; ``number``: the incident named, None where none is."""

    number: int | None


def read_reply(text: str) -> Said | None:
    """None where it is not plainly an acknowledgement."""
    line = _own_line(unicodedata.normalize("NFKC", text))
    found = _LINE.fullmatch(line)
    if not line or found is None:
        return None
    yes, number = found["yes"], found["number"]
    if yes is None and number is None:
        return None
    # A number alone names the incident it is of ("418"); "1" alone is the word, and "1 418" both.
    return Said(int(number) if number is not None else None)


def _own_line(text: str) -> str:
    for line in text.splitlines():
        line = " ".join("".join(letter for letter in line if letter.isprintable() or letter == "\t").split())
        if not line:
            continue
        return "" if _QUOTE.match(line) else line
    return ""


def keys_in(text: str) -> list[str]:
    """Keys of pages in Message-IDs (In-Reply-To, References) or a reference: whatever stands before an ``@``, or all of it."""
    return [word.strip("<>").partition("@")[0] for word in text.split()[:50] if word.strip("<>")]
