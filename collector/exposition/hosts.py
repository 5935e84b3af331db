"""The numbers of many hosts as one text, grouped by family, made in turns so that pushes never wait for a scrape."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from agent.link.names import TYPE_NAMES
from collector.live.board import LiveHost
from collector.live.render import pieces
from collector.live.shape import Shape

RENDER_TURN = 12
"""Hosts rendered before others get a turn: about half a millisecond, because a push needs several turns."""
JOIN_BYTES = 256 << 10
"""Text joined and compressed before others get a turn: about as long."""


async def host_text(hosts: Sequence[tuple[LiveHost, bytes]]) -> AsyncIterator[bytes]:
    """Chunks of exposition text for hosts with their labels, one family after the other, names sorted."""
    groups: dict[int, tuple[Shape, list[list[bytes]]]] = {}
    for done, (host, labels) in enumerate(hosts, 1):
        shape = host.columns.shape
        groups.setdefault(id(shape), (shape, []))[1].append(pieces(host, labels))
        if done % RENDER_TURN == 0:
            await asyncio.sleep(0)
    waiting = 0
    families = sorted({family for shape, _ in groups.values() for family in shape.families})
    for name, kind in families:
        yield f"# TYPE {name} {TYPE_NAMES[kind]}\n".encode()
        for shape, rendered in groups.values():
            at = shape.family_at.get(name)
            if at is None:
                continue
            turn = 1 + JOIN_BYTES // shape.family_bytes[at]  # measuring every piece was a quarter of a scrape
            for start in range(0, len(rendered), turn):
                lines = b"\n".join(filter(None, [of_host[at] for of_host in rendered[start : start + turn]]))
                if lines:
                    yield lines + b"\n"
                waiting += len(lines)
                if waiting >= JOIN_BYTES:
                    waiting = 0
                    await asyncio.sleep(0)
