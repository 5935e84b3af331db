"""Who a request comes from, and signing in and out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from agent.link.clock import Chance, Clock, SystemChance
from collector.access.audit import record
from collector.access.caller import Caller
from collector.access.own_queries import replace_password
from collector.access.passwords import LEAST_CHARS, hash_password, is_password
from collector.access.queries import (
    caller_of_session,
    caller_of_token,
    close_session,
    exchange_wall_token,
    note_session_use,
    note_token_use,
    open_session,
    stored_password,
)
from collector.access.roles import WALL
from collector.access.throttle import Throttle
from collector.errors import Refused
from collector.settings import Settings
from collector.store.engine import Store
from collector.store.schema import instant


@dataclass(frozen=True, slots=True)
class NewSession:
    """``secret`` is the cookie's value and is known nowhere else."""

    secret: str
    csrf: str
    lasting: timedelta


class Access:
    """The one that knows who is who. Its methods use the database: call them from a thread, not the event loop."""

    def __init__(self, store: Store, settings: Settings, clock: Clock, chance: Chance | None = None) -> None:
        self._store = store
        self._clock = clock
        self._chance = chance or SystemChance()
        self._throttle = Throttle(settings.access.login_tries, settings.access.login_pause_seconds)
        self._lasting = timedelta(hours=settings.access.session_hours)
        self.server = settings.server
        self.open_reading = settings.server.is_loopback and not settings.server.behind_proxy
        """A proxy in front carries strangers to our loopback address, so behind one nobody is trusted for being near."""
        self.is_secure = settings.server.is_secure
        # "__Host-" binds the cookie to this very host over TLS; browsers refuse the prefix without TLS.
        self.cookie_name = "__Host-bongsu" if self.is_secure else "bongsu"
        self.wall_cookie_name = f"{self.cookie_name}-wall"
        self.zone_of_login: Callable[[Connection, str], str] = lambda _connection, _name: ""
        """The zone of the person who signs in by this name, for an account that says none."""

    def by_session(self, secret: str) -> Caller | None:
        now = instant(self._clock.wall_ms())
        with self._store.reading() as connection:
            found = caller_of_session(connection, secret, now)
            if found is None:
                return None
            caller, is_due = found
            if not caller.timezone:
                caller = replace(caller, timezone=self.zone_of_login(connection, caller.name))
        if is_due:
            try:
                with self._store.transaction() as connection:
                    note_session_use(connection, secret, now)
            except OperationalError:  # looking must go on where nothing can be written; the next request notes it
                pass
        return caller

    def by_token(self, secret: str) -> Caller | None:
        now = instant(self._clock.wall_ms())
        with self._store.reading() as connection:
            found = caller_of_token(connection, secret, now)
        if found is None:
            return None
        caller, is_due = found
        if is_due:
            with self._store.transaction() as connection:
                note_token_use(connection, secret, now)
        return caller

    def by_wall(self, secret: str) -> Caller | None:
        """The screen on a wall whose cookie this is."""
        found = self.by_token(secret) if secret else None
        return found if found is not None and found.role == WALL else None

    def enter_wall(self, token: str) -> str:
        """Take a wall's token once, for the secret of a cookie that stands for it from now on. Empty where it is none, or
        was taken before: an address that lies in a browser's history then opens nothing."""
        kept, now = self._chance.bytes(32).hex(), instant(self._clock.wall_ms())
        with self._store.transaction() as connection:
            if not exchange_wall_token(connection, token, kept, now):
                return ""
            found = caller_of_token(connection, kept, now)
            name = found[0].display_name if found is not None else ""
            record(connection, now, f"token:{name}", "api_token.wall", name)
        return kept

    def login(self, username: str, password: str, address: str) -> NewSession:
        """Raises Refused (401 ``wrong_login``, 429 ``too_many_logins``), the same for unknown users as for known."""
        username = username.strip()
        self._hold_back(username, address)
        with self._store.reading() as connection:
            stored = stored_password(connection, username)
        now = instant(self._clock.wall_ms())
        if not is_password(password, stored):
            self._throttle.failed(username, address, self._clock.monotonic())
            # What is no user's name is not kept: people type their password into the wrong field.
            known = username if stored is not None else ""
            with self._store.transaction() as connection:
                record(connection, now, known, "login.failed", known, {"address": address})
            raise Refused(401, "wrong_login", "User name and password do not match.")
        self._throttle.succeeded(username, address)
        session = self._new_session()
        with self._store.transaction() as connection:
            open_session(connection, username, session.secret, session.csrf, now, self._lasting, address)
            record(connection, now, username, "login.done", username, {"address": address})
        return session

    def change_password(self, username: str, old: str, new: str, address: str) -> NewSession:
        """Give one's own account another password. Every session of it ends, also the one that asks, which goes on as the
        one returned: what somebody took of the old one is worth nothing.

        Raises Refused: 403 ``wrong_password``, 429 ``too_many_logins`` (tries count as tries to sign in), 422
        ``short_password`` or ``same_password``, 409 ``changed_meanwhile``."""
        self._hold_back(username, address)
        with self._store.reading() as connection:
            stored = stored_password(connection, username)
        now = instant(self._clock.wall_ms())
        if stored is None or not is_password(old, stored):
            self._throttle.failed(username, address, self._clock.monotonic())
            with self._store.transaction() as connection:
                record(connection, now, username, "user.password_refused", username, {"address": address})
            raise Refused(403, "wrong_password", "This is not your present password; nothing was changed.")
        self._throttle.succeeded(username, address)
        if new == old:
            raise Refused(422, "same_password", "The new password is the old one; nothing was changed.")
        if len(new) < LEAST_CHARS:
            raise Refused(
                422, "short_password", f"A password has at least {LEAST_CHARS} characters, this has {len(new)}."
            )
        hashed, session = hash_password(new), self._new_session()
        with self._store.transaction() as connection:
            if not replace_password(connection, now, username, stored, hashed):
                raise Refused(409, "changed_meanwhile", "The password was changed meanwhile: sign in again.")
            open_session(connection, username, session.secret, session.csrf, now, self._lasting, address)
        return session

    def _new_session(self) -> NewSession:
        return NewSession(self._chance.bytes(32).hex(), self._chance.bytes(16).hex(), self._lasting)

    def _hold_back(self, username: str, address: str) -> None:
        """Raises Refused 429 where too many passwords were wrong lately."""
        wait = self._throttle.seconds_to_wait(username, address, self._clock.monotonic())
        if wait > 0:
            seconds = int(wait) + 1
            raise Refused(
                429,
                "too_many_logins",
                f"Too many failed logins from here: wait {seconds} seconds, then try again.",
                headers={"Retry-After": str(seconds)},
            )

    def logout(self, secret: str, username: str) -> None:
        with self._store.transaction() as connection:
            close_session(connection, secret)
            record(connection, instant(self._clock.wall_ms()), username, "login.ended", username)
