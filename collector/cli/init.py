"""``bongsu init``: everything a collector needs before its first start. It makes, and never replaces, what is there.

Also used by ``bongsu serve --local-agent``, which calls ``initialise`` where nothing was made yet.
"""

from __future__ import annotations

import argparse
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from agent.link.clock import Chance, SystemChance, SystemClock
from agent.link.keys import new_key, save_key
from collector.access.audit import on_command_line, record
from collector.access.passwords import generate_password, hash_password
from collector.access.queries import set_first_admin
from collector.access.roles import SYSTEM_ADMIN
from collector.cli.init_hub import initialise_hub, tell_hub
from collector.cli.options import Verbs, config_of, settings_of, verb
from collector.errors import UsageError
from collector.fleet.authority import make_authority, make_server_certificate, names_of
from collector.fleet.keys import ca_file, centre_key_file, identity_file, new_receiver, save_receiver
from collector.fleet.tables import agents, sites
from collector.fleet.topology_apply import apply_topology
from collector.fleet.topology_default import default_topology
from collector.settings import Settings
from collector.store.engine import Store
from collector.store.migrate import upgrade
from collector.store.schema import instant


def add(verbs: Verbs[argparse.ArgumentParser]) -> None:
    parser = verb(
        verbs,
        "init",
        "make the data directory, keys, database, default topology and the first administrator",
        "bongsu init --data /var/lib/bongsu --tls bongsu.example.org,203.0.113.5",
    )
    parser.add_argument(
        "--tls", metavar="NAMES", help="also make a CA and a server certificate for these names, by commas"
    )
    parser.add_argument("--hub", action="store_true", help="make a hub: join the centre that --token is from")
    parser.add_argument("--token", metavar="T", help="what bongsu token create --hub printed at the centre")
    parser.add_argument(
        "--renew-tls", action="store_true", help="only make a new server certificate (of the same names, or --tls)"
    )
    parser.add_argument("--admin", metavar="NAME", default="admin", help="user name of the first administrator (admin)")
    parser.add_argument(
        "--admin-password-file", type=Path, metavar="FILE", help="take the password from this file, and print none"
    )


def run(args: argparse.Namespace) -> int:
    settings = settings_of(args)
    now = instant(SystemClock().wall_ms())
    names = [name.strip() for name in (args.tls or "").split(",") if name.strip()]
    if args.renew_tls:
        server = ca_file(settings.data_dir).with_name("server.pem")
        if not names and not server.is_file():
            raise UsageError(f"{server}: no such certificate to renew; make one with: bongsu init --tls NAME")
        renewed, _ = make_server_certificate(settings.data_dir, names or names_of(server), now)
        print(f"New server certificate {renewed}. Restart the collector to use it.")
        return 0
    if is_initialised(settings):
        raise UsageError(
            f"{settings.data_dir} is in use already ({centre_key_file(settings.data_dir).name} is there); nothing was "
            "changed. Choose another --data, or see how it stands with: bongsu doctor"
        )
    password = _password(args.admin_password_file) if args.admin_password_file else None
    if args.hub != bool(args.token):
        raise UsageError("--hub and --token go together: make a token at the centre with: bongsu token create --hub H")
    if args.hub:
        if names:
            raise UsageError("--tls: a hub's certificate is from its centre's authority: bongsu hub certificate, there")
        joined, made_up = initialise_hub(settings, args.token, now, SystemClock(), SystemChance(), args.admin, password)
        tell_hub(joined, made_up, settings, args.admin, config_of(args))
        return 0
    made = initialise(settings, now, SystemChance(), admin=args.admin, password=password, tls_names=names)
    _tell(made, settings, args, names)
    return 0


@dataclass(frozen=True, slots=True)
class Made:
    """``password`` is None where it was given."""

    admin: str
    password: str | None
    certificate: tuple[Path, Path] | None


def is_initialised(settings: Settings) -> bool:
    return centre_key_file(settings.data_dir).exists() or identity_file(settings.data_dir).exists()


def initialise(
    settings: Settings,
    now: datetime,
    chance: Chance,
    *,
    admin: str = "admin",
    password: str | None = None,
    tls_names: list[str] | None = None,
) -> Made:
    """Keys, certificates, database, topology, first administrator. The key file comes last: it says that all is there.

    A run that was cut short is simply repeated. Raises UsageError, StoreError.
    """
    data = settings.data_dir
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    generated = None if password else generate_password(chance)
    hashed = hash_password(password or generated or "")
    certificate = None
    if tls_names:
        make_authority(data, now)
        certificate = make_server_certificate(data, tls_names, now)
    store = Store(settings.store_url)
    try:
        upgrade(store)
        with store.transaction() as connection:
            if connection.execute(select(agents.c.id).limit(1)).first() is not None:
                raise UsageError(
                    f"the database of {data} has agents already, and they trust the centre key they were enrolled with: "
                    f"put the copy of centre.key and identity.json back into {data} instead of making new ones"
                )
            if connection.execute(select(sites.c.id).limit(1)).first() is None:
                apply_topology(connection, default_topology())
            set_first_admin(connection, admin, hashed, now)
            record(connection, now, on_command_line(), "user.add", admin, {"role": SYSTEM_ADMIN})
    finally:
        store.close()
    if store.is_sqlite:
        for file in data.glob("bongsu.db*"):
            with suppress(OSError):
                file.chmod(0o600)
    save_receiver(data, new_receiver(chance))
    save_key(centre_key_file(data), new_key(chance.bytes))
    return Made(admin, generated, certificate)


def _password(file: Path) -> str:
    try:
        return file.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as why:
        raise UsageError(f"--admin-password-file {file}: cannot be read ({why})") from why


def _tell(made: Made, settings: Settings, args: argparse.Namespace, names: list[str]) -> None:
    print(f"Data directory {settings.data_dir} is ready: centre key, database, site 'local'.")
    print("Keep a copy of centre.key in a safe place: agents trust it and no other.")
    if made.password:
        print(f"Administrator {made.admin!r}, password (shown this once): {made.password}")
    if made.certificate:
        _tell_tls(made.certificate, settings, config_of(args), names[0])
    print(f"Next: bongsu serve --data {settings.data_dir}")


def _tell_tls(certificate: tuple[Path, Path], settings: Settings, config: Path | None, name: str) -> None:
    """Write the settings file where there is none, else say what belongs into it. Who asks for TLS wants to be reached."""
    shown = f"[{name}]" if ":" in name else name
    lines = (
        f"[server]\nhost = '0.0.0.0'\ntls_cert = '{certificate[0].absolute()}'\ntls_key = '{certificate[1].absolute()}'\n"
        f"public_url = 'https://{shown}:{settings.server.port}'\n"
    )
    own = settings.data_dir / "collector.toml"
    if config is None and not own.exists():
        own.write_text(lines, "utf-8")
        print(
            f"Settings are in {own}: it listens on every address, over TLS, as https://{shown}:{settings.server.port}."
        )
    else:
        print(f"Put this into {config or own}:\n{lines}")
