"""Does a machine answer a ping, how fast, and how many of them (RFC 792, RFC 4443)?

Through a ping socket where the system lets this user have one (``net.ipv4.ping_group_range``), else a raw one, which
needs CAP_NET_RAW.
"""

from __future__ import annotations

from statistics import median

from agent.checks.base import OK, WARNING, Sample
from agent.link.clock import Clock
from agent.probes.echo import Echo, Reply
from agent.probes.guard import Guard
from agent.probes.model import Finding, Probe, ProbeFailed, measured
from agent.probes.reach import Deadline, resolve

COUNT = 3
SIZE_BYTES = 56
SPACING_SECONDS = 0.2


def probe_icmp(probe: Probe, guard: Guard, clock: Clock) -> Finding:
    """``options``: ``count`` of packets, ``size_bytes`` of each one's payload. A success where one was answered."""
    deadline = Deadline(clock, clock.monotonic() + probe.timeout_seconds)
    count, size = probe.options.get("count", COUNT), probe.options.get("size_bytes", SIZE_BYTES)
    samples: tuple[Sample, ...] = ()
    try:
        found = resolve(probe, probe.target, None, guard, clock)
        samples = found.samples
        started = clock.monotonic()
        with Echo(found, clock) as echo:
            setup = clock.monotonic() - started
            replies = echo.round(count, size, SPACING_SECONDS, deadline.ends_at)
    except ProbeFailed as why:
        return Finding(False, str(why), samples)
    loss = 1 - len(replies) / count
    samples += (
        measured(probe, "probe_icmp_loss_ratio", loss),
        measured(probe, "probe_icmp_duration_seconds", found.seconds, phase="resolve"),
        measured(probe, "probe_icmp_duration_seconds", setup, phase="setup"),
    )
    if not replies:
        return Finding(False, f"none of {count} pings to {found.address} was answered", samples)
    rtt = median(reply.seconds for reply in replies)
    samples += (measured(probe, "probe_icmp_duration_seconds", rtt, phase="rtt"), *_hop_limit(probe, replies))
    text = f"{len(replies)} of {count} pings answered, {rtt * 1000:.1f} ms"
    return Finding(True, text, samples, OK if len(replies) == count else WARNING)


def _hop_limit(probe: Probe, replies: list[Reply]) -> list[Sample]:
    return [
        measured(probe, "probe_icmp_reply_hop_limit", reply.hop_limit)
        for reply in replies[:1]
        if reply.hop_limit is not None
    ]
