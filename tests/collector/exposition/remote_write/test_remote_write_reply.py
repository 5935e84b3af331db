"""What an answer means: final only in words we know, taken only from what can be a store."""

from __future__ import annotations

import pytest

from agent.link.exchange import Failure, Response
from collector.exposition.remote_write.reply import Doubtful, Later, Refused, Taken, judge

TEXT = "text/plain"


@pytest.mark.parametrize(
    ("status", "kind", "body", "expected"),
    [
        (204, "", b"", Taken),
        (200, "", b"", Taken),
        (200, TEXT, b"ok", Taken),
        (200, "application/json", b"{}", Taken),
        (202, "", b"", Taken),
        (200, "text/html", b"Welcome, please log in", Later),
        (200, TEXT, b" <!doctype html><title>Wi-Fi</title>", Later),
        (200, TEXT, b"x" * 2000, Later),
        (204, "text/html", b"", Later),
        (302, "", b"", Later),
        (304, "", b"", Later),
        (400, TEXT, b"out of order sample\n", Refused("out_of_order")),
        (400, TEXT, b"duplicate sample for timestamp\n", Refused("duplicate")),
        (400, TEXT, b"out of bounds\n", Refused("too_old")),
        (500, TEXT, b"too old sample\n", Refused("too_old")),
        (
            400,
            TEXT,
            b"failed pushing to ingester: user=x: (err-mimir-sample-out-of-order). At",
            Refused("out_of_order"),
        ),
        (
            400,
            TEXT,
            b"received a series whose label value length exceeds (err-mimir-label-value-too-long)",
            Refused("invalid"),
        ),
        (409, TEXT, b"store locally for endpoint 127.0.0.1:10901: conflict", Refused("out_of_order")),
        (500, TEXT, b"database is closed", Later),
        (503, TEXT, b"out of order sample", Later),
        (502, "text/html", b"<html>too old sample</html>", Later),
        (400, "text/html", b"<h1>Bad Request</h1>", Later),
        (400, TEXT, b"Bad Request", Doubtful),
        (400, TEXT, b"", Doubtful),
        (413, TEXT, b"too large", Doubtful),
        (422, TEXT, b"what", Doubtful),
        (401, TEXT, b"", Later),
        (403, TEXT, b"too old sample", Later),
        (404, TEXT, b"404 page not found", Later),
        (408, "", b"", Later),
        (425, "", b"", Later),
        (429, "", b"", Later),
    ],
)
def test_answers(status: int, kind: str, body: bytes, expected: object) -> None:
    verdict = judge(Response(status, kind, body))
    if isinstance(expected, Refused):
        assert verdict == expected
    else:
        assert type(verdict) is expected
        if isinstance(verdict, Later | Doubtful):
            assert str(status) in verdict.text


def test_no_answer_is_later() -> None:
    assert judge(Failure("POST x: refused")) == Later("POST x: refused")


def test_how_long_to_wait_is_passed_on() -> None:
    assert judge(Response(429, TEXT, b"slow down", 7.0)) == Later("HTTP 429: slow down", 7.0)
