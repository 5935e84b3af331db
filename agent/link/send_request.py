"""From records to a signed request, and what the request promised, so that its answer can be judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from agent.link.exchange import Request
from agent.link.model import Record, Sample, encode
from agent.link.names import ENVELOPES_TYPE, LANE_HEADER, SENT_AT_HEADER
from agent.link.packing import pack_body, pack_envelopes, seal
from agent.link.send_signers import Signer
from agent.link.spool_record import Spooled

SCHEMAS_PATH, ENVELOPES_PATH = "/v1/schemas", "/v1/envelopes"


__all__ = ["Enclosed", "Signer", "envelopes_request", "pack_enclosed", "schemas_request"]


class Enclosed(NamedTuple):
    """What one envelope of a request holds."""

    epoch: bytes
    records: list[Spooled]
    schemas: list[bytes]

    @property
    def seqs(self) -> list[int]:
        return [record.seq for record in self.records]


def pack_enclosed(signer: Signer, enclosed: Enclosed) -> bytes:
    samples = [record for record in enclosed.records if isinstance(record, Sample)]
    others = [record for record in enclosed.records if isinstance(record, Record)]
    body = pack_body(enclosed.schemas, samples, others)
    return seal(signer.agent_id, signer.key_no, enclosed.epoch, enclosed.seqs, body, signer.sign)


def envelopes_request(
    base_url: str, lane: str, envelopes: Sequence[bytes], wall_ms: int, deadline_seconds: float
) -> Request:
    """An empty request asks nothing but the time and what the receiver thinks of us."""
    headers = (("content-type", ENVELOPES_TYPE), (SENT_AT_HEADER, str(wall_ms)), (LANE_HEADER, lane))
    return Request("POST", base_url, ENVELOPES_PATH, pack_envelopes(envelopes), headers, deadline_seconds)


def schemas_request(base_url: str, schemas: Sequence[bytes], wall_ms: int, deadline_seconds: float) -> Request:
    headers = (("content-type", "application/msgpack"), (SENT_AT_HEADER, str(wall_ms)))
    return Request("POST", base_url, SCHEMAS_PATH, encode(list(schemas)), headers, deadline_seconds)
