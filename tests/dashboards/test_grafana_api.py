"""Pushing to a Grafana: the second push writes nothing, and every refusal says what to do."""

from __future__ import annotations

import argparse
import json
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from grafana_server import TOKEN, Grafana, Reply, said, serving

from collector.cli import grafana as command
from dashboards.api import Change, Door, PushSettings, push
from dashboards.boards import BOARDS
from dashboards.refusals import PushError
from dashboards.transport import split_url

BOARD_PATHS = [("POST", "/dashboards/db")] * len(BOARDS)
PROMETHEUS = "http://prometheus:9090"
PLAYLISTS = "/apis/playlist.grafana.app/v1/namespaces/default/playlists"
HTML = Reply(502, b"<html><h1>Bad Gateway</h1>no message here</html>", "text/html")


@pytest.fixture(params=["", "/ops/grafana"], ids=["at the root", "under a prefix"])
def grafana(request: pytest.FixtureRequest) -> Iterator[Grafana]:
    with serving(Grafana(prefix=request.param)) as server:
        yield server


@pytest.fixture
def root() -> Iterator[Grafana]:
    with serving(Grafana()) as server:
        yield server


def settings(grafana: Grafana, datasource_url: str | None = PROMETHEUS, token: str = TOKEN) -> PushSettings:
    return PushSettings(grafana.url, token, datasource_url, timeout_seconds=5, backoff_seconds=0)


def actions(changes: list[Change]) -> list[tuple[str, str]]:
    return [(change.kind, change.action) for change in changes]


def refused(grafana: Grafana, datasource_url: str | None = PROMETHEUS) -> str:
    with pytest.raises(PushError) as caught:
        push(settings(grafana, datasource_url))
    return str(caught.value)


def test_second_push_writes_nothing(grafana: Grafana) -> None:
    first = push(settings(grafana))
    assert actions(first) == [
        ("folder", "created"),
        ("datasource", "created"),
        *[("dashboard", "created")] * len(BOARDS),
        ("playlist", "created"),
    ]
    assert grafana.writes == [("POST", "/folders"), ("POST", "/datasources"), *BOARD_PATHS, ("POST", PLAYLISTS)]
    assert {board["meta"]["folderUid"] for board in grafana.boards.values()} == {"bongsu"}

    grafana.asked.clear()
    assert {change.action for change in push(settings(grafana))} == {"unchanged"}
    assert grafana.writes == []


def test_a_prefix_with_a_slash_at_its_end_is_the_same() -> None:
    with serving(Grafana(prefix="/g")) as server:
        changes = push(PushSettings(server.url + "/", TOKEN, backoff_seconds=0))
        assert {change.action for change in changes} == {"created"}


def test_without_a_datasource_url_no_data_source_is_touched(root: Grafana) -> None:
    push(settings(root, datasource_url=None))
    assert not [path for _, path in root.asked if "datasource" in path]


def test_what_somebody_changed_is_put_right(root: Grafana) -> None:
    push(settings(root))
    noc, host = root.boards["bongsu-noc"], root.boards["bongsu-host"]
    noc["dashboard"]["panels"].pop()
    host["meta"]["folderUid"] = ""
    root.folders["bongsu"]["title"] = "Old name"
    root.datasources["bongsu-prometheus"]["url"] = "http://elsewhere:9090"
    root.asked.clear()
    changed = {change.uid for change in push(settings(root)) if change.action == "updated"}
    assert changed == {"bongsu", "bongsu-prometheus", "bongsu-noc", "bongsu-host"}
    assert {change.action for change in push(settings(root))} == {"unchanged"}
    assert root.boards["bongsu-host"]["meta"]["folderUid"] == "bongsu"
    assert root.boards["bongsu-noc"]["dashboard"]["version"] == 2


def test_a_datasource_keeps_what_others_set_on_it(root: Grafana) -> None:
    push(settings(root))
    held = root.datasources["bongsu-prometheus"]
    held |= {"basicAuth": True, "url": "http://elsewhere:9090"}
    held["jsonData"]["tlsSkipVerify"] = True
    push(settings(root))
    held = root.datasources["bongsu-prometheus"]
    assert held["basicAuth"] is True
    assert held["url"] == PROMETHEUS
    assert held["jsonData"] == {
        "tlsSkipVerify": True,
        "timeInterval": "15s",
        "httpMethod": "POST",
        "prometheusType": "Prometheus",
    }


def test_what_files_provisioned_is_left_alone(root: Grafana) -> None:
    push(settings(root))
    root.datasources["bongsu-prometheus"] |= {"readOnly": True, "url": "http://from-file:9090"}
    root.boards["bongsu-noc"]["meta"]["provisioned"] = True
    root.boards["bongsu-noc"]["dashboard"]["title"] = "From a file"
    root.asked.clear()
    found = {change.uid: change.action for change in push(settings(root))}
    assert found["bongsu-prometheus"] == found["bongsu-noc"] == "skipped"
    assert root.writes == []


