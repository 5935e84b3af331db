"""The maps: coasts cut right, names that do not lie on each other, and the same facts as a table."""

from __future__ import annotations

import re
from itertools import pairwise

from fastapi.testclient import TestClient
from sqlalchemy import update
from test_pages import BROWSER, read
from world import World

from collector.fleet.registry import bump_version
from collector.fleet.tables import sites
from collector.web.coast import svg
from collector.web.map_view import Box, width_of
from collector.web.projection import KOREA, WORLD

PLACES = {"tokyo": (35.7, 139.7), "beijing": (39.9, 116.4), "abuja": (9.1, 7.4), "london": (51.5, -0.1), "frankfurt": (50.1, 8.7), "warsaw": (52.2, 21.0), "new-york": (40.7, -74.0), "washington": (38.9, -77.0), "ottawa": (45.4, -75.7), "dc-djn": (36.35, 127.38), "dc-gwj": (35.16, 126.85)}  # fmt: skip


def test_land_that_crosses_an_edge_is_whole_on_both_sides() -> None:
    ring = [(-40.0, 60.0), (-20.0, 60.0), (-20.0, 70.0), (-40.0, 70.0), (-40.0, 60.0)]  # over the cut in the Atlantic
    far = [(175.0, 0.0), (-175.0, 0.0), (-175.0, 10.0), (175.0, 10.0), (175.0, 0.0)]  # over the date line
    steps = [[ring[0], *[(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(ring)]] for ring in (ring, far)]  # fmt: skip
    land = {"geometries": [{"type": "MultiPolygon", "arcs": [[[0]], [[~1]]]}]}
    drawing = svg(
        {"transform": {"scale": (1, 1), "translate": (0, 0)}, "arcs": steps, "objects": {"land": land}}, WORLD
    )
    pieces = [[float(x) for x in re.findall(r"[ML]([\d.]+) ", piece)] for piece in drawing.split("Z")[:-1]]
    spans = sorted((round(min(xs) / WORLD.unit), round(max(xs) / WORLD.unit)) for xs in pieces)
    assert spans == [(0, 10), (205, 215), (350, 360)]


def test_places_lie_where_they_should() -> None:
    x, y = WORLD.place(0.0, 0.0)
    assert (round(x / WORLD.width, 3), WORLD.place(0.0, 179.9)[0] < WORLD.place(0.0, -179.9)[0]) == (0.083, True)
    assert 0 < y < WORLD.height
    assert KOREA.holds(37.24, 131.87), "Dokdo"
    assert not KOREA.holds(35.7, 139.7)


def test_the_maps_and_their_table(client: TestClient, world: World) -> None:
    with world.store.transaction() as connection:
        for site, (latitude, longitude) in PLACES.items():
            connection.execute(update(sites).where(sites.c.id == site).values(latitude=latitude, longitude=longitude))
        bump_version(connection)
    world.registry.refresh()
    page = read(client.get("/map", headers=BROWSER).text)
    spots = [tag for name, tag in page.tags if name == "a" and "spot" in (tag.get("class") or "").split()]
    assert {tag.get("data-site") for tag in spots} == {*PLACES, None}, "None is Korea, one place on the world's map"
    by_site = {tag.get("data-site"): tag for tag in spots}
    assert by_site["abuja"]["aria-label"] == "주나이지리아대사관 수신두절", "never by colour alone"
    assert by_site["abuja"]["href"] == "/sites/abuja"
    assert len([tag for name, tag in page.tags if name == "th" and tag.get("scope") == "row"]) == 27
    assert "좌표가 없어 지도에 없는 사이트: 16곳" in page.text
    text = client.get("/map", headers=BROWSER).text
    boxes = []
    for x, y, anchor, name in re.findall(r'<text x="([\d.]+)" y="([\d.]+)" text-anchor="(\w+)">([^<]+)', text.split('id="map-korea"')[0]):  # fmt: skip
        wide = width_of(name.strip())
        left = float(x) - {"start": 0, "middle": wide / 2, "end": wide}[anchor]
        boxes.append(Box(left, float(y) - 12, left + wide, float(y) + 3))
    assert len(boxes) == 10
    assert not [(a, b) for place, a in enumerate(boxes) for b in boxes[:place] if a.meets(b)], "no name lies on another"
