"""Does a port take a connection, speak TLS where it should, and say what it should?"""

from __future__ import annotations

import re

from agent.checks.base import Sample
from agent.link.clock import Clock
from agent.probes.guard import Guard
from agent.probes.model import Certificate, Finding, Probe, ProbeFailed, measured
from agent.probes.reach import Deadline, Line, host_and_port, resolve
from agent.probes.tls import context_for, secure

MOST_BYTES = 64 << 10
CHUNK_BYTES = 4096


def probe_tcp(probe: Probe, guard: Guard, clock: Clock) -> Finding:
    """``options``: tls, verify, ca_file, server_name; ``send`` a text, ``expect`` a regular expression in what comes back."""
    deadline = Deadline(clock, clock.monotonic() + probe.timeout_seconds)
    samples: list[Sample] = []
    certificate: Certificate | None = None
    host, port = host_and_port(probe.target)
    is_silent = False
    try:
        found = resolve(probe, host, port, guard, clock)
        samples += found.samples
        with Line(found, deadline) as line:
            if probe.options.get("tls", False):
                told, certificate = secure(line, context_for(probe), probe.options.get("server_name") or host, probe)
                samples += told
            is_silent = not _converse(line, probe)
    except ProbeFailed as why:
        return Finding(False, str(why), (*samples, measured(probe, "probe_failed_due_to_regex", 0)), None, certificate)
    samples.append(measured(probe, "probe_failed_due_to_regex", is_silent))
    if is_silent:
        return Finding(False, f"the answer lacks {probe.options['expect']!r}", tuple(samples), None, certificate)
    return Finding(True, f"connected in {line.seconds * 1000:.1f} ms", tuple(samples), None, certificate)


def _converse(line: Line, probe: Probe) -> bool:
    """Whether what was expected came; True where nothing was. Raises ProbeFailed."""
    said, expected = probe.options.get("send", ""), probe.options.get("expect", "")
    try:
        if said:
            line.socket.sendall(said.encode())
        if not expected:
            return True
        wanted = re.compile(expected.encode())
        heard = bytearray()
        while len(heard) < MOST_BYTES:
            line.socket.settimeout(line.deadline.left())
            part = line.socket.recv(CHUNK_BYTES)
            if not part:
                return False
            heard += part
            if wanted.search(heard):
                return True
    except TimeoutError:
        return False
    except OSError as why:
        raise ProbeFailed(f"the connection broke: {why.strerror or why}") from why
    return False
