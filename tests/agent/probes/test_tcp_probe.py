import socket

import pytest
from target_server import Target, in_days, make_certificate, running

from agent.link.clock import SystemClock
from agent.probes.guard import Guard, read_allowed
from agent.probes.model import Probe
from agent.probes.reach import host_and_port
from agent.probes.tcp import probe_tcp

HERE = Guard([read_allowed("127.0.0.1/32")])


def ask(port: int, timeout: float = 3.0, **options):
    return probe_tcp(Probe("p", "tcp", f"127.0.0.1:{port}", 0, timeout, "", options), HERE, SystemClock())


@pytest.mark.parametrize(
    ("target", "options", "is_success", "words"),
    [
        (Target(greets=True), {}, True, "connected in"),
        (Target(b"SSH-2.0-OpenSSH_9\r\n", greets=True), {"expect": "^SSH-2.0-"}, True, "connected in"),
        (Target(b"220 mail\r\n", greets=True), {"expect": "^SSH-2.0-"}, False, "the answer lacks '^SSH-2.0-'"),
        (Target(b"", greets=True), {"expect": "x"}, False, "the answer lacks 'x'"),
        (Target(b"+PONG\r\n"), {"send": "PING\r\n", "expect": "PONG"}, True, "connected in"),
        (Target(b"x" * 200_000, greets=True), {"expect": "y"}, False, "the answer lacks 'y'"),
        (Target(b"xxxxxxxxxx", drip=0.3, greets=True), {"expect": "y"}, False, ""),
    ],
)
def test_an_answer_is_judged(target, options, is_success, words):
    with running(target):
        finding = ask(target.port, 1.0, **options)
    assert finding.is_success == is_success
    assert words in finding.text


def test_a_closed_port_and_a_name_nobody_has():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert "no connection to 127.0.0.1" in ask(port).text
    finding = probe_tcp(Probe("p", "tcp", "no-such-name.invalid:80"), HERE, SystemClock())
    assert "name no-such-name.invalid was not found" in finding.text


def test_tls(tmp_path):
    ca, context = make_certificate(tmp_path, in_days(-9), in_days(-2))
    with running(Target(b"hello", context=context, greets=True)) as target:
        ended = ask(target.port, tls=True, ca_file=str(ca))
        careless = ask(target.port, tls=True, verify=False, expect="hello")
    assert "certificate has expired" in ended.text
    assert careless.is_success
    assert careless.certificate is not None


@pytest.mark.parametrize(
    ("text", "found"),
    [("db1:5432", ("db1", 5432)), ("[fd00::7]:443", ("fd00::7", 443)), ("10.0.0.1:1", ("10.0.0.1", 1))],
)
def test_targets(text, found):
    assert host_and_port(text) == found


def test_targets_with_a_usual_port():
    assert host_and_port("ns1", 53) == ("ns1", 53)
    assert host_and_port("fd00::53", 53) == ("fd00::53", 53)
    assert host_and_port("[fd00::53]:5353", 53) == ("fd00::53", 5353)
