"""Who this agent is: ``agent.json`` and ``agent.key`` in its data folder, both of mode 0600, written by ``enroll``."""

from __future__ import annotations

from pathlib import Path

import msgspec

from agent.link.keys import KeyFileError, SigningKey, load_key

IDENTITY_FILE, KEY_FILE, CA_FILE = "agent.json", "agent.key", "ca.pem"


def key_file(number: int) -> str:
    """The file of the agent's n-th key: ``agent.key``, after a rotation ``agent.key.2`` and so on."""
    return KEY_FILE if number == 1 else f"{KEY_FILE}.{number}"


class IdentityError(Exception):
    """This agent has no usable identity; the message says what to do."""


class Enrolment(msgspec.Struct, frozen=True):
    """What the collector answered to the enrolment, bytes as hex. ``hosts``: ids the agent may speak for, its own first."""

    agent_id: str
    site: str
    hub: str
    hosts: list[str]
    collectors: list[str]
    centre_key: str
    key_no: int = 1
    link_profile: str = "lan"
    interval_seconds: float = 0.0
    token_sha256: str = ""


class Identity(msgspec.Struct, frozen=True):
    enrolment: Enrolment
    agent_id: bytes
    centre_key: bytes
    key: SigningKey
    ca_file: Path | None
    former_key: SigningKey | None = None
    """The one before, until a collector took what the present one signed."""

    @property
    def host(self) -> str:
        return self.enrolment.hosts[0]

    def host_id(self, name: str) -> str:
        """The id of another host this agent speaks for, by its short name."""
        return f"{name}.{self.enrolment.site}"


def read_enrolment(body: bytes) -> Enrolment:
    """Raises IdentityError where a field is missing or is not what it must be."""
    try:
        enrolment = msgspec.json.decode(body, type=Enrolment)
        sizes = len(bytes.fromhex(enrolment.agent_id)), len(bytes.fromhex(enrolment.centre_key))
    except (msgspec.MsgspecError, RecursionError, ValueError) as why:
        raise IdentityError(f"enrolment: {why}") from why
    if sizes != (16, 32) or not enrolment.hosts or not enrolment.collectors:
        raise IdentityError("enrolment: expected an agent id of 16 bytes, a key of 32, a host and a collector")
    return enrolment


def load_identity(data_dir: Path) -> Identity:
    """Raises IdentityError."""
    path = data_dir / IDENTITY_FILE
    try:
        body = path.read_bytes()
    except FileNotFoundError:
        raise IdentityError(
            f"{path}: not there; expected the identity of an enrolled agent. Run: bongsu-agent enroll --token TOKEN "
            f"--data {data_dir}"
        ) from None
    except OSError as why:
        raise IdentityError(f"{path}: {why}") from why
    try:
        enrolment = read_enrolment(body)
        key = load_key(data_dir / key_file(enrolment.key_no))
        before = data_dir / key_file(enrolment.key_no - 1)
        former = load_key(before) if enrolment.key_no > 1 and before.exists() else None
    except KeyFileError as why:
        raise IdentityError(str(why)) from why
    except IdentityError as why:
        raise IdentityError(f"{path}: {why}; restore the file or enrol again") from why
    ca_file = data_dir / CA_FILE
    return Identity(
        enrolment,
        bytes.fromhex(enrolment.agent_id),
        bytes.fromhex(enrolment.centre_key),
        key,
        ca_file if ca_file.exists() else None,
        former,
    )
