"""What an administrator types about hubs, at the centre and on a hub."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path

import pytest
from cryptography import x509

from agent.link.keys import new_key, save_key
from agent.link.token import read_token
from collector.cli import main
from collector.fleet.keys import HubIdentity, hub_key_file, load_hub, save_hub
from collector.store.engine import Store
from collector.store.migrate import upgrade

TOPOLOGY = """
[[agencies]]
id = "for"
[[hubs]]
id = "mea"
url = "https://hub-mea.test:8650"
[[sites]]
id = "abuja"
agency = "for"
hub = "mea"
timezone = "Africa/Lagos"
[[sites]]
id = "local"
agency = "for"
timezone = "Asia/Seoul"
"""


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BONGSU_DATA", "BONGSU_CONFIG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def centre(tmp_path: Path) -> Path:
    folder, password, topology = tmp_path / "centre", tmp_path / "password", tmp_path / "topology.toml"
    password.write_text("a rather long password\n")
    topology.write_text(TOPOLOGY)
    assert main(["init", "--data", str(folder), "--tls", "centre.test", "--admin-password-file", str(password)]) == 0
    assert main(["apply", str(topology), "--data", str(folder)]) == 0
    return folder


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    folder = tmp_path / "hub"
    folder.mkdir(mode=0o700)
    save_key(hub_key_file(folder), new_key())
    save_hub(folder, HubIdentity("hub", "ab" * 16, "01" * 8, "mea"), new_key().public)
    (folder / "hub.toml").write_text("[upstream]\nurl = 'http://127.0.0.1:9'\n")
    store = Store(f"sqlite:///{folder}/bongsu.db")
    upgrade(store)
    store.close()
    return folder


def said(capsys: pytest.CaptureFixture[str], data: Path, *argv: str, status: int = 0) -> tuple[str, str]:
    capsys.readouterr()
    assert main([*argv, "--data", str(data)]) == status
    found = capsys.readouterr()
    return found.out, found.err


def test_join_tokens_of_a_hubs_site_list_the_hub_first(centre: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for site, urls in (
        ("abuja", ["https://hub-mea.test:8650", "https://centre.test:8650"]),
        ("local", ["https://centre.test:8650"]),
    ):
        out, _ = said(capsys, centre, "token", "create", "--site", site, "--json")
        token = read_token(json.loads(out)["token"])
        assert (token.collectors, token.role, len(token.ca_sha256)) == (urls, "", 32)


def test_a_hub_is_invited_listed_and_uninvited(centre: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = said(capsys, centre, "token", "create", "--hub", "mea")
    text = re.search(r"bongsu1\.\S+", out)
    assert text is not None
    token = read_token(text.group())
    assert (token.role, token.site, token.collectors) == ("hub", "mea", ["https://centre.test:8650"])
    assert f"bongsu init --hub --token {text.group()}" in out
    (row,) = json.loads(said(capsys, centre, "token", "list", "--json")[0])
    assert (row["hub"], row["state"]) == ("mea", "unused")
    said(capsys, centre, "token", "cancel", row["token_id"])
    assert json.loads(said(capsys, centre, "token", "list", "--json")[0])[0]["state"] == "cancelled"
    assert "no such hub; did you mean 'mea'" in said(capsys, centre, "token", "create", "--hub", "mee", status=1)[1]
    assert "No hub joined" in said(capsys, centre, "hub", "list")[0]
    assert "no identity of such a hub" in said(capsys, centre, "hub", "revoke", "mea", status=1)[1]


def test_a_hubs_certificate_is_from_the_centres_authority(centre: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = centre.parent / "carry"
    said(capsys, centre, "hub", "certificate", "mea", "--names", "hub-mea.test,203.0.113.9", "--out", str(out))
    made = x509.load_pem_x509_certificate((out / "server.pem").read_bytes())
    authority = x509.load_pem_x509_certificate((centre / "tls/ca.pem").read_bytes())
    made.verify_directly_issued_by(authority)
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["hub-mea.test"]
    assert stat.S_IMODE((out / "server.key").stat().st_mode) == 0o600
    before = (centre / "tls/server.pem").read_bytes()
    assert before != (out / "server.pem").read_bytes(), "the centre keeps its own"


@pytest.mark.parametrize(
    "argv",
    [
        ["token", "create", "--site", "abuja"],
        ["token", "cancel", "00"],
        ["agent", "revoke", "srv1.abuja"],
        ["apply", "topology.toml"],
        ["hub", "list"],
        ["hub", "certificate", "mea", "--names", "x", "--out", "x"],
        ["serve", "--local-agent"],
    ],
)
def test_what_a_hub_refuses_to_decide(
    hub: Path, argv: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "topology.toml").write_text(TOPOLOGY)
    _, err = said(capsys, hub, *argv, status=1)
    assert "is a hub's: the centre (http://127.0.0.1:9) decides this" in err or "expected 16 hex digits" in err


def test_mistakes_of_init(centre: Path, hub: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    agents = json.loads(said(capsys, centre, "token", "create", "--site", "abuja", "--json")[0])["token"]
    for data, argv, expected in (
        (empty, ["--hub"], "--hub and --token go together"),
        (empty, ["--token", "x"], "--hub and --token go together"),
        (empty, ["--hub", "--token", "x"], "expected text that begins with"),
        (empty, ["--hub", "--token", agents], "this one invites an agent of site 'abuja'"),
        (empty, ["--hub", "--token", agents, "--tls", "x"], "bongsu hub certificate"),
        (hub, ["--hub", "--token", agents], "is in use already"),
    ):
        assert expected in said(capsys, data, "init", *argv, status=1)[1]
    nobody = json.loads(
        said(capsys, centre, "token", "create", "--hub", "mea", "--url", "http://127.0.0.1:9", "--json")[0]
    )
    _, err = said(capsys, empty, "init", "--hub", "--token", nobody["token"], status=1)
    assert "expected the centre there" in err
    assert (empty / "hub.key").exists(), "the same key is asked for again next time"
    assert not (empty / "identity.json").exists()


def test_doctor_looks_upstream(hub: Path, centre: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for config in (hub / "hub.toml", centre / "collector.toml"):  # whatever listens on this machine
        text = config.read_text() if config.exists() else ""
        assert "\nport =" not in text
        found = (
            text.replace("[server]", "[server]\nport = 0", 1) if "[server]" in text else f"{text}[server]\nport = 0\n"
        )
        config.write_text(found)
    findings = {f["id"]: f for f in json.loads(said(capsys, hub, "doctor", "--json", status=1)[0])}
    assert (findings["C013"]["result"], findings["C003"]["subject"]) == ("FAIL", "hub key")
    assert "127.0.0.1:9" in findings["C013"]["text"]
    findings = {f["id"]: f for f in json.loads(said(capsys, centre, "doctor", "--json")[0])}
    assert findings["C013"]["result"] == "ok"


def test_a_restored_hub_begins_a_new_epoch(hub: Path, centre: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = load_hub(hub)
    said(capsys, hub, "hub", "renew")
    after = load_hub(hub)
    assert (after.id, after.hub) == (before.id, before.hub)
    assert after.epoch != before.epoch
    assert "is not a hub's" in said(capsys, centre, "hub", "renew", status=1)[1]
