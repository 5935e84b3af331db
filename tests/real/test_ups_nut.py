"""NUT's own server and dummy driver, taken through a power cut by editing the file the driver plays."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from nut import dummy_ups
from real import require

from agent.checks.base import CRITICAL, OK, UNKNOWN, Sample, State
from agent.checks.local import LocalHost
from agent.checks.runner import run_check
from agent.checks.ups import ups_check

pytestmark = pytest.mark.real


@pytest.mark.slow
def test_a_power_cut_is_told_from_its_first_second_to_its_end(tmp_path: Path) -> None:
    with dummy_ups(tmp_path) as nut:
        on_mains = nut.until(lambda outcome: outcome.state == OK)
        assert on_mains.text.startswith("on mains (charge 100 %")
        nut.say("OB DISCHRG", 87, 0.0)
        cut = nut.until(lambda outcome: outcome.state == CRITICAL)
        assert cut.text == "mains lost, on battery (charge 87 %, 17 min left)"
        values = {(s.name, dict(s.labels).get("flag")): s.value for s in cut.results if isinstance(s, Sample)}
        assert values["network_ups_tools_ups_status", "OB"] == 1
        assert values["network_ups_tools_input_voltage", None] == 0
        nut.say("OB DISCHRG LB", 9, 0.0)
        nut.until(lambda outcome: "nearly empty" in outcome.text)
        nut.say("OL CHRG", 12, 230.0)
        back = nut.until(lambda outcome: outcome.state == OK)
        assert [r.check for r in back.results if isinstance(r, State)] == ["ups:rack1"]


def test_no_server_is_unknown_and_says_why() -> None:
    require("upsc")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    outcome = run_check(ups_check(f"127.0.0.1:{port}"), LocalHost())
    assert outcome.state == UNKNOWN
    assert "Connection refused" in outcome.text
