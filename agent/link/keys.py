"""Ed25519 keys: made where they are used, kept in files of mode 0600, each signature under its own prefix.

The one module that knows the cryptographic library, so that a validated one can take its place.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from nacl.bindings import crypto_sign, crypto_sign_open, crypto_sign_seed_keypair
from nacl.exceptions import BadSignatureError, CryptoError

from agent.link.private_file import write_private

SEED_BYTES = 32
PUBLIC_BYTES = 32
SIGNATURE_BYTES = 64


class KeyFileError(Exception):
    """A key file could not be used."""


class SigningKey:
    """A private key. ``sign`` gives the bare 64-byte signature."""

    __slots__ = ("_secret", "public", "seed")

    def __init__(self, seed: bytes) -> None:
        if len(seed) != SEED_BYTES:
            raise ValueError(f"key seed of {len(seed)} bytes: expected {SEED_BYTES}")
        self.seed = seed
        self.public, self._secret = crypto_sign_seed_keypair(seed)

    def sign(self, message: bytes) -> bytes:
        return crypto_sign(message, self._secret)[:SIGNATURE_BYTES]

    def __repr__(self) -> str:
        return f"SigningKey(public={self.public.hex()})"


def is_signed(message: bytes, signature: bytes, public: bytes) -> bool:
    """Whether ``signature`` is ``public``'s over ``message``. Wrong lengths are simply not a signature."""
    if len(signature) != SIGNATURE_BYTES or len(public) != PUBLIC_BYTES:
        return False
    try:
        crypto_sign_open(signature + message, public)
    except (BadSignatureError, CryptoError, ValueError):
        return False
    return True


def new_key(random: Callable[[int], bytes] = os.urandom) -> SigningKey:
    return SigningKey(random(SEED_BYTES))


def save_key(path: Path, key: SigningKey) -> None:
    """Write the seed as hex, mode 0600, whole or not at all."""
    write_private(path, key.seed.hex().encode() + b"\n")


def load_key(path: Path) -> SigningKey:
    """Read a key file. Raises KeyFileError where it is missing, readable by others, or not a key."""
    try:
        mode = path.stat().st_mode & 0o777
        text = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as why:
        raise KeyFileError(f"key file {path}: {why}") from why
    if mode & 0o077:
        raise KeyFileError(f"key file {path} has mode {mode:04o}: expected 0600, run: chmod 600 {path}")
    try:
        return SigningKey(bytes.fromhex(text))
    except ValueError as why:
        raise KeyFileError(f"key file {path}: expected 64 hex digits ({why})") from why
