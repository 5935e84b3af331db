"""``bongsu doctor``: looks at one installation and says what to mend. Each finding has an id that stays the same.

C001 ok    settings         /etc/bongsu/collector.toml
C005 FAIL  database         sqlite:////var/lib/bongsu/bongsu.db is at schema version 0001, …: run bongsu migrate
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import os
import shutil
import socket
import ssl
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import available_timezones

from sqlalchemy import func, select

from agent.link.clock import SystemClock
from agent.link.exchange import HttpExchange
from agent.link.signed_get import Asker, NotTold, signed_get
from agent.link.tls import context_for
from collector.access.roles import ADMINISTER
from collector.access.tables import persons
from collector.cli.copy_finding import copy_finding
from collector.cli.finding import FAIL, OK, WARN, Finding
from collector.cli.options import Verbs, config_of, open_store, settings_of, verb
from collector.cli.paging_findings import channel_findings, watch_findings
from collector.cli.printing import table
from collector.errors import CollectorError
from collector.exposition.remote_write.probe import what_is_wrong
from collector.fleet.authority import ends_at
from collector.fleet.keys import is_hub, load_centre_key, load_keys, load_receiver
from collector.fleet.registry_export import RegistryError, open_registry
from collector.fleet.tables import agents
from collector.history.upstream import Upstream
from collector.relay.hub import trusted_file
from collector.relay.registry_pull import REGISTRY_PATH
from collector.settings import Settings
from collector.settings_remote_write import Destination
from collector.store.migrate import head, require_head
from collector.store.schema import instant

LEAST_FREE_BYTES = 1 << 30
WARN_BEFORE = timedelta(days=60)
RELEASED_AT = datetime(2026, 11, 1, tzinfo=UTC)


def add(verbs: Verbs[argparse.ArgumentParser]) -> None:
    verb(
        verbs,
        "doctor",
        "check settings, keys, database, clock, disk, port and certificate, and say what to mend",
        "bongsu doctor --data /var/lib/bongsu",
        json=True,
    )


def run(args: argparse.Namespace) -> int:
    findings = examine(args)
    if args.json:
        print(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False, indent=2))
    else:
        print(table([(f.id, f.result, f.subject, f.text) for f in findings]))
    return 1 if any(finding.result == FAIL for finding in findings) else 0


def examine(args: argparse.Namespace) -> list[Finding]:
    """Every check that can be made; without settings there is nothing to look at."""
    try:
        settings = settings_of(args)
    except CollectorError as why:
        return [Finding("C001", FAIL, "settings", str(why))]
    findings = [Finding("C001", OK, "settings", str(config_of(args) or "defaults and environment"))]
    now = instant(SystemClock().wall_ms())
    checks: tuple[tuple[str, str, Callable[[Settings, datetime], tuple[str, str]]], ...] = (
        ("C002", "data directory", _data_directory),
        ("C003", "hub key" if is_hub(settings.data_dir) else "centre key", _key),
        ("C004", "identity", _identity),
        ("C005", "database", _database),
        ("C006", "administrator", _administrator),
        ("C007", "clock", _clock),
        ("C008", "disk space", _disk),
        ("C009", "port", _port),
        ("C010", "certificate", _certificate),
        ("C011", "time zones", _zones),
        ("C013", "upstream", _upstream),
    )
    for name, subject, check in checks:
        try:
            result, text = check(settings, now)
        except CollectorError as why:
            result, text = FAIL, str(why)
        findings.append(Finding(name, result, subject, text))
    findings += [_remote_write(to) for to in settings.remote_write]
    if settings.history.upstream:
        findings.append(_query_upstream(settings))
    findings += channel_findings(settings) + watch_findings(settings, is_hub=is_hub(settings.data_dir))
    return [*findings, copy_finding(settings, now)]


def _data_directory(settings: Settings, _now: datetime) -> tuple[str, str]:
    data = settings.data_dir
    if not data.is_dir():
        return FAIL, f"{data}: no such directory; make it with: bongsu init --data {data}"
    if not os.access(data, os.W_OK | os.X_OK):
        return FAIL, f"{data}: this user may not write there; run as the collector's user, or: chown -R USER {data}"
    mode = data.stat().st_mode & 0o777
    if mode & 0o007:
        return WARN, f"{data} has mode {mode:04o}, so every user may look into it: chmod 700 {data}"
    return OK, str(data)


def _key(settings: Settings, _now: datetime) -> tuple[str, str]:
    keys = load_keys(settings.data_dir) if is_hub(settings.data_dir) else None
    own = keys.own if keys is not None else load_centre_key(settings.data_dir)
    return OK, f"public key {own.public.hex()}"


def _identity(settings: Settings, _now: datetime) -> tuple[str, str]:
    receiver = load_receiver(settings.data_dir)
    return OK, f"{receiver.role} {receiver.id}, epoch {receiver.epoch}"


def _database(settings: Settings, _now: datetime) -> tuple[str, str]:
    store = open_store(settings)
    try:
        require_head(store)
        return OK, f"{store.engine.url.render_as_string(hide_password=True)}, schema version {head()}"
    finally:
        store.close()


def _administrator(settings: Settings, _now: datetime) -> tuple[str, str]:
    store = open_store(settings)
    try:
        require_head(store)
        with store.reading() as connection:
            count = connection.execute(select(func.count()).where(persons.c.role.in_(ADMINISTER))).scalar_one()
    finally:
        store.close()
    if not count:
        return FAIL, "nobody has the role system_admin; add someone with: bongsu user add NAME --role system_admin"
    return OK, f"{count} with the role system_admin"


def _clock(settings: Settings, now: datetime) -> tuple[str, str]:
    newest = RELEASED_AT
    try:
        store = open_store(settings)
        try:
            require_head(store)
            with store.reading() as connection:
                known = connection.execute(select(func.max(agents.c.status_at))).scalar()
        finally:
            store.close()
        newest = max(newest, known or newest)
    except CollectorError:
        pass  # said under C005
    if now < newest:
        return (
            FAIL,
            f"it is {now:%Y-%m-%d %H:%M} UTC here, before {newest:%Y-%m-%d %H:%M}, which was: set up NTP (chrony)",
        )
    return OK, f"{now:%Y-%m-%d %H:%M:%S} UTC"


def _disk(settings: Settings, _now: datetime) -> tuple[str, str]:
    place = next(folder for folder in (settings.data_dir, *settings.data_dir.absolute().parents) if folder.is_dir())
    space = shutil.disk_usage(place)
    text = f"{space.free / (1 << 30):.1f} GiB of {space.total / (1 << 30):.1f} free at {place}"
    if space.free < LEAST_FREE_BYTES:
        return FAIL, f"{text}: expected at least 1 GiB; make room, or lower [history] raw_days"
    return OK, text


def _port(settings: Settings, _now: datetime) -> tuple[str, str]:
    server = settings.server
    where = f"{server.host}:{server.port}"
    try:
        with socket.create_connection((server.host, server.port), timeout=2):
            pass
    except OSError:
        try:
            with socket.create_server((server.host, server.port), family=_family(server.host)):
                return OK, f"{where} is free; no collector runs there now"
        except OSError as why:
            return FAIL, f"{where} cannot be listened on: {why.strerror or why}; see [server] host and port"
    status = _ask(settings)
    if status is None:
        return FAIL, f"{where} is taken by another program; stop it, or choose another [server] port"
    return (OK if status == 200 else WARN), f"a collector answers on {where} ({status})"


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _ask(settings: Settings) -> int | None:
    """Status of ``/healthz``; None where it is not a collector that answers."""
    server = settings.server
    connection: http.client.HTTPConnection
    if server.tls_cert:
        trusted = ssl.create_default_context()
        trusted.check_hostname = False  # whether somebody of ours is there, not whether the name is right
        trusted.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection(server.host, server.port, timeout=3, context=trusted)
    else:
        connection = http.client.HTTPConnection(server.host, server.port, timeout=3)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        answer.read(4096)
        return answer.status if answer.status in (200, 503) else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _certificate(settings: Settings, now: datetime) -> tuple[str, str]:
    server = settings.server
    if not server.tls_cert:
        return OK, "none set: a proxy speaks TLS" if server.behind_proxy else "none set: only this machine connects"
    try:
        ends = ends_at(Path(server.tls_cert))
    except (OSError, ValueError) as why:
        return FAIL, f"{server.tls_cert}: cannot be read ({why}); make one with: bongsu init --renew-tls"
    text = f"{server.tls_cert} holds until {ends:%Y-%m-%d}"
    if ends <= now:
        return FAIL, f"{text}, which is over: bongsu init --renew-tls, then restart the collector"
    if ends - now < WARN_BEFORE:
        return WARN, f"{text}: bongsu init --renew-tls, then restart the collector"
    return OK, text


def _remote_write(to: Destination) -> Finding:
    wrong = what_is_wrong(to, SystemClock().monotonic)
    text = f"{to.url} {f'does not take samples: {wrong}' if wrong else 'takes samples'}"
    return Finding("C012", FAIL if wrong else OK, f"remote write {to.name}", text)


def _query_upstream(settings: Settings) -> Finding:
    history = settings.history
    wrong = Upstream(history.upstream, SystemClock().monotonic, history.upstream_login).what_is_wrong()
    return Finding("C019", FAIL if wrong else OK, "queries", wrong or f"{history.upstream} answers queries")


def _upstream(settings: Settings, _now: datetime) -> tuple[str, str]:
    """Whether a hub reaches its centre, and is still one of its hubs."""
    if not is_hub(settings.data_dir):
        return OK, "none: this is a centre"
    keys = load_keys(settings.data_dir)
    assert keys.hub is not None
    url = settings.upstream.url
    if not url:
        return FAIL, "[upstream] url is missing: expected the centre's URL; bongsu init --hub wrote it to hub.toml"
    exchange = HttpExchange(SystemClock().monotonic, lambda: context_for(trusted_file(settings)))
    asker = Asker(bytes.fromhex(keys.hub.id), keys.hub.key_no, keys.own.sign)
    told = signed_get(exchange, url, f"{REGISTRY_PATH}?have=", asker, "", 10.0)
    exchange.close()
    if isinstance(told, NotTold):
        hint = "is this hub suspended or revoked there? (bongsu hub list)" if told.status == 403 else "is the line up?"
        return FAIL, f"{told.text}; {hint}"
    try:
        registry = open_registry(base64.b64decode(told.said["registry"]), keys.centre_public, asker.id)
    except (RegistryError, KeyError, TypeError, ValueError) as why:
        return FAIL, f"{url}: {why}; somebody may be between this hub and its centre"
    return OK, f"{url} gives the registry of hub {registry.hub!r}, version {registry.version}"


def _zones(_settings: Settings, _now: datetime) -> tuple[str, str]:
    count = len(available_timezones())
    if not count:
        return FAIL, "no time zone database found; install tzdata (system package or Python package)"
    return OK, f"{count} known"
