"""``[[probes]]`` and ``[probe_guard]``: from agent.toml, or from the centre's policy. Every mistake is told by place and key."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from agent.probes.guard import Allowed, read_allowed
from agent.probes.model import MODULES, Probe
from agent.probes.reach import FAMILIES, host_and_port

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class ProbeError(ValueError):
    """A probe that cannot be used: where, what was found, what was expected."""


class Kind(NamedTuple):
    expected: str
    is_valid: Callable[[Any], bool]


def _is_pattern(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(re.compile(value))
    except re.error:
        return False


def _number(least: float, most: float) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_pairs(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(one, str) for pair in value.items() for one in pair)


TEXT = Kind("a text", lambda value: isinstance(value, str))
FLAG = Kind("true or false", lambda value: isinstance(value, bool))
PATTERN = Kind("a regular expression", _is_pattern)
_TLS = {"verify": FLAG, "ca_file": TEXT, "server_name": TEXT}
OPTIONS: Mapping[str, Mapping[str, Kind]] = {
    "icmp": {
        "count": Kind("a whole number, 1 to 20", lambda value: type(value) is int and 1 <= value <= 20),
        "size_bytes": Kind("a whole number, 0 to 9000", lambda value: type(value) is int and 0 <= value <= 9000),
    },
    "path_mtu": {
        "mtu_bytes": Kind("a whole number, 600 to 9216", lambda value: type(value) is int and 600 <= value <= 9216)
    },
    "tcp": {"tls": FLAG, **_TLS, "send": TEXT, "expect": PATTERN},
    "http": {
        "method": Kind(
            "one of GET, HEAD, POST, PUT, OPTIONS", lambda value: value in ("GET", "HEAD", "POST", "PUT", "OPTIONS")
        ),
        "body": TEXT,
        "headers": Kind('a table of texts, such as { Accept = "text/html" }', _is_pairs),
        "authorization_file": TEXT,
        "status": Kind(
            "a list of codes, such as [200, 302]",
            lambda value: isinstance(value, list) and all(type(one) is int and 100 <= one < 600 for one in value),
        ),
        "body_matches": PATTERN,
        "body_not_matches": PATTERN,
        "header_matches": Kind(
            "a table of regular expressions by header",
            lambda value: _is_pairs(value) and all(map(_is_pattern, value.values())),
        ),
        "follow_redirects": FLAG,
        **_TLS,
    },
    "dns": {
        "query_name": TEXT,
        "query_type": Kind(
            "one of A, AAAA, CNAME, MX, NS, PTR, SOA, SRV, TXT, CAA",
            lambda value: value in ("A", "AAAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT", "CAA"),
        ),
        "rcodes": Kind('a list of texts, such as ["NOERROR"]', _is_texts),
        "answer_matches": PATTERN,
        "transport": Kind("udp or tcp", lambda value: value in ("udp", "tcp")),
    },
}
COMMON: Mapping[str, Kind] = {
    "name": Kind(
        "letters, digits, _ . -, at most 64", lambda value: isinstance(value, str) and bool(NAME.fullmatch(value))
    ),
    "module": Kind(f"one of {', '.join(MODULES)}", lambda value: value in MODULES),
    "target": Kind("a text", lambda value: isinstance(value, str) and bool(value.strip())),
    "interval_seconds": Kind("0 (with each report), or 5 to 3600", lambda value: value == 0 or _number(5, 3600)(value)),
    "timeout_seconds": Kind("0.5 to 60", _number(0.5, 60)),
    "ip_protocol": Kind('"", "ip4" or "ip6"', lambda value: isinstance(value, str) and value in FAMILIES),
}


def read_probes(tables: Sequence[Any], where: str) -> tuple[Probe, ...]:
    """Raises ProbeError. ``where`` is the file, or what else the tables came from."""
    probes = [_read(table, f"{where}: [[probes]] {number}") for number, table in enumerate(tables, 1)]
    names = [probe.name for probe in probes]
    for name in names:
        if names.count(name) > 1:
            raise ProbeError(f"{where}: [[probes]] name = {name!r} stands twice: expected a name of its own for each")
    return tuple(probes)


def _read(table: Any, where: str) -> Probe:
    if not isinstance(table, Mapping):
        raise ProbeError(f"{where}: expected a table, begun with [[probes]]")
    for key in ("name", "module", "target"):
        if key not in table:
            raise ProbeError(f"{where}: {key} is missing: expected {COMMON[key].expected}")
    module = table["module"]
    known = {**COMMON, **OPTIONS.get(module if isinstance(module, str) else "", {})}
    for key, value in table.items():
        if key not in known:
            near = get_close_matches(str(key), known, n=1, cutoff=0.0)[0]
            raise ProbeError(f"{where}: {key}: unknown key of a {module} probe; nearest valid key: {near!r}")
        if not known[key].is_valid(value):
            raise ProbeError(f"{where}: {key} = {value!r}: expected {known[key].expected}")
    common = {key: value for key, value in table.items() if key in COMMON}
    probe = Probe(**common, options={key: value for key, value in table.items() if key not in COMMON})
    _check_target(probe, where)
    return probe


def _check_target(probe: Probe, where: str) -> None:
    if probe.module == "http":
        parts = urlsplit(probe.target)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ProbeError(f"{where}: target = {probe.target!r}: expected http://… or https://…")
    elif probe.module == "tcp":
        try:
            host_and_port(probe.target)
        except ValueError as why:
            raise ProbeError(f"{where}: target = {why}") from why
    elif probe.module == "dns" and not probe.options.get("query_name"):
        raise ProbeError(f"{where}: query_name is missing: expected the name to ask for")


def read_guard(table: Any, where: str) -> tuple[Allowed, ...]:
    """``[probe_guard] allow = […]``. Raises ProbeError."""
    if not isinstance(table, Mapping) or set(table) - {"allow"} or not _is_texts(table.get("allow", [])):
        raise ProbeError(f"{where}: [probe_guard]: expected one key, allow, a list of networks such as 10.1.0.0/16:443")
    try:
        return tuple(read_allowed(text) for text in table.get("allow", []))
    except ValueError as why:
        raise ProbeError(f"{where}: [probe_guard] allow: {why}") from why