@pytest.mark.parametrize("status", [409, 412])
def test_a_folder_made_meanwhile_is_the_folder(root: Grafana, status: int) -> None:
    missing = said(404, {"message": "folder not found"})
    there = said(200, {"uid": "bongsu", "title": "봉수 Bongsu"})
    root.instead[("GET", "/folders/bongsu")] = [missing, there]
    root.instead[("POST", "/folders")] = [said(status, {"message": "exists"})]
    assert push(settings(root))[0].action == "unchanged"


@pytest.mark.parametrize("status", [409, 412])
def test_another_folder_of_that_title_is_an_error(root: Grafana, status: int) -> None:
    root.instead[("POST", "/folders")] = [said(status, {"message": "a folder with the same name exists"})]
    text = refused(root)
    assert str(status) in text
    assert "same name" in text
    assert "rename or remove" in text


def test_204_and_other_empty_answers_are_success(root: Grafana) -> None:
    root.instead[("POST", "/dashboards/db")] = [Reply(204)]
    root.instead[("POST", "/datasources")] = [Reply(200)]
    assert {change.action for change in push(settings(root))} == {"created"}


def test_an_empty_404_means_it_is_not_there(root: Grafana) -> None:
    root.instead[("GET", "/dashboards/uid/bongsu-noc")] = [Reply(404)]
    assert {change.action for change in push(settings(root))} == {"created"}


REFUSALS = [
    ("html 502", ("GET", "/folders/bongsu"), HTML, ["502", "Bad Gateway", "not answering"]),
    ("empty 503", ("GET", "/health"), Reply(503), ["503", "Service Unavailable", "not answering"]),
    ("empty 404 health", ("GET", "/health"), Reply(404), ["/api/health is not Grafana's", "path"]),
    ("login page", ("GET", "/health"), Reply(200, b"<html>Sign in</html>", "text/html"), ["a page, not JSON"]),
    ("empty health", ("GET", "/health"), Reply(200), ["something else than an object"]),
    ("401", ("GET", "/folders/bongsu"), said(401, {"message": "Expired API key"}), ["401", "token", "expired"]),
    ("403", ("POST", "/folders"), said(403, {"message": "no folders:create"}), ["403", "no folders:create", "Editor"]),
    ("empty 404 write", ("POST", "/dashboards/db"), Reply(404), ["404", "Not Found", "root_url"]),
    ("409", ("POST", "/datasources"), said(409, {"message": "name exists"}), ["409", "name exists", "rename"]),
    ("412", ("POST", "/dashboards/db"), said(412, {"status": "name-exists", "message": "same name"}), ["412", "title"]),
    ("429", ("GET", "/folders/bongsu"), Reply(429, b"slow down", "text/plain"), ["429", "slow down", "wait a minute"]),
    ("400", ("POST", "/dashboards/db"), said(400, {"message": "bad board"}), ["400", "bad board", "malformed"]),
    ("400 list", ("POST", "/dashboards/db"), said(400, [{"fieldNames": ["x"]}]), ["400", "fieldNames"]),
    ("message in text", ("GET", "/folders/bongsu"), Reply(500, b"no message", "text/plain"), ["500", "no message"]),
    (
        "redirect",
        ("GET", "/health"),
        Reply(301, headers={"location": "https://g.example/api/health"}),
        ["https://g.ex"],
    ),
]


@pytest.mark.parametrize(
    ("request_made", "reply", "says"), [case[1:] for case in REFUSALS], ids=[c[0] for c in REFUSALS]
)
def test_refusals_say_what_to_do(root: Grafana, request_made: tuple[str, str], reply: Reply, says: list[str]) -> None:
    root.instead[request_made] = [reply]
    text = refused(root)
    assert all(each in text for each in says), text
    assert root.url in text
    assert TOKEN not in text


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_passing_refusals_are_tried_again(root: Grafana, status: int) -> None:
    for request_made in (("GET", "/folders/bongsu"), ("POST", "/folders"), ("POST", "/dashboards/db")):
        root.instead[request_made] = [Reply(status, headers={"retry-after": "0", "once": "1"}) for _ in range(2)]
    assert {change.action for change in push(settings(root))} == {"created"}


def test_trying_again_ends(root: Grafana) -> None:
    root.instead[("GET", "/folders/bongsu")] = [Reply(503)]
    refused(root)
    assert root.asked.count(("GET", "/folders/bongsu")) == 4


