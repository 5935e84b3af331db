"""What can go wrong for reasons outside our code, as one tree. Each message is written for whoever reads it on a screen:
what happened to which object, where, what was expected, what to do.

    CollectorError
    ├── SettingsError        a settings file, its value, or a value from the environment
    ├── StoreError           the database (collector.store.engine)
    │   └── SchemaVersionError   it is not at this program's schema version (collector.store.migrate)
    ├── TopologyError        a topology file; carries every problem found, each with its line
    ├── UsageError           a command that cannot be done as asked (an unknown site, a name already taken)
    └── Refused              a request over HTTP; carries status and code, answered as problem details (RFC 9457)

``assert`` is for our own mistakes; none of these is.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any


class CollectorError(Exception):
    """Something outside our code is not as it should be."""


class SettingsError(CollectorError):
    """A setting cannot be used."""


class UsageError(CollectorError):
    """What was asked cannot be done."""


class TopologyError(CollectorError):
    """A topology file was refused as a whole; ``problems`` has one line for people per mistake."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class Refused(CollectorError):
    """A request that is answered with a problem: ``status`` for HTTP, ``code`` for programs, the text for people.

    ``fields`` become further members of the answer, ``headers`` go with it.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        fields: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.fields = dict(fields or {})
        self.headers = dict(headers or {})


def nearest(word: str, valid: Sequence[str]) -> str:
    """The hint after a wrong word: the valid word that is near, else all of them."""
    close = difflib.get_close_matches(word, valid, 1, 0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"expected one of {', '.join(valid)}" if valid else "nothing is defined here"
