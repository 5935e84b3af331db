"""The one way out over HTTP: whom we may reach, for how long, how much we listen to, and through which proxy.

Two questions are asked of every address. May this collector reach it at all (``[outbound] allow`` and ``deny``)? And,
where the address is a person's and not the operator's, does it lie outside our own networks? Else anybody who may write
an address into a roster could have this machine talk to the services beside it. A name is resolved once, and the
connection goes to the address that was looked at.

Redirects are never followed: a webhook that moved is a setting to change, and a redirect is how a guard is walked around.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

from collector.errors import SettingsError
from collector.pages.limit import Limit
from collector.pages.senders.base import SendError
from collector.settings_channels import Outbound

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], list[str]]
MOST_SECONDS = 50
"""Less than the time a page is lent to who sends it: after that another sends it too."""
NAT64 = IPv6Network("64:ff9b::/96")


class Outward(NamedTuple):
    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


class Answered(NamedTuple):
    """Header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def text(self, most: int = 200) -> str:
        """What it said, for people: one line."""
        return " ".join(self.body[: 4 * most].decode("utf-8", "replace").split())[:most]


class Door:
    """Safe for several threads: every request has a connection of its own."""

    def __init__(self, settings: Outbound, resolve: Resolve | None = None) -> None:
        """Raises SettingsError where a list holds what is no host and no network."""
        self._settings = settings
        self._resolve = resolve or _resolve
        self._allow = _Hosts("allow", settings.allow)
        self._deny = _Hosts("deny", settings.deny)
        self._private = _Hosts("private", settings.private)
        self._no_proxy = _Hosts("no_proxy", settings.no_proxy)
        if settings.timeout_seconds > MOST_SECONDS:
            raise SettingsError(
                f"[outbound] timeout_seconds = {settings.timeout_seconds}: expected 1 to {MOST_SECONDS}"
            )
        self._proxy = urlsplit(settings.proxy) if settings.proxy else None
        if self._proxy is not None and (self._proxy.scheme != "http" or not self._proxy.hostname):
            raise SettingsError(f"[outbound] proxy = {settings.proxy!r}: expected http:// and a host")

    def request(self, out: Outward, *, is_ours: bool, ca_file: str = "", seconds: float = 0) -> Answered:
        """One request, one answer of any status. ``is_ours``: the address is from the settings, not from a person.

        Raises SendError: address, blocked, unreachable, timeout.
        """
        url = _split(out.url)
        host = url.hostname or ""
        addresses: list[str] = []
        if self._proxy is not None and not self._no_proxy.has(host, _literal(host)):
            self._look(host, _literal(host), is_ours)  # a name is the proxy's to resolve
        else:
            addresses = self.way(host, _port(url), is_ours=is_ours)
        allowed = seconds or self._settings.timeout_seconds
        with Limit(allowed) as limit:
            try:
                return self._exchange(out, url, addresses, limit, allowed, ca_file)
            except (OSError, http.client.HTTPException, ValueError) as why:
                if limit.is_over or isinstance(why, TimeoutError):
                    raise SendError(f"{_shown(url)}: no whole answer in {allowed} s", False, "timeout") from why
                if isinstance(why, (OSError, http.client.HTTPException)) and not isinstance(
                    why, http.client.InvalidURL
                ):
                    raise SendError(f"{_shown(url)}: {type(why).__name__}: {why}", False, "unreachable") from why
                raise SendError(f"{_shown(url)}: cannot be asked: {why}", True, "address") from why

    def way(self, host: str, port: int, *, is_ours: bool) -> list[str]:
        """The addresses of a host we may reach; also for what is not HTTP (SMTP). Raises SendError."""
        try:
            found = _literal(host) or tuple(ip_address(one) for one in self._resolve(host, port))
        except (OSError, UnicodeError) as why:
            raise SendError(f"{host}: the name has no address: {why}", False, "unreachable") from why
        if not found:
            raise SendError(f"{host}: the name has no address", False, "unreachable")
        self._look(host, found, is_ours)
        return [str(one) for one in found]

    def _look(self, host: str, addresses: tuple[Address, ...], is_ours: bool) -> None:
        if self._deny.has(host, addresses, any_will_do=True):
            raise SendError(f"{host}: [outbound] deny names it", True, "blocked")
        if self._allow and not self._allow.has(host, addresses):
            raise SendError(f"{host}: [outbound] allow does not name it", True, "blocked")
        if is_ours or self._private.has(host, addresses):
            return
        for one in addresses:
            if not _is_public(one):
                text = f"{host} is {one}, a private address, and it is not from our settings: see [outbound] private"
                raise SendError(text, True, "blocked")

    def _exchange(
        self, out: Outward, url: SplitResult, addresses: list[str], limit: Limit, seconds: float, ca_file: str
    ) -> Answered:
        is_proxied = not addresses
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        if is_proxied and url.scheme == "http":
            path = url._replace(fragment="").geturl()
        connection = (
            self._by_proxy(url, limit, seconds, ca_file)
            if is_proxied
            else self._straight(url, addresses, limit, seconds, ca_file)
        )
        try:
            connection.putrequest(out.method, path, skip_host=True, skip_accept_encoding=True)
            connection.putheader("Host", url.netloc)
            for name, value in out.headers:
                connection.putheader(name, value)
            if out.method == "POST":
                connection.putheader("Content-Length", str(len(out.body)))
            connection.putheader("Connection", "close")
            connection.endheaders(out.body or None)
            answer = connection.getresponse()
            body = answer.read(self._settings.answer_bytes + 1)
            if len(body) > self._settings.answer_bytes:
                raise http.client.HTTPException(f"answer over {self._settings.answer_bytes} bytes")
            if answer.length:  # bytes that were promised and did not come
                raise http.client.IncompleteRead(body, answer.length)
            return Answered(answer.status, {k.lower(): v for k, v in answer.getheaders()}, body)
        finally:
            connection.close()

    def _by_proxy(self, url: SplitResult, limit: Limit, seconds: float, ca_file: str) -> http.client.HTTPConnection:
        assert self._proxy is not None
        at = self._proxy.hostname or "", self._proxy.port or 3128
        connection: http.client.HTTPConnection
        if url.scheme == "https":
            connection = http.client.HTTPSConnection(*at, timeout=seconds, context=self.trust(ca_file))
            connection.set_tunnel(url.hostname or "", _port(url))
        else:
            connection = http.client.HTTPConnection(*at, timeout=seconds)
        connection.connect()
        limit.watch(connection.sock)
        return connection

    def _straight(
        self, url: SplitResult, addresses: list[str], limit: Limit, seconds: float, ca_file: str
    ) -> http.client.HTTPConnection:
        raw = connected(addresses, _port(url), seconds)
        limit.watch(raw)
        connection = http.client.HTTPConnection(url.hostname or "", _port(url), timeout=seconds)
        try:
            connection.sock = raw
            if url.scheme == "https":
                wrapped = self.trust(ca_file).wrap_socket(
                    raw, server_hostname=url.hostname, do_handshake_on_connect=False
                )
                connection.sock = wrapped
                limit.watch(wrapped)
                wrapped.do_handshake()
        except BaseException:
            connection.close()
            raise
        return connection

    def trust(self, ca_file: str = "") -> ssl.SSLContext:
        """How a server's certificate is verified here; for what is not HTTP, too. Raises OSError."""
        context = ssl.create_default_context(cafile=ca_file or self._settings.ca_file or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


def connected(addresses: list[str], port: int, seconds: float) -> socket.socket:
    """To the first address that answers. Raises OSError of the last one."""
    for place, address in enumerate(addresses, 1):
        try:
            found = socket.create_connection((address, port), timeout=seconds / len(addresses))
        except OSError:
            if place == len(addresses):
                raise
            continue
        found.settimeout(seconds)
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return found
    raise AssertionError("no address to connect to")


class _Hosts:
    """A list from the settings: names, ``*.names``, addresses, networks."""

    def __init__(self, key: str, text: str) -> None:
        self._names: set[str] = set()
        self._ends: tuple[str, ...] = ()
        self._networks: list[Any] = []
        for word in text.lower().split():
            try:
                self._networks.append(ip_network(word, strict=False))
                continue
            except ValueError:
                pass
            if "/" in word or ":" in word:
                raise SettingsError(f"[outbound] {key}: {word!r}: expected a host, *.host, an address or a network")
            if word.startswith("*."):
                self._ends += (word[1:],)
            else:
                self._names.add(word)

    def __bool__(self) -> bool:
        return bool(self._names or self._ends or self._networks)

    def has(self, host: str, addresses: tuple[Address, ...], *, any_will_do: bool = False) -> bool:
        """The name, or all its addresses (``any_will_do``: one of them)."""
        name = host.lower().rstrip(".")
        if name in self._names or (self._ends and name.endswith(self._ends)):
            return True
        inside = [any(one in network for network in self._networks) for one in addresses]
        return bool(inside) and (any(inside) if any_will_do else all(inside))


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return _is_public(inner)
    return address.is_global and not address.is_multicast


def _literal(host: str) -> tuple[Address, ...]:
    try:
        return (ip_address(host),)
    except ValueError:
        return ()


def _resolve(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]).partition("%")[0] for one in found))


def _split(text: str) -> SplitResult:
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError as why:
        raise SendError(f"address: not a URL: {why}", True, "address") from why
    if url.scheme not in ("http", "https") or not url.hostname or url.username is not None:
        raise SendError("address: expected http://… or https://… with a host and no user", True, "address")
    if any(not letter.isprintable() or letter == " " or ord(letter) > 126 for letter in text):
        raise SendError("address: a URL of ASCII letters without spaces was expected", True, "address")
    return url


def _port(url: SplitResult) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


def _shown(url: SplitResult) -> str:
    """Host and port only: the path of a webhook is a secret."""
    return f"{url.scheme}://{url.netloc}"
