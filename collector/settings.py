"""The collector's settings: one frozen value, made once at the start (``collector.settings_read``) and passed in. Here are the
sections of the file with every key, its default and what is expected of it; ``configs/collector.toml`` shows them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from agent.link.names import Limits
from collector.credentials import Login
from collector.settings_alerts import AlertmanagerTarget, AlertSettings, Intake, WatchdogSettings
from collector.settings_channels import Channel, Outbound
from collector.settings_paging import PagingSettings
from collector.settings_remote_write import Destination

DEFAULT_DATA_DIR = Path("/var/lib/bongsu")
LONGEST_REGISTRY_SECONDS = 80
"""A hub without reports is heard by nothing but that question, and after 90 s without a word the centre takes it for silent."""
LOG_LEVELS = ("debug", "info", "warning", "error")
LOG_FORMATS = ("text", "json")


def _key(default: Any, expected: str, least: int | None = None) -> Any:
    return field(default=default, metadata={"expected": expected, "least": least})


@dataclass(frozen=True, slots=True)
class Server:
    """Where people and agents reach us."""

    host: str = _key("127.0.0.1", "an address or a name of this machine")
    port: int = _key(8650, "a port number, 0 to 65535 (0 = any free one)", 0)
    tls_cert: str = _key("", "the path of a PEM file with the certificate chain")
    tls_key: str = _key("", "the path of a PEM file with the private key")
    behind_proxy: bool = _key(False, "true or false")
    public_url: str = _key("", "the URL people and agents use, such as https://bongsu.example.org")

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach us."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def is_secure(self) -> bool:
        """Whether people reach us over TLS, ours or the proxy's."""
        return bool(self.tls_cert) or self.behind_proxy

    @property
    def is_told_elsewhere(self) -> bool:
        """Whether ``url`` names another port than the one we listen on: behind a proxy, or by a mistake."""
        told = urlsplit(self.url)
        return (told.port or {"https": 443}.get(told.scheme, 80)) != self.port

    @property
    def url(self) -> str:
        """The address to print and to put into join tokens."""
        if self.public_url:
            return self.public_url.rstrip("/")
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls_cert else 'http'}://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class StoreSettings:
    url: str = _key("", "sqlite:////absolute/path.db or postgresql+psycopg://user:password@host/database")


@dataclass(frozen=True, slots=True)
class HistorySettings:
    raw_days: int = _key(15, "a whole number of days, at least 1", 1)
    rollup_5m_days: int = _key(180, "a whole number of days, at least 1", 1)
    rollup_1h_days: int = _key(1095, "a whole number of days, at least 1", 1)
    upstream: str = _key("", "the URL of a Prometheus, VictoriaMetrics or Mimir, such as http://prometheus:9090")
    upstream_bearer_token_file: str = _key("", "the path of a file with a token")
    upstream_username: str = _key("", "a user name")
    upstream_password_file: str = _key("", "the path of a file with a password")
    upstream_ca_file: str = _key("", "the path of a PEM file with the authority of its certificate")
    upstream_headers: Mapping[str, str] = field(
        default_factory=dict, metadata={"expected": "a table of texts", "least": None}
    )

    @property
    def upstream_login(self) -> Login:
        return Login(
            self.upstream_bearer_token_file,
            self.upstream_username,
            self.upstream_password_file,
            self.upstream_ca_file,
            self.upstream_headers,
        )


@dataclass(frozen=True, slots=True)
class RuleSettings:
    """Which rules are evaluated here."""

    shipped: bool = _key(True, "true or false")
    folder: str = _key("", "the path of a folder with rule files (*.yaml)")


@dataclass(frozen=True, slots=True)
class AccessSettings:
    session_hours: int = _key(12, "a whole number of hours, at least 1", 1)
    login_tries: int = _key(5, "a whole number, at least 1", 1)
    login_pause_seconds: int = _key(60, "a whole number of seconds, at least 1", 1)
    audit_days: int = _key(730, "a whole number of days, at least 365", 365)
    status_pages: str = _key("", "ids of agencies with spaces between, such as adm opn")


@dataclass(frozen=True, slots=True)
class Upstream:
    """A hub's centre; without ``url`` this is a centre itself."""

    url: str = _key("", "the URL of the centre, such as https://bongsu.example.org")
    ca_file: str = _key("", "the path of a PEM file with the authority that the centre's certificate is from")
    registry_seconds: int = _key(60, f"a whole number of seconds, 1 to {LONGEST_REGISTRY_SECONDS}", 1)
    backlog_share_percent: int = _key(25, "a whole number of percent, 1 to 100", 1)
    keep_days: int = _key(30, "a whole number of days, at least 1", 1)


@dataclass(frozen=True, slots=True)
class LogSettings:
    level: str = _key("info", f"one of {', '.join(LOG_LEVELS)}")
    format: str = _key("text", f"one of {', '.join(LOG_FORMATS)}")


@dataclass(frozen=True, slots=True)
class Settings:
    data_dir: Path = DEFAULT_DATA_DIR
    server: Server = field(default_factory=Server)
    store: StoreSettings = field(default_factory=StoreSettings)
    limits: Limits = field(default_factory=Limits)
    history: HistorySettings = field(default_factory=HistorySettings)
    rules: RuleSettings = field(default_factory=RuleSettings)
    access: AccessSettings = field(default_factory=AccessSettings)
    upstream: Upstream = field(default_factory=Upstream)
    outbound: Outbound = field(default_factory=Outbound)
    alerts: AlertSettings = field(default_factory=AlertSettings)
    watchdog: WatchdogSettings = field(default_factory=WatchdogSettings)
    paging: PagingSettings = field(default_factory=PagingSettings)
    log: LogSettings = field(default_factory=LogSettings)
    remote_write: tuple[Destination, ...] = ()
    channels: tuple[Channel, ...] = ()
    alertmanagers: tuple[AlertmanagerTarget, ...] = ()
    intakes: tuple[Intake, ...] = ()

    @property
    def store_url(self) -> str:
        """Where the database is: as set, else a SQLite file in the data directory."""
        return self.store.url or f"sqlite:///{self.data_dir.absolute() / 'bongsu.db'}"


SECTIONS: Mapping[str, type[Any]] = {
    "server": Server,
    "store": StoreSettings,
    "limits": Limits,
    "history": HistorySettings,
    "rules": RuleSettings,
    "access": AccessSettings,
    "upstream": Upstream,
    "outbound": Outbound,
    "alerts": AlertSettings,
    "watchdog": WatchdogSettings,
    "paging": PagingSettings,
    "log": LogSettings,
}
