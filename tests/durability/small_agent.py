"""The least agent there is: the product's spool and sender on real files and a real line, and a counter to report.

    python small_agent.py FOLDER URL HOST AGENT_ID KEY_SEED CENTRE_KEY LIFE

Appends 200 records a second and prints ``VALUE TAKEN_AT_MS`` for each when its append has returned. Values begin at
LIFE million. A line on standard input: append no more, send what is left, end.
"""

from __future__ import annotations

import sys
import threading

from sender import schema_of

from agent.link.clock import SystemChance, SystemClock, Waiter
from agent.link.exchange import HttpExchange
from agent.link.files import SystemFiles
from agent.link.keys import SigningKey
from agent.link.model import pack_values
from agent.link.offset import Offset
from agent.link.profile import PROFILES
from agent.link.send import Sender
from agent.link.send_request import Signer
from agent.link.spool import Spool
from agent.link.spool_record import SampleDraft

BEAT_SECONDS = 0.05
RECORDS = 10
SPACING_MS = 5


def main() -> None:
    folder, url, host, agent_id, seed, centre_key, life = sys.argv[1:]
    clock, chance = SystemClock(), SystemChance()
    offset = Offset(clock)
    spool = Spool(SystemFiles(), clock, chance, folder, bytes.fromhex(agent_id), 64 << 20)
    sender = Sender(
        spool,
        Signer(bytes.fromhex(agent_id), 1, SigningKey(bytes.fromhex(seed)).sign),
        bytes.fromhex(centre_key),
        [url],
        HttpExchange(clock.monotonic),
        clock,
        chance,
        offset,
        PROFILES["lan"],
    )
    wake, stopped = Waiter(), threading.Event()

    def send() -> None:
        while True:
            due = sender.step(clock.monotonic())
            wake.wait(min(due - clock.monotonic(), 0.5))

    threading.Thread(target=send, daemon=True).start()
    threading.Thread(target=lambda: (sys.stdin.readline(), stopped.set()), daemon=True).start()
    schema = schema_of(host)
    # Each life has a remainder of its own, so that no two records of neighbouring lives carry the same instant.
    remainder = int(life) % SPACING_MS
    value, at_ms = int(life) * 1_000_000, 0
    beat = clock.monotonic()
    while not stopped.is_set():
        at_ms = max(at_ms, clock.wall_ms() // SPACING_MS * SPACING_MS + remainder)
        batch = [(value + n, at_ms + n * SPACING_MS) for n in range(RECORDS)]
        spool.append([SampleDraft(schema, at, 0, pack_values([float(each)])) for each, at in batch])
        print("".join(f"{each} {at}\n" for each, at in batch), end="", flush=True)
        wake.wake()
        value, at_ms = value + RECORDS, at_ms + RECORDS * SPACING_MS
        beat += BEAT_SECONDS  # a slow sync is made up for
        Waiter().wait(beat - clock.monotonic())
    while spool.figures().records:
        wake.wake()
        Waiter().wait(0.1)
    spool.close()


if __name__ == "__main__":
    main()
