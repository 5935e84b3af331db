"""What doctor says of each destination: asked with a request that holds nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_store import Answer, serving

from collector.exposition.remote_write.probe import what_is_wrong
from collector.settings_remote_write import Destination


def test_a_store_that_takes_samples() -> None:
    with serving() as store:
        assert what_is_wrong(Destination(name="x", url=store.url), lambda: 0.0) == ""
        assert store.requests == 1
        assert store.count == 0


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(401, "text/plain", b"who are you"), "HTTP 401: who are you"),
        (Answer(404, "text/plain", b"remote write receiver needs to be enabled"), "needs to be enabled"),
        (Answer(200, "text/html", b"<h1>Log in</h1>"), "a proxy or a login portal"),
        (Answer(400, "text/plain", b"what is this"), "HTTP 400: what is this"),
    ],
)
def test_who_is_no_store(answer: Answer, said: str) -> None:
    with serving() as store:
        store.rule = lambda _: answer
        assert said in what_is_wrong(Destination(name="x", url=store.url), lambda: 0.0)


def test_nobody_there_and_a_file_that_is_none(tmp_path: Path) -> None:
    assert "refused" in what_is_wrong(Destination(name="x", url="http://127.0.0.1:9/w"), lambda: 0.0)
    missing = Destination(name="x", url="http://127.0.0.1:9/w", bearer_token_file=str(tmp_path / "none"))
    assert "a secret cannot be read" in what_is_wrong(missing, lambda: 0.0)
    empty = tmp_path / "ca.pem"
    empty.write_text("")
    assert what_is_wrong(Destination(name="x", url="https://127.0.0.1:9/w", ca_file=str(empty)), lambda: 0.0)
