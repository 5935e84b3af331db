"""A collector process with a small fleet that reports to it, so that boards can be looked at whole.

Sites: ``abuja`` behind a hub with a failing check, ``local`` reporting directly, ``cairo`` whose agent was enrolled and
never said a word. Reports are signed envelopes over HTTP, as an agent sends them, with the series boards ask for.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

from host_series import HOST_SERIES
from sender import Sender, request
from sqlalchemy import insert

from agent.link.model import Schema, Series, make_schema
from agent.link.names import ENVELOPES_TYPE, SENT_AT_HEADER, TYPE_NAMES
from collector.fleet.registry import bump_version
from collector.fleet.tables import agent_keys, agents, hosts
from collector.maintenance.occurrence import Schedule
from collector.maintenance.queries import add_window
from collector.settings_read import load
from collector.store.engine import Store
from collector.store.schema import instant

BONGSU = Path(sys.executable).parent / "bongsu"
CHECKS = (("process:nginx", 0), ("systemd:sshd", 2))
TOPOLOGY = """
[[agencies]]
id = "mofa"
name_ko = "외교정보처"

[[hubs]]
id = "mea"
name_ko = "중동아프리카 거점"

[[sites]]
id = "abuja"
agency = "mofa"
hub = "mea"
name_ko = "아부자"
latitude = 9.0765
longitude = 7.3986
timezone = "Africa/Lagos"
link_profile = "lan"

[[sites]]
id = "cairo"
agency = "mofa"
hub = "mea"
name_ko = "카이로"
timezone = "Africa/Cairo"
link_profile = "lan"

[[sites]]
id = "local"
agency = "mofa"
name_ko = "본부"
timezone = "Asia/Seoul"
link_profile = "lan"
"""


def schema_of(host: str) -> Schema:
    """All host series of the boards but ``up``, which is the collector's to say."""
    columns = tuple(
        Series(host, name, TYPE_NAMES.index(kind), tuple(labels.items()))
        for name, (kind, sets) in HOST_SERIES.items()
        if name != "up"
        for labels in sets
    )
    return make_schema(columns, tuple((host, check) for check, _ in CHECKS))


def values_of(schema: Schema, now: float, started: float) -> list[float | None]:
    own = {"node_time_seconds": now, "node_boot_time_seconds": started - 86400}
    numbers: list[float | None] = []
    for series in schema.series:
        grows = TYPE_NAMES[series.type] == "counter"
        numbers.append(own.get(series.name, 100 + now - started if grows else 1 + now % 2))
    return numbers + [float(state) for _, state in CHECKS]


def enrol(store: Store, site: str) -> Sender:
    """An agent with its key and host, as an enrolment leaves them."""
    sender = Sender(f"srv1.{site}")
    at = instant(int(time.time() * 1000))
    row = {"id": sender.agent_id, "site": site, "host": sender.host, "status": "active"}
    key = {"agent_id": sender.agent_id, "key_no": 1, "public_key": sender.key.public, "created_at": at}
    host = {"id": sender.host, "name": "srv1", "site": site, "agency": "mofa", "managed_by": "enrolment"}
    with store.transaction() as connection:
        connection.execute(insert(agents), {**row, "enrolled_at": at, "status_at": at})
        connection.execute(insert(agent_keys), key)
        connection.execute(insert(hosts), {**host, "agent_id": sender.agent_id})
        bump_version(connection)
    return sender


def report_each_second(url: str, senders: list[Sender], ended: threading.Event) -> None:
    started = time.time()
    while not ended.wait(1):
        now = time.time()
        envelopes = []
        for sender in senders:
            schema = schema_of(sender.host)
            sample = sender.sample(schema, values_of(schema, now, started), int(now * 1000))
            envelopes.append(sender.envelope([sample], [schema.packed]))
        headers = {"content-type": ENVELOPES_TYPE, SENT_AT_HEADER: str(int(now * 1000))}
        asked = urllib.request.Request(f"{url}/v1/envelopes", data=request(*envelopes), headers=headers)
        with urllib.request.urlopen(asked, timeout=10) as answer:
            answer.read()


def agree_to_work(store: Store, *sites: str) -> None:
    """A maintenance window that holds for a day from now."""
    now = datetime.now(UTC)
    schedule = Schedule("UTC", (now - timedelta(hours=1)).replace(tzinfo=None), 1440)
    with store.transaction() as connection:
        subjects = [("site", site) for site in sites]
        add_window(connection, "router", "planned", subjects, schedule, None, now, "test")


@contextmanager
def reporting(folder: Path) -> Iterator[str]:
    """The collector's ``host:port``, hosts reporting to it."""
    data, topology = folder / "data", folder / "topology.toml"
    folder.mkdir(parents=True, exist_ok=True)
    topology.write_text(TOPOLOGY, encoding="utf-8")
    for argv in (("init",), ("apply", str(topology))):
        subprocess.run([BONGSU, *argv, "--data", data], check=True, capture_output=True, text=True)
    store = Store(load(None, {}, data).store_url)
    senders = [enrol(store, site) for site in ("abuja", "local", "cairo")]
    agree_to_work(store, "abuja")
    store.close()
    environ = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [BONGSU, "serve", "--data", data, "--port", "0"], stdout=subprocess.PIPE, stderr=log, text=True, env=environ
        )
        ended = threading.Event()
        thread = None
        try:
            assert process.stdout is not None
            url = _announced(process.stdout, folder / "log")
            thread = threading.Thread(target=report_each_second, args=(url, senders[:2], ended))
            thread.start()
            yield url.removeprefix("http://")
        finally:
            ended.set()
            if thread is not None:
                thread.join()
            process.terminate()
            process.wait(20)
            assert process.stdout is not None
            process.stdout.close()


def _announced(out: IO[str], log: Path) -> str:
    """The address a starting collector prints."""
    for line in out:
        found = [word for word in line.split() if word.startswith("http://")]
        if found:
            return found[0]
    raise AssertionError(log.read_text())
