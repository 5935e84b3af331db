"""What a person wrote back: an acknowledgement, and of which incident. Pure.

Strict on purpose. It must be nothing but the word (of a mail: the first line that is the person's own): an automatic answer
("… 확인 후 연락드리겠습니다") or a question ("확인이 안 됩니다") must not end an escalation.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

_YES = re.compile(
    r"(?:1(?![0-9])|ok|okay|ack|acked|acknowledge|acknowledged|yes|y|got it|확인|확인함|확인했음|확인했습니다|확인하였습니다|확인 완료|인지|인지함|인지했음|인지했습니다|인지하였습니다|인지 완료|ㅇㅋ|네|예)"
)
_LINE = re.compile(rf"(?P<yes>{_YES.pattern})?[\s,.!:]*(?:#?\s*(?P<number>[0-9]{{1,9}})(?:\s*번)?)?[\s.!]*", re.I)
_QUOTE = re.compile(
    r"^(?:>|-{2,}\s*(?:original message|원본 메시지|전달된 메시지)|_{5,}$|(?:on|at) .+ wrote:$|.+(?:님이 작성|작성:|wrote:)$|보낸 ?사람:|from:|sent from )",
    re.I,
)


_KEY = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Said(NamedTuple):
    """An acknowledgement; ``number``: the incident named, None where none is."""

    number: int | None


def read_reply(text: str, *, is_mail: bool = False) -> Said | None:
    """None where it is not plainly an acknowledgement. Only a mail may go on after its first line: it quotes."""
    lines = _own_lines(unicodedata.normalize("NFKC", text))
    line = lines[0] if lines and (is_mail or len(lines) == 1) else ""
    found = _LINE.fullmatch(line)
    if not line or found is None:
        return None
    yes, number = found["yes"], found["number"]
    if yes is None and number is None:
        return None
    # A number alone names the incident it is of ("418"); "1" alone is the word, and "1 418" both.
    return Said(int(number) if number is not None else None)


def _own_lines(text: str) -> list[str]:
    """Those before the first that is a quotation, without empty ones."""
    found = []
    for line in text.splitlines():
        line = " ".join("".join(letter for letter in line if letter.isprintable() or letter == "\t").split())
        if _QUOTE.match(line):
            break
        if line:
            found.append(line)
    return found


def keys_in(text: str) -> list[str]:
    """Keys of pages in Message-IDs (In-Reply-To, References) or a reference: whatever stands before an ``@``, or all of it."""
    found = [word.strip("<>").partition("@")[0] for word in text.split()[:50]]
    return [key for key in found if _KEY.fullmatch(key)]
