"""An agent in the database of a collector as ``bongsu init`` leaves it, as an enrolment makes it."""

from __future__ import annotations

from sender import Sender
from sqlalchemy import insert

from agent.link.clock import SystemClock
from collector.fleet.registry import bump_version
from collector.fleet.tables import agent_keys, agents, hosts
from collector.store.engine import Store
from collector.store.schema import instant


def enrolled(store: Store, name: str = "srv1", site: str = "local") -> Sender:
    """A new agent of a new host."""
    sender = Sender(f"{name}.{site}")
    at = instant(SystemClock().wall_ms())
    with store.transaction() as connection:
        row = {"id": sender.agent_id, "site": site, "host": sender.host, "status": "active"}
        connection.execute(insert(agents), {**row, "enrolled_at": at, "status_at": at})
        key = {"agent_id": sender.agent_id, "key_no": 1, "public_key": sender.key.public, "created_at": at}
        connection.execute(insert(agent_keys), key)
        host = {"id": sender.host, "name": name, "site": site, "agency": "local", "managed_by": "enrolment"}
        connection.execute(insert(hosts), {**host, "agent_id": sender.agent_id})
        bump_version(connection)
    return sender
