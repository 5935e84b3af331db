"""What is fed with wrong bytes: everything that reads what others wrote. A target returns, or raises what it says it does.

Each corpus is made of right inputs of the product's own making.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import msgspec
from backports.zstd import compress
from sender import Sender
from still_clock import SeededChance, StillClock

from agent.identity import IdentityError, read_enrolment
from agent.link import packing, wire
from agent.link.answer import AgentAnswer, Answer, AnswerError, Receiver, RecordRefusal, read_answer, write_answer
from agent.link.keys import SigningKey
from agent.link.model import Loss, Sample, Series, StateChange, loss_record, make_schema, pack_values, state_record
from agent.link.names import ENVELOPE_PREFIX, Limits
from agent.link.policy import Policy, PolicyError, open_policy, pack_policy, policy_hint
from agent.link.ranges import Ranges
from agent.link.receipt import Receipt, ReceiptError, open_receipt, pack_receipt
from agent.link.rollup import roll_up, rollup_record
from agent.link.segment import record_of, scan, segment_seed
from agent.link.spool import Spool
from agent.link.spool_record import SampleDraft, StateDraft
from agent.link.token import JoinToken, TokenError, read_token, write_token
from collector.errors import Refused
from collector.fleet import enrolment, rotation
from collector.fleet.registry import Agent, Fleet
from collector.fleet.registry_copy import FULL, open_content, open_copy
from collector.fleet.registry_export import RegistryError, open_registry, seal
from collector.intake.admit import Admission
from collector.intake.admit import Refused as NotAdmitted
from collector.live.shape import Shapes
from collector.world.disk import DiskModel

KEY = SigningKey(b"k" * 32)
AGENT = b"A" * 16
NOW_MS = 1_790_000_000_000
SCHEMA = make_schema(
    (
        Series("srv1.local", "node_load1", 0, ()),
        Series("srv1.local", "node_cpu_seconds_total", 1, (("cpu", "0"), ("mode", "idle"))),
    ),
    (("srv1.local", "process:x"),),
)
SAMPLES = [Sample(n, NOW_MS + n, 3, SCHEMA.hash, pack_values([1.5 * n, 10.0 * n, 0.0])) for n in range(1, 9)]
RECORDS = [
    state_record(9, NOW_MS, 3, StateChange("srv1.local", "process:x", 2, 0, "gone")),
    loss_record(14, NOW_MS, 3, Loss(10, 13, "spool_full")),
    rollup_record(20, NOW_MS, 3, roll_up(SAMPLES, [False, True, False])._replace(replaces=Ranges([(15, 19)]))),
]


class Target(NamedTuple):
    """``feed`` is given each case; ``is_tree``: cases are MessagePack values instead of bytes."""

    corpus: Callable[[], list[Any]]
    feed: Callable[[Any], None]
    raises: tuple[type[Exception], ...] = ()
    is_tree: bool = False


# ---------------------------------------------------------------- the spool


@cache
def _spooled() -> tuple[dict[str, bytes], str]:
    disk, clock = DiskModel(), StillClock()
    spool = Spool(disk, clock, SeededChance(), "/data", AGENT, 32_768)
    for n in range(700):
        at_ms = clock.wall_ms()
        drafts: list[Any] = [SampleDraft(SCHEMA, at_ms, 0, pack_values([1.0 * n, 2.0 * n, 0.0]))]
        if n % 20 == 0:
            drafts.append(StateDraft(StateChange("srv1.local", "process:x", 2, 0, str(n)), at_ms, 0))
        spool.append(drafts)
        clock.pass_(15)
    spool.close()
    return {path: disk.read(path) for path in disk.paths()}, max(disk.paths(".seg"))


def _segments() -> list[bytes]:
    return [data for path, data in _spooled()[0].items() if path.endswith(".seg")]


def _scan(data: bytes) -> None:
    found = scan(data, segment_seed(b"E" * 8, "0000000000000001-samples-0.seg"))
    places = [*found.bad]
    assert all(0 <= start < end <= len(data) for start, end in places)
    assert found.torn_at <= len(data)
    for frame in found.frames:
        record_of(frame)


def _recover(data: bytes) -> None:
    """One segment of a spool is what it is: it opens, every number has one fate, and it goes on."""
    there, _ = _spooled()
    names = sorted(path for path in there if path.endswith(".seg"))
    disk, clock = DiskModel(), StillClock()
    for folder in {path.rpartition("/")[0] for path in there}:
        disk.make_folder(folder)
    victim = names[len(data) % len(names)]
    for name in names:  # the segment it was made of, if its head still tells: else no record in it would be true
        if data[:53] == there[name][:53]:
            victim = name
    for path, held in there.items():
        file = disk.append_to(path)
        file.append(data if path == victim else held)
        file.sync()
    spool = Spool(disk, clock, SeededChance(), "/data", AGENT, 32_768)
    spool.append([SampleDraft(SCHEMA, 1, 0, pack_values([1.0, 2.0, 3.0]))])
    shelf = spool.shelves()[0]
    seqs = [record.seq for record in shelf.backlog(Ranges(), 1 << 30, 1 << 30)]
    assert len(seqs) == len(set(seqs)), "a number is handed out twice"
    assert spool.figures().trouble == ""


# ---------------------------------------------------------------- the wire


def _body() -> list[Any]:
    packed = packing.pack_body([SCHEMA.packed], SAMPLES, RECORDS)
    return [msgspec.msgpack.decode(wire.unpack_frame(packed))]


def _envelopes() -> list[bytes]:
    body = packing.pack_body([SCHEMA.packed], SAMPLES, RECORDS)
    seqs = [*range(1, 10), 14, 20]
    bomb = compress(bytes(80 << 20))
    return [
        packing.pack_envelopes([packing.seal(AGENT, 1, b"E" * 8, seqs, body, KEY.sign)]),
        packing.pack_envelopes([packing.seal(AGENT, 1, b"E" * 8, seqs, bomb, KEY.sign)]),
        packing.pack_envelopes([Sender("srv1.local", AGENT, KEY, epoch=b"E" * 8).report(NOW_MS)] * 3),
    ]


AGENT_ENTRY = Agent(AGENT, "local", "srv1.local", "active", {1: KEY.public}, frozenset({"srv1.local"}))
FLEET = Fleet(1, agents={AGENT: AGENT_ENTRY})


@cache
def _admission() -> Admission:
    return Admission(Limits(), Shapes(), lambda name: SCHEMA.packed if name == SCHEMA.hash else None)


def _admit(data: bytes) -> None:
    for at, raw in enumerate(wire.open_request(data)):
        assert _admission().admit(at, raw, FLEET) is not None


def _admit_signed(tree: Any) -> None:
    """A body that is its agent's own and wrong all the same: a compromised agent signs what it likes."""
    packed = compress(msgspec.msgpack.encode(tree))
    header = msgspec.msgpack.encode([1, AGENT, 1, b"E" * 8, 1, 20])
    envelope = msgspec.msgpack.encode([header, KEY.sign(ENVELOPE_PREFIX + header + packed), packed])
    judged = _admission().admit(0, envelope, FLEET)
    assert isinstance(judged, NotAdmitted) or judged.header.agent_id == AGENT


