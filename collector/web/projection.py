"""Where a place lies on our two maps. Both are plain cylinders: x grows with longitude, y with latitude.

The world is cut in the Atlantic, as maps in Korea are, so that lines from Korea to both Americas cross the Pacific.
"""

from __future__ import annotations

from math import cos, radians
from typing import NamedTuple


class View(NamedTuple):
    """A map: its edges in degrees, and how many units of the drawing a degree of longitude is wide."""

    name: str
    west: float
    south: float
    east: float
    """Beyond 180 where the map goes over the date line."""
    north: float
    unit: float
    true_at: float
    """Latitude at which shapes are right."""

    @property
    def width(self) -> float:
        return (self.east - self.west) * self.unit

    @property
    def height(self) -> float:
        return (self.north - self.south) * self._per_latitude

    @property
    def _per_latitude(self) -> float:
        return self.unit / cos(radians(self.true_at))

    def place(self, latitude: float, longitude: float) -> tuple[float, float]:
        """x and y; beyond the edges where it is not on this map."""
        return (longitude - self.west) % 360 * self.unit, (self.north - latitude) * self._per_latitude

    def holds(self, latitude: float, longitude: float) -> bool:
        return self.south <= latitude <= self.north and (longitude - self.west) % 360 <= self.east - self.west


WORLD = View("world", -30.0, -57.0, 330.0, 76.0, 1400 / 360, 35.0)
KOREA = View("korea", 124.3, 32.9, 132.3, 39.1, 58.0, 36.0)
"""As far as Dokdo."""
