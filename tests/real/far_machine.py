"""A machine at the far end of a TUN device that answers pings up to a size and loses what it is told to lose.

Run inside a network namespace of its own: ``far_machine.py BLACKBOX_EXPORTER FOLDER`` prints, as JSON, what our probes
and blackbox_exporter found of it.
"""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path

from agent.checks.base import Sample, State
from agent.checks.local import LocalHost
from agent.link.clock import SystemClock
from agent.probes.echo import checksum
from agent.probes.guard import Guard
from agent.probes.model import Probe
from agent.probes.rounds import probe_check

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000
HERE, THERE = "10.9.9.1", "10.9.9.2"


class FarMachine(threading.Thread):
    """``largest``: of a packet with its headers; ``loses``: every so many-th packet, 0 = none."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.largest, self.loses, self._count = 65_535, 0, 0
        self._tun = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(self._tun, TUNSETIFF, struct.pack("16sH", b"far0", IFF_TUN | IFF_NO_PI))

    def run(self) -> None:
        while True:
            packet = os.read(self._tun, 65_535)
            if packet[0] >> 4 != 4 or packet[9] != socket.IPPROTO_ICMP or packet[20] != 8:
                continue
            self._count += 1
            if len(packet) > self.largest or (self.loses and self._count % self.loses == 0):
                continue
            icmp = b"\0\0\0\0" + packet[24:]
            icmp = icmp[:2] + struct.pack("!H", checksum(icmp)) + icmp[4:]
            header = packet[:8] + b"\x40" + packet[9:10] + b"\0\0" + packet[16:20] + packet[12:16]
            os.write(self._tun, header[:10] + struct.pack("!H", checksum(header)) + header[12:] + icmp)


def probe(module: str, **options: object) -> dict[str, object]:
    results = list(
        probe_check(Probe("far", module, THERE, 0, 2.0, "", options), Guard(), SystemClock()).collect(LocalHost())
    )
    told: dict[str, object] = {
        sample.name + dict(sample.labels).get("phase", ""): sample.value
        for sample in results
        if isinstance(sample, Sample)
    }
    (state,) = [result for result in results if isinstance(result, State)]
    return {**told, "state": state.state, "text": state.text}


def exporter_says(port: int) -> float:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", f"/probe?module=icmp&target={THERE}")
    text = connection.getresponse().read().decode()
    return float(text.split("\nprobe_success ")[1].split("\n")[0])


def main(exporter: str, folder: Path) -> None:
    far = FarMachine()
    commands = (
        ("link", "set", "lo", "up"),
        ("addr", "add", f"{HERE}/24", "dev", "far0"),
        ("link", "set", "far0", "up"),
    )
    for command in commands:
        subprocess.run(["ip", *command], check=True)
    far.start()
    (folder / "blackbox.yml").write_text(
        "modules: {icmp: {prober: icmp, timeout: 1s, icmp: {preferred_ip_protocol: ip4}}}\n"
    )
    process = subprocess.Popen(
        [exporter, "--config.file", str(folder / "blackbox.yml"), "--web.listen-address", "127.0.0.1:9915"],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "Listening on" in line:
            break
    found = {"whole": probe("icmp"), "whole_mtu": probe("path_mtu"), "exporter_whole": exporter_says(9915)}
    far.loses = 3
    found["lossy"] = probe("icmp", count=6)
    far.loses, far.largest = 0, 1400
    found["small_only"] = probe("icmp")
    found["small_only_mtu"] = probe("path_mtu")
    far.largest = 0
    found["gone"], found["gone_mtu"] = probe("icmp"), probe("path_mtu")
    found["exporter_gone"] = exporter_says(9915)
    process.terminate()
    process.wait()
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
