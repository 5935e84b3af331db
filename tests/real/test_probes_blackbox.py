"""Our probes beside a real blackbox_exporter, on twenty targets, good and bad, at the same moment.

``probe_success`` must be the same everywhere. Of the other series that both have: what does not depend on the moment is
equal, and what is a time lies in the same order of size. What only one of them has is listed below with its reason.
"""

from __future__ import annotations

import http.client
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import pytest
from real import require
from target_server import Target, in_days, make_certificate, running

from agent.checks.base import Sample
from agent.checks.local import LocalHost
from agent.link.clock import SystemClock
from agent.probes.config import read_probes
from agent.probes.guard import Guard, read_allowed
from agent.probes.rounds import probe_check

pytestmark = [pytest.mark.real, pytest.mark.slow]

HERE = Guard([read_allowed("127.0.0.0/8")])
ONLY_THEIRS = {
    "probe_ip_addr_hash",  # a hash as a number tells nobody anything
    "probe_http_last_modified_timestamp_seconds",  # says how old a page is, not whether it answers
    "probe_expect_info",
}
ONLY_OURS = {"probe_icmp_loss_ratio", "probe_path_mtu_bytes"}
MOMENT = re.compile(r"duration_seconds|lookup_time")
UNLIKE = {
    "probe_http_version": "we speak HTTP/1.1, they HTTP/2 over TLS",
    "probe_ssl_last_chain_info": "they also name issuer and alternative names",
    "probe_ssl_last_chain_expiry_timestamp_seconds": "where nothing was verified they give the year 1, we give nothing",
    "probe_dns_duration_seconds": "they also time a connection, which UDP has none of",
    "probe_dns_authority_rrs": "nothing where no answer came",
    "probe_http_content_length": "they say 0 where the body has no length and was not read",
}
MODULES = """
modules:
  http: {prober: http, timeout: 3s, http: {preferred_ip_protocol: ip4, ip_protocol_fallback: false, enable_http2: false}}
  http_401: {prober: http, timeout: 3s, http: {valid_status_codes: [401]}}
  http_match: {prober: http, timeout: 3s, http: {fail_if_body_not_matches_regexp: ["is well"]}}
  http_stay: {prober: http, timeout: 3s, http: {follow_redirects: false, valid_status_codes: [302]}}
  https_ca: {prober: http, timeout: 3s, http: {enable_http2: false, tls_config: {ca_file: CA}}}
  https: {prober: http, timeout: 3s, http: {enable_http2: false}}
  https_any: {prober: http, timeout: 3s, http: {enable_http2: false, tls_config: {insecure_skip_verify: true}}}
  slow: {prober: http, timeout: 1s}
  tcp: {prober: tcp, timeout: 3s}
  tcp_ssh: {prober: tcp, timeout: 2s, tcp: {query_response: [{expect: "^SSH-2.0-"}]}}
  tls_ca: {prober: tcp, timeout: 3s, tcp: {tls: true, tls_config: {ca_file: CA}}}
  tls: {prober: tcp, timeout: 3s, tcp: {tls: true}}
  dns: {prober: dns, timeout: 1s, dns: {query_name: "www.example", query_type: A, preferred_ip_protocol: ip4}}
"""


class Case(NamedTuple):
    module: str
    """Of blackbox_exporter's file."""
    target: str
    ours: dict[str, object]


