"""TLS by authority: the system's, or the one whose fingerprint the join token carries. Never a pinned leaf.

At enrolment the authority's certificate is fetched over a connection that cannot be verified yet; it is believed only
if its SHA-256 is the token's, and everything after that is verified with it.
"""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Callable
from pathlib import Path

from agent.link.exchange import Failure, HttpExchange, Request

CA_PATH = "/v1/ca"


class TlsError(Exception):
    """The collector's authority could not be learnt or is not the one the token names."""


def context_for(ca_file: Path | None) -> ssl.SSLContext:
    """Verifying, from one authority's file or from the system's."""
    context = ssl.create_default_context(cafile=str(ca_file) if ca_file is not None else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def fetch_ca(base_url: str, ca_sha256: bytes, monotonic: Callable[[], float]) -> str:
    """The authority's certificate (PEM), proven by its SHA-256. Raises TlsError."""
    exchange = HttpExchange(monotonic, _unverified)
    try:
        response = exchange(Request("GET", base_url, CA_PATH, b"", (), 30.0))
    finally:
        exchange.close()
    if isinstance(response, Failure):
        raise TlsError(response.text)
    if response.status != 200:
        raise TlsError(f"GET {base_url}{CA_PATH}: HTTP {response.status}: expected the collector's CA certificate")
    try:
        pem = response.body.decode("ascii")
        found = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem.strip())).digest()
    except ValueError as why:
        raise TlsError(f"GET {base_url}{CA_PATH}: not a PEM certificate ({why})") from why
    if found != ca_sha256:
        raise TlsError(
            f"CA of {base_url} has SHA-256 {found.hex()}: expected {ca_sha256.hex()} from the join token; "
            "somebody may be between this machine and the collector: do not go on before you know who"
        )
    return pem


def _unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