def is_admitted(data: bytes) -> bool:
    """Whether the intake believes every envelope of a request."""
    return not any(
        isinstance(_admission().admit(at, raw, FLEET), NotAdmitted) for at, raw in enumerate(wire.open_request(data))
    )


def _schema(tree: Any) -> None:
    schema = wire.open_schema(msgspec.msgpack.encode(tree))
    assert schema.width <= 100_000


# ---------------------------------------------------------------- identity


def _enrolments() -> list[bytes]:
    token = write_token(JoinToken(b"t" * 16, "local", "", NOW_MS, ["https://c"], b"", KEY.public), KEY)
    body = {"token": token, "public_key": KEY.public.hex(), "proof": "ab" * 64, "host": {"host.name": "srv1"}}
    key = {"agent_id": AGENT.hex(), "key_no": 2, "public_key": KEY.public.hex(), "signature": "ab" * 64}
    return [json.dumps(body).encode(), json.dumps(key).encode(), token.encode()]


def _enrol(data: bytes) -> None:
    for read in (enrolment.read_enrolment, rotation.read_rotation):
        with contextlib.suppress(Refused):
            read(data)
    with contextlib.suppress(TokenError):
        read_token(data.decode("utf-8", "replace"))


# ---------------------------------------------------------------- the registry


