"""Does a name server answer, and with what it should? dnspython (extra ``dns``) speaks the protocol."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agent.checks.base import Sample
from agent.link.clock import Clock
from agent.probes.guard import Guard
from agent.probes.model import Finding, Probe, ProbeFailed, measured
from agent.probes.reach import Deadline, host_and_port, resolve

if TYPE_CHECKING:
    from dns.message import Message

PORT = 53


def probe_dns(probe: Probe, guard: Guard, clock: Clock) -> Finding:
    """``options``: ``query_name``, ``query_type`` (A), ``rcodes`` wanted (NOERROR), ``answer_matches``, ``transport`` (udp)."""
    deadline = Deadline(clock, clock.monotonic() + probe.timeout_seconds)
    samples: tuple[Sample, ...] = (measured(probe, "probe_dns_query_succeeded", 0),)
    try:
        host, port = host_and_port(probe.target, PORT)
        found = resolve(probe, host, port, guard, clock)
        samples += found.samples
        started = clock.monotonic()
        answer = _ask(probe, found.address, port, deadline)
        seconds = clock.monotonic() - started
    except ProbeFailed as why:
        return Finding(False, str(why), samples)
    return _judged(probe, answer, found.samples, found.seconds, seconds)


def _ask(probe: Probe, address: str, port: int, deadline: Deadline) -> Message:
    """Raises ProbeFailed."""
    try:
        import dns.exception
        import dns.message
        import dns.query
    except ImportError as why:
        raise ProbeFailed("dnspython is not installed: pip install 'bongsu[dns]'") from why
    name, kind = probe.options["query_name"], probe.options.get("query_type", "A")
    send = dns.query.tcp if probe.options.get("transport", "udp") == "tcp" else dns.query.udp
    try:
        answer: Message = send(dns.message.make_query(name, kind), address, deadline.left(), port)
    except (dns.exception.DNSException, OSError) as why:
        raise ProbeFailed(f"no answer about {name} from {address}: {why or type(why).__name__}") from why
    return answer


def _judged(
    probe: Probe, answer: Message, found: tuple[Sample, ...], resolve_seconds: float, seconds: float
) -> Finding:
    from dns.rcode import to_text

    samples = (
        *found,
        measured(probe, "probe_dns_query_succeeded", 1),
        measured(probe, "probe_dns_duration_seconds", resolve_seconds, phase="resolve"),
        measured(probe, "probe_dns_duration_seconds", seconds, phase="request"),
        measured(probe, "probe_dns_answer_rrs", sum(len(rows) for rows in answer.answer)),
        measured(probe, "probe_dns_authority_rrs", sum(len(rows) for rows in answer.authority)),
        measured(probe, "probe_dns_additional_rrs", sum(len(rows) for rows in answer.additional)),
    )
    rcode, wanted = to_text(answer.rcode()), probe.options.get("rcodes") or ["NOERROR"]
    if rcode not in wanted:
        return Finding(False, f"the name server says {rcode}: expected {', '.join(wanted)}", samples)
    pattern = probe.options.get("answer_matches", "")
    lines = [line for rows in answer.answer for line in rows.to_text().splitlines()]
    if pattern and not any(re.search(pattern, line) for line in lines):
        return Finding(False, f"no answer has {pattern!r}: {'; '.join(lines)[:200] or 'none'}", samples)
    return Finding(True, f"{rcode}, {len(lines)} records in {seconds * 1000:.1f} ms", samples)
