"""A real agent: enrolled over TLS by a join token, then ``bongsu-agent run`` as its own process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.centre import BONGSU, Centre, serving
from tests.bench.client import BadReply
from tests.bench.program import free_port, running

# As the console script does, by a path that holds without the checkout as working directory.
AGENT = (sys.executable, "-I", str(Path(sys.executable).with_name("bongsu-agent")))
SITE = "local"
CONFIG = """\
interval_seconds = 15
series = "full"
"""


def command(*argv: str | Path) -> str:
    """What a program of ours prints. Raises BadReply where it fails."""
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True, check=False)
    if done.returncode:
        raise BadReply(f"{' '.join(str(word) for word in argv[:3])}: {done.stderr[-1000:]}")
    return done.stdout


@contextmanager
def collector_with_tls(folder: Path) -> Iterator[Centre]:
    data, port = folder / "centre", free_port()
    command(BONGSU, "init", "--data", data, "--tls", "127.0.0.1,localhost")
    settings = data / "collector.toml"
    settings.write_text(settings.read_text("utf-8").replace(":8650", f":{port}"), "utf-8")
    with serving(data, port) as centre:
        yield centre


def enrolled(centre: Centre, folder: Path, config: str = CONFIG, host: str = "") -> tuple[str, ...]:
    """The command line of a new agent of this machine, of the one with this short name. Raises BadReply."""
    data, file = folder / f"agent{host}", folder / f"agent{host}.toml"
    file.write_text(config, "utf-8")
    url = f"https://127.0.0.1:{centre.address.port}"
    named = ("--host", host) if host else ()
    said = command(BONGSU, "token", "create", "--data", folder / "centre", "--site", SITE, "--url", url, *named)
    token = max(said.split(), key=len)
    command(*AGENT, "enroll", "--token", token, "--data", data)
    return (*AGENT, "run", "--config", str(file), "--data", str(data))


@contextmanager
def agent(argv: tuple[str, ...], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with running(argv, log, lambda: True) as process:
        yield process
