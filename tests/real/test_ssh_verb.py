"""``bongsu-agent check --target``: a person's first look at a host behind SSH."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from openssh import fingerprint, make_key, running

from agent.cli import main

pytestmark = pytest.mark.real

CONFIG = """
data_dir = "{folder}/data"
[[targets]]
name = "srv1"
address = "127.0.0.1"
port = {port}
user = "{user}"
key_file = "{key}"
known_hosts = "{known_hosts}"
processes = [{{ name = "sshd" }}]
"""


def test_check_of_a_target_and_a_refused_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with running(tmp_path / "srv1") as server:
        target = server.target
        config = tmp_path / "agent.toml"
        config.write_text(
            CONFIG.format(
                folder=tmp_path, port=server.port, user=target.user, key=target.key_file, known_hosts=target.known_hosts
            )
        )
        look = ["check", "--target", "srv1", "--config", str(config), "--json"]
        assert main(look) == 0
        said = capsys.readouterr().out
        assert json.loads(said)
        for name in ('"ssh"', '"cpu"', '"process:sshd"'):
            assert name in said

        other = make_key(tmp_path / "other")
        server.pin(other)
        assert main(["check", "cpu", "--target", "srv1", "--config", str(config)]) == 1
        shown = capsys.readouterr()
        for part in (fingerprint(server.host_key), fingerprint(other), "changed", "ssh-keygen -R"):
            assert part in shown.out
        assert "Traceback" not in shown.out + shown.err
