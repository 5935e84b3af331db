"""Hubs at custodian sites in every trouble there is: whatever happened on the way, in the end each holds what the centre has,
nothing of it was taken into its own rows, and reports were none the worse for it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select, update

from agent.link.model import encode
from collector.fleet.keys import load_keys
from collector.fleet.registry import bump_version
from collector.fleet.registry_copy import Tables, whole_registry
from collector.fleet.tables import sites
from collector.relay.copy_keeping import read_kept
from collector.store.engine import Store
from collector.world.world import CENTRE, World


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)  # the troubles are meant
    yield
    logging.disable(before)


def registry_of(folder: Path) -> tuple[Tables, set[str]]:
    """(all there is at a centre, or what a hub's own rows have; the sites of it)"""
    store = Store(f"sqlite:///{folder}/bongsu.db")
    with store.reading() as connection:
        whole = msgspec.msgpack.decode(encode(whole_registry(connection)))  # as it is sent
        found = whole, set(connection.execute(select(sites.c.id)).scalars())
    store.close()
    return found


def copy_at(folder: Path) -> Tables | None:
    keys = load_keys(folder)
    assert keys.hub is not None
    store = Store(f"sqlite:///{folder}/bongsu.db")
    with store.reading() as connection:
        kept = read_kept(connection, keys.centre_public, bytes.fromhex(keys.hub.id))
    store.close()
    return kept.tables if kept is not None else None


def play_with_custodians(seed: int, folder: Path) -> World:
    world = World(seed, folder, hubs=2)
    app = world.centre.app
    assert app is not None
    regions = [station.folder.name for url, station in world.stations.items() if url != CENTRE]
    with app.store.transaction() as connection:
        connection.execute(update(sites).where(sites.c.hub.in_(regions)).values(is_custodian=True))
        bump_version(connection)
    world.run()
    return world


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4_000, 4_006))
def test_a_custodian_ends_with_all_there_is(seed: int, tmp_path: Path) -> None:
    world = play_with_custodians(seed, tmp_path)
    assert world.complaints == []
    whole, everywhere = registry_of(world.centre.folder)
    hubs = [station for url, station in world.stations.items() if url != CENTRE]
    assert len(hubs) == 2
    for hub in hubs:
        assert copy_at(hub.folder) == whole, f"{hub.folder.name}; {dict(world.happened)}"
        _, here = registry_of(hub.folder)
        assert here < everywhere, "its own rows are its region's"
