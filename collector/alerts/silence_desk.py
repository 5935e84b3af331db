"""What a caller asks of silences, checked and done: Alertmanager's API and the page share it."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from agent.link.clock import Chance, Clock, SystemChance
from collector.access.audit import record
from collector.access.caller import Caller
from collector.alerts.alert import FiringAlert
from collector.alerts.silence import EXPIRED, Silence, Silences, Words, may_change, may_see
from collector.alerts.silence_queries import all_silences, end_silence, find_silence, write_silence
from collector.history.matchers import accept, matcher
from collector.store.engine import Store
from collector.store.schema import instant
from collector.store.scope import Scope

log = logging.getLogger(__name__)
MOST_SILENCES = 5_000
LISTED = timedelta(hours=120)
"""For so long a silence that is over is listed, as Alertmanager does."""
Alerts = Callable[[datetime], Iterable[FiringAlert]]


class NotKept(Exception):
    """A silence that cannot be so; ``status`` is HTTP's."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status


class SilenceDesk:
    def __init__(
        self,
        store: Store,
        clock: Clock,
        alerts: Alerts,
        silences: Silences,
        disturbances: Alerts = lambda _at: (),
        chance: Chance | None = None,
    ) -> None:
        """``alerts``: those that fire; ``disturbances``: what verdicts say is wrong, as alerts."""
        self._store, self._clock = store, clock
        self._alerts, self._silences, self._disturbances = alerts, silences, disturbances
        self._chance = chance or SystemChance()

    def now(self) -> datetime:
        return instant(self._clock.wall_ms())

    def firing(self, scope: Scope, at: datetime) -> list[FiringAlert]:
        """What fires and may be seen, of alerts and of verdicts."""
        found = (*self._alerts(at), *self._disturbances(at))
        return [one for one in found if one.ended_at_ms is None and scope.allows(one.agency, one.site)]

    def hidden(self, scope: Scope, words: Words, at: datetime) -> list[FiringAlert]:
        """What of that these matchers would silence. Raises BadPattern."""
        wanted = tuple(matcher(*word) for word in words)
        return [one for one in self.firing(scope, at) if accept(wanted, dict(one.labels))]

    def by(self, alert: FiringAlert, at: datetime) -> list[str]:
        """The ids of every silence that holds an alert back."""
        return self._silences.by(dict(alert.labels), at)

    def until(self, alerts: Iterable[Mapping[str, str]], at: datetime) -> datetime | None:
        """Until when all of what has these labels is silenced; None where one of it is not."""
        return self._silences.until(alerts, at)

    @property
    def is_in_use(self) -> bool:
        """Whether there is any silence at all."""
        return bool(self._silences.all)

    def listed(self, scope: Scope, at: datetime) -> list[Silence]:
        """Those that may be seen, with what was over lately."""
        return [one for one in self._silences.all if may_see(one, scope) and one.ends_at > at - LISTED]

    def find(self, caller: Caller, name: str) -> Silence:
        """Raises NotKept 404."""
        with self._store.reading() as connection:
            found = find_silence(connection, name)
        if found is None or not may_see(found, caller.scope):
            raise NotKept(f"silence {name} not found", 404)
        return found

    def keep(
        self,
        caller: Caller,
        words: Words,
        starts_at: datetime,
        ends_at: datetime,
        comment: str,
        created_by: str = "",
        name: str | None = None,
    ) -> Silence:
        """Keep a new one, or a changed one (``name``): what has already been silenced is not rewritten, so a change of
        matchers or of a past beginning ends the old one and makes another. Raises NotKept."""
        now = self.now()
        if ends_at <= starts_at:
            raise NotKept("invalid silence: start time must be before end time")
        if ends_at <= now:
            raise NotKept("invalid silence: end time can't be in the past")
        if not any(not matcher(*word).accepts("") for word in words):
            raise NotKept("invalid silence: at least one matcher must not match the empty string")
        if len(self._silences.all) >= MOST_SILENCES:
            raise NotKept(f"{MOST_SILENCES} silences are known already")
        before = self.find(caller, name) if name else None
        author = created_by or caller.name
        after = Silence("", words, max(starts_at, now), ends_at, author, caller.name, comment, now, caller.scope)
        with self._store.transaction() as connection:
            if before is not None and may_change(before, after, starts_at, now):
                kept = before.starts_at if before.starts_at <= now else after.starts_at
                after = replace(after, id=before.id, starts_at=kept, scope=before.scope)
            else:
                if before is not None and before.state(now) != EXPIRED:
                    end_silence(connection, before, now)
                after = replace(after, id=str(uuid.UUID(bytes=self._chance.bytes(16), version=4)))
            write_silence(connection, after)
            data = {"matchers": after.words, "ends_at": after.ends_at.isoformat(), "comment": after.comment}
            record(connection, now, caller.name, "silence.keep", after.id, data)
            known = all_silences(connection)
        self._silences.replace(known)
        log.info(
            "silence kept",
            extra={"silence": after.id, "login": caller.name, "ends_at": after.ends_at.isoformat()},
        )
        return after

    def end(self, caller: Caller, name: str) -> None:
        """Raises NotKept where it is over, or not theirs."""
        silence, now = self.find(caller, name), self.now()
        if silence.state(now) == EXPIRED:
            raise NotKept(f"silence {name} already expired", 500)
        with self._store.transaction() as connection:
            end_silence(connection, silence, now)
            record(connection, now, caller.name, "silence.end", name)
            known = all_silences(connection)
        self._silences.replace(known)
        log.info("silence ended", extra={"silence": name, "login": caller.name})
