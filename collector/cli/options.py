"""What all verbs share: ``--data``, ``--config``, and how the settings and the database are found from them."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from collector.errors import SettingsError, UsageError
from collector.fleet.keys import is_hub
from collector.settings import DEFAULT_DATA_DIR, Settings
from collector.settings_read import load
from collector.store.engine import Store
from collector.store.migrate import require_head

SYSTEM_CONFIG = Path("/etc/bongsu/collector.toml")
CONFIG_NAMES = ("collector.toml", "hub.toml")
Verbs = argparse._SubParsersAction


def common() -> argparse.ArgumentParser:
    """The options of every verb, for ``parents=[common()]``."""
    parser = argparse.ArgumentParser(add_help=False)
    group = parser.add_argument_group("where")
    group.add_argument(
        "--data", type=Path, metavar="DIR", help="data directory (default: BONGSU_DATA, else /var/lib/bongsu)"
    )
    group.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="settings file (default: BONGSU_CONFIG, else collector.toml or hub.toml in the data directory given, "
        "else the one in /etc/bongsu or /var/lib/bongsu)",
    )
    return parser


def verb(
    verbs: Verbs[argparse.ArgumentParser], name: str, summary: str, example: str, *, json: bool = False
) -> argparse.ArgumentParser:
    """A parser for one verb, with its example under the help."""
    parser = verbs.add_parser(
        name,
        help=summary,
        description=summary[:1].upper() + summary[1:] + ".",
        epilog=f"example: {example}",
        parents=[common()],
    )
    if json:
        parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def settings_of(args: argparse.Namespace) -> Settings:
    """Raises SettingsError."""
    return load(config_of(args), os.environ, args.data)


def config_of(args: argparse.Namespace) -> Path | None:
    """The settings file: asked for, or found where one belongs."""
    named = args.config or (Path(os.environ["BONGSU_CONFIG"]) if os.environ.get("BONGSU_CONFIG") else None)
    if named is not None:
        return Path(named)
    data = args.data or (Path(os.environ["BONGSU_DATA"]) if os.environ.get("BONGSU_DATA") else None)
    usual = (data,) if data is not None else (SYSTEM_CONFIG.parent, DEFAULT_DATA_DIR)
    found = (folder / name for folder in usual for name in CONFIG_NAMES)
    return next((file for file in found if file.is_file()), None)


@contextmanager
def opened(args: argparse.Namespace) -> Iterator[tuple[Settings, Store]]:
    """Settings and the database at the head. Raises SettingsError, StoreError."""
    settings = settings_of(args)
    store = open_store(settings)
    try:
        require_head(store)
        yield settings, store
    finally:
        store.close()


@contextmanager
def opened_centre(args: argparse.Namespace) -> Iterator[tuple[Settings, Store]]:
    """The same for what only a centre decides. Raises UsageError on a hub."""
    with opened(args) as (settings, store):
        refuse_hub(settings)
        yield settings, store


def refuse_hub(settings: Settings) -> None:
    """Raises UsageError on a hub: its rows are the centre's."""
    if is_hub(settings.data_dir):
        where = settings.upstream.url or "the centre"
        raise UsageError(
            f"{settings.data_dir} is a hub's: the centre ({where}) decides this; do it there, and the hub has it "
            f"within {settings.upstream.registry_seconds} s"
        )


def open_store(settings: Settings) -> Store:
    """The database as set. A SQLite file that is not there is not made by looking at it."""
    store = Store(settings.store_url)
    if store.is_sqlite:
        file = store.engine.url.database
        if file and file != ":memory:" and not Path(file).is_file():
            raise SettingsError(
                f"database {file}: no such file; make it with: bongsu init --data {settings.data_dir}, "
                "or say where it is with --data DIR"
            )
    return store
