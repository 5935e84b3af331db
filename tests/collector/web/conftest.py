from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from world import World, make_world, on_duty, plant, trouble


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """The demonstration fleet with some of everything wrong."""
    made = on_duty(trouble(plant(make_world(tmp_path))))
    yield made
    made.store.close()


@pytest.fixture
def client(world: World) -> Iterator[TestClient]:
    with TestClient(world.app(), base_url="http://127.0.0.1:8650") as made:
        yield made
