"""What ``bongsu doctor`` says of one thing. Its id stays the same over versions; docs/operations.md says what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

OK, WARN, FAIL = "ok", "warn", "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    id: str
    result: str
    subject: str
    text: str
