"""Settings out of a TOML file, then the environment: ``[store] url`` is overridden by ``BONGSU_STORE_URL``, or by the content
of the file that ``BONGSU_STORE_URL_FILE`` names, so that no secret needs to stand on a command line. A key we do not know is
an error that names the nearest one: a setting that is silently ignored is worse than none. No file is needed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from agent.link.names import Limits
from collector.credentials import Login, check_credentials
from collector.errors import SettingsError, nearest
from collector.settings import (
    DEFAULT_DATA_DIR,
    LOG_FORMATS,
    LOG_LEVELS,
    LONGEST_REGISTRY_SECONDS,
    SECTIONS,
    HistorySettings,
    Settings,
    Upstream,
)
from collector.settings_alerts import check_watchdog, read_alertmanagers, read_intakes
from collector.settings_channels import read_channels
from collector.settings_paging import check_paging
from collector.settings_remote_write import read_destinations

TOP_KEYS = ("data_dir", *SECTIONS, "remote_write", "channels", "alertmanagers", "intakes")


def load(path: Path | None, environ: Mapping[str, str], data_dir: Path | None = None) -> Settings:
    """Settings from a file (or none) and the environment; ``data_dir`` (``--data``) wins over both.

    Raises SettingsError, which names file, section and key.
    """
    name = path.name if path is not None else "settings"
    document = _read(path) if path is not None else {}
    for key in document:
        if key not in TOP_KEYS:
            raise SettingsError(f"{path}: {key}: unknown key; {nearest(key, TOP_KEYS)}")
    sections = {}
    for section, kind in SECTIONS.items():
        table = document.get(section, {})
        if not isinstance(table, dict):
            raise SettingsError(f"{name}: {section} = {table!r}: expected a table, written [{section}]")
        sections[section] = _section(name, section, kind, table, environ)
    where = document.get("data_dir", str(DEFAULT_DATA_DIR))
    if not isinstance(where, str) or not where:
        raise SettingsError(f"{name}: data_dir = {where!r}: expected the path of a directory")
    chosen = data_dir or Path(environ.get("BONGSU_DATA") or where)
    destinations = read_destinations(name, document.get("remote_write", []))
    channels = read_channels(name, document.get("channels", []), environ)
    settings = Settings(
        data_dir=chosen,
        **sections,
        remote_write=destinations,
        channels=channels,
        alertmanagers=read_alertmanagers(name, document.get("alertmanagers", [])),
        intakes=read_intakes(name, document.get("intakes", []), environ),
    )
    check(settings, name)
    return settings


def check(settings: Settings, name: str = "settings") -> None:
    """Raises SettingsError where values do not go together; the CLI calls it again after its own options."""
    server = settings.server
    if bool(server.tls_cert) != bool(server.tls_key):
        missing = "tls_key" if server.tls_cert else "tls_cert"
        raise SettingsError(f"{name}: [server] {missing}: missing; tls_cert and tls_key only work together")
    for key in ("tls_cert", "tls_key"):
        file = getattr(server, key)
        if file and not Path(file).is_file():
            raise SettingsError(
                f"{name}: [server] {key} = {file!r}: no such file; make one with: bongsu init --tls NAME"
            )
    for section, key, url in (("server", "public_url", server.public_url), ("upstream", "url", settings.upstream.url)):
        if url and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname):
            raise SettingsError(f"{name}: [{section}] {key} = {url!r}: expected http://… or https://… with a host name")
    _check_history(settings.history, name)
    if server.port > 65535:
        raise SettingsError(f"{name}: [server] port = {server.port}: expected a port number, 0 to 65535")
    if not server.is_loopback and not server.is_secure:
        raise SettingsError(
            f"{name}: [server] host = {server.host!r} can be reached from other machines, so passwords would travel in "
            "the clear: set tls_cert and tls_key (bongsu init --tls NAME makes them), or behind_proxy = true where a "
            "proxy in front speaks TLS, or host = '127.0.0.1'"
        )
    _check_upstream(settings.upstream, name)
    check_paging(settings.paging, name)
    check_watchdog(settings.watchdog, {channel.name for channel in settings.channels}, name)
    if settings.log.level not in LOG_LEVELS:
        raise SettingsError(f"{name}: [log] level = {settings.log.level!r}: {nearest(settings.log.level, LOG_LEVELS)}")
    if settings.log.format not in LOG_FORMATS:
        raise SettingsError(
            f"{name}: [log] format = {settings.log.format!r}: {nearest(settings.log.format, LOG_FORMATS)}"
        )


def _check_history(history: HistorySettings, name: str) -> None:
    asked, login = urlsplit(history.upstream), history.upstream_login
    if history.upstream and (asked.scheme not in ("http", "https") or not asked.hostname):
        raise SettingsError(
            f"{name}: [history] upstream = {history.upstream!r}: expected http://… or https://… with a host name"
        )
    if asked.username is not None:
        raise SettingsError(
            f"{name}: [history] upstream: a user goes into upstream_username and upstream_password_file"
        )
    if login != Login() and not history.upstream:
        raise SettingsError(
            f"{name}: [history] upstream: missing; the other keys of upstream_… say how to log in there"
        )
    check_credentials(f"{name}: [history]", login, ("content-type", "content-length", "host"), "upstream_")


def _check_upstream(upstream: Upstream, name: str) -> None:
    if upstream.ca_file and not Path(upstream.ca_file).is_file():
        raise SettingsError(f"{name}: [upstream] ca_file = {upstream.ca_file!r}: no such file")
    if upstream.registry_seconds > LONGEST_REGISTRY_SECONDS:
        raise SettingsError(
            f"{name}: [upstream] registry_seconds = {upstream.registry_seconds}: expected 1 to {LONGEST_REGISTRY_SECONDS}; "
            "a hub that asks more seldom, and has nothing else to say, would look silent to the centre"
        )
    if upstream.backlog_share_percent > 100:
        share = upstream.backlog_share_percent
        raise SettingsError(f"{name}: [upstream] backlog_share_percent = {share}: expected 1 to 100")


def with_bind(
    settings: Settings, host: str | None = None, port: int | None = None, behind_proxy: bool = False
) -> Settings:
    """The same settings with what ``serve`` was told on the command line, checked again. Raises SettingsError."""
    server = settings.server
    if host is not None:
        server = replace(server, host=host)
    if port is not None:
        server = replace(server, port=port)
    if behind_proxy:
        server = replace(server, behind_proxy=True)
    moved = replace(settings, server=server)
    check(moved, "command line")
    return moved


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as why:
        raise SettingsError(f"{path}: cannot be read ({why.strerror or why})") from why
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as why:
        raise SettingsError(f"{path}: not TOML: {why}") from why


def _section(name: str, section: str, kind: type[Any], table: dict[str, Any], environ: Mapping[str, str]) -> Any:
    defaults = kind()
    known: dict[str, tuple[str, int | None]] = {}
    if isinstance(defaults, Limits):
        known = dict.fromkeys(Limits._fields, ("a whole number, at least 1", 1))
    else:
        known = {f.name: (f.metadata["expected"], f.metadata["least"]) for f in fields(kind)}
    for key in table:
        if key not in known:
            raise SettingsError(f"{name}: [{section}] {key}: unknown key; {nearest(key, list(known))}")
    values = {}
    for key, (expected, least) in known.items():
        default = getattr(defaults, key)
        variable = f"BONGSU_{section}_{key}".upper()
        if variable in environ or f"{variable}_FILE" in environ:
            text = _from_environment(variable, environ)
            values[key] = _typed(f"environment: {variable} = {text!r}", _parse(text, default), default, expected, least)
        elif key in table:
            where = f"{name}: [{section}] {key} = {table[key]!r}"
            values[key] = _typed(where, table[key], default, expected, least)
    return kind(**values)


def _from_environment(variable: str, environ: Mapping[str, str]) -> str:
    if variable in environ:
        return environ[variable]
    path = environ[f"{variable}_FILE"]
    try:
        return Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as why:
        raise SettingsError(f"environment: {variable}_FILE = {path!r}: cannot be read ({why})") from why


def _parse(text: str, default: Any) -> Any:
    if isinstance(default, bool):
        return {"true": True, "1": True, "false": False, "0": False}.get(text.lower(), text)
    if isinstance(default, int):
        try:
            return int(text)
        except ValueError:
            return text
    return text


def _typed(where: str, value: Any, default: Any, expected: str, least: int | None) -> Any:
    if type(value) is not type(default) or (least is not None and value < least):
        raise SettingsError(f"{where}: expected {expected}")
    return value
