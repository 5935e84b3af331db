"""Joining over real HTTP: the identity is written whole or not at all, and a lost answer costs nothing."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator

import pytest
from still_clock import StillClock

from agent.cli import main
from agent.enroll import EnrolError, enrol
from agent.identity import IdentityError, load_identity
from agent.link.keys import is_signed, new_key
from agent.link.token import JoinToken, proof_message, write_token


class Centre:
    """Answers enrolments as the contract says; ``status`` and ``break_after`` make it misbehave."""

    def __init__(self) -> None:
        self.key = new_key()
        self.asked: list[dict] = []
        self.status, self.problem = 200, b""
        self.loses_answer = False
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                said = json.loads(self.rfile.read(int(self.headers["content-length"])))
                outer.asked.append(said)
                public = bytes.fromhex(said["public_key"])
                assert is_signed(proof_message(said["token"], public), bytes.fromhex(said["proof"]), public)
                if outer.loses_answer:
                    return
                body = outer.problem or outer.answer()
                self.send_response(outer.status)
                self.send_header("content-type", "application/json")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def answer(self) -> bytes:
        return json.dumps(
            {
                "agent_id": "ab" * 16,
                "key_no": 1,
                "site": "abuja",
                "hub": "",
                "hosts": ["srv1.abuja"],
                "collectors": [self.url],
                "centre_key": self.key.public.hex(),
                "link_profile": "thin",
                "interval_seconds": 60,
                "of a later version": True,
            }
        ).encode()

    def token(self, name: bytes = b"t") -> str:
        return write_token(JoinToken(name, "abuja", "", 1 << 50, [self.url], b"", self.key.public), self.key)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def centre() -> Iterator[Centre]:
    made = Centre()
    yield made
    made.close()


def test_an_agent_joins_and_its_secrets_are_its_own(centre, tmp_path):
    known = enrol(centre.token(), "srv1", tmp_path, StillClock())
    assert known.hosts == ["srv1.abuja"]
    identity = load_identity(tmp_path)
    assert identity.agent_id == b"\xab" * 16
    assert identity.centre_key == centre.key.public
    assert identity.key.public.hex() == centre.asked[0]["public_key"]
    assert identity.host_id("db1") == "db1.abuja"
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    said = centre.asked[0]["host"]
    assert (said["host.name"], said["os.type"]) == ("srv1", "linux")


def test_a_lost_answer_is_asked_for_again_with_the_same_key(centre, tmp_path):
    centre.loses_answer = True
    with pytest.raises(EnrolError, match="/v1/enrolments"):
        enrol(centre.token(), "srv1", tmp_path, StillClock())
    with pytest.raises(IdentityError, match="bongsu-agent enroll"):
        load_identity(tmp_path)
    centre.loses_answer = False
    enrol(centre.token(), "srv1", tmp_path, StillClock())
    assert len({said["public_key"] for said in centre.asked}) == 1
    asked = len(centre.asked)
    enrol(centre.token(), "srv1", tmp_path, StillClock())
    assert len(centre.asked) == asked, "joined already with this token"
    with pytest.raises(EnrolError, match=r"enrolled already as srv1\.abuja"):
        enrol(centre.token(b"other"), "srv1", tmp_path, StillClock())


@pytest.mark.parametrize(
    ("status", "problem", "words"),
    [
        (403, b'{"detail": "This join token ended at noon."}', "ended at noon"),
        (409, b'{"title": "used"}', "used"),
        (200, b"<html>log in</html>", "enrolment"),
        (502, b"<html>", "not a collector"),
        (200, b'{"agent_id": "ab"}', "enrolment"),
    ],
)
def test_refusals_are_told_and_leave_no_identity(centre, tmp_path, status, problem, words):
    centre.status, centre.problem = status, problem
    with pytest.raises(EnrolError, match=words):
        enrol(centre.token(), "srv1", tmp_path, StillClock())
    assert not (tmp_path / "agent.json").exists()


def test_a_damaged_token_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(EnrolError, match="join token"):
        enrol("bongsu1.abc", "", tmp_path / "new", StillClock())
    assert not (tmp_path / "new").exists()


def test_the_command_takes_the_token_from_a_file(centre, tmp_path, monkeypatch, capsys):
    (tmp_path / "token").write_text(centre.token() + "\n")
    monkeypatch.setenv("BONGSU_TOKEN_FILE", str(tmp_path / "token"))
    assert main(["enroll", "--data", str(tmp_path / "data"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["hosts"] == ["srv1.abuja"]


def test_a_key_others_can_read_is_refused(centre, tmp_path):
    enrol(centre.token(), "srv1", tmp_path, StillClock())
    (tmp_path / "agent.key").chmod(0o644)
    with pytest.raises(IdentityError, match="chmod 600"):
        load_identity(tmp_path)
