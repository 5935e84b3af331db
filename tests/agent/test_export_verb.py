"""``bongsu-agent export``: the real program writes files a collector could take, and says when it cannot."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_runtime import PATIENCE_SECONDS, ROOT, Post

from agent.cli import main
from agent.link import wire
from agent.link.keys import is_signed
from agent.link.names import ENVELOPE_PREFIX


@pytest.fixture
def post(tmp_path):
    made = Post(tmp_path)
    yield made
    made.close()


def numbers(post: Post, folder: Path) -> list[int]:
    found: list[int] = []
    for path in sorted(folder.glob("*.bongsu")):
        for packed in wire.open_request(path.read_bytes()):
            head, signature, body = wire.open_envelope(packed)
            assert is_signed(ENVELOPE_PREFIX + head + body, signature, post.key.public)
            header = wire.open_header(head)
            opened = wire.open_body(body, header)
            found += [seq for block in opened.blocks for seq in block.seqs]
            found += [wire.open_record(raw, header).seq for raw in opened.records]
    return sorted(found)


def test_once_writes_one_report_and_what_waits(post, tmp_path, capsys):
    out = tmp_path / "out"
    out.mkdir()
    words = ["export", str(out), "--once", "--data", str(post.folder), "--config", str(post.config)]
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-m", "agent.cli", *words], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.endswith(".bongsu\n")
    found = numbers(post, out)
    assert found == list(range(1, len(found) + 1))
    assert len(list(out.iterdir())) == 2
    assert not post.receiver.requests, "nothing goes over the network"


def test_as_a_service_it_writes_until_told_to_stop(post, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    post.config.write_text(f'interval_seconds = 5\n[one_way]\ndirectory = "{out}"\nevery_seconds = 5\n')
    agent = post.run()
    end = time.monotonic() + PATIENCE_SECONDS
    while not (post.folder / "status.json").exists() and time.monotonic() < end:
        time.sleep(0.02)
    agent.send_signal(signal.SIGTERM)
    _, said = agent.communicate(timeout=PATIENCE_SECONDS)
    assert agent.returncode == 0, said
    found = numbers(post, out)
    assert found == list(range(1, len(found) + 1))
    assert found
    assert not post.receiver.requests


@pytest.mark.parametrize("verb", [["export", "{}/nowhere"], ["export", "{}/nowhere", "--once"]])
def test_a_directory_that_is_not_there_is_refused(post, tmp_path, capsys, verb):
    words = [word.format(tmp_path) for word in verb]
    assert main([*words, "--data", str(post.folder), "--config", str(post.config)]) == 1
    assert f"{tmp_path}/nowhere" in capsys.readouterr().err
