"""Targets that behave badly on purpose: a little TCP server that answers each connection with given bytes, slowly if asked."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Target:
    """``answer``: what a connection gets once it said something (``greets``: at once). ``drip``: seconds between bytes."""

    answer: bytes = b""
    drip: float = 0.0
    greets: bool = False
    until: bytes = b""
    """What a request ends in."""
    context: ssl.SSLContext | None = None
    heard: list[bytes] = field(default_factory=list)
    port: int = 0

    def serve(self, connection: socket.socket, stop: threading.Event) -> None:
        with suppress(OSError), connection:
            connection.settimeout(5)
            if self.context is not None:
                connection = self.context.wrap_socket(connection, server_side=True)
            with connection:
                if not self.greets:
                    said = connection.recv(65536)
                    while self.until not in said:
                        said += connection.recv(65536)
                    self.heard.append(said)
                if not self.drip:
                    connection.sendall(self.answer)
                for at in range(len(self.answer) if self.drip else 0):
                    connection.sendall(self.answer[at : at + 1])
                    if stop.wait(self.drip):
                        return


@contextmanager
def running(target: Target) -> Iterator[Target]:
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        target.port = server.getsockname()[1]

        def accept() -> None:
            with suppress(OSError):
                while not stop.is_set():
                    connection, _ = server.accept()
                    threading.Thread(target=target.serve, args=(connection, stop), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield target
        stop.set()
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        thread.join()


def make_certificate(
    folder: Path, begins: datetime, ends: datetime, name: str = "localhost"
) -> tuple[Path, ssl.SSLContext]:
    """(certificate file, a server's context with it)."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file = folder / "server.key"
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key_file)
    return file, context


def in_days(days: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)