@contextmanager
def strange(answer: bytes, seconds: float = 0) -> Iterator[str]:
    """Address of a server that says these bytes to whoever connects, after a while, and hangs up."""
    ended = threading.Event()

    def talk(listening: socket.socket) -> None:
        while not ended.is_set():
            try:
                connection, _ = listening.accept()
            except TimeoutError:
                continue
            with connection:
                connection.settimeout(1)
                connection.recv(65536)
                ended.wait(seconds)
                connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.02)
        thread = threading.Thread(target=talk, args=(listening,))
        thread.start()
        try:
            yield f"127.0.0.1:{listening.getsockname()[1]}"
        finally:
            ended.set()
            thread.join()


STRANGE = [
    ("hangs up", b"", 0, "http", "Remote end closed connection"),
    ("is no web server", b"SSH-2.0-OpenSSH_9.2\r\n", 0, "http", "SSH-2.0"),
    ("never answers", b"", 30, "http", "timed out"),
    ("stops half-way", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}", 0, "http", "IncompleteRead"),
    ("speaks no TLS", b"HTTP/1.1 400 Bad Request\r\n\r\n", 0, "https", "is it https?"),
]


@pytest.mark.parametrize(("answer", "seconds", "scheme", "says"), [c[1:] for c in STRANGE], ids=[c[0] for c in STRANGE])
def test_what_is_no_grafana(answer: bytes, seconds: float, scheme: str, says: str) -> None:
    with strange(answer, seconds) as address, pytest.raises(PushError, match=re.escape(says)) as caught:
        push(PushSettings(f"{scheme}://{address}", TOKEN, timeout_seconds=0.2, backoff_seconds=0))
    assert len(str(caught.value)) < 250


def test_nobody_listens() -> None:
    with serving(Grafana()) as gone:
        pass
    assert "Connection refused" in refused(gone)


def test_a_missing_authority_is_named() -> None:
    with pytest.raises(PushError, match="--ca-file /nowhere"):
        push(PushSettings("https://127.0.0.1:1", TOKEN, ca_file="/nowhere"))


URLS = [
    ("http://g:3000", ("http://g:3000", "http", "g:3000", "")),
    ("https://g.example/grafana", ("https://g.example/grafana", "https", "g.example", "grafana/")),
    ("https://g.example/a/b/", ("https://g.example/a/b", "https", "g.example", "a/b/")),
    ("http://[::1]:3000/", ("http://[::1]:3000", "http", "[::1]:3000", "")),
]


@pytest.mark.parametrize(("url", "parts"), URLS)
def test_addresses(url: str, parts: tuple[str, str, str, str]) -> None:
    assert split_url(url) == parts


@pytest.mark.parametrize("url", ["grafana:3000", "ftp://g", "http://", "http://admin:admin@g", "http://g/?orgId=1"])
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(PushError):
        split_url(url)


def parse(*argv: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.add(parser.add_subparsers())
    return parser.parse_args(["grafana", *argv])


def test_command_prints_what_changed(root: Grafana, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN + "\n")
    argv = ("push", "--url", root.url, "--token-file", str(token))
    assert command.run(parse(*argv)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:3] for line in lines if "bongsu-noc" in line] == [["dashboard", "bongsu-noc", "종합상황"]]
    assert all("created" in line for line in lines[1:])
    assert command.run(parse(*argv, "--json")) == 0
    printed = json.loads(capsys.readouterr().out)
    assert {item["action"] for item in printed} == {"unchanged"}


def test_command_fails_with_one_and_shows_what_was_done(
    root: Grafana, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    root.instead[("POST", "/dashboards/db")] = [said(403, {"message": "no"})]
    assert command.run(parse("push", "--url", root.url, "--token-file", str(token))) == 1
    out, err = capsys.readouterr()
    assert "created" in out
    assert "bongsu grafana push: POST" in err
    assert "403" in err


@pytest.mark.parametrize("held", [None, "", "two words", "glsa_é"])
def test_command_wants_a_token(held: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    token = tmp_path / "token"
    if held is not None:
        token.write_text(held, encoding="utf-8")
    assert command.run(parse("push", "--url", "http://127.0.0.1:1", "--token-file", str(token))) == 1
    assert str(token) in capsys.readouterr().err


def test_client_is_loaded_by_a_push_alone() -> None:
    code = (
        "import sys, dashboards.api, dashboards.files, collector.cli.grafana;"
        "assert not {'grafana_api', 'requests', 'urllib3'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_door_waits_no_longer_than_a_person_would() -> None:
    from urllib3.response import HTTPResponse

    door = Door(PushSettings("http://g", TOKEN))
    retries = door._api.s.get_adapter("http://g").max_retries  # the library's public session
    assert retries.get_retry_after(HTTPResponse(headers={"retry-after": "3600"})) == 10
    door.close()
