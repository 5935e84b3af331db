"""How we log in to somebody else's store, wherever one is named: ``[[remote_write]]``, ``[[alertmanagers]]`` and
``[history] upstream``.

Secrets stand in files of their own and are read anew for each request, so that a token may change without a restart.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from collector.errors import SettingsError

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


class Credentials(Protocol):
    """Paths of files, empty where there is none; a token, or a user with a password, or neither."""

    @property
    def bearer_token_file(self) -> str: ...
    @property
    def username(self) -> str: ...
    @property
    def password_file(self) -> str: ...
    @property
    def ca_file(self) -> str:
        """The authority of the store's certificate; empty = the system's."""
        ...

    @property
    def headers(self) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True)
class Login:
    bearer_token_file: str = ""
    username: str = ""
    password_file: str = ""
    ca_file: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


class SecretUnreadable(Exception):
    """A file with a secret cannot be read, or holds none; the message says which, and why."""


def headers_of(to: Credentials) -> tuple[tuple[str, str], ...]:
    """Raises SecretUnreadable."""
    try:
        if to.bearer_token_file:
            return (*to.headers.items(), ("Authorization", f"Bearer {_secret(to.bearer_token_file)}"))
        if to.username:
            pair = f"{to.username}:{_secret(to.password_file, 'utf-8')}".encode()
            return (*to.headers.items(), ("Authorization", f"Basic {base64.b64encode(pair).decode()}"))
    except (OSError, ValueError) as why:
        raise SecretUnreadable(f"a secret cannot be read: {why}") from why
    return tuple(to.headers.items())


def check_credentials(where: str, to: Credentials, ours: Collection[str], prefix: str = "") -> None:
    """Raises SettingsError. ``ours``: headers, in lower case, that we set ourselves; ``prefix`` of the keys' names."""
    if bool(to.username) != bool(to.password_file):
        raise SettingsError(f"{where}: {prefix}username and {prefix}password_file only work together")
    if to.username and to.bearer_token_file:
        raise SettingsError(f"{where}: {prefix}bearer_token_file: expected either a token or a user name, not both")
    for key, path in (
        ("bearer_token_file", to.bearer_token_file),
        ("password_file", to.password_file),
        ("ca_file", to.ca_file),
    ):
        if path and not Path(path).is_file():
            raise SettingsError(f"{where}: {prefix}{key} = {path!r}: no such file")
    for header, value in to.headers.items():
        if not isinstance(value, str) or not _HEADER.fullmatch(header) or not value.isprintable():
            raise SettingsError(
                f"{where}: {prefix}headers: {header} = {value!r}: expected a header's name and a line of text"
            )
        if header.lower() in ours:
            raise SettingsError(f"{where}: {prefix}headers: {header}: is set by the protocol")


def _secret(path: str, encoding: str = "ascii") -> str:
    """A token is a header as it stands; a password is packed, so it may be of any letters."""
    text = Path(path).read_text(encoding).strip()
    if not text.isprintable():
        raise ValueError(f"{path}: expected one line of text")
    return text
