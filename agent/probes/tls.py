"""TLS on a probe's connection, and what the server's certificates say."""

from __future__ import annotations

import hashlib
import ssl
from functools import lru_cache
from pathlib import Path
from typing import Any

from agent.checks.base import Sample
from agent.probes.dates import read_certificate
from agent.probes.model import Certificate, Probe, ProbeFailed, measured
from agent.probes.reach import Line

VERSIONS = {"TLSv1": "TLS 1.0", "TLSv1.1": "TLS 1.1", "TLSv1.2": "TLS 1.2", "TLSv1.3": "TLS 1.3"}


def context_for(probe: Probe) -> ssl.SSLContext:
    """Raises ProbeFailed where the CA file cannot be used."""
    ca_file = probe.options.get("ca_file", "")
    try:
        changed = Path(ca_file).stat().st_mtime_ns if ca_file else 0
        return _context(ca_file, changed, probe.options.get("verify", True))
    except (OSError, ssl.SSLError) as why:
        raise ProbeFailed(f"CA file {ca_file}: cannot be used ({why}): expected certificates in PEM") from why


@lru_cache(maxsize=16)
def _context(ca_file: str, _changed: int, verify: bool) -> ssl.SSLContext:
    """Kept, for reading the system's authorities takes ten times as long as a whole probe."""
    context = ssl.create_default_context(cafile=ca_file or None)
    if not verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def secure(line: Line, context: ssl.SSLContext, name: str, probe: Probe) -> tuple[tuple[Sample, ...], Certificate]:
    """Put TLS on the line; what the certificates say. Raises ProbeFailed with the reason of a refused certificate."""
    try:
        line.socket.settimeout(line.deadline.left())
        tls = context.wrap_socket(line.socket, server_hostname=name)
    except ssl.SSLCertVerificationError as why:
        raise ProbeFailed(f"certificate of {name} refused: {why.verify_message}") from why
    except OSError as why:
        raise ProbeFailed(f"no TLS with {name}: {getattr(why, 'reason', None) or why}") from why
    line.socket = tls
    chain = _chain(tls)
    if not chain:
        raise ProbeFailed(f"{name} showed no certificate")
    try:
        ends = [read_certificate(der) for der in chain]
    except ValueError as why:
        raise ProbeFailed(f"certificate of {name}: {why}") from why
    earliest = min(one.earliest_end for one in ends)
    samples = [
        measured(probe, "probe_ssl_earliest_cert_expiry", earliest),
        measured(probe, "probe_tls_version_info", 1, version=VERSIONS.get(tls.version() or "", tls.version() or "")),
        measured(
            probe,
            "probe_ssl_last_chain_info",
            1,
            fingerprint_sha256=hashlib.sha256(chain[0]).hexdigest(),
            subject=ends[0].subject,
        ),
    ]
    verified = _chain(tls, verified=True)
    if verified:
        last = min(read_certificate(der).earliest_end for der in verified)
        samples.append(measured(probe, "probe_ssl_last_chain_expiry_timestamp_seconds", last))
    return tuple(samples), Certificate(earliest, ends[0].subject)


def _chain(tls: ssl.SSLSocket, *, verified: bool = False) -> list[bytes]:
    """The certificates the server showed, or those the proof went through. Python 3.13 made the methods public."""
    name = "get_verified_chain" if verified else "get_unverified_chain"
    found: Any = getattr(tls, name, None)
    if found is not None:
        return list(found())
    inner: Any = getattr(tls, "_sslobj")  # noqa: B009 -- the only way there is up to 3.12
    import _ssl

    return [one.public_bytes(_ssl.ENCODING_DER) for one in getattr(inner, name)() or ()]
