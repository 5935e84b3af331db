"""Coasts as SVG, from the TopoJSON of the npm package world-atlas. Runs when the front end is built, never in a request.

Land only, without borders: where a state ends is not ours to say, and no site's state depends on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from collector.web.projection import View

Ring = list[tuple[float, float]]
"""Longitude and latitude in degrees."""


def svg(topology: dict[str, Any], view: View) -> str:
    """A drawing of the land of one map. The grey is half clear, so that it suits a light page and a dark one."""
    path = "".join(_paths(topology, view))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {view.width:.0f} {view.height:.0f}">'
        f'<path fill="#7d8b99" fill-opacity=".34" fill-rule="evenodd" d="{path}"/></svg>\n'
    )


def _paths(topology: dict[str, Any], view: View) -> Iterator[str]:
    for found in rings(topology):
        ring = _unbroken(found)
        for turn in (-360.0, 0.0, 360.0):
            cut = _cut([(longitude + turn, latitude) for longitude, latitude in ring], view)
            points = _thinned([view_point(view, *point) for point in cut])
            if len(points) > 2:
                yield "M" + "L".join(f"{x:g} {y:g}" for x, y in points) + "Z"


def view_point(view: View, longitude: float, latitude: float) -> tuple[float, float]:
    """As ``View.place``, without wrapping: what is cut to the map lies on it."""
    height = view.height * (view.north - latitude) / (view.north - view.south)
    return round((longitude - view.west) * view.unit, 1), round(height, 1)


def rings(topology: dict[str, Any]) -> Iterator[Ring]:
    """Every ring of the land, outer ones and lakes alike."""
    scale, shift = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs: list[Ring] = []
    for steps in topology["arcs"]:
        x = y = 0
        arc = []
        for dx, dy in steps:
            x, y = x + dx, y + dy
            arc.append((x * scale[0] + shift[0], y * scale[1] + shift[1]))
        arcs.append(arc)
    for shape in topology["objects"]["land"]["geometries"]:
        polygons = shape["arcs"] if shape["type"] == "MultiPolygon" else [shape["arcs"]]
        for polygon in polygons:
            for numbers in polygon:
                ring: Ring = []
                for number in numbers:  # a negative one is that arc backwards
                    arc = arcs[number] if number >= 0 else arcs[~number][::-1]
                    ring += arc[1:] if ring else arc
                yield ring


def _unbroken(ring: Ring) -> Ring:
    """Longitudes that go on over the date line instead of jumping to the other end."""
    found: Ring = []
    for longitude, latitude in ring:
        last = found[-1][0] if found else longitude
        found.append((longitude + round((last - longitude) / 360) * 360, latitude))
    return found


def _cut(ring: Sequence[tuple[float, float]], view: View) -> Ring:
    """What of a ring lies within the map's edges (Sutherland and Hodgman)."""
    found = list(ring)
    for axis, edge, sign in ((0, view.west, 1), (0, view.east, -1), (1, view.south, 1), (1, view.north, -1)):
        before, found = found, []
        for place, point in enumerate(before):
            last = before[place - 1]
            is_in, was_in = (point[axis] - edge) * sign >= 0, (last[axis] - edge) * sign >= 0
            if is_in != was_in:
                part = (edge - last[axis]) / (point[axis] - last[axis])
                found.append((last[0] + part * (point[0] - last[0]), last[1] + part * (point[1] - last[1])))
            if is_in:
                found.append(point)
    return found


def _thinned(points: Ring) -> Ring:
    """Without points that lie where the one before lies."""
    found: Ring = []
    for point in points:
        if not found or abs(point[0] - found[-1][0]) + abs(point[1] - found[-1][1]) >= 0.5:
            found.append(point)
    return found
