"""When a certificate ends and whose it is, read from its DER bytes (RFC 5280, section 4.1)::

    30 82 05 c2                       Certificate
       30 82 04 aa                    TBSCertificate
          a0 03 02 01 02              version (may be missing)
          02 10 ..                    serial number
          30 0d ..                    signature algorithm
          30 4f ..                    issuer
          30 1e                       validity
             17 0d 32 36 30 31 ..     not before, UTCTime "260101000000Z"
             17 0d 32 37 30 31 ..     not after
          30 1b ..                    subject

The standard library tells these only of certificates it could verify, and a probe wants them most of those it could not.
"""

from __future__ import annotations

from datetime import UTC, datetime

from agent.probes.model import Certificate

SEQUENCE, CONTEXT_0, UTC_TIME, GENERALIZED_TIME, OBJECT_ID = 0x30, 0xA0, 0x17, 0x18, 0x06
COMMON_NAME = bytes.fromhex("550403")


def read_certificate(der: bytes) -> Certificate:
    """Raises ValueError where the bytes are no certificate."""
    try:
        outer = _parts(der)[0][1]
        fields = _parts(_parts(outer)[0][1])
        if fields[0][0] == CONTEXT_0:
            fields = fields[1:]
        _serial, _algorithm, _issuer, validity, subject = fields[:5]
        kind, text = _parts(validity[1])[1]
        return Certificate(_instant(kind, text), _common_name(subject[1]))
    except (IndexError, UnicodeDecodeError, RecursionError) as why:
        raise ValueError(f"no certificate in these {len(der)} bytes: {why}") from why


def _parts(packed: bytes) -> list[tuple[int, bytes]]:
    """(tag, content) of each value, one level deep. Raises ValueError, IndexError."""
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(packed):
        tag, size, at = packed[at], packed[at + 1], at + 2
        if size >= 0x80:
            count = size & 0x7F
            size, at = int.from_bytes(packed[at : at + count], "big"), at + count
        if at + size > len(packed):
            raise ValueError("a value is longer than what holds it")
        found.append((tag, packed[at : at + size]))
        at += size
    return found


def _instant(kind: int, text: bytes) -> float:
    if kind == UTC_TIME:  # two digits of the year: 50 and up are of the last century
        text = (b"19" if text[:2] >= b"50" else b"20") + text
    elif kind != GENERALIZED_TIME:
        raise ValueError(f"a date of kind {kind:#x}")
    return datetime.strptime(text.decode("ascii"), "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp()


def _common_name(subject: bytes) -> str:
    for _, names in _parts(subject):
        for _, pair in _parts(names):
            (kind, what), (_, value) = _parts(pair)[:2]
            if kind == OBJECT_ID and what == COMMON_NAME:
                return value.decode("utf-8", "replace")
    return ""
