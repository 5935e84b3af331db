"""Against a name server of dnspython's own messages: ``answers`` by name, silence for what is not there."""

import socket
import threading
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from agent.link.clock import SystemClock
from agent.probes.dns import probe_dns
from agent.probes.guard import Guard, read_allowed
from agent.probes.model import Probe

HERE = Guard([read_allowed("127.0.0.1/32")])
ANSWERS = {
    "www.example.": (dns.rcode.NOERROR, [("A", "192.0.2.7"), ("A", "192.0.2.8")]),
    "gone.example.": (dns.rcode.NXDOMAIN, []),
    "broken.example.": (dns.rcode.SERVFAIL, []),
}


@pytest.fixture(scope="module")
def name_server() -> Iterator[int]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.2)
        stop = threading.Event()

        def serve() -> None:
            while not stop.is_set():
                try:
                    packet, who = server.recvfrom(4096)
                except TimeoutError:
                    continue
                asked = dns.message.from_wire(packet)
                name = str(asked.question[0].name)
                if name in ANSWERS:
                    reply = dns.message.make_response(asked)
                    rcode, records = ANSWERS[name]
                    reply.set_rcode(rcode)
                    if records:
                        reply.answer.append(dns.rrset.from_text(name, 60, "IN", "A", *(text for _, text in records)))
                    server.sendto(reply.to_wire(), who)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        stop.set()
        thread.join()


@pytest.mark.parametrize(
    ("options", "is_success", "words", "records"),
    [
        ({"query_name": "www.example"}, True, "NOERROR, 2 records", 2),
        ({"query_name": "www.example", "answer_matches": r"192\.0\.2\.8$"}, True, "NOERROR, 2 records", 2),
        ({"query_name": "www.example", "answer_matches": "203"}, False, "no answer has '203'", 2),
        ({"query_name": "gone.example"}, False, "says NXDOMAIN: expected NOERROR", 0),
        ({"query_name": "gone.example", "rcodes": ["NXDOMAIN"]}, True, "NXDOMAIN, 0 records", 0),
        ({"query_name": "broken.example"}, False, "says SERVFAIL", 0),
        ({"query_name": "silent.example"}, False, "no answer about silent.example", None),
    ],
)
def test_an_answer_is_judged(name_server, options, is_success, words, records):
    finding = probe_dns(Probe("p", "dns", f"127.0.0.1:{name_server}", 0, 1.0, "", options), HERE, SystemClock())
    values = {sample.name: sample.value for sample in finding.samples}
    assert finding.is_success == is_success
    assert words in finding.text
    assert values.get("probe_dns_answer_rrs") == records
    assert values["probe_dns_query_succeeded"] == (records is not None)
