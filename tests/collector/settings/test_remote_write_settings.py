"""``[[remote_write]]``: every mistake is said with the table and the key, before anything is sent anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.errors import SettingsError
from collector.settings_read import load
from collector.settings_remote_write import Destination

URL = 'url = "http://127.0.0.1:9090/api/v1/write"\n'
GOOD = f'[[remote_write]]\nname = "prometheus"\n{URL}'


def read(tmp_path: Path, text: str) -> tuple[Destination, ...]:
    file = tmp_path / "collector.toml"
    file.write_text(text)
    return load(file, {}).remote_write


def test_none_is_the_default(tmp_path: Path) -> None:
    assert read(tmp_path, "") == ()


def test_two_destinations(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("secret")
    more = f'[[remote_write]]\nname = "vm"\nurl = "https://vm:8428/insert/0?x=1"\nbearer_token_file = "{token}"\n'
    first, second = read(tmp_path, GOOD + 'order = "ordered"\nhorizon_seconds = 0\n' + more + 'headers = { A = "b" }')
    assert (first.name, first.is_ordered, first.horizon_seconds, first.mode) == ("prometheus", True, 0, "all")
    assert first.address == ("http://127.0.0.1:9090", "/api/v1/write")
    assert second.address == ("https://vm:8428", "/insert/0?x=1")
    assert second.headers == {"A": "b"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[remote_write]", "remote_write = {}: expected tables, each written [[remote_write]]"),
        ("remote_write = [3]", "[[remote_write]] 1: expected a table"),
        (f"[[remote_write]]\n{URL}", "[[remote_write]] 1: name = '': expected 1 to 64 of a-z"),
        (f'[[remote_write]]\nname = "P"\n{URL}', "name = 'P': expected 1 to 64 of a-z"),
        (GOOD + GOOD, "[[remote_write]] 2: name = 'prometheus': taken"),
        ('[[remote_write]]\nname = "p"\nurl = "prometheus:9090"', "url = 'prometheus:9090': expected the URL"),
        ('[[remote_write]]\nname = "p"\nurl = "http://u:p@h/"', "a user goes into username and password_file"),
        (GOOD + 'mode = "backlogs"', "mode = 'backlogs': did you mean 'backlog'?"),
        (GOOD + 'order = "random"', "order = 'random': expected one of any, ordered"),
        (GOOD + "horizon = 3", "[[remote_write]] 1: horizon: unknown key; did you mean 'horizon_seconds'?"),
        (GOOD + "horizon_seconds = -1", "horizon_seconds = -1: expected a whole number of seconds, 0 or more"),
        (GOOD + "horizon_seconds = true", "horizon_seconds = True: expected a whole number"),
        (GOOD + "batch_samples = 0", "batch_samples = 0: expected a whole number, 1 to 100000"),
        (GOOD + "timeout_seconds = 301", "timeout_seconds = 301: expected"),
        (GOOD + 'username = "u"', "username and password_file only work together"),
        (GOOD + 'ca_file = "/nowhere.pem"', "ca_file = '/nowhere.pem': no such file"),
        (GOOD + "headers = { A = 3 }", "headers: A = 3: expected a header's name and a line of text"),
        (GOOD + 'headers = { "A B" = "x" }', "headers: A B = 'x': expected a header's name"),
        (GOOD + 'headers = { A = "x\\ny" }', "headers: A = 'x\\ny': expected"),
        (GOOD + 'headers = { Content-Type = "x" }', "headers: Content-Type: is set by the protocol"),
    ],
)
def test_mistakes_in_a_destination(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, text)
    assert said in str(caught.value)


def test_a_token_and_a_user_do_not_go_together(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    text = f'{GOOD}username = "u"\npassword_file = "{secret}"\nbearer_token_file = "{secret}"'
    with pytest.raises(SettingsError, match="either a token or a user name"):
        read(tmp_path, text)
