"""The real agent on a disk that fails: it reports from memory, says so, and ends in order."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pytest
from real import require
from test_runtime import PATIENCE_SECONDS, ROOT, Post, ended

from agent.link import wire
from agent.link.model import schema_hash

pytestmark = [pytest.mark.real, pytest.mark.slow]


@pytest.fixture
def post(tmp_path):
    made = Post(tmp_path)
    yield made
    made.close()


def own_series(post: Post, name: str) -> list[float]:
    """The values of one of the agent's own series, as they were received."""
    schemas, values = {}, []
    for request in post.receiver.requests:
        for packed in wire.open_request(request.body) if request.path == "/v1/envelopes" else ():
            head, _, body = wire.open_envelope(packed)
            opened = wire.open_body(body, wire.open_header(head))
            schemas.update({schema_hash(schema): wire.open_schema(schema) for schema in opened.schemas})
            for block in opened.blocks:
                (column,) = [at for at, one in enumerate(schemas[block.schema_hash].series) if one.name == name]
                rows = wire.decode_columns(block.columns, len(block.seqs))
                values += [memoryview(row).cast("d")[column] for row in rows]
    return values


@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
def test_a_sync_that_fails_from_some_moment_on(post, error):
    """strace answers in place of the kernel."""
    command = [sys.executable, "-m", "agent.cli", "run", "--data", str(post.folder), "--config", str(post.config)]
    trace = ["-f", "-qq", "-o", "/dev/null", "-e", f"inject=fdatasync:error={error}:when=3+"]
    agent = subprocess.Popen([require("strace"), *trace, *command], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        post.until(lambda: len({epoch for epoch, _ in post.receiver.content}) >= 2)
        status = post.folder / "status.json"
        post.until(status.exists)
        post.until(lambda: "memory" in json.loads(status.read_bytes())["spool_trouble"])
        post.until(lambda: 0.0 in own_series(post, "agent_spool_on_disk"))
    finally:
        subprocess.run(["pkill", "-TERM", "-P", str(agent.pid)], check=False)
    assert ended(agent)[0] == 0


def test_a_file_system_that_is_read_only_from_the_start(post, tmp_path):
    """In a mount namespace of its own, so that nobody else sees it."""
    own, config = tmp_path / "own", tmp_path / "agent.toml"
    own.mkdir()
    program = (
        f"mount -t tmpfs none {own} && cp {tmp_path}/agent.key {tmp_path}/agent.json {own}/ && chmod 700 {own} && "
        f"mount -o remount,bind,ro {own} && exec {sys.executable} -m agent.cli run --data {own} --config {config}"
    )
    agent = subprocess.Popen(
        [require("unshare"), "--user", "--map-root-user", "--mount", "sh", "-c", program],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + PATIENCE_SECONDS
    while len(post.receiver.content) < 3 and time.monotonic() < end:
        time.sleep(0.05)
    agent.send_signal(signal.SIGTERM)
    code, said = ended(agent)
    assert code == 0, said
    assert len(post.receiver.content) >= 3, said
    assert set(own_series(post, "agent_spool_on_disk")) == {0.0}


def test_a_file_system_that_turns_read_only_and_back(post, tmp_path):
    """Remounted under the running agent, as the kernel does after an error."""
    own, config, flag = tmp_path / "own", tmp_path / "agent.toml", tmp_path / "flag"
    own.mkdir()
    program = (
        f"mount -t tmpfs none {own} && cp {tmp_path}/agent.key {tmp_path}/agent.json {own}/ && chmod 700 {own} && "
        f"(while [ ! -e {flag} ]; do sleep 0.1; done; mount -o remount,bind,ro {own}; echo ro > {flag}.done) & "
        f"exec {sys.executable} -m agent.cli run --data {own} --config {config}"
    )
    agent = subprocess.Popen(
        [require("unshare"), "--user", "--map-root-user", "--mount", "sh", "-c", program],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    post.until(lambda: len(post.receiver.content) >= 2)
    flag.touch()
    # A file that is open for writing keeps the file system from turning read-only, as it does on a real machine.
    post.until(lambda: (tmp_path / "flag.done").exists())
    seen = len(post.receiver.content)
    post.until(lambda: len(post.receiver.content) > seen)
    agent.send_signal(signal.SIGTERM)
    assert ended(agent)[0] == 0
