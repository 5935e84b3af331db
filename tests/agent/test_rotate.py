"""A new key for an agent: cut short anywhere, the same command goes on; the old one stays as long as it is needed."""

from __future__ import annotations

import http.server
import json
import threading

import pytest
from still_clock import StillClock

from agent.identity import Enrolment, IdentityError, load_identity
from agent.link.keys import is_signed, new_key, save_key
from agent.link.names import ROTATE_PREFIX
from agent.link.private_file import write_private
from agent.rotate import RotateError, forget_former_keys, rotate


class Centre(http.server.ThreadingHTTPServer):
    """Takes new keys as a collector does; ``losing`` answers are never given."""

    def __init__(self, public: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.keys = {1: public}
        self.losing = 0
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Centre

    def do_POST(self) -> None:
        said = json.loads(self.rfile.read(int(self.headers["content-length"])))
        number, public = said["key_no"], bytes.fromhex(said["public_key"])
        message = ROTATE_PREFIX + bytes.fromhex(said["agent_id"]) + number.to_bytes(8, "big") + public
        is_good = is_signed(message, bytes.fromhex(said["signature"]), self.server.keys.get(number - 1, b""))
        if is_good and self.server.keys.setdefault(number, public) == public:
            if self.server.losing:
                self.server.losing -= 1
                return
            status, answer = 200, {"key_no": number}
        else:
            status, answer = 403, {"detail": "The signature does not hold."}
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def centre(tmp_path):
    key = new_key()
    save_key(tmp_path / "agent.key", key)
    server = Centre(key.public)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    known = Enrolment("ab" * 16, "abuja", "", ["srv1.abuja"], [server.url], new_key().public.hex())
    write_private(tmp_path / "agent.json", json.dumps({f: getattr(known, f) for f in known.__struct_fields__}).encode())
    yield server
    server.shutdown()
    server.server_close()


def test_the_new_key_is_in_force_and_the_old_one_stays_until_it_is_taken(tmp_path, centre):
    old = load_identity(tmp_path)
    assert rotate(tmp_path, StillClock()) == 2
    now = load_identity(tmp_path)
    assert (now.enrolment.key_no, now.key.public) == (2, centre.keys[2])
    assert now.former_key.public == old.key.public
    assert (tmp_path / "agent.key.2").stat().st_mode & 0o777 == 0o600
    forget_former_keys(tmp_path, 2)
    assert load_identity(tmp_path).former_key is None
    assert not (tmp_path / "agent.key").exists()
    assert rotate(tmp_path, StillClock()) == 3
    assert load_identity(tmp_path).key.public == centre.keys[3]


def test_a_lost_answer_or_a_crash_before_the_name_changes_costs_nothing(tmp_path, centre):
    centre.losing = 1
    with pytest.raises(RotateError, match="goes on where this one stopped"):
        rotate(tmp_path, StillClock())
    assert load_identity(tmp_path).enrolment.key_no == 1, "the old key is in force"
    assert rotate(tmp_path, StillClock()) == 2, "the same key is offered again, and taken"
    assert load_identity(tmp_path).key.public == centre.keys[2]


def test_a_refusal_leaves_the_old_key_in_force(tmp_path, centre):
    centre.keys[1] = new_key().public
    with pytest.raises(RotateError, match="does not hold"):
        rotate(tmp_path, StillClock())
    assert load_identity(tmp_path).enrolment.key_no == 1


def test_without_an_identity_there_is_nothing_to_rotate(tmp_path):
    with pytest.raises(RotateError, match="enroll"):
        rotate(tmp_path, StillClock())
    with pytest.raises(IdentityError):
        load_identity(tmp_path)
