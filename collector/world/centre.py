"""The data directories of the world's collectors, and rows as enrolment leaves them."""

from __future__ import annotations

import atexit
import random
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from shutil import copyfile, rmtree
from tempfile import mkdtemp

from sqlalchemy import insert

from agent.link.keys import SigningKey, new_key, save_key
from collector.fleet import agent_status
from collector.fleet.keys import centre_key_file, new_receiver, save_receiver
from collector.fleet.registry import bump_version
from collector.fleet.tables import agent_keys, agents, hosts
from collector.fleet.topology import read_topology
from collector.fleet.topology_apply import apply_topology
from collector.store.engine import Store
from collector.store.migrate import upgrade
from collector.store.schema import instant
from collector.world.agent import Identity
from collector.world.clock import START_MS, SeededChance
from collector.world.topology import document


def make_centre(folder: Path, chance: random.Random, database: Path | None = None) -> SigningKey:
    """A new centre's data directory, with the world's topology unless another ``database`` is copied; its key."""
    folder.mkdir(parents=True, exist_ok=True)
    copyfile(database or populated_database(), folder / "bongsu.db")
    key = new_key(chance.randbytes)
    save_receiver(folder, new_receiver(SeededChance(chance.random().hex())))
    save_key(centre_key_file(folder), key)
    return key


@cache
def populated_database() -> Path:
    """A database with the world's topology and nobody in it; made once by each process."""
    return make_database(document())


@cache
def empty_database() -> Path:
    return make_database("")


def make_database(topology: str) -> Path:
    """A database at the head with this topology applied; it goes with the process."""
    path = Path(mkdtemp(prefix="bongsu-world-")) / "bongsu.db"
    store = Store(f"sqlite:///{path}")
    upgrade(store)
    if topology:
        with store.transaction() as connection:
            apply_topology(connection, read_topology(topology, "world"))
    with store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    atexit.register(rmtree, path.parent, ignore_errors=True)
    return path


def enrol(store: Store, identities: Iterable[Identity], agency: str = "for") -> None:
    """Rows as enrolment leaves them, one agent and one host each."""
    at = instant(START_MS)
    with store.transaction() as connection:
        for one in identities:
            row = {"id": one.agent_id, "site": one.site, "host": one.host, "status": "active"}
            connection.execute(insert(agents), {**row, "enrolled_at": at, "status_at": at})
            key = {"agent_id": one.agent_id, "key_no": one.key_no, "public_key": one.key.public, "created_at": at}
            connection.execute(insert(agent_keys), key)
            host = {"id": one.host, "name": one.host.partition(".")[0], "site": one.site, "agency": agency}
            connection.execute(insert(hosts), {**host, "managed_by": "enrolment", "agent_id": one.agent_id})
        bump_version(connection)


def set_status(store: Store, agent_id: bytes, status: str, now_ms: int) -> None:
    """As ``bongsu agent`` does: another process, the running collector is not told."""
    with store.transaction() as connection:
        agent_status.set_status(connection, agent_id, status, instant(now_ms))
