"""What is shipped: the wheel in an empty environment elsewhere does what the checkout does, out of its own files alone."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from running import Running, environment, start, stop, wait_until

ROOT = Path(__file__).parents[2]
PLACES = {"agent": "agent", "collector": "collector", "dashboards": "dashboards"} | {
    "configs": "collector/configs",
    "docs/runbooks": "collector/runbooks",
}
"""Folder of the checkout -> the same in the wheel."""
EVERY_VERB = """
import importlib, collector.cli
for verb in collector.cli.VERBS:
    importlib.import_module("collector.cli." + verb.replace("-", "_"))
"""
"""What the extra does not bring is missing here."""
SITE = 'bongsu_site_state{agency="local",hub="",site="local"} 0\n'

pytestmark = pytest.mark.slow


def ran(*argv: str | Path, cwd: Path, status: int = 0) -> str:
    done = subprocess.run(
        [str(word) for word in argv], cwd=cwd, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == status, f"{argv}: {done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel in it, and nothing of the checkout."""
    folder = tmp_path_factory.mktemp("elsewhere")
    ran(sys.executable, "-m", "collector.web.build", cwd=ROOT)
    ran(sys.executable, "-m", "build", "--wheel", "--outdir", folder, ".", cwd=ROOT)
    return folder


@pytest.fixture(scope="module")
def wheel(elsewhere: Path) -> Path:
    return next(elsewhere.glob("bongsu-*.whl"))


@pytest.fixture(scope="module")
def programs(elsewhere: Path, wheel: Path) -> Path:
    """``bin`` of an empty environment that the agent was installed into, and the collector after it."""
    ran(sys.executable, "-m", "venv", elsewhere / "venv", cwd=elsewhere)
    found = elsewhere / "venv" / "bin"
    install = (found / "python", "-m", "pip", "install", "--quiet", "--constraint", ROOT / "constraints.txt")
    ran(*install, wheel, cwd=elsewhere)
    assert "load" in ran(found / "bongsu-agent", "check", "load", cwd=elsewhere), "the base install is the agent"
    assert "pip install 'bongsu[collector]'" in ran(found / "bongsu", "sites", cwd=elsewhere, status=1)
    ran(*install, f"{wheel}[collector]", cwd=elsewhere)
    return found


def test_every_file_of_the_packages_is_in_it(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
    wanted = {
        f"{inside}/{file.relative_to(ROOT / folder)}"
        for folder, inside in PLACES.items()
        for file in (ROOT / folder).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts and not file.name.startswith(".")
    }
    assert wanted - names == set()
    for part in ("static/vendor/uplot/uPlot.esm.js", "static/vendor/map/world.svg", "locale/ko/messages.toml"):
        assert f"collector/web/{part}" in names, part
    assert not {name for name in names if name.startswith(("tests/", "var/"))}


def processes(folder: Path) -> list[str]:
    """Command lines of everything that runs out of this folder or works on something in it."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = file.read_bytes().split(b"\0")
        except OSError:
            continue
        if any(word.startswith(str(folder).encode()) for word in words):
            found.append(b" ".join(words).decode())
    return found


def assert_pages_stand(running: Running) -> None:
    """The board and the host's page with all that they load, runbooks, rules, and the API's description."""
    host = running.json("/api/hosts")["items"][0]["id"]
    loaded: set[str] = set()
    for page in ("/", f"/hosts/{host}", "/wall", "/map"):
        status, text = running.get(page)
        assert status == 200, page
        loaded |= set(re.findall(r'(?:src|href)="(/static/[^"]+)"', text))
    assert any("uPlot" in name for name in loaded), "plots"
    assert any("noto-sans-kr" in name for name in loaded), "the font"
    for name in sorted(loaded):
        assert running.get(name)[0] == 200, name
    assert "AgentSilent" in running.get("/api/v1/rules")[1]
    assert running.get("/runbooks/AgentSilent")[0] == 200
    assert "/api/checks" in running.json("/api/openapi.json")["paths"]


def test_installed_elsewhere_it_shows_this_machine_and_leaves_nothing_running(programs: Path, elsewhere: Path) -> None:
    data = elsewhere / "data"
    at = ran(programs / "python", "-c", "import collector; print(collector.__file__)", cwd=elsewhere).strip()
    assert at.startswith(str(elsewhere)), "it must not run out of the checkout"
    ran(programs / "python", "-c", EVERY_VERB, cwd=elsewhere)
    ran(programs / "bongsu", "init", "--data", data, cwd=elsewhere)
    ran(programs / "bongsu", "grafana", "files", elsewhere / "grafana", "--data", data, cwd=elsewhere)
    assert list((elsewhere / "grafana").rglob("*.json"))

    running = start(data, "--local-agent", program=[str(programs / "bongsu")], cwd=elsewhere)
    try:
        wait_until(lambda: SITE in running.get("/metrics")[1], "site local to be ok", 20)
        wait_until(lambda: "node_cpu_seconds_total{" in running.get("/metrics/sites/local")[1], "its numbers", 20)
        assert_pages_stand(running)
        shown = ran(programs / "bongsu", "sites", "--data", data, cwd=elsewhere)
        assert re.search(r"^local +ok ", shown, re.MULTILINE), shown
        assert len(processes(elsewhere)) == 2
        os.killpg(running.process.pid, signal.SIGINT)  # as Ctrl-C does: to everything in the foreground
        assert running.process.wait(20) == 0
    finally:
        stop(running)
    wait_until(lambda: processes(elsewhere) == [], "everything to be gone", 10)
    said = (elsewhere / "data.log").read_text()
    assert "Traceback" not in said, said
