"""What a kind of channel can be told: a frozen dataclass per sender, read from its ``[[channels]]`` table.

A secret is an option of type ``Secret``: the table names a file (``password_file``), or the environment has the value
(``BONGSU_CHANNEL_<NAME>_PASSWORD``) or names the file (``…_PASSWORD_FILE``). It is read for each message, so that it may
change while we run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from collector.errors import SettingsError, nearest
from collector.pages.senders.base import SendError
from collector.settings_channels import ENVIRONMENT, Channel

Options = TypeVar("Options")


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that nobody prints. Falsy where none is set."""

    where: str = ""
    file: str = ""
    value: str = field(default="", repr=False)

    def __bool__(self) -> bool:
        return bool(self.file or self.value)

    def read(self) -> str:
        """Raises SendError where the file cannot be read or holds nothing."""
        if self.value or not self.file:
            return self.value
        try:
            text = Path(self.file).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as why:
            raise SendError(f"{self.where}: {self.file} cannot be read: {why}", True, "settings") from why
        if not text:
            raise SendError(f"{self.where}: {self.file} is empty", True, "settings")
        return text


def option(default: Any, expected: str, *, choices: tuple[str, ...] = (), least: int = 0, most: int = 1 << 31) -> Any:
    """A field of options. ``default`` of a list or table is its kind: ``list`` or ``dict``."""
    told = {"expected": expected, "choices": choices, "least": least, "most": most, "required": False}
    if default in (list, dict):
        return field(default_factory=default, metadata=told)
    return field(default=default, metadata=told)


def required(expected: str, *, choices: tuple[str, ...] = ()) -> Any:
    """A text that has to be there."""
    return field(
        default="", metadata={"expected": expected, "choices": choices, "least": 0, "most": 0, "required": True}
    )


def secret(expected: str, *, needed: bool = True) -> Any:
    told = {"expected": expected, "choices": (), "least": 0, "most": 0, "required": needed}
    return field(default=Secret(), metadata=told)


def read_options(kind: type[Options], channel: Channel) -> Options:
    """Raises SettingsError, naming the channel and the key."""
    where = f"[[channels]] {channel.name}"
    known: dict[str, Field[Any]] = {one.name: one for one in fields(kind)}  # type: ignore[arg-type]
    written = [f"{one.name}_file" if isinstance(one.default, Secret) else one.name for one in known.values()]
    values: dict[str, Any] = {}
    for key, value in channel.table.items():
        if key in known and isinstance(known[key].default, Secret):
            hint = f"{ENVIRONMENT}{channel.name.upper()}_{key.upper()}"
            raise SettingsError(f"{where}: {key}: a secret: expected {key}_file = a file's path, or {hint}")
        if key not in written:
            raise SettingsError(f"{where}: {key}: unknown key of kind {channel.kind}; {nearest(key, written)}")
        if key in known:
            values[key] = _checked(f"{where}: {key}", value, known[key])
    for name, one in known.items():
        if isinstance(one.default, Secret):
            values[name] = _secret(f"{where}: {name}", name, channel)
        if one.metadata["required"] and not values.get(name):
            key = f"{name}_file" if isinstance(one.default, Secret) else name
            raise SettingsError(f"{where}: {key}: missing; expected {one.metadata['expected']}")
    return kind(**values)


def _secret(where: str, name: str, channel: Channel) -> Secret:
    said: Mapping[str, str] = channel.environment
    if said.get(name):
        return Secret(where, value=said[name])
    file = said.get(f"{name}_file") or channel.table.get(f"{name}_file", "")
    if not isinstance(file, str):
        raise SettingsError(f"{where}_file = {file!r}: expected the path of a file")
    if file and not Path(file).is_file():
        raise SettingsError(f"{where}_file = {file!r}: no such file")
    return Secret(where, file=file) if file else Secret()


def _checked(where: str, value: Any, one: Field[Any]) -> Any:
    told = one.metadata
    assert one.default is not MISSING or one.default_factory is not MISSING
    default = one.default_factory() if one.default_factory is not MISSING else one.default
    if type(value) is not type(default):
        raise SettingsError(f"{where} = {value!r}: expected {told['expected']}")
    if isinstance(value, int) and not told["least"] <= value <= told["most"]:
        raise SettingsError(f"{where} = {value!r}: expected {told['expected']}")
    if told["choices"] and value not in told["choices"]:
        raise SettingsError(f"{where} = {value!r}: {nearest(str(value), told['choices'])}")
    if isinstance(value, str):
        if not all(letter.isprintable() for letter in value):
            raise SettingsError(f"{where} = {value!r}: expected one line of text")
        if one.name.endswith("url") and value:
            _check_url(where, value)
        if one.name.endswith("_file") and value and not Path(value).is_file():
            raise SettingsError(f"{where} = {value!r}: no such file")
    return value


def _check_url(where: str, value: str) -> None:
    try:
        parts = urlsplit(value)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
        _ = parts.port
    except ValueError:
        fits = False
    if not fits:
        raise SettingsError(f"{where} = {value!r}: expected http://… or https://… with a host name and no user")
