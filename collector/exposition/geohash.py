"""Positions as geohashes, which Grafana's map reads from a label. The scheme is Gustavo Niemeyer's, public domain."""

from __future__ import annotations

_DIGITS = "0123456789bcdefghjkmnpqrstuvwxyz"


def geohash(latitude: float, longitude: float, length: int = 7) -> str:
    """``length`` base-32 digits; 7 are about 150 m. Bits alternate, longitude first, each halving its range."""
    low, high = [-180.0, -90.0], [180.0, 90.0]
    point = (longitude, latitude)
    bits = 0
    for at in range(5 * length):
        axis = at % 2
        middle = (low[axis] + high[axis]) / 2
        is_upper = point[axis] >= middle
        bits = bits << 1 | is_upper
        (low if is_upper else high)[axis] = middle
    return "".join(_DIGITS[bits >> 5 * (length - 1 - at) & 31] for at in range(length))
