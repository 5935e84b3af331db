"""Settings: strict about keys and types, from file and environment, and documented in full."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, fields
from pathlib import Path

import pytest

from agent.link.names import Limits
from collector.errors import SettingsError
from collector.settings import SECTIONS, Server, Settings
from collector.settings_alerts import AlertmanagerTarget, Intake
from collector.settings_read import load, with_bind
from collector.settings_remote_write import Destination

ROOT = Path(__file__).parents[3]


def read(tmp_path: Path, text: str, **environ: str) -> Settings:
    file = tmp_path / "collector.toml"
    file.write_text(text)
    return load(file, environ)


def test_without_a_file_everything_is_at_its_default() -> None:
    settings = load(None, {})
    assert settings == Settings()
    assert settings.store_url == "sqlite:////var/lib/bongsu/bongsu.db"
    assert settings.server.url == "http://127.0.0.1:8650"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[history]\nraw_days = "90"', "collector.toml: [history] raw_days = '90': expected a whole number of days"),
        (
            "[history]\nraw_days = 0",
            "collector.toml: [history] raw_days = 0: expected a whole number of days, at least 1",
        ),
        ("[history]\nraw_days = true", "collector.toml: [history] raw_days = True: expected a whole number"),
        ("[history]\nraw_dys = 9", "collector.toml: [history] raw_dys: unknown key; did you mean 'raw_days'?"),
        (
            '[history]\nupstream = "http://u:p@prometheus"',
            "a user goes into upstream_username and upstream_password_file",
        ),
        ('[history]\nupstream_username = "u"', "[history] upstream: missing; the other keys of upstream_… say how"),
        (
            '[history]\nupstream = "http://p"\nupstream_username = "u"',
            "[history]: upstream_username and upstream_password_file only work together",
        ),
        (
            '[history]\nupstream = "http://p"\nupstream_bearer_token_file = "/nowhere"',
            "[history]: upstream_bearer_token_file = '/nowhere': no such file",
        ),
        (
            '[history]\nupstream = "http://p"\n[history.upstream_headers]\n"a b" = "c"',
            "[history]: upstream_headers: a b = 'c': expected a header's name and a line of text",
        ),
        ('[history]\nupstream = "http://p"\nupstream_headers = 3', "upstream_headers = 3: expected a table of texts"),
        ("[upstream]\nregistry_seconds = 90", "[upstream] registry_seconds = 90: expected 1 to 80"),
        ("[histroy]\nraw_days = 9", "histroy: unknown key; did you mean 'history'?"),
        ("history = 3", "collector.toml: history = 3: expected a table, written [history]"),
        ("[limits]\nlabels = 0", "collector.toml: [limits] labels = 0: expected a whole number, at least 1"),
        ("[limits]\nlabel = 3", "collector.toml: [limits] label: unknown key; did you mean 'labels'?"),
        ("[server]\nport = 70000", "collector.toml: [server] port = 70000: expected a port number"),
        ('[server]\nbehind_proxy = "yes"', "[server] behind_proxy = 'yes': expected true or false"),
        ('[server]\nhost = "0.0.0.0"', "can be reached from other machines"),
        ('[server]\nhost = "monitor.example.org"', "can be reached from other machines"),
        ('[server]\npublic_url = "bongsu.example.org"', "expected http://… or https://… with a host name"),
        ('[server]\ntls_cert = "/nowhere.pem"', "[server] tls_key: missing"),
        ('[server]\ntls_cert = "/nowhere.pem"\ntls_key = "/nowhere.key"', "tls_cert = '/nowhere.pem': no such file"),
        ('[log]\nlevel = "inf"', "collector.toml: [log] level = 'inf': did you mean 'info'?"),
        ('[log]\nformat = "xml"', "collector.toml: [log] format = 'xml': expected one of text, json"),
        ("data_dir = 3", "collector.toml: data_dir = 3: expected the path of a directory"),
        ("[server", "not TOML"),
    ],
)
def test_mistakes(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, text)
    assert said in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load(tmp_path / "none.toml", {})


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_text("postgresql+psycopg://u:p@h/d\n")
    settings = read(
        tmp_path,
        '[store]\nurl = "sqlite:////x"\n[server]\nport = 1\n[history]\nraw_days = 3',
        BONGSU_STORE_URL_FILE=str(secret),
        BONGSU_SERVER_PORT="99",
        BONGSU_SERVER_BEHIND_PROXY="true",
        BONGSU_REAL="1",
    )
    assert settings.store_url == "postgresql+psycopg://u:p@h/d"
    assert (settings.server.port, settings.server.behind_proxy, settings.history.raw_days) == (99, True, 3)
    for environ, said in (
        ({"BONGSU_SERVER_PORT": "x"}, "environment: BONGSU_SERVER_PORT = 'x': expected a port number"),
        ({"BONGSU_STORE_URL_FILE": "/nowhere"}, "environment: BONGSU_STORE_URL_FILE = '/nowhere': cannot be read"),
    ):
        with pytest.raises(SettingsError, match=said):
            load(None, environ)


def test_the_data_directory_of_the_command_line_wins(tmp_path: Path) -> None:
    file = tmp_path / "collector.toml"
    file.write_text('data_dir = "/from/file"')
    assert load(file, {}).data_dir == Path("/from/file")
    assert load(file, {"BONGSU_DATA": "/from/environment"}).data_dir == Path("/from/environment")
    assert load(file, {"BONGSU_DATA": "/from/environment"}, Path("/asked")).data_dir == Path("/asked")


def test_binding_beyond_loopback_is_checked_again() -> None:
    assert with_bind(Settings(), port=0).server.port == 0
    assert with_bind(Settings(), host="127.0.0.7").server.is_loopback
    with pytest.raises(SettingsError, match="command line"):
        with_bind(Settings(), host="::")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("localhost", True),
        ("::1", True),
        ("127.9.9.9", True),
        ("0.0.0.0", False),
        ("::", False),
        ("example.org", False),
    ],
)
def test_loopback(host: str, expected: bool) -> None:
    assert Server(host=host).is_loopback is expected


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        (Server(), False),
        (Server(port=9000), False),
        (Server(public_url="http://monitor.example:8650"), False),
        (Server(public_url="http://monitor.example:8701"), True),
        (Server(public_url="https://monitor.example"), True),
        (Server(public_url="https://monitor.example", port=443), False),
        (Server(public_url="http://monitor.example", port=80), False),
    ],
)
def test_whether_people_are_told_another_port(server: Server, expected: bool) -> None:
    assert server.is_told_elsewhere is expected


def test_the_documented_file_shows_every_key_at_its_default() -> None:
    text = (ROOT / "configs/collector.toml").read_text("utf-8")
    assert tomllib.loads(text) == {section: {} for section in SECTIONS}, "every key is commented"
    lines = [line.removeprefix("# ") for line in text.splitlines()]
    toml = [line for line in lines if line.startswith("[") or (" = " in line and line.split(" = ")[0].isidentifier())]
    shown = tomllib.loads("\n".join(toml))
    (destination,) = shown.pop("remote_write")
    assert destination == asdict(Destination())
    assert list(destination) == [f.name for f in fields(Destination)]
    for key, kind in (("alertmanagers", AlertmanagerTarget), ("intakes", Intake)):
        (table,) = shown.pop(key)
        assert list(table.items()) == [item for item in asdict(kind()).items() if item[0] != "key"], key
    defaults = {k: v for k, v in asdict(Settings()).items() if not isinstance(v, tuple)}
    defaults |= {"limits": Limits()._asdict(), "data_dir": str(Settings().data_dir)}
    assert shown == defaults
    for section, kind in SECTIONS.items():
        names = kind._fields if section == "limits" else [f.name for f in fields(kind)]
        assert list(shown[section]) == list(names), section
