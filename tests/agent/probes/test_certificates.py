from datetime import UTC, datetime

import pytest
from target_server import make_certificate

from agent.checks.base import CRITICAL, OK, WARNING
from agent.probes.certificate import judge_certificate
from agent.probes.dates import read_certificate
from agent.probes.model import Certificate

DAY = 86_400


@pytest.mark.parametrize(
    "ends",
    [
        datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC),
        datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC),  # the last that a two-digit year can say
        datetime(2050, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
    ],
)
def test_end_and_name_are_read(tmp_path, ends):
    file, _ = make_certificate(tmp_path, datetime(1999, 1, 1, tzinfo=UTC), ends, "portal.example")
    from ssl import PEM_cert_to_DER_cert

    assert read_certificate(PEM_cert_to_DER_cert(file.read_text())) == Certificate(ends.timestamp(), "portal.example")


def test_what_is_no_certificate_is_refused(tmp_path):
    from ssl import PEM_cert_to_DER_cert

    file, _ = make_certificate(tmp_path, datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC))
    whole = PEM_cert_to_DER_cert(file.read_text())
    for cut in range(min(len(whole), 150)):
        with pytest.raises(ValueError):
            read_certificate(whole[:cut])
    with pytest.raises(ValueError):
        read_certificate(b"\x30\x84\xff\xff\xff\xff")


@pytest.mark.parametrize(
    ("days", "state", "words"),
    [
        (400, OK, "ends on"),
        (60.1, OK, "ends on"),
        (60, WARNING, "within 60 days"),
        (30.1, WARNING, "within 60 days"),
        (30, WARNING, "within 30 days"),
        (7.1, WARNING, "within 30 days"),
        (7, CRITICAL, "within 7 days"),
        (0.1, CRITICAL, "within 7 days"),
        (0, CRITICAL, "ended on"),
        (-3, CRITICAL, "ended on"),
    ],
)
def test_the_steps_before_the_end(days, state, words):
    now = 1_790_000_000.0
    judged = judge_certificate("portal", Certificate(now + days * DAY, "portal.example"), now)
    assert (judged.check, judged.state) == ("certificate:portal", state)
    assert words in judged.text
    assert "portal.example" in judged.text
