"""Programs that know Alertmanager talk to this collector: Prometheus, amtool and another Alertmanager, all real."""

from __future__ import annotations

import json
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
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


def test_another_alertmanager_is_told_and_one_that_is_dead_holds_up_nobody(tmp_path: Path) -> None:
    with alertmanager(tmp_path / "am") as other:
        data = tmp_path / "data"
        bongsu("init", data=data)
        (data / "collector.toml").write_text(
            f'[[alertmanagers]]\nname = "dead"\nurl = "http://127.0.0.1:{free_port()}"\n'
            f'[[alertmanagers]]\nname = "noc"\nurl = "{other.url}"\n'
            f'[[intakes]]\nname = "am"\nkey_file = "{tmp_path}/key"\n'
        )
        (tmp_path / "key").write_text("0123456789abcdef0123\n")
        with collector(data) as running:
            beat = bongsu("beat", "add", "job", "--period", "1h", "--severity", "critical", data=data).split()[0]
            path = running.url + "/v1/beats/" + beat.rpartition("/")[2]
            urllib.request.urlopen(f"{path}/3", timeout=10).close()
            wait_until(lambda: told(other), "the other Alertmanager to be told")
            (alert,) = told(other)
            assert alert["labels"] == {"alertname": "BeatDown", "beat": "job", "severity": "critical"}
            urllib.request.urlopen(f"{path}/0", timeout=10).close()
            wait_until(lambda: not told(other), "it to be over there")
            text = running.get("/metrics")[1]
            assert 'bongsu_alertmanager_alerts_total{alertmanager="dead",result="failed"}' in text
            assert 'bongsu_alertmanager_lag_seconds{alertmanager="noc"} 0.0' in text
            # And back: what an Alertmanager's webhook sends is an alert here, unless it was ours in the first place.
            amtool = Amtool(other.url, "")
            amtool("alert", "add", "FromThere", "severity=warning")
            post = f"{running.url}/v1/alerts/alertmanager/0123456789abcdef0123"
            other.stop()
            config = tmp_path / "am" / "alertmanager.yml"
            config.write_text(
                "route: {receiver: r, group_wait: 0s, group_interval: 1s, repeat_interval: 1h}\n"
                f"receivers: [{{name: r, webhook_configs: [{{url: '{post}'}}]}}]\n"
            )
            other.start()
            urllib.request.urlopen(f"{path}/3", timeout=10).close()
            amtool("alert", "add", "FromThere", "severity=warning")
            wait_until(lambda: "FromThere" in here(running), "the webhook")
            wait_until(lambda: told(other), "the other Alertmanager to be told again")
            assert sorted(here(running)) == ["BeatDown", "FromThere"]
            assert [one["labels"]["alertname"] for one in told(other)] == ["BeatDown"], (
                "theirs does not come back to them"
            )


def told(other: Program) -> list[Any]:
    found: list[Any] = fetched(f"{other.url}/api/v2/alerts?filter=alertname%3DBeatDown")
    return found


def here(running: Running) -> list[str]:
    return [
        one["labels"]["alertname"] for one in running.json("/api/v2/alerts?filter=alertname%3D~BeatDown%7CFromThere")
    ]


@contextmanager
def alertmanager(folder: Path) -> Iterator[Program]:
    program = require("prometheus-alertmanager")
    folder.mkdir(parents=True)
    (folder / "alertmanager.yml").write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
    port = free_port()
    argv = [program, f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=", "--log.level=warn"]  # fmt: skip
    made = Program(argv, f"http://127.0.0.1:{port}", "/-/ready", folder / "log")
    made.start()
    try:
        yield made
    finally:
        made.stop()
