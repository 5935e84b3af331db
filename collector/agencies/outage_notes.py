"""What people say of a system while it is out: how one gets by (대체수단), and when it is expected back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select

from collector.agencies.tables import outage_notes

WORKAROUND_CHARS = 500


class OutageNote(NamedTuple):
    system: str
    workaround: str
    expected_at: datetime | None
    noted_at: datetime
    noted_by: str

    def expected_in(self, since_ms: int | None) -> datetime | None:
        """When it is expected back, where that was said of the outage that began at ``since_ms`` and of no earlier one."""
        is_of_this = since_ms is not None and self.noted_at.timestamp() * 1000 >= since_ms
        return self.expected_at if is_of_this else None


def notes_of(connection: Connection, systems: Iterable[str]) -> dict[str, OutageNote]:
    """By system. A way to get by stays known from one outage to the next."""
    wanted = set(systems)
    found = (OutageNote(*row) for row in connection.execute(select(outage_notes)))
    return {note.system: note for note in found if note.system in wanted}


def put_note(connection: Connection, note: OutageNote) -> None:
    """In the place of what was said before; gone where it says nothing."""
    connection.execute(delete(outage_notes).where(outage_notes.c.system == note.system))
    if note.workaround or note.expected_at is not None:
        connection.execute(insert(outage_notes).values(note._asdict()))
