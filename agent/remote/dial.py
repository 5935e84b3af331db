"""A TCP connection within a deadline, name look-up included: the resolver waits as long as it likes (5 to 30 s)."""

from __future__ import annotations

import ipaddress
import socket
import threading

from agent.checks.base import CheckFailed, DeadlineExceeded
from agent.remote.channel import Left


def dial(address: str, port: int, where: str, left: Left) -> socket.socket:
    """Connected to the first address that answers; CheckFailed says why none did, DeadlineExceeded what took the time."""
    why: OSError | None = None
    for place in [address] if _is_literal(address) else _look_up(address, where, left):
        try:
            sock = socket.create_connection((place, port), timeout=left(f"connecting to {place}"))
        except TimeoutError as error:
            raise DeadlineExceeded(f"no answer from {place} port {port} while connecting") from error
        except OSError as error:
            why = error
            continue
        # Questions are small packets one after the other: without this each waits 40 ms for the last one's delayed ACK.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock
    raise CheckFailed(
        f"{where}: no connection ({why.strerror if why is not None else 'the name has no address'}); "
        "expected an SSH server there: check address, port and firewall"
    ) from why


def _is_literal(address: str) -> bool:
    try:
        ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return True


def _look_up(name: str, where: str, left: Left) -> list[str]:
    """Addresses of a name. A look-up that hangs is left behind in its thread, which ends with the resolver's patience."""
    found: list[str] = []
    failed: list[OSError] = []
    done = threading.Event()

    def ask() -> None:
        try:
            found.extend(
                dict.fromkeys(str(row[4][0]) for row in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM))
            )
        except OSError as error:
            failed.append(error)
        done.set()

    threading.Thread(target=ask, name=f"look up {name}", daemon=True).start()
    doing = f"looking up the name {name}"
    if not done.wait(left(doing)):
        raise DeadlineExceeded(f"time was over while {doing}; give its address instead, or mend DNS")
    if failed:
        raise CheckFailed(f"{where}: {name} has no address ({failed[0].strerror}); check the name, or give its address")
    return found
