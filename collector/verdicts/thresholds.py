"""What is too slow and too lossy on a line of each kind, until its own baseline is learned or the file says otherwise."""

from __future__ import annotations

from typing import NamedTuple

from collector.fleet.paths import Link


class Limits(NamedTuple):
    rtt_ms: float
    loss_ratio: float


BY_KIND = {
    "lan": Limits(50.0, 0.02),
    "leased": Limits(400.0, 0.02),
    "vpn": Limits(600.0, 0.05),
    "leo": Limits(500.0, 0.05),
    "geo": Limits(1_000.0, 0.08),
    "thin": Limits(1_500.0, 0.08),
}
NO_LINK = Limits(2_000.0, 0.5)
"""Of a path that stands for no line."""


def limits_of(link: Link | None) -> Limits:
    if link is None:
        return NO_LINK
    usual = BY_KIND.get(link.kind, NO_LINK)
    return Limits(link.rtt_ms_limit or usual.rtt_ms, link.loss_ratio_limit or usual.loss_ratio)
