"""Which keys a known_hosts file pins for a name, and what a refusal says."""

from __future__ import annotations

import base64

import pytest

from agent.remote.known_hosts import HostKeyRefused, fingerprint, judge_key, listed_name, read_pins, wanted_algorithms

KEY, OTHER, OLD = (base64.b64encode(b"\0\0\0\x0bssh-ed25519" + bytes([n]) * 36).decode() for n in (1, 2, 3))
# `ssh-keygen -H` made the hashed name out of "[10.0.3.7]:2222".
HASHED = "|1|AAECAwQFBgcICQoLDA0ODxAREhM=|"


def pinned(text: str, name: str) -> list[str]:
    return [base64.b64encode(pin.blob).decode() for pin in read_pins(text, name) if not pin.is_revoked]


@pytest.mark.parametrize(
    ("hosts", "name", "is_pinned"),
    [
        ("10.0.3.7", "10.0.3.7", True),
        ("10.0.3.7", "10.0.3.70", False),
        ("10.0.3.7", "[10.0.3.7]:2222", False),
        ("[10.0.3.7]:2222", "[10.0.3.7]:2222", True),
        ("db1,10.0.3.7", "10.0.3.7", True),
        ("DB1.example", "db1.Example", True),
        ("10.0.3.*", "10.0.3.7", True),
        ("10.0.3.?", "10.0.3.77", False),
        ("10.0.3.*,!10.0.3.7", "10.0.3.7", False),
        ("!10.0.3.7,10.0.3.*", "10.0.3.7", False),
        ("|1|broken", "10.0.3.7", False),
        (HASHED + "AAAA", "10.0.3.7", False),
        ("2001:db8::1", "2001:db8::1", True),
    ],
)
def test_names(hosts: str, name: str, is_pinned: bool) -> None:
    assert pinned(f"{hosts} ssh-ed25519 {KEY} comment\n", name) == ([KEY] if is_pinned else [])


def test_hashed_name() -> None:
    import hashlib
    import hmac

    salt = bytes(range(20))
    digest = base64.b64encode(hmac.new(salt, b"[10.0.3.7]:2222", hashlib.sha1).digest()).decode()
    assert pinned(f"{HASHED}{digest} ssh-ed25519 {KEY}", "[10.0.3.7]:2222") == [KEY]
    assert pinned(f"{HASHED}{digest} ssh-ed25519 {KEY}", "[10.0.3.7]:2223") == []


def test_lines_that_pin_nothing() -> None:
    text = f"""
# 10.0.3.7 ssh-ed25519 {KEY}
10.0.3.7
10.0.3.7 ssh-ed25519
10.0.3.7 ssh-ed25519 not*base64
@cert-authority 10.0.3.7 ssh-ed25519 {KEY}
"""
    assert list(read_pins(text, "10.0.3.7")) == []


def test_old_and_new_key_may_stand_side_by_side() -> None:
    pins = list(read_pins(f"db1 ssh-ed25519 {OLD}\ndb1 ssh-ed25519 {KEY}\n", "db1"))
    for key in (OLD, KEY):
        judge_key(pins, "db1", "ssh-ed25519", base64.b64decode(key), "/k")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["not known", "/etc/k pins none"]),
        (
            f"db1 ssh-ed25519 {OTHER}\n",
            ["changed", fingerprint(base64.b64decode(OTHER)), "line 1", "ssh-keygen -R db1 -f /etc/k"],
        ),
        (f"db1 ssh-ed25519 {KEY}\n@revoked * ssh-ed25519 {KEY}\n", ["@revoked"]),
    ],
)
def test_refusal_names_what_was_seen_and_what_to_do(text: str, words: list[str]) -> None:
    blob = base64.b64decode(KEY)
    with pytest.raises(HostKeyRefused) as caught:
        judge_key(list(read_pins(text, "db1")), "db1", "ssh-ed25519", blob, "/etc/k")
    assert caught.value.seen == fingerprint(blob)
    for word in (fingerprint(blob), "db1", "/etc/k", *words):
        assert word in str(caught.value)


def test_spelling_and_preference() -> None:
    assert listed_name("10.0.3.7", 22) == "10.0.3.7"
    assert listed_name("2001:db8::1", 2222) == "[2001:db8::1]:2222"
    offered = ("ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256")
    pins = list(read_pins(f"db1 ssh-rsa {KEY}", "db1"))
    assert wanted_algorithms(pins, offered) == ["rsa-sha2-512", "rsa-sha2-256", "ssh-ed25519", "ecdsa-sha2-nistp256"]
    assert wanted_algorithms([], offered) == list(offered)
