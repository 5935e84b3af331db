"""Passwords: argon2id with the library's own parameters, checked in the same time whether or not the user exists."""

from __future__ import annotations

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from agent.link.clock import Chance
from collector.errors import UsageError

LEAST_CHARS = 12
GENERATED_CHARS = 20
_ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # without l, I, O, o, 0, 1: read off a screen
_hasher = PasswordHasher()
_at_once = threading.BoundedSemaphore(2)
"""Each check takes 64 MiB for a moment; a flood of logins must not take the memory of the collector."""
_nobody = "$argon2id$v=19$m=65536,t=3,p=4$SFDGXglWk5MvLTvGcAK2WQ$xiWG/0O+xMGc0wGuMN27r6Y3Sxj9q57N5wJmMcUhW8o"


def hash_password(password: str) -> str:
    """Raises UsageError where the password is too short."""
    if len(password) < LEAST_CHARS:
        raise UsageError(f"password of {len(password)} characters: expected at least {LEAST_CHARS}")
    with _at_once:
        return _hasher.hash(password)


def is_password(password: str, stored: str | None) -> bool:
    """Whether it is the one; None (no such user) costs the same time."""
    with _at_once:
        try:
            return _hasher.verify(stored or _nobody, password) and stored is not None
        except (VerificationError, InvalidHashError):
            return False


def generate_password(chance: Chance) -> str:
    """20 letters and digits, about 116 bits."""
    letters: list[str] = []
    while len(letters) < GENERATED_CHARS:
        letters += [_ALPHABET[byte] for byte in chance.bytes(64) if byte < len(_ALPHABET)]
    return "".join(letters[:GENERATED_CHARS])
