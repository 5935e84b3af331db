"""Joining with a token, over HTTP, as an agent does it; and every way it is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select
from stage import Stage

from agent.link.keys import SigningKey, new_key
from agent.link.token import JoinToken, proof_message, write_token
from collector.agencies.tables import agencies
from collector.fleet.agent_status import REVOKED, set_status
from collector.fleet.tables import agents, hosts
from collector.fleet.tokens import cancel_token, list_tokens
from collector.fleet.topology import read_topology
from collector.fleet.topology_apply import apply_topology
from collector.store.scope import EVERYTHING, Scope

TARGETS = """
[[agencies]]
id = "owner"
[[sites]]
id = "here"
agency = "owner"
timezone = "Asia/Seoul"
[[hosts]]
name = "db1"
site = "here"
agent = "srv1.here"
"""


def request(token: str, key: SigningKey, host: Any = "srv1", **other: Any) -> dict[str, Any]:
    proof = key.sign(proof_message(token, key.public))
    return {"token": token, "public_key": key.public.hex(), "proof": proof.hex(), "host": host} | other


def code(stage: Stage, body: Any) -> tuple[int, str]:
    answer = stage.client().post("/v1/enrolments", json=body)
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    said = answer.json()
    assert said["detail"]
    assert said["status"] == answer.status_code
    return answer.status_code, said["code"]


def count(stage: Stage, result: str) -> float | None:
    return stage.telemetry.registry.get_sample_value("bongsu_enrolments_total", {"result": result})


def join(stage: Stage, host: str = "srv1", site: str = "here") -> dict[str, Any]:
    answer = stage.client().post("/v1/enrolments", json=request(stage.token(site), new_key(), host))
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said


def test_a_token_and_a_key_become_an_agent(stage: Stage) -> None:
    token, key = stage.token(), new_key()
    version = stage.registry.fleet.version
    first = stage.client().post("/v1/enrolments", json=request(token, key, "SRV1.example.org"))
    assert first.status_code == 200, first.text
    agent_id = first.json()["agent_id"]
    assert first.json() == {
        "agent_id": agent_id,
        "key_no": 1,
        "site": "here",
        "hub": "mea",
        "hosts": ["srv1.here"],
        "collectors": ["https://bongsu.test"],
        "centre_key": stage.centre_key.public.hex(),
        "link_profile": "geo",
        "interval_seconds": 60,
    }
    assert bytes.fromhex(agent_id).hex() == agent_id
    assert len(agent_id) == 32
    fleet = stage.registry.fleet
    assert fleet.version > version
    agent = fleet.agents[bytes.fromhex(agent_id)]
    assert (agent.status, agent.host, agent.keys, agent.hosts) == (
        "active",
        "srv1.here",
        {1: key.public},
        frozenset({"srv1.here"}),
    )
    assert fleet.hosts["srv1.here"].agency == "owner"
    stage.clock.move(timedelta(days=30))
    again = stage.client().post("/v1/enrolments", json=request(token, key, "SRV1.example.org"))
    assert again.json() == first.json(), "a lost answer is given again, also when the token has ended"
    assert (count(stage, "enrolled"), count(stage, "repeated")) == (1, 1)


def test_a_host_of_the_topology_is_taken_with_what_the_file_says(stage: Stage) -> None:
    join(stage, "web")
    assert stage.registry.fleet.hosts["web.here"].agent_id is not None


def test_shapes_of_host(stage: Stage) -> None:
    for number, shape in enumerate(
        ("h{}", "H{}.Example.Org", {"name": "h{}"}, {"host.name": "h{}", "os.type": "linux"})
    ):
        host = (
            {key: value.format(number) for key, value in shape.items()}
            if isinstance(shape, dict)
            else shape.format(number)
        )
        answer = stage.client().post("/v1/enrolments", json=request(stage.token(), new_key(), host))
        assert answer.json()["hosts"] == [f"h{number}.here"]


def test_a_token_for_a_host_decides_its_name(stage: Stage) -> None:
    token = stage.token(host="gate")
    answer = stage.client().post("/v1/enrolments", json=request(token, new_key(), "whatever it says"))
    assert answer.json()["hosts"] == ["gate.here"]


def test_refusals_of_tokens(stage: Stage) -> None:
    key, other = new_key(), new_key()
    good = stage.token()
    used = stage.token()
    assert stage.client().post("/v1/enrolments", json=request(used, key, "first")).status_code == 200
    cancelled = stage.token()
    with stage.store.transaction() as connection:
        unused = [t for t in list_tokens(connection, EVERYTHING, stage.clock.now) if t.state == "unused"]
        cancel_token(connection, unused[-1].token_id, stage.clock.now)
    foreign, unlisted, elsewhere = (
        write_token(JoinToken(b"12345678", site, "", 2**52, [], b"", centre.public), centre)
        for site, centre in (("here", other), ("here", stage.centre_key), ("nowhere", stage.centre_key))
    )
    ended = stage.token(hours=1)
    stage.clock.move(timedelta(hours=1))
    cases = [
        ("not a token", 400, "token_malformed"),
        ("bongsu1.AAAA", 400, "token_malformed"),
        (good[:-4], 400, "token_malformed"),
        (foreign, 403, "token_foreign"),
        (elsewhere, 403, "token_foreign"),
        (unlisted, 403, "token_unknown"),
        (cancelled, 403, "token_unknown"),
        (ended, 403, "token_expired"),
        (used, 409, "token_used"),
    ]
    for token, status, expected in cases:
        assert code(stage, request(token, other, "second")) == (status, expected), expected
    assert {expected: count(stage, expected) for _, _, expected in cases} == {
        "token_malformed": 3,
        "token_foreign": 2,
        "token_unknown": 2,
        "token_expired": 1,
        "token_used": 1,
    }
    assert "second.here" not in stage.registry.fleet.hosts
    states = {"first": "used", "cancelled": "cancelled", "ended": "expired", "good": "unused"}
    with stage.store.reading() as connection:
        assert sorted(t.state for t in list_tokens(connection, EVERYTHING, stage.clock.now)) == sorted(states.values())
        assert list_tokens(connection, Scope(frozenset({"stranger"})), stage.clock.now) == []


def test_refusals_of_what_is_sent(stage: Stage) -> None:
    token, key, other = stage.token(), new_key(), new_key()
    right = request(token, key)
    cases: list[tuple[Any, int, str]] = [
        (right | {"proof": other.sign(proof_message(token, key.public)).hex()}, 403, "bad_proof"),
        (right | {"proof": key.sign(proof_message(stage.token(), key.public)).hex()}, 403, "bad_proof"),
        (right | {"public_key": other.public.hex()}, 403, "bad_proof"),
        (right | {"proof": "00"}, 400, "bad_request"),
        (right | {"public_key": "zz" * 32}, 400, "bad_request"),
        (right | {"public_key": 7}, 400, "bad_request"),
        (right | {"token": None}, 400, "bad_request"),
        (right | {"host": 7}, 400, "bad_request"),
        (right | {"host": ""}, 400, "bad_request"),
        (right | {"host": {}}, 400, "bad_request"),
        (right | {"host": "-x"}, 400, "bad_request"),
        (right | {"host": "ㅎ"}, 400, "bad_request"),
        (right | {"host": "x" * 64}, 400, "bad_request"),
        ([], 400, "bad_request"),
        (None, 400, "bad_request"),
    ]
    for body, status, expected in cases:
        assert code(stage, body) == (status, expected), body
    for raw in (b"", b"{", b"\xff", b"[" * 60_000):
        answer = stage.client().post("/v1/enrolments", content=raw)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_request"), raw[:8]
    assert stage.client().post("/v1/enrolments", json=right).status_code == 200, "none of them spent the token"


def test_a_body_is_read_no_further_than_its_limit(stage: Stage) -> None:
    def endless() -> Any:
        for _ in range(1000):
            yield b"x" * 1024

    answer = stage.client().post("/v1/enrolments", content=endless())
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_a_host_has_one_agent_until_it_is_revoked(stage: Stage) -> None:
    first = join(stage)
    token, key = stage.token(), new_key()
    assert code(stage, request(token, key)) == (409, "host_taken")
    with stage.store.transaction() as connection:
        assert set_status(connection, bytes.fromhex(first["agent_id"]), REVOKED, stage.clock.now)
    answer = stage.client().post("/v1/enrolments", json=request(token, key))
    assert answer.status_code == 200
    assert answer.json()["agent_id"] != first["agent_id"]
    with stage.store.reading() as connection:
        bound = connection.execute(select(hosts.c.agent_id).where(hosts.c.id == "srv1.here")).scalar_one()
    assert bound.hex() == answer.json()["agent_id"]


def test_a_key_belongs_to_one_agent(stage: Stage) -> None:
    key = new_key()
    assert stage.client().post("/v1/enrolments", json=request(stage.token(), key, "a")).status_code == 200
    assert code(stage, request(stage.token(), key, "b")) == (409, "key_known")


def test_a_revoked_agent_gets_no_answer_again(stage: Stage) -> None:
    token, key = stage.token(), new_key()
    agent = stage.client().post("/v1/enrolments", json=request(token, key)).json()
    with stage.store.transaction() as connection:
        set_status(connection, bytes.fromhex(agent["agent_id"]), REVOKED, stage.clock.now)
    assert code(stage, request(token, key)) == (409, "token_used")


def test_targets_of_the_topology_go_to_the_agent_whether_it_joins_before_or_after(stage: Stage) -> None:
    with stage.store.transaction() as connection:
        apply_topology(connection, read_topology(TARGETS))
    agent = join(stage)
    assert agent["hosts"] == ["srv1.here", "db1.here"]
    assert code(stage, request(stage.token(), new_key(), "db1")) == (409, "host_taken")
    later = TARGETS + '[[hosts]]\nname = "db2"\nsite = "here"\nagent = "srv1.here"\n'
    with stage.store.transaction() as connection:
        apply_topology(connection, read_topology(later))
    stage.registry.refresh()
    assert stage.registry.fleet.agents[bytes.fromhex(agent["agent_id"])].hosts == {"srv1.here", "db1.here", "db2.here"}
    without = TARGETS.replace('agent = "srv1.here"\n', "")
    with stage.store.transaction() as connection:
        apply_topology(connection, read_topology(without))
        assert connection.execute(select(hosts.c.agent_id).where(hosts.c.id == "db1.here")).scalar_one() is None
        assert connection.execute(select(agencies.c.id)).scalars().all() == ["owner"]
        assert connection.execute(select(agents.c.status)).scalars().all() == ["active"]


def test_the_authority_is_handed_out(stage: Stage) -> None:
    assert stage.client().get("/v1/ca").json()["code"] == "not_found"
    folder = stage.settings.data_dir / "tls"
    folder.mkdir()
    (folder / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    answer = stage.client().get("/v1/ca")
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text.startswith("-----BEGIN")
