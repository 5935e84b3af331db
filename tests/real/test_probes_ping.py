"""Pings and path MTU against a machine that loses some packets, then the large ones, then all; blackbox_exporter beside."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from real import require

from agent.checks.base import CRITICAL, OK, WARNING

pytestmark = [pytest.mark.real, pytest.mark.slow]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Any:
    require("ip")
    exporter = require("prometheus-blackbox-exporter")
    script = Path(__file__).with_name("far_machine.py")
    folder = tmp_path_factory.mktemp("far")
    own_network = [require("unshare"), "--user", "--map-root-user", "--net"]
    allowed = subprocess.run([*own_network, "true"], capture_output=True, text=True, check=False)
    if allowed.returncode or not Path("/dev/net/tun").exists():
        pytest.skip(f"no network namespace with a TUN device here: {allowed.stderr.strip()}")
    done = subprocess.run(
        [*own_network, sys.executable, str(script), exporter, str(folder)],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_whole_line(found: Any) -> None:
    whole = found["whole"]
    assert (whole["probe_success"], whole["probe_icmp_loss_ratio"], whole["state"]) == (1, 0, OK)
    assert 0 < whole["probe_icmp_duration_secondsrtt"] < 0.5
    assert whole["probe_icmp_reply_hop_limit"] == 64
    assert found["whole_mtu"]["probe_path_mtu_bytes"] == 1500
    assert found["exporter_whole"] == 1


def test_some_are_lost(found: Any) -> None:
    lossy = found["lossy"]
    assert lossy["probe_success"] == 1
    assert lossy["probe_icmp_loss_ratio"] == pytest.approx(1 / 3)
    assert (lossy["state"], lossy["text"].split(",")[0]) == (WARNING, "4 of 6 pings answered")


def test_only_large_ones_are_lost(found: Any) -> None:
    """What no ping shows."""
    assert found["small_only"]["state"] == OK
    path = found["small_only_mtu"]
    assert (path["probe_success"], path["probe_path_mtu_bytes"], path["state"]) == (0, 1400, WARNING)
    assert path["text"] == "small packets pass, packets of 1500 bytes do not; the largest that passed: 1400"


def test_nobody_answers(found: Any) -> None:
    assert (found["gone"]["probe_success"], found["gone"]["state"]) == (0, CRITICAL)
    assert found["gone"]["probe_icmp_loss_ratio"] == 1
    assert found["gone_mtu"]["state"] == CRITICAL
    assert found["exporter_gone"] == 0
