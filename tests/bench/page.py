"""A watched process dies, or an agent falls silent; how long until a person's webhook is called, in the configuration as shipped.

The way is whole: agent, intake, verdict, incident, stages, outbox, signed webhook. The hold-down that keeps a restart from
waking anybody is shown and subtracted from the first figure; restarts shorter than it are made as well, and counted where
one paged.
"""

from __future__ import annotations

import json
import queue
import random
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from collector.verdicts.causes import HOLD_DOWN_MS
from tests.bench.agent import wait_reports
from tests.bench.agent_process import agent, command, enrolled
from tests.bench.centre import BONGSU, Centre, serving
from tests.bench.client import BadReply, Connection, expect, request, run
from tests.bench.fault import OK, Victim, _shows
from tests.bench.figures import Bench, Figure, median
from tests.bench.program import free_port

HOLD_DOWN_SECONDS = HOLD_DOWN_MS / 1000
PATIENCE_SECONDS = 180.0
HOSTS = ("anna", "bert", "cleo", "dana", "egon")
"""Each with an agent and a watched process of its own: five deaths cost the time of one."""
SILENCE = "interval_seconds = 15\n"
ROSTERS = """
[[people]]
id = "kim"
name_en = "Kim"
contacts = [{{ channel = "webhook", address = "{url}" }}]
[[rosters]]
id = "noc"
name_en = "Situation room"
[[rosters.layers]]
name = "main"
crews = [["kim"]]
starts = 2026-01-01
"""


@dataclass
class Receiver:
    """A program that takes pages."""

    came: queue.Queue[tuple[float, dict[str, Any]]] = field(default_factory=queue.Queue)

    def wait(self, kind: str, since: float, seconds: float = PATIENCE_SECONDS) -> tuple[float, dict[str, Any]]:
        """Seconds from ``since`` until a page of a kind came, and the page. Raises BadReply."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            try:
                at, page = self.came.get(timeout=left)
            except queue.Empty:
                break
            if page["kind"] == kind and at >= since:
                return at - since, page
        raise BadReply(f"no {kind} page came within {seconds:.0f} s")


def after_fault(bench: Bench) -> list[Figure]:
    took: list[float] = []
    with ExitStack() as stack:
        centre, receiver, token = stack.enter_context(paging(bench.folder))
        victims = {}
        for name in HOSTS:
            program = bench.folder / f"bongsu-{name}"
            program.symlink_to("/bin/sleep")
            argv = enrolled(centre, bench.folder, f'[[processes]]\nname = "{program.name}"\n', name)
            victims[name] = Victim(program)
            stack.callback(victims[name].die)
            stack.enter_context(agent(argv, bench.folder / f"{name}.log"))
        wait_reports(centre, len(HOSTS))
        for turn in range(bench.pick(2, 1)):
            run(_shows(centre, OK))
            died_at = {}
            for name, wait in zip(victims, random.Random(turn).sample(range(10), len(HOSTS)), strict=True):
                time.sleep(wait / 5)  # any phase of the agents' rounds
                died_at[name] = time.perf_counter()
                victims[name].die()
            pages = _pages_of(receiver, died_at)
            took += [came_at - died_at[name] - HOLD_DOWN_SECONDS for name, (came_at, _) in pages.items()]
            bench.say(f"paged {', '.join(f'{each:.1f}' for each in took[-len(HOSTS) :])} s after the hold-down")
            for victim in victims.values():
                victim.begin()
            run(_shows(centre, OK))
            for _, page in pages.values():
                end(centre, token, page["incident"])
        count = bench.pick(100, 10)
        _restart_shortly(list(victims.values()), count)
        time.sleep(HOLD_DOWN_SECONDS + 5.0)  # the board may show it flapping still
        waked = sum(page["kind"] == "trigger" for _, page in list(receiver.came.queue))
    if waked:
        raise BadReply(f"{waked} pages for {count} restarts shorter than the hold-down")
    note = f"{len(took)} deaths, hold-down {HOLD_DOWN_SECONDS:.0f} s subtracted; 0 pages for {count} short restarts"
    bench.say(f"median {median(took):.2f} s, {min(took):.1f} to {max(took):.1f}; {note}")
    return [Figure("fault_to_page_s", median(took), {}, note)]


def _pages_of(receiver: Receiver, died_at: Mapping[str, float]) -> dict[str, tuple[float, dict[str, Any]]]:
    """When each host's call came, and the call. Raises BadReply."""
    found: dict[str, tuple[float, dict[str, Any]]] = {}
    began = min(died_at.values())
    while len(found) < len(died_at):
        seconds, page = receiver.wait("trigger", began)
        names = [name for name in died_at if name in page["text"]]
        if len(names) != 1 or names[0] in found:
            raise BadReply(f"a call that is of no single death: {page['text'][:200]!r}")
        found[names[0]] = (began + seconds, page)
    return found


