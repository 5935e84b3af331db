"""``bongsu init --hub --token T``: everything a hub needs before its first start; it joins its centre on the way."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path

from agent.link.answer import HUB
from agent.link.clock import Chance, Clock
from collector.access.audit import on_command_line, record
from collector.access.passwords import generate_password, hash_password
from collector.access.queries import set_first_admin
from collector.access.roles import SYSTEM_ADMIN
from collector.fleet.keys import EPOCH_BYTES, HubIdentity, ca_file, save_hub
from collector.relay.joining import Joined, join
from collector.settings import Settings
from collector.store.engine import Store
from collector.store.migrate import upgrade


def initialise_hub(
    settings: Settings, token: str, now: datetime, clock: Clock, chance: Chance, admin: str, password: str | None
) -> tuple[Joined, str | None]:
    """(how it joined, the administrator's password where it was made here). A run that was cut short is repeated.

    Raises UsageError, StoreError.
    """
    data = settings.data_dir
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    generated = None if password else generate_password(chance)
    hashed = hash_password(password or generated or "")
    joined = join(token, data, clock)
    store = Store(settings.store_url)
    try:
        upgrade(store)
        with store.transaction() as connection:
            set_first_admin(connection, admin, hashed, now)
            record(connection, now, on_command_line(), "user.add", admin, {"role": SYSTEM_ADMIN})
    finally:
        store.close()
    if store.is_sqlite:
        for file in data.glob("bongsu.db*"):
            with suppress(OSError):
                file.chmod(0o600)
    identity = HubIdentity(HUB, joined.id, chance.bytes(EPOCH_BYTES).hex(), joined.hub, joined.key_no)
    save_hub(data, identity, joined.centre_public)
    return joined, generated


def tell_hub(joined: Joined, password: str | None, settings: Settings, admin: str, config: Path | None) -> None:
    print(f"This is hub {joined.hub!r} of the centre at {joined.upstream}, known there as {joined.id}.")
    if password:
        print(f"Administrator {admin!r} of this hub, password (shown this once): {password}")
    lines = settings_lines(joined, settings)
    own = settings.data_dir / "hub.toml"
    if config is None and not own.exists():
        own.write_text(lines, "utf-8")
        print(f"Settings are in {own}.")
    else:
        print(f"Put this into {config or own}:\n{lines}")
    if not settings.server.is_secure and "tls_cert" not in lines:
        print(
            "Only this machine can reach it so far. For agents, make a certificate at the centre "
            f"(bongsu hub certificate {joined.hub} --names NAME --out DIR), carry server.pem and server.key into "
            f"{ca_file(settings.data_dir).parent}, and set [server] host, tls_cert and tls_key."
        )
    print(f"Next: bongsu serve --data {settings.data_dir}")


def settings_lines(joined: Joined, settings: Settings) -> str:
    """What hub.toml must say: the upstream, and TLS where a certificate was carried over."""
    lines = ""
    folder = ca_file(settings.data_dir).parent.absolute()
    if (folder / "server.pem").is_file() and (folder / "server.key").is_file():
        lines = (
            f"[server]\nhost = '0.0.0.0'\ntls_cert = '{folder / 'server.pem'}'\ntls_key = '{folder / 'server.key'}'\n"
        )
        lines += f"public_url = '{joined.url}'\n" if joined.url else ""
        lines += "\n"
    return f"{lines}[upstream]\nurl = '{joined.upstream}'\n"
