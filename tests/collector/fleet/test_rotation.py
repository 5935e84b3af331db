"""Rotating keys over HTTP."""

from __future__ import annotations

from typing import Any

from stage import Stage

from agent.link.keys import SigningKey, new_key
from agent.link.token import proof_message
from collector.fleet.agent_status import REVOKED, SUSPENDED, set_status
from collector.fleet.rotation import rotation_message


def join(stage: Stage, key: SigningKey, host: str = "srv1") -> bytes:
    token = stage.token()
    proof = key.sign(proof_message(token, key.public)).hex()
    body = {"token": token, "public_key": key.public.hex(), "proof": proof, "host": host}
    return bytes.fromhex(stage.client().post("/v1/enrolments", json=body).json()["agent_id"])


def rotation(agent: bytes, key_no: int, new: SigningKey, by: SigningKey) -> dict[str, Any]:
    signature = by.sign(rotation_message(agent, key_no, new.public)).hex()
    return {"agent_id": agent.hex(), "key_no": key_no, "public_key": new.public.hex(), "signature": signature}


def test_the_newest_key_vouches_for_the_next(stage: Stage) -> None:
    keys = [new_key() for _ in range(3)]
    agent = join(stage, keys[0])
    for number in (2, 3, 3):
        answer = stage.client().post("/v1/keys", json=rotation(agent, number, keys[number - 1], keys[number - 2]))
        assert (answer.status_code, answer.json()) == (200, {"key_no": number})
    assert stage.registry.fleet.agents[agent].keys == {number + 1: key.public for number, key in enumerate(keys)}
    earlier = stage.client().post("/v1/keys", json=rotation(agent, 2, keys[1], keys[0]))
    assert earlier.json() == {"key_no": 2}, "an answer lost long ago"


def test_message_layout() -> None:
    assert rotation_message(b"a" * 16, 2, b"k" * 32) == b"bongsu-rotate-1\0" + b"a" * 16 + b"\0" * 7 + b"\2" + b"k" * 32


def test_refusals(stage: Stage) -> None:
    first, second, other = new_key(), new_key(), new_key()
    agent, neighbour = join(stage, first), join(stage, other, "srv2")
    right = rotation(agent, 2, second, first)
    cases: list[tuple[Any, int, str]] = [
        (rotation(agent, 2, second, other), 403, "bad_proof"),
        (rotation(agent, 2, second, second), 403, "bad_proof"),
        (rotation(neighbour, 2, second, first), 403, "bad_proof"),
        (rotation(agent, 3, second, first), 403, "bad_proof"),
        (rotation(agent, 1, second, first), 403, "bad_proof"),
        (rotation(agent, 2, other, first), 409, "key_known"),
        (rotation(b"?" * 16, 2, second, first), 403, "unknown_agent"),
        (right | {"key_no": "2"}, 400, "bad_request"),
        (right | {"key_no": 0}, 400, "bad_request"),
        (right | {"key_no": 2**70}, 400, "bad_request"),
        (right | {"signature": ""}, 400, "bad_request"),
        ([], 400, "bad_request"),
    ]
    for body, status, code in cases:
        answer = stage.client().post("/v1/keys", json=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), body
    assert stage.client().post("/v1/keys", json=right).status_code == 200
    taken = stage.client().post("/v1/keys", json=rotation(agent, 2, new_key(), first))
    assert (taken.status_code, taken.json()["code"]) == (409, "key_known")


def test_suspended_agents_may_rotate_and_revoked_ones_are_unknown(stage: Stage) -> None:
    first, second, third = new_key(), new_key(), new_key()
    agent = join(stage, first)
    with stage.store.transaction() as connection:
        set_status(connection, agent, SUSPENDED, stage.clock.now)
    assert stage.client().post("/v1/keys", json=rotation(agent, 2, second, first)).status_code == 200
    with stage.store.transaction() as connection:
        set_status(connection, agent, REVOKED, stage.clock.now)
    answer = stage.client().post("/v1/keys", json=rotation(agent, 3, third, second))
    assert answer.json()["code"] == "unknown_agent"
