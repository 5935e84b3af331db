"""The emulated line does to real TCP what it says: delay, rate, loss, cut."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence

import pytest
from namespaces import FAR, Joined, joined
from running import wait_until

pytestmark = [pytest.mark.real, pytest.mark.slow]

ECHO = """
import socket, sys
with socket.create_server(("10.80.0.2", 9000)) as listening:
    print("listening", flush=True)
    while True:
        connection, _ = listening.accept()
        with connection:
            while got := connection.recv(1 << 16):
                if got.endswith(b"."):
                    connection.sendall(b"x")
"""
SEND = """
import socket, sys, time
with socket.create_connection(("10.80.0.2", 9000), timeout=150) as connection:
    for _ in range(int(sys.argv[2])):
        began = time.monotonic()
        connection.sendall(b"a" * (int(sys.argv[1]) - 1) + b".")
        assert connection.recv(1) == b"x"
        print(time.monotonic() - began)
"""


def seconds(line: Joined, count: int, times: int = 1) -> list[float]:
    """How long sending ``count`` bytes and hearing of it took, on one connection."""
    argv = [*line.near, sys.executable, "-c", SEND, str(count), str(times)]
    said = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=200).stdout
    return [float(word) for word in said.split()]


def listening(inside: Sequence[str]) -> subprocess.Popen[str]:
    process = subprocess.Popen([*inside, sys.executable, "-c", ECHO], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "listening\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def test_delay_and_rate() -> None:
    with joined("--rtt-ms", "200", "--bits-per-second", "256000") as line:
        server = listening(line.far)
        try:
            small, large = min(seconds(line, 100, 3)), min(seconds(line, 32_000))
        finally:
            end(server)
    assert 0.2 <= small < 1.0, "a round trip; how much longer is the machine's doing"
    assert 1.1 <= large < 5.0, "32 kB at 256 kbit/s are a second, and a round trip"


def test_loss_and_cut() -> None:
    with joined("--rtt-ms", "50", "--loss", "0.1", "--reorder", "0.1", "--seed", "3") as line:
        server = listening(line.far)
        try:
            took = seconds(line, 5_000, 30)
            assert max(took) > 2 * min(took), "lost segments cost time"
            line.order("cut")
            cut = subprocess.Popen(
                [*line.near, sys.executable, "-c", SEND, "10", "1"], stdout=subprocess.PIPE, text=True
            )
            began = time.monotonic()
            line.order("mend")
            wait_until(lambda: cut.poll() is not None, "the connection to come about once the line is back")
            end(cut)
            assert time.monotonic() - began < 20
        finally:
            end(server)
    assert FAR == "10.80.0.2"
