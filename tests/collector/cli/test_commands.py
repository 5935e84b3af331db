"""The commands as an administrator types them: what they do, print and answer to a mistake."""

from __future__ import annotations

import json
import re
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from agent.link.clock import SystemChance, SystemClock
from agent.link.keys import load_key, new_key
from agent.link.token import proof_message, read_token
from collector.access.passwords import is_password
from collector.access.queries import stored_password
from collector.cli import VERBS, main
from collector.fleet.enrolment import enrol, read_enrolment
from collector.fleet.keys import load_centre_key, load_receiver
from collector.store.engine import Store
from collector.store.migrate import head
from collector.store.schema import instant

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BONGSU_DATA", "BONGSU_CONFIG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text("a rather long password\n")
    return file


@pytest.fixture
def data(tmp_path: Path, secret: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An initialised data directory, the default for every command."""
    folder = tmp_path / "data"
    assert main(["init", "--data", str(folder), "--admin-password-file", str(secret)]) == 0
    monkeypatch.setenv("BONGSU_DATA", str(folder))
    return folder


def said(capsys: pytest.CaptureFixture[str], *argv: str, status: int = 0) -> tuple[str, str]:
    capsys.readouterr()
    assert main(list(argv)) == status
    found = capsys.readouterr()
    return found.out, found.err


def as_json(capsys: pytest.CaptureFixture[str], *argv: str) -> Any:
    return json.loads(said(capsys, *argv, "--json")[0])


def join(data: Path, token: str, host: str) -> str:
    """What the HTTP route does with an agent's request; the agent's id."""
    key, now = new_key(), instant(SystemClock().wall_ms())
    body = {"token": token, "public_key": key.public.hex(), "host": host, "proof": ""}
    body["proof"] = key.sign(proof_message(token, key.public)).hex()
    store = Store(f"sqlite:///{data}/bongsu.db")
    with store.transaction() as connection:
        request = read_enrolment(json.dumps(body).encode())
        answer, _ = enrol(connection, request, load_centre_key(data), now, SystemChance())
    store.close()
    return answer.agent_id


def test_init_makes_everything_and_never_again(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in data.iterdir()}
    assert modes["centre.key"] == modes["bongsu.db"] == 0o600
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    receiver = load_receiver(data)
    assert (receiver.role, len(receiver.id), len(receiver.epoch)) == ("centre", 16, 16)
    store = Store(f"sqlite:///{data}/bongsu.db")
    with store.reading() as connection:
        assert is_password("a rather long password", stored_password(connection, "admin"))
    store.close()
    key = load_key(data / "centre.key").public
    _, error = said(capsys, "init", status=1)
    assert "is in use already (centre.key is there); nothing was changed" in error
    assert load_key(data / "centre.key").public == key
    assert [site["id"] for site in as_json(capsys, "sites")] == ["local"]


def test_init_prints_a_generated_password_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = said(capsys, "init", "--data", str(tmp_path / "d"), "--admin", "root")
    password = re.search(r"Administrator 'root', password \(shown this once\): (\S{20})", out)
    assert password
    store = Store(f"sqlite:///{tmp_path}/d/bongsu.db")
    with store.reading() as connection:
        assert is_password(password[1], stored_password(connection, "root"))
    store.close()


def test_init_after_a_lost_key_does_not_cut_off_the_agents(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    token = as_json(capsys, "token", "create", "--site", "local")["token"]
    join(data, token, "srv")
    (data / "centre.key").rename(data / "copy")
    (data / "identity.json").unlink()
    _, error = said(capsys, "init", status=1)
    assert "put the copy of centre.key and identity.json back" in error


def test_init_with_tls(tmp_path: Path, secret: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = str(tmp_path / "d")
    names = "bongsu.test,203.0.113.5"
    said(capsys, "init", "--data", data, "--tls", names, "--admin-password-file", str(secret))
    tls = tmp_path / "d" / "tls"
    ca, server = (x509.load_pem_x509_certificate((tls / file).read_bytes()) for file in ("ca.pem", "server.pem"))
    server.verify_directly_issued_by(ca)
    found = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert found.get_values_for_type(x509.DNSName) == ["bongsu.test"]
    assert [str(address) for address in found.get_values_for_type(x509.IPAddress)] == ["203.0.113.5"]
    assert all(stat.S_IMODE((tls / file).stat().st_mode) == 0o600 for file in ("ca.key", "server.key"))
    made = as_json(capsys, "token", "create", "--data", data, "--site", "local")
    token = read_token(made["token"])
    assert token.collectors == ["https://bongsu.test:8650"]
    assert token.ca_sha256 == ca.fingerprint(server.signature_hash_algorithm)  # type: ignore[arg-type]
    said(capsys, "init", "--data", data, "--renew-tls")
    renewed = x509.load_pem_x509_certificate((tls / "server.pem").read_bytes())
    renewed.verify_directly_issued_by(ca)
    assert renewed.serial_number != server.serial_number
    assert renewed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value == found


def test_apply_shows_and_takes_over(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "topology.toml"
    default = (ROOT / "configs/topology.toml").read_text("utf-8")
    file.write_text(default + '[[hosts]]\nname = "nas"\nsite = "local"\nrole = "files"\n')
    out, _ = said(capsys, "apply", str(file), "--dry-run")
    assert "+ hosts     nas.local" in out
    assert "Would be: 1 made, 0 changed, 0 gone." in out
    assert as_json(capsys, "hosts") == []
    assert "Applied: 1 made" in said(capsys, "apply", str(file))[0]
    assert as_json(capsys, "hosts", "--site", "local")[0]["role"] == "files"
    assert as_json(capsys, "apply", str(file)) == {"applied": True, "changes": []}
    file.write_text(default + '[[hosts]]\nname = "NAS"\nsite = "lcal"\n')
    out, error = said(capsys, "apply", str(file), status=1)
    assert out == ""
    assert len(re.findall(r"topology\.toml:\d+: hosts 'NAS'", error)) == 1
    assert "nothing was changed" in error
    assert "cannot be read" in said(capsys, "apply", str(tmp_path / "none"), status=1)[1]


def test_tokens(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = as_json(
        capsys,
        "token",
        "create",
        "--site",
        "local",
        "--host",
        "Gate",
        "--url",
        "https://a.test/",
        "--url",
        "https://b.test",
    )
    token = read_token(made["token"])
    assert (token.site, token.host, token.collectors) == ("local", "gate", ["https://a.test", "https://b.test"])
    assert token.centre_key == load_centre_key(data).public
    out, _ = said(capsys, "token", "create", "--site", "local")
    assert "bongsu-agent enroll --token bongsu1." in out
    assert "for another one give --url" in out
    listed = as_json(capsys, "token", "list")
    assert [row["state"] for row in listed] == ["unused", "unused"]
    said(capsys, "token", "cancel", listed[0]["token_id"])
    assert [row["state"] for row in as_json(capsys, "token", "list")] == ["cancelled", "unused"]
    for argv, words in (
        (("create", "--site", "lcal"), "site 'lcal': no such site; did you mean 'local'?"),
        (("create", "--site", "local", "--hours", "0"), "hours 0: expected 1 to 720"),
        (("create", "--site", "local", "--host", "a.b"), "host 'a.b': expected"),
        (("create", "--site", "local", "--url", "b.test"), "--url 'b.test': expected http"),
        (("cancel", "0011223344556677"), "no such token"),
        (("cancel", "xyz"), "expected 16 hex digits"),
    ):
        assert words in said(capsys, "token", *argv, status=1)[1], argv


def test_agents(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "No agents" in said(capsys, "agent", "list")[0]
    token = as_json(capsys, "token", "create", "--site", "local")
    agent = join(data, token["token"], "srv")
    assert [row["status"] for row in as_json(capsys, "agent", "list")] == ["active"]
    for argv, status in (
        (("suspend", "srv.local"), "suspended"),
        (("suspend", agent[:6]), "suspended"),
        (("resume", agent), "active"),
        (("revoke", "srv.local"), "revoked"),
    ):
        said(capsys, "agent", *argv)
        assert [row["status"] for row in as_json(capsys, "agent", "list")] == [status]
    assert as_json(capsys, "hosts")[0]["agent"] is None
    assert "that is for good" in said(capsys, "agent", "resume", agent, status=1)[1]
    assert "no such agent" in said(capsys, "agent", "revoke", "nobody", status=1)[1]
    used = said(capsys, "token", "cancel", as_json(capsys, "token", "list")[0]["token_id"], status=1)[1]
    assert f"bongsu agent revoke {agent}" in used


def test_people_and_programs(data: Path, secret: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add = ("user", "add", "kim", "--password-file", str(secret), "--name", "김하늘", "--agency", "local")
    said(capsys, *add)
    people = as_json(capsys, "user", "list")
    assert [(row["username"], row["role"], row["agencies"]) for row in people] == [
        ("admin", "system_admin", None),
        ("kim", "viewer", ["local"]),
    ]
    assert "김하늘" in said(capsys, "user", "list")[0]
    assert "there already" in said(capsys, *add, status=1)[1]
    wrong = ("user", "add", "lee", "--generate", "--site", "lcal")
    assert "--site 'lcal': no such site; did you mean 'local'?" in said(capsys, *wrong, status=1)[1]
    secret.write_text("short")
    assert "another password" in said(capsys, "user", "password", "kim", "--generate")[0]
    assert "no user 'kin'" in said(capsys, "user", "password", "kin", "--generate", status=1)[1]
    short = ("user", "add", "lee", "--password-file", str(secret))
    assert "at least 12" in said(capsys, *short, status=1)[1]
    out, _ = said(capsys, "api-token", "create", "prometheus", "--days", "90")
    assert re.fullmatch(r"bongsu_[0-9a-f]{64}\n", out)
    assert as_json(capsys, "api-token", "list")[0]["name"] == "prometheus"
    said(capsys, "api-token", "revoke", "prometheus")
    assert "no living one" in said(capsys, "api-token", "revoke", "prometheus", status=1)[1]


def test_doctor(data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("BONGSU_SERVER_PORT", str(port))
        taken.close()
        findings = as_json(capsys, "doctor")
    ids = [finding["id"] for finding in findings]
    assert ids == [f"C{number:03}" for number in (*range(1, 12), *range(13, 19))]
    assert findings.pop()["result"] == "ok", "no hub, so no copy of the registry at one"
    assert {finding["result"] for finding in findings[:-4]} == {"ok"}, findings
    assert [finding["result"] for finding in findings[-4:]] == ["warn"] * 4, "nobody can be paged, nor notices that"
    for finding, key in zip(
        findings[-3:], ("[paging] console_minutes", "[paging] test_day", "[watchdog] url"), strict=True
    ):
        assert f"set {key}" in finding["text"]
    (data / "collector.toml").write_text(
        '[paging]\nconsole_minutes = 10\ntest_day = "mon"\n[watchdog]\nurl = "https://hc.example.org/ping"\n'
    )
    assert [finding["result"] for finding in as_json(capsys, "doctor")[-4:]] == ["ok"] * 4
    (data / "centre.key").chmod(0o644)
    (data / "bongsu.db").unlink()
    out, _ = said(capsys, "doctor", status=1)
    assert re.search(r"C003 +FAIL +centre key +.*chmod 600", out)
    assert re.search(r"C005 +FAIL +database +.*no such file", out)
    monkeypatch.setenv("BONGSU_SERVER_PORT", "x")
    assert [f["result"] for f in json.loads(said(capsys, "doctor", "--json", status=1)[0])] == ["FAIL"]


def test_a_database_of_another_version_is_refused_in_words(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert f"schema version {head()}, as before" in said(capsys, "migrate")[0]
    store = Store(f"sqlite:///{data}/bongsu.db")
    with store.transaction() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    store.close()
    for argv in (["sites"], ["migrate"]):
        assert "a newer program made it" in said(capsys, *argv, status=1)[1], argv


def test_a_place_where_nothing_was_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ("sites", "migrate"):
        _, error = said(capsys, verb, "--data", str(tmp_path / "none"), status=1)
        assert "no such file; make it with: bongsu init" in error
    assert not (tmp_path / "none").exists()


def test_the_settings_file_is_found_where_it_belongs(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data / "collector.toml").write_text("[server]\nprot = 1\n")
    assert "collector.toml: [server] prot: unknown key; did you mean 'port'?" in said(capsys, "sites", status=1)[1]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([verb, "--help"])
    assert caught.value.code == 0
    assert re.search(rf"examples?:\s+bongsu {verb}", capsys.readouterr().out)


@pytest.mark.parametrize("argv", [[], ["frob"], ["token"], ["apply"], ["user", "add", "x", "--role", "king"]])
def test_asked_wrongly_is_2(argv: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(argv)
    assert caught.value.code == 2


def test_an_environment_with_only_the_agent_is_told_in_words() -> None:
    program = "import sys; sys.modules['sqlalchemy'] = None; from collector.cli import main; sys.exit(main(['sites']))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        "bongsu sites: the collector is not installed here, only the agent (no module 'sqlalchemy'): "
        "pip install 'bongsu[collector]'\n"
    )
