"""Do packets as large as the line should carry come through, or only the small ones?

A router that drops large packets leaves ping green and breaks everything people do. So small and large packets are
sent side by side, the large ones forbidden to be cut on the way (RFC 1191, RFC 4821); where the large ones are lost, the
largest size that passes is looked for among those that lines are known to have.
"""

from __future__ import annotations

from agent.checks.base import CRITICAL, WARNING, Sample
from agent.link.clock import Clock
from agent.probes.echo import HEADERS, Echo
from agent.probes.guard import Guard
from agent.probes.icmp import SIZE_BYTES
from agent.probes.model import Finding, Probe, ProbeFailed, measured
from agent.probes.reach import Deadline, Found, resolve

MTU_BYTES = 1500
KNOWN_MTUS = (1492, 1480, 1460, 1440, 1420, 1400, 1380, 1280, 1006, 576)
"""PPPoE, tunnels and VPNs of the usual kinds, the least of IPv6, old ones."""
TRIES = 2
SPACING_SECONDS = 0.05
PATIENCE_SHARE = 0.25
"""Of the probe's time, for the first look; what is left is for looking for the size that passes."""


def probe_path_mtu(probe: Probe, guard: Guard, clock: Clock) -> Finding:
    """``options``: ``mtu_bytes``, what should pass whole (1500). ``path mtu`` counts the IP header."""
    deadline = Deadline(clock, clock.monotonic() + probe.timeout_seconds)
    wanted = probe.options.get("mtu_bytes", MTU_BYTES)
    samples: tuple[Sample, ...] = ()
    try:
        found = resolve(probe, probe.target, None, guard, clock)
        samples = found.samples
        with Echo(found, clock, may_cut=False) as echo:
            patience = probe.timeout_seconds * PATIENCE_SHARE
            small = echo.round(TRIES, SIZE_BYTES, SPACING_SECONDS, clock.monotonic() + patience)
            large = wanted - HEADERS[found.family]
            if echo.round(TRIES, large, SPACING_SECONDS, clock.monotonic() + patience):
                samples += (measured(probe, "probe_path_mtu_bytes", wanted),)
                return Finding(True, f"packets of {wanted} bytes pass whole", samples)
            if not small:
                return Finding(False, f"no answer from {found.address}, to small packets neither", samples, CRITICAL)
            largest = _largest(echo, found, wanted, deadline)
    except ProbeFailed as why:
        return Finding(False, str(why), samples)
    samples += (measured(probe, "probe_path_mtu_bytes", largest),)
    text = f"small packets pass, packets of {wanted} bytes do not; the largest that passed: {largest}"
    return Finding(False, text, samples, WARNING)


def _largest(echo: Echo, found: Found, wanted: int, deadline: Deadline) -> int:
    """All known sizes at once, each with its own length: the longest reply says it. Falls back to the small one's size."""
    sizes = [mtu - HEADERS[found.family] for mtu in KNOWN_MTUS if mtu < wanted]
    replies = echo.sizes(sizes, SPACING_SECONDS, deadline.ends_at)
    return max(replies, default=SIZE_BYTES) + HEADERS[found.family]
