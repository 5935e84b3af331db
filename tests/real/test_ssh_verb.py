"""``bongsu-agent check --target``: a person's first look at a host behind SSH."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from openssh import fingerprint, make_key, running

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


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    code = "import sys; from agent.cli import main; sys.exit(main())"
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=30)


def test_check_of_a_target_and_a_refused_key(tmp_path: Path) -> None:
    with running(tmp_path / "srv1") as server:
        target = server.target
        config = tmp_path / "agent.toml"
        config.write_text(
            CONFIG.format(
                folder=tmp_path, port=server.port, user=target.user, key=target.key_file, known_hosts=target.known_hosts
            )
        )
        look = ["check", "--target", "srv1", "--config", str(config), "--json"]
        said = run(*look)
        assert said.returncode == 0, said.stderr
        assert json.loads(said.stdout)
        for name in ('"ssh"', '"cpu"', '"process:sshd"'):
            assert name in said.stdout

        other = make_key(tmp_path / "other")
        server.pin(other)
        said = run("check", "cpu", "--target", "srv1", "--config", str(config))
        assert said.returncode == 1
        for part in (fingerprint(server.host_key), fingerprint(other), "changed", "ssh-keygen -R"):
            assert part in said.stdout
        assert "Traceback" not in said.stdout + said.stderr
