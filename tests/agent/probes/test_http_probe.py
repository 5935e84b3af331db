import pytest
from target_server import Target, in_days, make_certificate, running

from agent.checks.base import Sample
from agent.link.clock import SystemClock
from agent.probes.guard import Guard, read_allowed
from agent.probes.http import probe_http
from agent.probes.model import Probe

HERE = Guard([read_allowed("127.0.0.1/32")])
CLOCK = SystemClock()


def ok(body: bytes = b"all is well", more: bytes = b"") -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n%s" % (len(body), more, body)


def value(samples: tuple[Sample, ...], name: str) -> float:
    (found,) = [sample.value for sample in samples if sample.name == name]
    return found


def ask(target: Target, guard: Guard = HERE, timeout: float = 5.0, **options):
    return probe_http(
        Probe("p", "http", f"http://127.0.0.1:{target.port}/x?y=1", 0, timeout, "", options), guard, CLOCK
    )


@pytest.mark.parametrize(
    ("answer", "options", "is_success", "words", "code"),
    [
        (ok(), {}, True, "HTTP 200", 200),
        (b"HTTP/1.1 204 No Content\r\n\r\n", {}, True, "HTTP 204", 204),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", {}, False, "HTTP 503: expected 200 to 299", 503),
        (b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", {"status": [401, 403]}, True, "HTTP 401", 401),
        (ok(), {"status": [401]}, False, "HTTP 200: expected 401", 200),
        (ok(), {"body_matches": "is w"}, True, "HTTP 200", 200),
        (ok(), {"body_matches": "is bad"}, False, "the body lacks 'is bad'", 200),
        (ok(), {"body_not_matches": "well$"}, False, "the body has 'well$'", 200),
        (ok(more=b"Server: nginx/1\r\n"), {"header_matches": {"server": "^nginx"}}, True, "HTTP 200", 200),
        (ok(), {"header_matches": {"Server": "nginx"}}, False, "header Server lacks 'nginx'", 200),
        (b"hello, this is no HTTP\r\n\r\n", {}, False, "no HTTP answer", 0),
        (b"", {}, False, "no HTTP answer", 0),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nshort", {}, False, "IncompleteRead", 0),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n", {}, False, "no HTTP answer", 0),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (3 << 20), {}, True, "HTTP 200", 200),
    ],
)
def test_an_answer_is_judged(answer, options, is_success, words, code):
    with running(Target(answer)) as target:
        finding = ask(target, **options)
    assert (finding.is_success, value(finding.samples, "probe_http_status_code")) == (is_success, code)
    assert words in finding.text
    regex = 1.0 if "body" in words or words.startswith("header") else 0.0
    assert value(finding.samples, "probe_failed_due_to_regex") == regex


def test_what_is_asked():
    with running(Target(ok(), until=b"hej")) as target:
        ask(target, method="POST", body="hej", headers={"X-Who": "bongsu"})
        (heard,) = target.heard
    assert heard.startswith(b"POST /x?y=1 HTTP/1.1\r\n")
    assert b"X-Who: bongsu\r\n" in heard
    assert b"Host: 127.0.0.1:%d\r\n" % target.port in heard
    assert heard.endswith(b"hej")


@pytest.mark.parametrize(("secret", "header"), [("u:p\n", b"Basic dTpw"), ("tok.en", b"Bearer tok.en")])
def test_a_secret_comes_from_a_file(tmp_path, secret, header):
    file = tmp_path / "secret"
    file.write_text(secret)
    with running(Target(ok())) as target:
        assert ask(target, authorization_file=str(file)).is_success
        assert b"Authorization: " + header + b"\r\n" in target.heard[0]
        finding = ask(target, authorization_file=str(tmp_path / "gone"))
    assert not finding.is_success
    assert "cannot be read" in finding.text


def test_a_server_that_drips_ends_at_the_deadline():
    started = CLOCK.monotonic()
    with running(Target(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 80, drip=0.05)) as target:
        finding = ask(target, timeout=0.6)
    assert not finding.is_success
    assert CLOCK.monotonic() - started < 2.0


def test_redirects_are_followed_and_counted():
    with running(Target(ok())) as last:
        there = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:%d/\r\nContent-Length: 0\r\n\r\n" % last.port
        with running(Target(there)) as first:
            finding = ask(first)
            stays = ask(first, follow_redirects=False, status=[302])
    assert finding.is_success
    assert value(finding.samples, "probe_http_redirects") == 1
    assert stays.is_success
    assert value(stays.samples, "probe_http_redirects") == 1


@pytest.mark.parametrize(
    ("location", "words"),
    [
        (b"http://169.254.169.254/latest/meta-data", "never probed"),
        (b"http://127.0.0.9/", "this machine"),
        (b"file:///etc/passwd", "expected http:// or https://"),
        (b"http://127.0.0.1:99999/", "Port out of range"),
        (b"/x", "over 3 redirects"),
    ],
)
def test_no_redirect_leads_where_no_probe_may_go(location, words):
    with running(Target(b"HTTP/1.1 301 Moved\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % location)) as target:
        finding = ask(target)
    assert not finding.is_success
    assert words in finding.text


def test_what_may_not_be_probed_is_not_even_connected_to():
    with running(Target(ok())) as target:
        finding = ask(target, guard=Guard())
        assert target.heard == []
    assert "this machine" in finding.text


def test_certificates_are_read_and_judged(tmp_path):
    ends = in_days(20)
    ca, context = make_certificate(tmp_path, in_days(-1), ends)
    with running(Target(ok(), context=context)) as target:
        url = f"https://127.0.0.1:{target.port}/"
        trusting = probe_http(Probe("p", "http", url, options={"ca_file": str(ca)}), HERE, CLOCK)
        doubting = probe_http(Probe("p", "http", url), HERE, CLOCK)
        careless = probe_http(Probe("p", "http", url, options={"verify": False}), HERE, CLOCK)
    assert trusting.is_success
    assert trusting.certificate is not None
    assert trusting.certificate.earliest_end == ends.timestamp()
    assert value(trusting.samples, "probe_ssl_earliest_cert_expiry") == ends.timestamp()
    assert value(trusting.samples, "probe_ssl_last_chain_expiry_timestamp_seconds") == ends.timestamp()
    assert not doubting.is_success
    assert "refused: self-signed" in doubting.text
    assert careless.is_success
    assert careless.certificate == trusting.certificate


def test_plain_text_behind_https_is_told():
    with running(Target(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as target:
        finding = probe_http(Probe("p", "http", f"https://127.0.0.1:{target.port}/"), HERE, CLOCK)
    assert "no TLS with 127.0.0.1" in finding.text
