"""A new key for this agent, vouched for by its old one (docs/protocol.md, "Enrolment").

Order of the steps, so that a crash anywhere leaves an agent that can go on: the new key is on the disk before anybody
hears of it; the centre learns it; then ``agent.json`` names it, in one rename. A run that was cut short is simply
started again: the key that is there already is offered again, and the centre gives the same answer. The old key stays
until a collector has taken records signed by the new one.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from agent.identity import IDENTITY_FILE, IdentityError, key_file, load_identity
from agent.link.clock import Clock
from agent.link.exchange import Failure, HttpExchange, Request, Response
from agent.link.keys import KeyFileError, SigningKey, load_key, new_key, save_key
from agent.link.names import ROTATE_PREFIX
from agent.link.private_file import write_private
from agent.link.tls import context_for

PATH = "/v1/keys"


class RotateError(Exception):
    """The key was not rotated; the old one is in force. The message says why and what to do."""


def rotate(data_dir: Path, clock: Clock) -> int:
    """The number of the key in force from now on. Raises RotateError."""
    try:
        identity = load_identity(data_dir)
        known = identity.enrolment
        number = known.key_no + 1
        fresh = _next_key(data_dir / key_file(number))
        signature = identity.key.sign(
            ROTATE_PREFIX + identity.agent_id + number.to_bytes(8, "big") + fresh.public
        )  # fmt: skip
        body = msgspec.json.encode(
            {
                "agent_id": known.agent_id,
                "key_no": number,
                "public_key": fresh.public.hex(),
                "signature": signature.hex(),
            }
        )
        _ask(known.collectors, body, number, identity.ca_file, clock)
        renewed = msgspec.structs.replace(known, key_no=number)
        write_private(data_dir / IDENTITY_FILE, msgspec.json.format(msgspec.json.encode(renewed), indent=2))
    except (IdentityError, KeyFileError, OSError) as why:
        raise RotateError(str(why)) from why
    return number


def forget_former_keys(data_dir: Path, key_no: int) -> None:
    """Keys before the one that was taken are of no use any more. Raises OSError."""
    for number in range(1, key_no):
        (data_dir / key_file(number)).unlink(missing_ok=True)


def _next_key(path: Path) -> SigningKey:
    if path.exists():
        return load_key(path)
    key = new_key()
    save_key(path, key)
    return key


def _ask(urls: list[str], body: bytes, number: int, ca_file: Path | None, clock: Clock) -> None:
    """A hub may not know; then the centre is asked. Raises RotateError with what the last one said."""
    said = "no collector is known"
    for url in urls:
        exchange = HttpExchange(clock.monotonic, lambda: context_for(ca_file))
        request = Request("POST", url.rstrip("/"), PATH, body, (("content-type", "application/json"),), 60.0)
        try:
            response = exchange(request)
        finally:
            exchange.close()
        said = _judged(url, response, number)
        if not said:
            return
    raise RotateError(f"{said}. The old key stays in force; the same command goes on where this one stopped")


def _judged(url: str, response: Response | Failure, number: int) -> str:
    """ "" where the key was taken, else in words why not."""
    if isinstance(response, Failure):
        return response.text
    try:
        answer = msgspec.json.decode(response.body, type=dict)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        answer = {}
    if response.status == 200 and answer.get("key_no") == number:
        return ""
    detail = answer.get("detail") or f"expected the number {number} of the new key"
    return f"POST {url}{PATH}: HTTP {response.status}: {detail}"
