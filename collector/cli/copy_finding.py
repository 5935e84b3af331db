"""What ``bongsu doctor`` says of the copies of the registry: at the centre, which custodian holds what; at a custodian, whether
its own can be read. In 2025 a fire took the systems together with the one list that said how many there were."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from collector.cli.finding import FAIL, OK, WARN, Finding
from collector.cli.options import open_store
from collector.errors import CollectorError
from collector.fleet.hub_contact import CopyHeld
from collector.fleet.hubs import list_members
from collector.fleet.keys import is_hub, load_keys
from collector.fleet.registry_copy import custodians
from collector.fleet.registry_export import RegistryError
from collector.fleet.tables import hubs
from collector.relay.copy_keeping import read_kept
from collector.settings import Settings
from collector.store.migrate import require_head
from collector.store.schema import instant


def copy_finding(settings: Settings, now: datetime) -> Finding:
    try:
        result, text = _look(settings, now)
    except CollectorError as why:
        result, text = FAIL, str(why)
    return Finding("C018", result, "registry copies", text)


def _look(settings: Settings, now: datetime) -> tuple[str, str]:
    store = open_store(settings)
    try:
        require_head(store)
        with store.reading() as connection:
            if is_hub(settings.data_dir):
                return own_copy(connection, settings, now)
            return copies_of_hubs(connection, now)
    finally:
        store.close()


def copies_of_hubs(connection: Connection, now: datetime) -> tuple[str, str]:
    """Of each custodian; a hub that never said so holds none."""
    expected = custodians(connection)
    if not expected:
        if connection.execute(select(hubs.c.id).limit(1)).first() is None:
            return OK, "there is no hub that could keep one"
        text = "no hub keeps one: if this centre burns, nobody knows what there was. Set custodian = true at the site"
        return WARN, f"{text} where a hub stands, in the topology file"
    held: dict[str, CopyHeld] = {}
    for one in list_members(connection):
        if one.copy_at is not None and one.copy_version is not None:
            mine = CopyHeld(one.copy_version, _ms(one.copy_at))
            held[one.hub] = max(held.get(one.hub, mine), mine, key=lambda copy: copy.at_ms)
    wrong = [hub for hub in sorted(expected) if hub not in held or held[hub].is_stale(_ms(now))]
    said = "; ".join(_said(hub, held.get(hub), now) for hub in [*wrong, *sorted(set(expected) - set(wrong))])
    return (WARN, f"{said}; see bongsu doctor on that hub") if wrong else (OK, said)


def own_copy(connection: Connection, settings: Settings, now: datetime) -> tuple[str, str]:
    keys = load_keys(settings.data_dir)
    assert keys.hub is not None
    is_custodian = keys.hub.hub in custodians(connection)
    try:
        kept = read_kept(connection, keys.centre_public, bytes.fromhex(keys.hub.id))
    except RegistryError as why:
        return FAIL, f"the copy kept here does not hold: {why}; the running hub asks for it anew"
    if kept is None:
        return (WARN, "none kept yet, though a site of this hub is a custodian: see C013") if is_custodian else (
            OK, "no site of this hub is a custodian")  # fmt: skip
    held = CopyHeld(kept.confirmed_version, kept.confirmed_ms)
    return (WARN if held.is_stale(_ms(now)) else OK), _said(keys.hub.hub, held, now)


def _said(hub: str, held: CopyHeld | None, now: datetime) -> str:
    if held is None:
        return f"hub {hub} is a custodian and holds none"
    text = f"hub {hub} holds version {held.version}, all there was at {instant(held.at_ms):%Y-%m-%d %H:%M} UTC"
    return f"{text}, not confirmed since" if held.is_stale(_ms(now)) else text


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
