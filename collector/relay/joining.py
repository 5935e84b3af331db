"""How a hub joins its centre: a key made here, a token from the centre's administrator, an identity from the centre.

As with agents, the key is on the disk before anybody hears of it, and the same token with the same key gives the same
answer: a lost answer is simply asked for again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from agent.link.answer import HUB
from agent.link.clock import Clock
from agent.link.exchange import Exchange, Failure, HttpExchange, Request
from agent.link.keys import KeyFileError, SigningKey, load_key, new_key, save_key
from agent.link.private_file import write_private
from agent.link.tls import TlsError, context_for, fetch_ca
from agent.link.token import JoinToken, TokenError, proof_message, read_token
from collector.errors import UsageError
from collector.fleet.keys import ca_file, hub_key_file

PATH = "/v1/enrolments"
ASK_SECONDS = 60.0


class Joined(NamedTuple):
    """``url``: where the topology says that this hub is reached, "" where it does not. ``upstream``: the centre's."""

    hub: str
    id: str
    key_no: int
    centre_public: bytes
    upstream: str
    url: str


def join(text: str, data_dir: Path, clock: Clock) -> Joined:
    """Raises UsageError; nothing but the key and the authority's certificate was written then."""
    try:
        token = read_token(text)
    except TokenError as why:
        raise UsageError(str(why)) from why
    if token.role != HUB:
        raise UsageError(
            f"--token: this one invites an agent of site {token.site!r}; for a hub, make one at the centre with: "
            "bongsu token create --hub H"
        )
    try:
        key = _own_key(hub_key_file(data_dir))
        _fetch_authority(token, data_dir, clock)
    except (KeyFileError, TlsError, OSError) as why:
        raise UsageError(str(why)) from why
    own = ca_file(data_dir)
    exchange = HttpExchange(clock.monotonic, lambda: context_for(own if own.is_file() else None))
    try:
        return _ask(token, text.strip(), key, exchange)
    finally:
        exchange.close()


def _own_key(path: Path) -> SigningKey:
    if path.exists():
        return load_key(path)
    key = new_key()
    save_key(path, key)
    return key


def _fetch_authority(token: JoinToken, data_dir: Path, clock: Clock) -> None:
    """The certificate of the authority that the token's fingerprint names, proven by it."""
    secure = [url for url in token.collectors if url.startswith("https:")]
    if not token.ca_sha256 or not secure:
        return
    pem = fetch_ca(secure[0].rstrip("/"), token.ca_sha256, clock.monotonic)
    ca_file(data_dir).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(ca_file(data_dir), pem.encode())


def _ask(token: JoinToken, text: str, key: SigningKey, exchange: Exchange) -> Joined:
    proof = key.sign(proof_message(text, key.public))
    body = msgspec.json.encode(
        {"token": text, "public_key": key.public.hex(), "proof": proof.hex(), "host": token.site}
    )
    trouble = "the join token names no centre"
    for url in token.collectors:
        response = exchange(
            Request("POST", url.rstrip("/"), PATH, body, (("content-type", "application/json"),), ASK_SECONDS)
        )
        if isinstance(response, Failure):
            trouble = f"{response.text}; expected the centre there: see that it runs and that this machine reaches it"
            continue
        said = _object(response.body)
        if response.status == 200:
            return _joined(said, token, url)
        trouble = f"{url}{PATH}: HTTP {response.status}: {said.get('detail', 'something that is not a centre')}"
        if 400 <= response.status < 500:
            break
    raise UsageError(trouble)


def _joined(said: dict[str, Any], token: JoinToken, url: str) -> Joined:
    try:
        found = Joined(
            said["hub"],
            said["agent_id"],
            said["key_no"],
            bytes.fromhex(said["centre_key"]),
            url.rstrip("/"),
            said.get("url", ""),
        )
        sizes = len(bytes.fromhex(found.id)), len(found.centre_public)
    except (KeyError, TypeError, ValueError) as why:
        raise UsageError(f"{url}{PATH}: not the answer of a centre ({why})") from why
    if sizes != (16, 32) or found.centre_public != token.centre_key:
        raise UsageError(f"{url}{PATH}: answered by another centre than the one that made the token")
    return found


def _object(body: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return {}