def ok(body: bytes = b"all is well") -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[list[Case], Path]]:
    folder = tmp_path_factory.mktemp("targets")
    good, ended = folder / "good", folder / "ended"
    good.mkdir()
    ended.mkdir()
    ca, context = make_certificate(good, in_days(-1), in_days(90))
    _, past = make_certificate(ended, in_days(-9), in_days(-2))
    with ExitStack() as stack:

        def serve(answer: bytes = b"", **more: object) -> int:
            return stack.enter_context(running(Target(answer, **more))).port  # type: ignore[arg-type]

        web = serve(ok())
        moved = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:%d/\r\nContent-Length: 0\r\n\r\n" % web
        away = serve(moved)
        secret = serve(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n")
        closed = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = closed.getsockname()[1]
        closed.close()
        tls, tls_past = serve(ok(), context=context), serve(ok(), context=past)
        page, http, tcp = f"http://127.0.0.1:{web}/", {"module": "http"}, {"module": "tcp"}
        yield (
            [
                Case("http", page, http),
                Case("http", f"http://127.0.0.1:{serve(b'HTTP/1.1 503 Busy' + bytes([13, 10, 13, 10]))}/", http),
                Case("http", f"http://127.0.0.1:{secret}/", http),
                Case("http_401", f"http://127.0.0.1:{secret}/", {**http, "status": [401]}),
                Case("http_match", page, {**http, "body_matches": "is well"}),
                Case(
                    "http_match", f"http://127.0.0.1:{serve(ok(b'all is lost'))}/", {**http, "body_matches": "is well"}
                ),
                Case("http", f"http://127.0.0.1:{away}/", http),
                Case("http_stay", f"http://127.0.0.1:{away}/", {**http, "status": [302], "follow_redirects": False}),
                Case("http", f"http://127.0.0.1:{port}/", http),
                Case("http", "http://no-such-name.invalid/", http),
                Case("slow", f"http://127.0.0.1:{serve(ok(), drip=0.2)}/", {**http, "timeout_seconds": 1}),
                Case("https_ca", f"https://127.0.0.1:{tls}/", {**http, "ca_file": str(ca)}),
                Case("https", f"https://127.0.0.1:{tls}/", http),
                Case("https_any", f"https://127.0.0.1:{tls_past}/", {**http, "verify": False}),
                Case("tcp", f"127.0.0.1:{web}", tcp),
                Case("tcp", f"127.0.0.1:{port}", tcp),
                Case(
                    "tcp_ssh",
                    f"127.0.0.1:{serve(b'SSH-2.0-x' + bytes([13, 10]), greets=True)}",
                    {**tcp, "expect": "^SSH-2.0-"},
                ),
                Case(
                    "tcp_ssh",
                    f"127.0.0.1:{serve(b'220 mail' + bytes([13, 10]), greets=True)}",
                    {**tcp, "expect": "^SSH-2.0-", "timeout_seconds": 2},
                ),
                Case("tls_ca", f"127.0.0.1:{tls}", {**tcp, "tls": True, "ca_file": str(ca)}),
                Case("tls", f"127.0.0.1:{tls}", {**tcp, "tls": True}),
                Case("dns", f"127.0.0.1:{port}", {"module": "dns", "query_name": "www.example", "timeout_seconds": 1}),
            ],
            ca,
        )


@pytest.fixture(scope="module")
def exporter(cases: tuple[list[Case], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    program = require("prometheus-blackbox-exporter")
    file = tmp_path_factory.mktemp("blackbox") / "blackbox.yml"
    file.write_text(MODULES.replace("CA}", f"{cases[1]}}}"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    process = subprocess.Popen(
        [program, "--config.file", str(file), "--web.listen-address", f"127.0.0.1:{port}"],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "Listening on" in line:
            break
        assert "error" not in line, line
    yield port
    process.terminate()
    process.wait()
    process.stderr.close()


def theirs(port: int, case: Case) -> dict[tuple[str, str], float]:
    """(name, phase) -> value."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", f"/probe?module={case.module}&target={quote(case.target, safe='')}")
    text = connection.getresponse().read().decode()
    connection.close()
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            phase = re.search(r'phase="(\w+)"', name)
            found[name.partition("{")[0], phase.group(1) if phase else ""] = float(value)
    return found


def ours(case: Case) -> dict[tuple[str, str], float]:
    (probe,) = read_probes([{"name": "x", "target": case.target, "timeout_seconds": 3, **case.ours}], "test")
    results = list(probe_check(probe, HERE, SystemClock()).collect(LocalHost()))
    samples = [result for result in results if isinstance(result, Sample)]
    assert all(dict(sample.labels)["target"] == case.target for sample in samples)
    return {(sample.name, dict(sample.labels).get("phase", "")): float(sample.value) for sample in samples}


def test_the_same_targets_are_judged_the_same(cases: tuple[list[Case], Path], exporter: int) -> None:
    unlike: list[str] = []
    successes = 0
    for case in cases[0]:
        a, b = theirs(exporter, case), ours(case)
        successes += int(b["probe_success", ""])
        where = f"{case.module} {case.target}"
        if a["probe_success", ""] != b["probe_success", ""]:
            unlike.append(f"{where}: success {a['probe_success', '']} and {b['probe_success', '']}")
        names_a = {name for name, _ in a} - ONLY_THEIRS - UNLIKE.keys()
        names_b = {name for name, _ in b} - ONLY_OURS - UNLIKE.keys()
        is_good = b["probe_success", ""] == 1
        if is_good and names_a != names_b:
            unlike.append(f"{where}: only theirs {names_a - names_b}, only ours {names_b - names_a}")
        for key in a.keys() & b.keys():
            if key[0] in UNLIKE or not is_good:
                continue
            if MOMENT.search(key[0]):
                if not abs(a[key] - b[key]) < 0.5:
                    unlike.append(f"{where}: {key} {a[key]} and {b[key]}")
            elif a[key] != b[key]:
                unlike.append(f"{where}: {key} {a[key]} and {b[key]}")
    assert len(cases[0]) >= 20
    assert 8 <= successes <= 14, "good ones and bad ones are among the targets"
    assert unlike == []
