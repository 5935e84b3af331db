"""The collector's own files in its data directory: who it is, the centre's key, its certificates. Read here, made by
``bongsu init``.

    DATA/centre.key       the centre's Ed25519 key, mode 0600; signs join tokens, receipts and policy
    DATA/identity.json    {"role": "centre", "id": "…", "epoch": "…"}: the receiver every answer names
    DATA/tls/             ca.pem, ca.key, server.pem, server.key (bongsu init --tls NAME)
    DATA/bongsu.db        rows, where they are kept in SQLite
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from ssl import PEM_cert_to_DER_cert

import msgspec

from agent.link.answer import CENTRE, Receiver
from agent.link.clock import Chance
from agent.link.keys import KeyFileError, SigningKey, load_key
from collector.errors import SettingsError

RECEIVER_ID_BYTES = 8
EPOCH_BYTES = 8


def centre_key_file(data_dir: Path) -> Path:
    return data_dir / "centre.key"


def identity_file(data_dir: Path) -> Path:
    return data_dir / "identity.json"


def ca_file(data_dir: Path) -> Path:
    return data_dir / "tls" / "ca.pem"


def load_centre_key(data_dir: Path) -> SigningKey:
    """Raises SettingsError where it is missing, readable by others, or no key."""
    path = centre_key_file(data_dir)
    if not path.exists():
        raise SettingsError(f"centre key {path}: no such file; make it with: bongsu init --data {data_dir}")
    try:
        return load_key(path)
    except KeyFileError as why:
        raise SettingsError(str(why)) from why


def new_receiver(chance: Chance) -> Receiver:
    return Receiver(CENTRE, chance.bytes(RECEIVER_ID_BYTES).hex(), chance.bytes(EPOCH_BYTES).hex())


def save_receiver(data_dir: Path, receiver: Receiver) -> None:
    identity_file(data_dir).write_bytes(msgspec.json.format(msgspec.json.encode(receiver), indent=2) + b"\n")


def load_receiver(data_dir: Path) -> Receiver:
    """Raises SettingsError where the file is missing or damaged."""
    path = identity_file(data_dir)
    try:
        return msgspec.json.decode(path.read_bytes(), type=Receiver)
    except FileNotFoundError as why:
        raise SettingsError(f"identity {path}: no such file; make it with: bongsu init --data {data_dir}") from why
    except (OSError, msgspec.MsgspecError) as why:
        raise SettingsError(f"identity {path}: cannot be used ({why}); restore it from a copy") from why


def ca_fingerprint(data_dir: Path) -> bytes:
    """SHA-256 of the own CA's certificate (DER); empty where there is none and the system's CAs are trusted."""
    path = ca_file(data_dir)
    if not path.exists():
        return b""
    return hashlib.sha256(PEM_cert_to_DER_cert(path.read_text("ascii"))).digest()
