"""The collector's own files in its data directory: who it is, its key, its certificates. Read here, made by
``bongsu init``.

    DATA/centre.key       the centre's Ed25519 key, mode 0600; signs join tokens, receipts and policy
    DATA/hub.key          on a hub instead: its own key, mode 0600; signs what it asks of the centre
    DATA/centre.pub       on a hub: the centre's public key as hex, by which it checks tokens, receipts and the registry
    DATA/identity.json    {"role": "centre", "id": "…", "epoch": "…"}: the receiver every answer names; on a hub also
                          {"hub": "mea", "key_no": 1}
    DATA/tls/             ca.pem, ca.key, server.pem, server.key (bongsu init --tls NAME)
    DATA/bongsu.db        rows, where they are kept in SQLite
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from ssl import PEM_cert_to_DER_cert

import msgspec

from agent.link.answer import CENTRE, HUB, Receiver
from agent.link.clock import Chance
from agent.link.keys import PUBLIC_BYTES, KeyFileError, SigningKey, load_key
from agent.link.private_file import write_private
from collector.errors import SettingsError

RECEIVER_ID_BYTES = 8
EPOCH_BYTES = 8


class HubIdentity(msgspec.Struct, frozen=True):
    """identity.json of a hub. ``id`` is the 16 bytes the centre knows it by, as hex; ``hub`` its id in the topology."""

    role: str
    id: str
    epoch: str
    hub: str
    key_no: int = 1

    @property
    def receiver(self) -> Receiver:
        return Receiver(self.role, self.id, self.epoch)


@dataclass(frozen=True, slots=True)
class Keys:
    """Who this collector is. ``own`` is the centre's key, or a hub's; ``hub`` None at the centre."""

    receiver: Receiver
    own: SigningKey
    centre_public: bytes
    hub: HubIdentity | None = None


def centre_key_file(data_dir: Path) -> Path:
    return data_dir / "centre.key"


def hub_key_file(data_dir: Path) -> Path:
    return data_dir / "hub.key"


def centre_public_file(data_dir: Path) -> Path:
    return data_dir / "centre.pub"


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


def is_hub(data_dir: Path) -> bool:
    """Whether this data directory is a hub's."""
    return hub_key_file(data_dir).exists() and not centre_key_file(data_dir).exists()


def load_keys(data_dir: Path) -> Keys:
    """Raises SettingsError."""
    if not is_hub(data_dir):
        key = load_centre_key(data_dir)
        return Keys(load_receiver(data_dir), key, key.public)
    hub = load_hub(data_dir)
    try:
        own = load_key(hub_key_file(data_dir))
        public = bytes.fromhex(centre_public_file(data_dir).read_text("ascii").strip())
    except (KeyFileError, OSError, ValueError) as why:
        raise SettingsError(f"{why}; join anew into an empty directory: bongsu init --hub --token T") from why
    if len(public) != PUBLIC_BYTES:
        raise SettingsError(f"{centre_public_file(data_dir)}: expected {2 * PUBLIC_BYTES} hex digits")
    return Keys(hub.receiver, own, public, hub)


def load_hub(data_dir: Path) -> HubIdentity:
    """Raises SettingsError."""
    path = identity_file(data_dir)
    try:
        found = msgspec.json.decode(path.read_bytes(), type=HubIdentity)
    except (OSError, msgspec.MsgspecError) as why:
        raise SettingsError(f"identity {path}: cannot be used ({why}); restore it from a copy") from why
    if found.role != HUB:
        raise SettingsError(f"identity {path}: role {found.role!r} beside hub.key: expected {HUB!r}")
    return found


def save_hub(data_dir: Path, hub: HubIdentity, centre_public: bytes) -> None:
    """The identity comes last: it says that all is there."""
    write_private(centre_public_file(data_dir), centre_public.hex().encode() + b"\n")
    write_private(identity_file(data_dir), msgspec.json.format(msgspec.json.encode(hub), indent=2) + b"\n")


def renew_epoch(data_dir: Path, chance: Chance) -> Receiver:
    """A hub begins anew in its agents' eyes: they forget what it said it holds, and send what the centre lacks."""
    hub = msgspec.structs.replace(load_hub(data_dir), epoch=chance.bytes(EPOCH_BYTES).hex())
    write_private(identity_file(data_dir), msgspec.json.format(msgspec.json.encode(hub), indent=2) + b"\n")
    return hub.receiver


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
