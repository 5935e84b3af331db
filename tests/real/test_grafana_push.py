"""The installed command, as a process of its own, against a server that keeps state as a Grafana does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "dashboards"))

from grafana_server import TOKEN, Grafana, serving

from dashboards.boards import BOARDS

BONGSU = Path(sys.executable).parent / "bongsu"


def push(grafana: Grafana, token_file: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return told("push", grafana, token_file, *more)


def told(way: str, grafana: Grafana, token_file: Path, *more: str) -> subprocess.CompletedProcess[str]:
    argv = [BONGSU, "grafana", way, "--url", grafana.url, "--token-file", token_file, "--json", *more]
    return subprocess.run(argv, text=True, capture_output=True, timeout=60)


def test_push_twice_then_with_a_dead_token(tmp_path: Path) -> None:
    token = tmp_path / "grafana.token"
    token.write_text(TOKEN + "\n")
    with serving(Grafana(prefix="/grafana")) as grafana:
        first = push(grafana, token, "--datasource-url", "http://prometheus:9090")
        assert (first.returncode, first.stderr) == (0, "")
        assert [item["action"] for item in json.loads(first.stdout)] == ["created"] * (3 + len(BOARDS))

        grafana.asked.clear()
        second = push(grafana, token, "--datasource-url", "http://prometheus:9090")
        assert (second.returncode, second.stderr) == (0, "")
        assert {item["action"] for item in json.loads(second.stdout)} == {"unchanged"}
        assert grafana.writes == []

        for way in ("diff", "verify"):
            ran = told(way, grafana, token, "--datasource-url", "http://prometheus:9090")
            grafana.answers = lambda _expr: [{"metric": {}, "value": [0, "1"]}]
            assert (ran.returncode, ran.stderr) == (0, "")
        assert grafana.writes == []

        token.write_text("glsa_expired")
        third = push(grafana, token)
        assert third.returncode == 1
        assert "401" in third.stderr
        assert "service account token" in third.stderr
        assert "Traceback" not in third.stderr


def test_asked_wrongly_is_two() -> None:
    ran = subprocess.run([BONGSU, "grafana", "push"], text=True, capture_output=True, timeout=60)
    assert ran.returncode == 2
    assert "--url" in ran.stderr