def _registry_payloads() -> list[Any]:
    """As a region's and as a custodian's copy."""
    content = {
        "tables": {"sites": [{"id": "local", "hub": "mea", "tags": ["far"]}], "agents": []},
        "spent": [b"h" * 32],
    }
    head = {"hub": "mea", "hub_id": AGENT, "at_ms": NOW_MS, "version": 41}
    packed = msgspec.msgpack.encode(content)
    digest = hashlib.sha256(packed).hexdigest()[:32]
    return [
        head | {"digest": digest} | content,
        head | {"digest": digest, "scope": FULL, "packed": packing.pack_frame(packed)},
    ]


def _registries() -> list[bytes]:
    return [seal(payload, KEY.sign) for payload in _registry_payloads()]


def _registry(data: bytes) -> None:
    """What a hub reads from whoever answers, and ``bongsu registry`` from the hub's disk."""
    with contextlib.suppress(RegistryError):
        open_registry(data, KEY.public, AGENT)
    with contextlib.suppress(RegistryError):
        copy = open_copy(data, KEY.public, AGENT)
        if copy.packed is not None:
            open_content(copy)


def _registry_signed(tree: Any) -> None:
    """Of the right shape or not, and signed all the same: a later centre may say more."""
    _registry(seal(tree, KEY.sign))


def _answers() -> list[bytes]:
    receipt = pack_receipt(Receipt(AGENT, b"E" * 8, [(1, 9)], NOW_MS), KEY.sign)
    mine = AgentAnswer(AGENT.hex(), "ab" * 8, [(1, 9)], [RecordRefusal([(3, 4)], "drop", "bad_labels")], "x", "ab" * 4)
    answer = Answer(Receiver("centre", "c0ffee", "00" * 8), NOW_MS, agents=[mine], need_schemas=["ab" * 16])
    enrolled = {
        "agent_id": AGENT.hex(),
        "site": "local",
        "hub": "",
        "hosts": ["srv1.local"],
        "collectors": ["https://c"],
        "centre_key": KEY.public.hex(),
    }
    policy = pack_policy(Policy(agent=AGENT, version=1, at_ms=1, interval_seconds=30), KEY.sign)
    return [write_answer(answer), base64.b64encode(receipt), json.dumps(enrolled).encode(), policy]


def _answer(data: bytes) -> None:
    """What an agent reads from whoever answers."""
    readers: list[tuple[Callable[[], object], type[Exception]]] = [
        (lambda: read_answer(data), AnswerError),
        (lambda: open_receipt(data.decode("utf-8", "replace"), KEY.public, AGENT), ReceiptError),
        (lambda: read_enrolment(data), IdentityError),
        (lambda: open_policy(data, KEY.public, AGENT), PolicyError),
        (lambda: policy_hint(data), PolicyError),
    ]
    for read, expected in readers:
        with contextlib.suppress(expected):
            read()


TARGETS = {
    "segment": Target(_segments, _scan),
    "spool": Target(_segments, _recover),
    "envelope": Target(_envelopes, _admit, (wire.WireError,)),
    "body": Target(_body, _admit_signed, is_tree=True),
    "schema": Target(lambda: [msgspec.msgpack.decode(SCHEMA.packed)], _schema, (wire.WireError,), is_tree=True),
    "enrolment": Target(_enrolments, _enrol),
    "answer": Target(_answers, _answer),
    "registry": Target(_registries, _registry),
    "registry_signed": Target(_registry_payloads, _registry_signed, is_tree=True),
}
