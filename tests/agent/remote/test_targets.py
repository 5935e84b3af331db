"""The [[targets]] tables: defaults, and an error in words for every way to get one wrong."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from agent.remote.targets import Target, TargetError, WatchedProcess, read_targets

GOOD = {"name": "db1", "address": "10.0.3.7", "user": "bongsu", "key_file": "/k/id", "known_hosts": "/k/known"}


def read(**changes: Any) -> tuple[Target, ...]:
    table = {key: value for key, value in (GOOD | changes).items() if value is not None}
    return read_targets([table], "agent.toml")


def test_defaults() -> None:
    assert read() == (Target("db1", "10.0.3.7", "bongsu", "/k/known", "/k/id"),)
    target = read()[0]
    assert (target.port, target.interval_seconds, target.profile, target.deadline_seconds) == (22, 30, "standard", 10.0)
    assert read_targets([], "agent.toml") == ()


def test_everything_from_toml() -> None:
    text = """
[[targets]]
name = "web-1"
address = "fe80::1"
port = 2222
user = "svc.mon"
use_agent = true
known_hosts = "/k/known"
interval_seconds = 15
profile = "full"
checks = ["cpu", "memory", "cpu"]
processes = [{ name = "nginx", min_count = 2 }, { name = "db", pattern = "postgres: .*writer" }]
deadline_seconds = 2.5
"""
    (target,) = read_targets(tomllib.loads(text)["targets"], "agent.toml")
    assert target == Target(
        name="web-1",
        address="fe80::1",
        port=2222,
        user="svc.mon",
        use_agent=True,
        known_hosts="/k/known",
        interval_seconds=15,
        profile="full",
        checks=("cpu", "memory"),
        processes=(WatchedProcess("nginx", min_count=2), WatchedProcess("db", pattern="postgres: .*writer")),
        deadline_seconds=2.5,
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": None}, ["number 1", "name is missing"]),
        ({"name": "DB 1"}, ["name = 'DB 1'", "lower-case letters"]),
        ({"address": None}, ["'db1'", "address is missing", "IP address or host name"]),
        ({"address": "10.0.3.7; reboot"}, ["address"]),
        ({"address": "-oProxyCommand=x"}, ["address"]),
        ({"port": 0}, ["port = 0", "1 to 65535"]),
        ({"port": "22"}, ["port = '22'"]),
        ({"port": True}, ["port = True"]),
        ({"user": "a b"}, ["user"]),
        ({"key_file": None}, ["neither key_file nor use_agent"]),
        ({"use_agent": True}, ["both key_file and use_agent"]),
        ({"use_agent": "yes"}, ["use_agent = 'yes'", "true or false"]),
        ({"key_file": "id_ed25519"}, ["absolute path of a private key"]),
        ({"known_hosts": None}, ["known_hosts is missing"]),
        ({"interval_seconds": 1}, ["interval_seconds = 1", "5 to 300"]),
        ({"deadline_seconds": 31}, ["at most the interval (30)"]),
        ({"profile": "big"}, ["one of core, standard, full"]),
        ({"checks": "cpu"}, ["checks = 'cpu'"]),
        ({"processes": ["nginx"]}, ["processes", "expected a list of tables"]),
        ({"processes": [{"name": "a"}, {"name": "a"}]}, ["'a' is used twice"]),
        ({"processes": [{"name": "a", "comand": "b"}]}, ["unknown key 'comand'", "'command'"]),
        ({"processes": [{"name": "a", "pattern": "("}]}, ["processes 'a'", "pattern = '('", "regular expression"]),
        ({"processes": [{"name": "a", "pattern": "b", "command": "c"}]}, ["both command and pattern"]),
        ({"processes": [{"name": "a", "min_count": 0}]}, ["min_count = 0", "at least 1"]),
        ({"known_host": "/k"}, ["unknown key 'known_host'", "'known_hosts'"]),
        ({"password": "s3cret"}, ["unknown key 'password'"]),
    ],
)
def test_errors_name_file_table_key_and_expectation(changes: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(TargetError) as caught:
        read(**changes)
    for word in ("agent.toml: [[targets]]", *words):
        assert word in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_one_table_per_host() -> None:
    with pytest.raises(TargetError, match=r"number 2: name = 'db1' is used twice"):
        read_targets([GOOD, GOOD], "agent.toml")
