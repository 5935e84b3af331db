"""The numbers of many hosts as one text, grouped by family, made in turns so that pushes never wait for a scrape.

A family's lines of all hosts stand together, but a host's lines are cheap to write only together. So the families are
cut into bands: of each band all hosts are rendered, sent and forgotten before the next, and never is more than one band's
text in memory.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence

from agent.link.names import TYPE_NAMES
from collector.exposition.helps import HELP_LINES
from collector.exposition.turns import Turns
from collector.live.board import LiveHost
from collector.live.render import Part, part_of, pieces
from collector.live.shape import Shape

RENDER_BYTES = 400 << 10
"""Text rendered before others get a turn: about half a millisecond, because a push needs several turns."""
JOIN_BYTES = 256 << 10
"""Text joined and compressed before others get a turn: about as long."""
FORGET_BYTES = 2 << 20
"""Text given back before others get a turn: all of a band at once took ten milliseconds."""
BAND_BYTES = 6 << 20
MOST_BANDS = 4
"""Each costs a twentieth of a scrape more, and the next saves ever less."""
Hosts = list[tuple[LiveHost, bytes]]
"""With the labels of each."""
Family = tuple[str, int]


async def host_text(
    hosts: Sequence[tuple[LiveHost, bytes]], turns: Turns, band_bytes: int = BAND_BYTES
) -> AsyncIterator[bytes]:
    """Chunks of exposition text for hosts with their labels, one family after the other, names sorted."""
    by_shape: dict[int, tuple[Shape, Hosts]] = {}
    for host, labels in hosts:
        shape = host.columns.shape
        by_shape.setdefault(id(shape), (shape, []))[1].append((host, labels))
    groups = list(by_shape.values())
    for band in bands(groups, band_bytes):
        rendered = []
        for shape, members in groups:
            part = part_of(shape, band[0][0], band[-1][0])
            if part is None:
                continue
            found: list[list[bytes]] = []
            rendered.append((part, found))
            turn = 1 + RENDER_BYTES // part.bytes
            for start in range(0, len(members), turn):
                found += [pieces(host, labels, part) for host, labels in members[start : start + turn]]
                await turns.over()
        async for chunk in _grouped(band, rendered, turns):
            yield chunk
        for part, found in rendered:
            turn = 1 + FORGET_BYTES // part.bytes
            while found:
                del found[-turn:]
                await turns.over()


async def _grouped(
    families: Iterable[Family], rendered: Sequence[tuple[Part, list[list[bytes]]]], turns: Turns
) -> AsyncIterator[bytes]:
    waiting = 0
    for name, kind in families:
        yield HELP_LINES.get(name, b"") + f"# TYPE {name} {TYPE_NAMES[kind]}\n".encode()
        for part, found in rendered:
            at = part.family_at.get(name)
            if at is None:
                continue
            turn = 1 + JOIN_BYTES // part.family_bytes[at]  # measuring every piece was a quarter of a scrape
            for start in range(0, len(found), turn):
                lines = b"\n".join(filter(None, [of_host[at] for of_host in found[start : start + turn]]))
                if lines:
                    yield lines + b"\n"
                waiting += len(lines)
                if waiting >= JOIN_BYTES:
                    waiting = 0
                    await turns.over()


def bands(groups: Sequence[tuple[Shape, Hosts]], least_bytes: int) -> Iterator[list[Family]]:
    """All families, names sorted, cut where the text of a band is large enough."""
    sizes: dict[Family, int] = {}
    for shape, members in groups:
        for family, size in zip(shape.families, shape.family_bytes, strict=True):
            sizes[family] = sizes.get(family, 0) + size * len(members)
    enough = max(least_bytes, sum(sizes.values()) // MOST_BANDS)
    band: list[Family] = []
    size = 0
    for family in sorted(sizes):
        band.append(family)
        size += sizes[family]
        if size >= enough:
            yield band
            band, size = [], 0
    if band:
        yield band
