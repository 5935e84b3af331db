"""The token in a page's link: whoever has it may answer for the person who was paged.

It is made from the page's key and a secret of the collector whenever it is needed, so that no row and no backup holds one; rows
keep its hash, to be found by.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode

PATH = "/a/"


def token_of(secret: bytes, page_key: str) -> str:
    """16 letters, 96 bits: short enough for an SMS."""
    digest = hashlib.blake2b(page_key.encode(), key=secret, digest_size=12, person=b"bongsu-answer").digest()
    return urlsafe_b64encode(digest).decode()


def token_hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
