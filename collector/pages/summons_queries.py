"""Who is called in (비상소집): by a step of escalation, or by somebody's own decision."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from collector.escalation.queries import add_timer, summon, summoned
from collector.escalation.reach import Target
from collector.escalation.timer import SUMMONS
from collector.pages import page as p
from collector.pages.queries import pages_of


def note_summons(
    connection: Connection, incident: int, targets: Sequence[Target], now: datetime, wait_seconds: int
) -> None:
    """Note whom a step calls in, and look later whether anybody answered."""
    teams = dict.fromkeys(target.team for target in targets if target.team)
    for team in teams:
        people = [(target.person, target.channels) for target in targets if target.team == team]
        summon(connection, incident, team, people, now)
    if teams:
        add_timer(connection, incident, SUMMONS, now + timedelta(seconds=wait_seconds))


def called_in(connection: Connection, incident: int) -> list[Target]:
    """Whom somebody summoned by hand, and who was not called yet: each once, whatever the hour."""
    called = {page.person for page in pages_of(connection, incident) if page.kind == p.SUMMONS}
    new = [one for one in summoned(connection, incident) if one.person not in called and not one.reply]
    return [Target(one.person, one.channels, team=one.team) for one in new]
