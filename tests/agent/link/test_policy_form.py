"""The centre's signed policy: what holds, what does not, and what names it."""

from __future__ import annotations

import msgspec
import pytest

from agent.link.keys import new_key
from agent.link.model import encode
from agent.link.names import POLICY_PREFIX, RECEIPT_PREFIX
from agent.link.policy import (
    MAX_POLICY_BYTES,
    Policy,
    PolicyError,
    open_policy,
    pack_policy,
    packed_of,
    policy_hint,
    policy_text,
)

AGENT = bytes(range(16))
CENTRE = new_key()
POLICY = Policy(
    agent=AGENT,
    version=3,
    at_ms=1_790_000_000_000,
    link_profile="thin",
    interval_seconds=90,
    checks={"off": ["bonding"]},
    processes=[{"name": "sshd", "command": "sshd"}],
)


def signed(payload: bytes, prefix: bytes = POLICY_PREFIX) -> bytes:
    return encode((payload, CENTRE.sign(prefix + payload)))


def test_what_the_centre_signed_holds() -> None:
    packed = pack_policy(POLICY, CENTRE.sign)
    assert open_policy(packed_of(policy_text(packed)), CENTRE.public, AGENT) == POLICY


def test_what_is_not_said_is_not_sent() -> None:
    packed = pack_policy(Policy(agent=AGENT, version=1, at_ms=5), CENTRE.sign)
    payload, _ = msgspec.msgpack.decode(packed)
    assert msgspec.msgpack.decode(payload) == {"agent": AGENT, "version": 1, "at_ms": 5}


def test_members_of_later_versions_are_left_aside() -> None:
    payload = encode({"agent": AGENT, "version": 1, "at_ms": 5, "colour": {"of": "flags"}})
    assert open_policy(signed(payload), CENTRE.public, AGENT).version == 1


@pytest.mark.parametrize(
    ("packed", "said"),
    [
        (b"", "policy: "),
        (b"\xc1", "policy: "),
        (encode((b"x",)), "policy: "),
        (b"\x91" * 100_000, "policy: "),
        (bytes(MAX_POLICY_BYTES + 1), "expected at most"),
        (pack_policy(POLICY, new_key().sign), "not signed by the centre"),
        (signed(encode(POLICY), RECEIPT_PREFIX), "not signed by the centre"),
        (signed(b"\xc1"), "policy: "),
        (signed(encode({"agent": AGENT, "version": "one", "at_ms": 5})), "policy: "),
        (signed(encode({"agent": AGENT, "version": 1, "at_ms": 5, "checks": ["off"]})), "policy: "),
        (signed(encode({"agent": b"other", "version": 1, "at_ms": 5})), "expected 0001"),
    ],
    ids=range(11),  # the bytes are signed with a key of the moment, and make no name twice the same
)
def test_what_does_not_hold(packed: bytes, said: str) -> None:
    with pytest.raises(PolicyError, match=said):
        open_policy(packed, CENTRE.public, AGENT)


def test_the_hint_names_what_is_said_and_not_when() -> None:
    hint = policy_hint(pack_policy(POLICY, CENTRE.sign))
    assert len(bytes.fromhex(hint)) == 4
    assert policy_hint(pack_policy(msgspec.structs.replace(POLICY, at_ms=7), CENTRE.sign)) == hint
    for other in (
        msgspec.structs.replace(POLICY, version=4),
        msgspec.structs.replace(POLICY, interval_seconds=0),
        msgspec.structs.replace(POLICY, checks={"only": ["bonding"]}),
    ):
        assert policy_hint(pack_policy(other, CENTRE.sign)) != hint


def test_no_hint_of_what_is_no_policy() -> None:
    for packed in (b"", b"\xc1", encode((b"x", b"y")), b"\x91" * 100_000):
        with pytest.raises(PolicyError):
            policy_hint(packed)


def test_text_that_is_no_base64() -> None:
    with pytest.raises(PolicyError):
        packed_of("?")
