"""A real Prometheus over our own configuration, and the boards' expressions put to it.

``prometheus_over(address, folder)`` takes the address of anything that answers like a collector: the stand-in of
``tests/dashboards/fleet_exposition.py``, or a collector that runs (``127.0.0.1:8650``). Only the address and the
intervals of the shipped files are changed, so that a test need not wait for 15-second scrapes.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from board_lint import expressions, panels, query_variables, samples
from promql import without_macros
from real import require

from dashboards.boards import BOARDS
from dashboards.panel import NONE_OR_NO_VALUE

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "configs" / "prometheus" / "prometheus.yml"
RULES = ROOT / "dashboards" / "prometheus" / "rules.yaml"
ALERTS = ROOT / "configs" / "rules"
DEFAULT_ADDRESS = "127.0.0.1:8650"
NOT_EVERYWHERE = frozenset(
    {
        "bongsu-noc panel 13 B",  # no site reports to the centre directly
        "bongsu-site panel 14 A",  # no hubs
        "bongsu-self panel 17 B",  # nobody asks the collector's own query API
        "bongsu-self panel 17 C",
    }
)
"""One query of several of a panel, with what a fleet without it lacks."""


def hurried(text: str, address: str, every: str = "1s") -> str:
    """A shipped file with short intervals, alerts that fire at once, and another collector's address."""
    text = re.sub(r"^(\s*(?:\w*interval|scrape_timeout)): \d+[sm]$", rf"\1: {every}", text, flags=re.MULTILINE)
    text = re.sub(r"^(\s*for): \d+\w$", rf"\1: {every}", text, flags=re.MULTILINE)
    return text.replace(DEFAULT_ADDRESS, address)


@contextmanager
def prometheus_over(address: str, folder: Path, every: str = "1s") -> Iterator[str]:
    """Address of a Prometheus that scrapes this collector by our configuration."""
    program = require("prometheus")
    (folder / "rules").mkdir(parents=True)
    (folder / "rules" / "bongsu.yaml").write_text(hurried(RULES.read_text(encoding="utf-8"), address, every))
    for rules in sorted(ALERTS.glob("*.yaml")):
        (folder / "rules" / rules.name).write_text(hurried(rules.read_text(encoding="utf-8"), address, every))
    config = folder / "prometheus.yml"
    config.write_text(hurried(CONFIG.read_text(encoding="utf-8"), address, every))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                program,
                f"--config.file={config}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--log.level=warn",
            ],
            stdout=log,
            stderr=log,
        )
        try:
            wait_until(lambda: _is_ready(f"http://127.0.0.1:{port}") or process.poll() is not None, 20)
            assert process.poll() is None, (folder / "log").read_text()
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


def wait_until(is_so: Any, seconds: float) -> bool:
    """Whether it came to be so in time; asks a few times a second, because the other side is another program."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/-/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def ask(url: str, path: str, **form: str) -> Any:
    """``data`` of a Prometheus answer. Raises AssertionError with its own words where it refuses."""
    asked = urllib.parse.urlencode(form, doseq=True)
    try:
        with urllib.request.urlopen(f"{url}/api/v1/{path}?{asked}", timeout=20) as answer:
            return json.load(answer)["data"]
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{path} {form}: {error.read().decode()}") from error


def board_queries() -> dict[str, str]:
    """Every expression of every board as Grafana would send it with All chosen, by where it stands."""
    found = {}
    for board in (each.json() for each in BOARDS):
        for where, expr in expressions(board):
            found[f"{board['uid']} {where}"] = without_macros(expr, samples(board))
    return found


def usually_empty() -> set[str]:
    """Where finding nothing is no fault: what asks for faults, and what not every fleet has."""
    found = set(NOT_EVERYWHERE)
    for board in (each.json() for each in BOARDS):
        found |= {f"{board['uid']} annotation {each['name']}" for each in board["annotations"]["list"]}
        for each in panels(board):
            if each["fieldConfig"]["defaults"]["noValue"] == NONE_OR_NO_VALUE:
                found |= {f"{board['uid']} panel {each['id']} {target['refId']}" for target in each["targets"]}
    return found


def variable_queries() -> dict[str, tuple[str, str]]:
    """Selector and label of every query variable of every board."""
    found = {}
    for board in (each.json() for each in BOARDS):
        for variable in query_variables(board):
            match = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
            assert match is not None
            found[f"{board['uid']} ${match[2]}"] = (without_macros(match[1], samples(board)), match[2])
    return found


def without_data(url: str, queries: dict[str, str]) -> list[str]:
    """Where a query finds nothing now."""
    return [where for where, expr in queries.items() if not ask(url, "query", query=expr)["result"]]
