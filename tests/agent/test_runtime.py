"""The real agent as a process, against the model receiver behind a real little HTTP server."""

from __future__ import annotations

import http.server
import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from model_receiver import ModelReceiver
from still_clock import StillClock

from agent.identity import Enrolment
from agent.link.exchange import Failure, Request
from agent.link.keys import new_key, save_key
from agent.link.names import KIND_STATE
from agent.link.private_file import write_private
from agent.link.ranges import Ranges
from agent.link.wire import open_schema

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 20.0


class Post:
    """One enrolled agent's folder and the collector it reports to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key, self.centre = new_key(), new_key()
        self.receiver = ModelReceiver(StillClock(), self.key.public, self.centre)
        self.receiver.seconds = 0.0
        self.lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                with outer.lock:
                    response = outer.receiver(Request("POST", "", self.path, body))
                if isinstance(response, Failure):
                    self.close_connection = True
                    return
                self.send_response(response.status)
                self.send_header("content-type", response.content_type)
                self.send_header("content-length", str(len(response.body)))
                self.end_headers()
                self.wfile.write(response.body)

            def log_message(self, *args: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        url = f"http://127.0.0.1:{self._server.server_port}"
        save_key(folder / "agent.key", self.key)
        known = Enrolment("ab" * 16, "abuja", "", ["srv1.abuja"], [url], self.centre.public.hex())
        import msgspec

        write_private(folder / "agent.json", msgspec.json.encode(known))
        self.config = folder / "agent.toml"
        self.config.write_text('interval_seconds = 5\n[[processes]]\nname = "bongsu-no-such"\n')

    def run(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "agent.cli", "run", "--data", str(self.folder), "--config", str(self.config)]
        return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)

    def until(self, is_so: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            with self.lock:
                if is_so():
                    return
            time.sleep(0.01)
        raise AssertionError("it did not come to pass")

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def post(tmp_path) -> Iterator[Post]:
    made = Post(tmp_path)
    yield made
    made.close()


def test_the_agent_reports_by_itself_and_ends_in_order(post):
    agent = post.run()
    post.until(lambda: len(post.receiver.content) >= 2)
    agent.send_signal(signal.SIGTERM)
    status, said = ended(agent)
    assert status == 0
    assert re.fullmatch(r"INFO \S+ reports every [\d.]+ s to http://127\.0\.0\.1:\d+\n", said)
    kinds = [kind for _, _, kind in post.receiver.content.values()]
    assert kinds.count(KIND_STATE) == 1, "the missing process, told once"
    (schema,) = [open_schema(packed) for packed in post.receiver.schemas.values()][:1]
    names = {series.name for series in schema.series}
    assert {"node_load1", "node_memory_MemTotal_bytes", "agent_info", "agent_spool_records"} <= names
    assert len(schema.series) >= 200
    assert {series.host for series in schema.series} == {"srv1.abuja"}
    assert ("srv1.abuja", "process:bongsu-no-such") in schema.checks
    status = json.loads((post.folder / "status.json").read_bytes())
    assert status["records_sent"] == len(post.receiver.content)
    assert status["spool_records"] == 0


def test_killed_at_any_moment_it_loses_nothing_and_repeats_nothing(post):
    post.receiver.mood = lambda request: Failure("cut")
    for delay in (0.05, 0.3, 0.4, 0.5, 0.6, 0.7, 0.9):
        agent = post.run()
        time.sleep(delay)
        agent.kill()
        ended(agent)
    post.receiver.mood = lambda request: None
    agent = post.run()
    post.until(lambda: len(post.receiver.content) >= 2 and not gaps(post.receiver))
    agent.send_signal(signal.SIGINT)
    assert ended(agent)[0] == 0
    assert not gaps(post.receiver)
    assert len({epoch for epoch, _ in post.receiver.content}) == 1
    assert not post.receiver.losses


def ended(agent: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit code and standard error."""
    _, said = agent.communicate(timeout=PATIENCE_SECONDS)
    return agent.returncode, said


def gaps(receiver: ModelReceiver) -> list[tuple[int, int]]:
    (epoch, *_) = {epoch for epoch, _ in receiver.content}
    held: Ranges = receiver.held(epoch)
    return held.gaps(1, held.last)


def test_two_on_one_folder_are_one_too_many(post):
    first = post.run()
    post.until(lambda: len(post.receiver.content) >= 1)
    code, said = ended(post.run())
    assert code == 1
    assert "another bongsu-agent runs" in said
    first.terminate()
    assert ended(first)[0] == 0
