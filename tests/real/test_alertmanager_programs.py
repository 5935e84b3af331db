"""Programs that know Alertmanager talk to this collector: Prometheus, amtool and another Alertmanager, all real."""

from __future__ import annotations

import json
import signal
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from real import require
from running import Running, bongsu, collector, wait_until
from stores import Program, free_port

pytestmark = [pytest.mark.real, pytest.mark.slow]


def operator(data: Path) -> str:
    return bongsu("api-token", "create", "alerts", "--role", "noc_operator", data=data).split()[-1]


class Amtool:
    def __init__(self, url: str, token: str) -> None:
        self._base = [require("amtool"), f"--alertmanager.url=http://amtool:{token}@{url.removeprefix('http://')}"]

    def __call__(self, *words: str) -> str:
        done = self.run(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*self._base, *words], capture_output=True, text=True, check=False, timeout=30)

    def json(self, *words: str) -> Any:
        return json.loads(self(*words, "-o", "json"))


def test_amtool(tmp_path: Path) -> None:
    require("amtool")
    with collector(tmp_path / "data") as running:
        amtool = Amtool(running.url, operator(running.data))
        amtool("alert", "add", "DiskFull", "instance=db1", "severity=critical", "--annotation=summary=disk full")
        amtool("alert", "add", "HighLoad", "instance=db2")
        assert "DiskFull" in amtool("alert", "query")
        (alert,) = amtool.json("alert", "query", "instance=~db1|db3", "alertname!=HighLoad")
        assert alert["labels"]["alertname"] == "DiskFull"
        name = amtool(
            "silence", "add", "alertname=DiskFull", "instance=~db.", "-d", "1h", "-a", "kim", "-c", "disk swap"
        )
        (shown,) = amtool.json("silence", "query")
        assert shown["id"] == name.strip()
        assert shown["comment"] == "disk swap"
        assert "DiskFull" not in amtool("alert", "query")
        assert "DiskFull" in amtool("alert", "query", "--silenced")
        assert name.strip() in amtool("silence", "query", "alertname=DiskFull")
        assert name.strip() not in amtool("silence", "query", "alertname=HighLoad")
        again = amtool("silence", "update", name.strip(), "-d", "2h", "-c", "disk swap, longer")
        assert "disk swap, longer" in again
        amtool("silence", "expire", name.strip())
        assert amtool.json("silence", "query") == []
        assert [one["id"] for one in amtool.json("silence", "query", "--expired")] == [name.strip()]
        assert "DiskFull" in amtool("alert", "query")
        assert "disabled" in amtool("cluster", "show")
        assert "receiver: bongsu" in amtool("config", "show")
        assert "at least one matcher" in amtool.run("silence", "add", "alertname=~.*", "-c", "x").stderr


def test_prometheus_alarms_here(tmp_path: Path) -> None:
    program = require("prometheus")
    with collector(tmp_path / "data") as running:
        token = operator(running.data)
        folder = tmp_path / "prometheus"
        folder.mkdir()
        (folder / "rules.yml").write_text(
            "groups:\n- name: g\n  interval: 1s\n  rules:\n  - alert: AlwaysThere\n    expr: vector(1)\n    labels: {severity: critical}\n"
        )
        (folder / "prometheus.yml").write_text(
            f"global: {{evaluation_interval: 1s, external_labels: {{origin: lab}}}}\n"
            f"rule_files: [{folder}/rules.yml]\n"
            "alerting:\n  alertmanagers:\n"
            f"  - authorization: {{credentials: {token}}}\n"
            f"    static_configs: [{{targets: ['{running.url.removeprefix('http://')}']}}]\n"
        )
        port = free_port()
        argv = [program, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn", "--rules.alert.resend-delay=2s"]  # fmt: skip
        prometheus = Program(argv, f"http://127.0.0.1:{port}", "/-/ready", folder / "log")
        prometheus.start()
        try:
            wait_until(lambda: firing(running), "Prometheus' alert")
            (alert,) = firing(running)
            assert alert["labels"] == {"alertname": "AlwaysThere", "origin": "lab", "severity": "critical"}
            assert alert["generatorURL"].startswith("http://")
            (folder / "rules.yml").write_text("groups: []\n")
            assert prometheus.process is not None
            prometheus.process.send_signal(signal.SIGHUP)
        finally:
            prometheus.stop()


def firing(running: Running) -> list[Any]:
    found: list[Any] = running.json("/api/v2/alerts?filter=alertname%3DAlwaysThere")
    return found


def fetched(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)
