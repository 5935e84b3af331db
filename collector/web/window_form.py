"""What somebody typed to agree to work, as the window it means: names or ids of what it covers, and the site's own clock
where no zone is said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from pydantic import ValidationError

from collector.errors import Refused
from collector.maintenance.api import NewWindow
from collector.maintenance.reach import HOST, HUB, LINK, REGION, SITE, SYSTEM, affected_sites

if TYPE_CHECKING:
    from collections.abc import Mapping

    from collector.fleet.registry import Fleet, Named, Site, System

KOREA = "Asia/Seoul"


@dataclass(frozen=True, slots=True)
class Said:
    """As typed, so that a refused form comes back as it was."""

    title: str = ""
    subjects: str = ""
    timezone: str = ""
    starts_local: str = ""
    duration_minutes: str = "120"
    every: str = ""
    told: bool = False
    with_sites: bool = False
    """Of hubs named: every site behind them as well."""


def window_of(said: Said, fleet: Fleet) -> NewWindow:
    """Raises Refused: 404 ``no_subject`` where something is not known, 422 where the rest is no window."""
    subjects = subjects_of(said.subjects, fleet)
    if said.with_sites:
        subjects = [(REGION if kind == HUB else kind, name) for kind, name in subjects]
    every = {"every": said.every} if said.every else None
    try:
        return NewWindow(
            title=said.title, subjects=cast("Any", subjects), timezone=said.timezone.strip() or zone_of(subjects, fleet),
            starts_local=cast("Any", said.starts_local), duration_minutes=cast("Any", said.duration_minutes),
            repeat=cast("Any", every), told=said.told,
        )  # fmt: skip
    except ValidationError as why:
        first = why.errors()[0]
        raise Refused(422, "bad_window", f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from why


def subjects_of(text: str, fleet: Fleet) -> list[tuple[str, str]]:
    """(kind, id) of each; between names stands a comma, between ids a space will do. Where a name is several things',
    ``hub:NAME`` says which."""
    known = {host.casefold(): (HOST, host) for host in fleet.hosts} | {
        link.casefold(): (LINK, link) for link in fleet.links
    }
    named: tuple[tuple[str, Mapping[str, System | Named | Site]], ...] = (
        (SYSTEM, fleet.systems),
        (HUB, fleet.hubs),
        (SITE, fleet.sites),
    )
    for kind, entries in named:
        for id_, entry in entries.items():
            for name in (entry.name_ko, entry.name_en, id_):
                known[name.casefold()] = known[f"{kind}:{name}".casefold()] = (kind, id_)
    found = []
    for piece in filter(None, (piece.strip() for piece in text.split(","))):
        for name in [piece] if piece.casefold() in known else piece.split():
            if name.casefold() not in known:
                raise Refused(404, "no_subject", name)
            found.append(known[name.casefold()])
    return list(dict.fromkeys(found))


def zone_of(subjects: list[tuple[str, str]], fleet: Fleet) -> str:
    """The clock on the wall of the first of them; Korea's where it has no one place."""
    for kind, name in subjects:
        if kind in (SITE, HOST, LINK):
            return fleet.sites[affected_sites([(kind, name)], fleet)[0]].timezone
    return KOREA
