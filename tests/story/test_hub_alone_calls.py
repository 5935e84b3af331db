"""Real processes: a hub whose centre is gone calls its own people by a real mail server, by itself and once; and is quiet
again when the centre is back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from mail_server import mail_server
from running import bongsu, stop, wait_until
from test_hub_processes import Cast, cast

__all__ = ["cast"]
pytestmark = pytest.mark.slow
ISLAND_SECONDS = 60.0
PEOPLE = """
[[people]]
id = "ade"
name_en = "Ade"
languages = ["en"]
timezone = "Africa/Lagos"
contacts = [{ channel = "email", address = "ade@example.org" }]
[[rosters]]
id = "local"
timezone = "Africa/Lagos"
[[rosters.layers]]
name = "all"
starts = 2026-01-01
crews = [["ade"]]
"""


def people_at(hub: Path) -> None:
    file = hub.with_name("people.toml")
    file.write_text(PEOPLE)
    bongsu("apply", str(file), data=hub)
    with closing(sqlite3.connect(hub / "bongsu.db", timeout=30)) as rows:
        rows.execute("UPDATE people_contacts SET verified_at = '2026-01-01 00:00:00.000000'")
        rows.commit()


def states_at(hub: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(hub / "bongsu.db", timeout=30)) as rows:
        return rows.execute("SELECT reason, state FROM incidents ORDER BY number").fetchall()


def test_a_hub_alone_mails_its_own_people(cast: Cast) -> None:
    hub = cast.folder / "hub"
    with mail_server() as box:
        stop(cast.running["hub"])
        people_at(hub)
        settings = hub / "hub.toml"
        settings.write_text(
            f'{settings.read_text()}\n[paging]\nisland_minutes = 1\n[outbound]\nprivate = "127.0.0.1"\n'
            f'[[channels]]\nname = "email"\nkind = "smtp"\nhost = "127.0.0.1"\nport = {box.port}\n'
            'security = "plain"\nsender = "hub@example.org"\n'
        )
        cast.start("hub")
        wait_until(lambda: cast.running["centre"].json("/api/hubs/mea")["state"] == 0, "the hub to be heard", 30)
        stop(cast.running["centre"])
        wait_until(lambda: box.mails, "a mail of the hub's", ISLAND_SECONDS + 120)
        ((sender, to, mail),) = box.mails
        assert (sender, to) == ("hub@example.org", ["ade@example.org"])
        assert mail["Bongsu-Kind"] == "trigger"
        assert "mea" in mail.get_content()
        assert [state for _, state in states_at(hub)] == ["triggered"]

        cast.start("centre")
        wait_until(lambda: [state for _, state in states_at(hub)] == ["closed"], "the hub to hand over", 90)
        assert len(box.mails) == 1
