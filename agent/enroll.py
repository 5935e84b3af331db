"""Joining: a key made here, a join token from an administrator, an identity from the centre.

The key is on the disk before anybody hears of it, and the identity is written last and whole. So when the answer is
lost, the same command with the same token goes on where it stopped: same token and same key give the same answer.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
from pathlib import Path

import msgspec

from agent.identity import (
    CA_FILE,
    IDENTITY_FILE,
    KEY_FILE,
    Enrolment,
    IdentityError,
    load_identity,
    read_enrolment,
)
from agent.link.clock import Clock
from agent.link.exchange import Failure, HttpExchange, Request, Response
from agent.link.keys import KeyFileError, SigningKey, load_key, new_key, save_key
from agent.link.private_file import write_private
from agent.link.tls import TlsError, context_for, fetch_ca
from agent.link.token import JoinToken, TokenError, proof_message, read_token, token_hash

PATH = "/v1/enrolments"
MACHINE_ID = Path("/etc/machine-id")


class EnrolError(Exception):
    """The agent was not enrolled; nothing but its key was written. The message says why and what to do."""


def enrol(text: str, name: str, data_dir: Path, clock: Clock) -> Enrolment:
    """Join with a token. Returns the identity, which is then in ``data_dir``. Raises EnrolError."""
    try:
        token = read_token(text)
    except TokenError as why:
        raise EnrolError(str(why)) from why
    known = _enrolled_before(data_dir, text)
    if known is not None:
        return known
    try:  # whether the token is still good is for the centre to say: this clock may be wrong
        key = _own_key(data_dir)
        ca_file = _own_ca(token, data_dir, clock)
        enrolment = _ask(token, text, key, name, ca_file, clock)
        stored = msgspec.structs.replace(enrolment, token_sha256=token_hash(text).hex())
        write_private(data_dir / IDENTITY_FILE, msgspec.json.format(msgspec.json.encode(stored), indent=2))
    except (OSError, KeyFileError, TlsError, IdentityError) as why:
        raise EnrolError(str(why)) from why
    return stored


def _enrolled_before(data_dir: Path, text: str) -> Enrolment | None:
    if not (data_dir / IDENTITY_FILE).exists():
        return None
    try:
        known = load_identity(data_dir).enrolment
    except IdentityError as why:
        raise EnrolError(str(why)) from why
    if known.token_sha256 == token_hash(text).hex():
        return known
    raise EnrolError(
        f"{data_dir / IDENTITY_FILE}: this agent is enrolled already as {known.hosts[0]} (agent {known.agent_id}); "
        "expected a folder without an identity. Use another --data, or move this folder away to join anew"
    )


def _own_key(data_dir: Path) -> SigningKey:
    """The key of an enrolment whose answer was lost, else a new one."""
    path = data_dir / KEY_FILE
    if path.exists():
        return load_key(path)
    key = new_key()
    save_key(path, key)
    return key


def _own_ca(token: JoinToken, data_dir: Path, clock: Clock) -> Path | None:
    """Where the authority of the token's collectors lies; None = the system's authorities are trusted."""
    secure = [url for url in token.collectors if url.startswith("https:")]
    if not token.ca_sha256 or not secure:
        return None
    trouble: TlsError | None = None
    for url in secure:
        try:
            pem = fetch_ca(url.rstrip("/"), token.ca_sha256, clock.monotonic)
        except TlsError as why:
            trouble = trouble or why
        else:
            write_private(data_dir / CA_FILE, pem.encode())
            return data_dir / CA_FILE
    assert trouble is not None
    raise trouble


def _ask(token: JoinToken, text: str, key: SigningKey, name: str, ca_file: Path | None, clock: Clock) -> Enrolment:
    body = msgspec.json.encode(
        {
            "token": text.strip(),
            "public_key": key.public.hex(),
            "proof": key.sign(proof_message(text, key.public)).hex(),
            "host": host_facts(name),
        }
    )
    trouble = "the join token names no collector"
    for url in token.collectors:
        exchange = HttpExchange(clock.monotonic, lambda: context_for(ca_file))
        request = Request("POST", url.rstrip("/"), PATH, body, (("content-type", "application/json"),), 60.0)
        try:
            response = exchange(request)
        finally:
            exchange.close()
        if isinstance(response, Response) and response.status in (200, 201):
            return read_enrolment(response.body)
        trouble = _said(url, response)
        if isinstance(response, Response) and 400 <= response.status < 500:
            break  # a collector decided; another one would decide the same
    raise EnrolError(trouble)


def host_facts(name: str) -> dict[str, str]:
    """``host.id`` is a hash: the machine id itself is nobody's business."""
    own = name or os.uname().nodename.partition(".")[0].lower()
    facts = {"host.name": own, "name": own, "os.type": platform.system().lower()}
    with contextlib.suppress(OSError):  # a machine without one is known by its name
        facts["host.id"] = hashlib.sha256(b"bongsu-host-1\0" + MACHINE_ID.read_bytes().strip()).hexdigest()[:32]
    return facts


def _said(url: str, response: Response | Failure) -> str:
    if isinstance(response, Failure):
        return f"{response.text}; expected a collector there: see that it runs and that this machine reaches it"
    try:
        problem = msgspec.json.decode(response.body)
        reason = str(problem.get("detail") or problem.get("title") or problem) if isinstance(problem, dict) else ""
    except msgspec.MsgspecError:
        reason = f"something that is not a collector ({response.content_type or 'no content type'})"
    return f"{url}{PATH}: HTTP {response.status}: {reason}"
