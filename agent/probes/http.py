"""Does a web address answer as it should? http.client speaks; connecting, ends in time and redirects are ours, because
each address on the way must be one that may be probed."""

from __future__ import annotations

import base64
import http.client
import re
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from agent.checks.base import Sample
from agent.link.clock import Clock
from agent.probes.guard import Guard
from agent.probes.model import Certificate, Finding, Probe, ProbeFailed, measured
from agent.probes.reach import Deadline, Line, resolve
from agent.probes.tls import context_for, secure

MOST_BODY_BYTES = 1 << 20
MOST_REDIRECTS = 3
REDIRECTS = (301, 302, 303, 307, 308)
PHASES = ("resolve", "connect", "tls", "processing", "transfer")
USER_AGENT = "Bongsu"


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    version: int
    url: str
    is_tls: bool


class _Told:
    """What is measured on the way, kept where the way breaks off."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(PHASES, 0.0)
        self.samples: tuple[Sample, ...] = ()
        self.certificate: Certificate | None = None
        self.redirects = 0


def probe_http(probe: Probe, guard: Guard, clock: Clock) -> Finding:
    """``options``: method, body, headers, authorization_file, status (codes wanted; none = 200 to 299), body_matches,
    body_not_matches, header_matches, follow_redirects, verify, ca_file, server_name."""
    deadline = Deadline(clock, clock.monotonic() + probe.timeout_seconds)
    told = _Told()
    answer: Answer | None = None
    try:
        answer = _ask(probe, probe.target, guard, deadline, told)
        while answer.status in REDIRECTS and "location" in answer.headers:
            told.redirects += 1  # one that is not followed counts too, as blackbox_exporter has it
            if not probe.options.get("follow_redirects", True):
                break
            if told.redirects > MOST_REDIRECTS:
                raise ProbeFailed(f"over {MOST_REDIRECTS} redirects, the last to {answer.headers['location'][:200]}")
            answer = _ask(probe, urljoin(answer.url, answer.headers["location"]), guard, deadline, told)
    except ProbeFailed as why:
        return Finding(False, str(why), _samples(probe, told, answer, ""), None, told.certificate)
    unmatched = _unmatched(probe, answer)
    samples = _samples(probe, told, answer, unmatched)
    wanted = probe.options.get("status") or range(200, 300)
    if answer.status not in wanted:
        words = ", ".join(map(str, wanted)) if not isinstance(wanted, range) else "200 to 299"
        return Finding(False, f"HTTP {answer.status}: expected {words}", samples, None, told.certificate)
    if unmatched:
        return Finding(False, unmatched, samples, None, told.certificate)
    took = sum(told.seconds.values()) * 1000
    return Finding(True, f"HTTP {answer.status} in {took:.0f} ms", samples, None, told.certificate)


def _ask(probe: Probe, url: str, guard: Guard, deadline: Deadline, told: _Told) -> Answer:
    """One request. Raises ProbeFailed."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ProbeFailed(f"redirected to {url[:200]}: expected http:// or https://")
    is_tls = parts.scheme == "https"
    try:
        port = parts.port or (443 if is_tls else 80)
    except ValueError as why:
        raise ProbeFailed(f"{url[:200]}: {why}") from why
    found = resolve(probe, parts.hostname, port, guard, deadline.clock)
    told.samples = found.samples
    told.seconds["resolve"] += found.seconds
    now = deadline.clock.monotonic
    with Line(found, deadline) as line:
        told.seconds["connect"] += line.seconds
        if is_tls:
            started = now()
            name = probe.options.get("server_name") or parts.hostname
            samples, told.certificate = secure(line, context_for(probe), name, probe)
            told.seconds["tls"] += now() - started
            told.samples += samples
        connection = http.client.HTTPConnection(parts.hostname, port)
        connection.sock = line.socket
        started = now()
        try:
            line.socket.settimeout(deadline.left())
            connection.request(
                probe.options.get("method", "GET"),
                (parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
                probe.options.get("body", "").encode() or None,
                _headers(probe, parts.netloc.rpartition("@")[2]),
            )
            answer = connection.getresponse()
            told.seconds["processing"] += now() - started
            started = now()
            body = answer.read(MOST_BODY_BYTES)
            told.seconds["transfer"] += now() - started
            deadline.left()  # a line torn down in time looks like an end
            if len(body) < MOST_BODY_BYTES and answer.length:
                raise http.client.IncompleteRead(body, answer.length)
        except (OSError, http.client.HTTPException, ValueError) as why:
            deadline.left()
            raise ProbeFailed(f"no HTTP answer from {parts.netloc}: {type(why).__name__}: {why}") from why
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, headers, body, answer.version, url, is_tls)


def _headers(probe: Probe, host: str) -> dict[str, str]:
    """Raises ProbeFailed where the secret cannot be read."""
    headers = {"Host": host, "User-Agent": USER_AGENT, "Connection": "close", **probe.options.get("headers", {})}
    file = probe.options.get("authorization_file", "")
    if file:
        try:
            secret = Path(file).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as why:
            raise ProbeFailed(f"authorization_file {file}: cannot be read ({why})") from why
        is_pair = ":" in secret and " " not in secret
        headers["Authorization"] = (
            f"Basic {base64.b64encode(secret.encode()).decode()}" if is_pair else f"Bearer {secret}"
        )
    return headers


def _unmatched(probe: Probe, answer: Answer) -> str:
    """In words, the first condition on body or headers that does not hold."""
    text = answer.body.decode("utf-8", "replace")
    wanted, unwanted = probe.options.get("body_matches", ""), probe.options.get("body_not_matches", "")
    if wanted and not re.search(wanted, text):
        return f"the body lacks {wanted!r}"
    if unwanted and re.search(unwanted, text):
        return f"the body has {unwanted!r}"
    for name, pattern in probe.options.get("header_matches", {}).items():
        if not re.search(pattern, answer.headers.get(name.lower(), "")):
            return f"header {name} lacks {pattern!r}"
    return ""


def _samples(probe: Probe, told: _Told, answer: Answer | None, unmatched: str) -> tuple[Sample, ...]:
    length = -1.0
    if answer is not None:
        with suppress(ValueError):
            length = float(answer.headers.get("content-length", -1))
    return (
        *told.samples,
        *(measured(probe, "probe_http_duration_seconds", value, phase=phase) for phase, value in told.seconds.items()),
        measured(probe, "probe_http_status_code", answer.status if answer else 0),
        measured(probe, "probe_http_version", answer.version / 10 if answer else 0),
        measured(probe, "probe_http_ssl", bool(answer and answer.is_tls)),
        measured(probe, "probe_http_redirects", told.redirects),
        measured(probe, "probe_http_content_length", length),
        measured(probe, "probe_http_uncompressed_body_length", len(answer.body) if answer else 0),
        measured(probe, "probe_failed_due_to_regex", bool(unmatched)),
    )
