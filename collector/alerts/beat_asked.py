"""What a caller asks of heartbeats, checked and done: the API and the page share it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal
from zoneinfo import available_timezones

from pydantic import BaseModel, Field
from sqlalchemy.exc import IntegrityError

from agent.link.clock import Chance
from collector.access.audit import record
from collector.access.caller import Caller
from collector.access.problems import not_found
from collector.alerts import beat_queries as queries
from collector.alerts.beat import BadSchedule, Beat, check_schedule, paused, resumed
from collector.errors import Refused
from collector.fleet.registry import Fleet
from collector.fleet.topology_keys import NAME, NAME_WORDS

if TYPE_CHECKING:
    from collector.services import Services

MOST_SECONDS = 366 * 86_400
Severity = Literal["critical", "warning", "info"]


class NewBeat(BaseModel):
    """Either ``period_seconds`` or ``cron``, which reads the wall clock of ``timezone``. At most one of host, system and
    site says what it is about."""

    id: str
    title: str = Field(default="", max_length=200)
    period_seconds: int = Field(default=0, ge=0, le=MOST_SECONDS)
    cron: str = Field(default="", max_length=100)
    timezone: str = "Asia/Seoul"
    grace_seconds: int = Field(default=600, ge=10, le=MOST_SECONDS)
    severity: Severity = "warning"
    agency: str = ""
    site: str = ""
    host: str = ""
    system: str = ""


def agree(services: Services, caller: Caller, wanted: NewBeat, now: datetime, chance: Chance) -> tuple[Beat, str]:
    """Keep a new beat; it and its key. Raises Refused."""
    beat = beat_of(wanted, services.registry.fleet, caller.name, now)
    if not caller.scope.allows(beat.agency, beat.site):
        raise not_found("agency or site", beat.site or beat.agency)
    try:
        with services.store.transaction() as connection:
            key = queries.add_beat(connection, beat, chance)
            record(connection, now, caller.name, "beat.add", beat.id)
    except IntegrityError as why:
        raise Refused(409, "beat_known", f"There is a heartbeat {beat.id!r} already.") from why
    return beat, key


def beat_of(wanted: NewBeat, fleet: Fleet, who: str, now: datetime) -> Beat:
    """The beat as asked for, with what the registry knows of its subject. Raises Refused."""
    if NAME.fullmatch(wanted.id) is None:
        raise Refused(422, "bad_id", f"id {wanted.id!r}: expected {NAME_WORDS}.")
    try:
        check_schedule(wanted.period_seconds, wanted.cron)
    except BadSchedule as why:
        raise Refused(422, "bad_schedule", f"{why}.") from why
    if wanted.timezone not in available_timezones():
        raise Refused(422, "bad_timezone", f"timezone {wanted.timezone!r}: expected a name such as 'Asia/Seoul'.")
    for kind, known in (
        ("agency", fleet.agencies),
        ("site", fleet.sites),
        ("host", fleet.hosts),
        ("system", fleet.systems),
    ):
        name = getattr(wanted, kind)
        if name and name not in known:
            raise not_found(kind, name)
    agency, site = wanted.agency, wanted.site
    if wanted.host:
        host = fleet.hosts[wanted.host]
        agency, site = host.agency, host.site
    elif wanted.system:
        agency = fleet.systems[wanted.system].agency
    elif site:
        agency = agency or fleet.sites[site].agency
    values = wanted.model_dump() | {"agency": agency, "site": site}
    return Beat(**values, created_at=now, created_by=who)


def change(services: Services, caller: Caller, name: str, what: str, now: datetime) -> Beat:
    """``what``: pause, resume. Raises Refused 404."""
    with services.store.transaction() as connection:
        beat = _found(queries.find_beat(connection, name, caller.scope), name)
        after = (paused if what == "pause" else resumed)(beat, now)
        queries.write_beat(connection, after)
        record(connection, now, caller.name, f"beat.{what}", name)
    return after


def rekey(services: Services, caller: Caller, name: str, now: datetime, chance: Chance) -> tuple[Beat, str]:
    """It and its new key; the old address is worthless. Raises Refused 404."""
    with services.store.transaction() as connection:
        beat = _found(queries.find_beat(connection, name, caller.scope), name)
        key = queries.new_key(connection, name, chance)
        record(connection, now, caller.name, "beat.key", name)
    return beat, key


def remove(services: Services, caller: Caller, name: str, now: datetime) -> None:
    """Raises Refused 404."""
    with services.store.transaction() as connection:
        _found(queries.find_beat(connection, name, caller.scope), name)
        queries.remove_beat(connection, name)
        record(connection, now, caller.name, "beat.remove", name)


def find(services: Services, caller: Caller, name: str) -> Beat:
    """Raises Refused 404."""
    with services.store.reading() as connection:
        return _found(queries.find_beat(connection, name, caller.scope), name)


def url_of(server: str, key: str) -> str:
    return f"{server}/v1/beats/{key}"


def _found(beat: Beat | None, name: str) -> Beat:
    if beat is None:
        raise not_found("heartbeat", name)
    return beat