def _restart_shortly(victims: Sequence[Victim], count: int) -> None:
    """So many restarts of 0.2 to 3 s each, shared by all and each at its own time, with a few seconds of life between."""

    def restart(number: int, victim: Victim) -> None:
        chance = random.Random(number)
        for _ in range(count // len(victims)):
            time.sleep(chance.uniform(2.0, 7.0))
            victim.die()
            time.sleep(chance.uniform(0.2, 3.0))
            victim.begin()

    threads = [threading.Thread(target=restart, args=item) for item in enumerate(victims)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def after_silence(bench: Bench) -> list[Figure]:
    took = []
    with ExitStack() as stack:
        centre, receiver, token = stack.enter_context(paging(bench.folder))
        argv = enrolled(centre, bench.folder, SILENCE)
        turns = bench.pick(3, 1)
        for turn in range(turns):
            with agent(argv, bench.folder / "agent.log") as process:
                wait_reports(centre, 1)
                run(_shows(centre, OK))
                time.sleep(random.Random(turn).uniform(15.0, 30.0))
                began = time.perf_counter()
                process.kill()
                seconds, page = receiver.wait("trigger", began)
            took.append(seconds)
            if turn == turns - 1:
                break  # back once more it would be shown as flapping
            with agent(argv, bench.folder / "agent.log"):
                run(_shows(centre, OK))
                end(centre, token, page["incident"])
    note = f"{len(took)} kills, 15 s interval, {min(took):.0f} to {max(took):.0f} s"
    bench.say(f"median {median(took):.1f} s, {note}")
    return [Figure("silence_to_page_s", median(took), {}, note)]


@contextmanager
def paging(folder: Path) -> Iterator[tuple[Centre, Receiver, str]]:
    """A collector with one person on duty, whose proven address is a webhook of ours; and a token that may write."""
    data, port = folder / "centre", free_port()
    with receiving() as (receiver, url):
        command(BONGSU, "init", "--data", data, "--tls", "127.0.0.1,localhost")
        settings = data / "collector.toml"
        settings.write_text(settings.read_text("utf-8").replace(":8650", f":{port}"), "utf-8")
        token = man_the_centre(data, folder, url)
        with serving(data, port) as centre:
            yield centre, receiver, token


def man_the_centre(data: Path, folder: Path, url: str) -> str:
    """Put somebody on duty in an initialised collector; a token that may write."""
    settings, secret = data / "collector.toml", folder / "secret"
    secret.write_text("0123456789abcdef0123456789abcdef\n")
    channel = f'[[channels]]\nname = "webhook"\nkind = "webhook"\nsecret_file = "{secret}"\n'
    text = settings.read_text("utf-8") if settings.exists() else ""
    settings.write_text(f'{text}\n[outbound]\nprivate = "127.0.0.0/8"\n{channel}', "utf-8")
    rosters = folder / "rosters.toml"
    rosters.write_text(ROSTERS.format(url=url), "utf-8")
    command(BONGSU, "apply", rosters, "--data", data)
    rows = sqlite3.connect(data / "bongsu.db")
    rows.execute("UPDATE people_contacts SET verified_at = '2026-01-01 00:00:00.000000'")
    rows.commit()
    rows.close()
    said = command(BONGSU, "api-token", "create", "bench", "--data", data, "--role", "operator")
    return max(said.split(), key=len)


@contextmanager
def receiving() -> Iterator[tuple[Receiver, str]]:
    receiver = Receiver()

    class Takes(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.came.put((time.perf_counter(), json.loads(body)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Takes)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver, f"http://127.0.0.1:{server.server_port}/pages"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def end(centre: Centre, token: str, incident: int) -> None:
    """Put an incident behind us, so that the next fault is a new one. Raises BadReply."""
    for verb in ("resolve", "close"):
        path = f"/api/incidents/{incident}/{verb}"

        async def ask(path: str = path) -> None:
            connection = Connection(centre.address)
            head = (f"Authorization: Bearer {token}", "Content-Type: application/json")
            expect([await connection.exchange(request("POST", path, b"{}", *head))], 200)
            await connection.close()

        run(ask())
