"""The page for anybody says what was decided to be said, of whom it was decided, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest
from fastapi.testclient import TestClient
from test_pages import BROWSER
from world import World, make_world, plant, serving, trouble

ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = trouble(serving(plant(make_world(tmp_path))))
    made.settings = replace(made.settings, access=replace(made.settings.access, status_pages="nobody adm"))
    made.step()
    yield made
    made.store.close()


@pytest.fixture
def stranger(world: World) -> TestClient:
    """From elsewhere, without a login; one agency has a page."""
    return TestClient(world.app(), base_url="https://bongsu.test")


def test_a_stranger_reads_states_and_no_more(stranger: TestClient, world: World) -> None:
    system = world.registry.fleet.systems["portal"]
    answer = stranger.get(f"/status/{system.agency}?lang=ko", headers=BROWSER)
    assert answer.status_code == 200
    assert system.name_ko in answer.text
    assert not [host for host in world.registry.fleet.hosts if host in answer.text], "no host is named"
    assert not [other.name_ko for other in world.registry.fleet.systems.values()
                if other.agency != system.agency and other.name_ko in answer.text]  # fmt: skip
    assert 'href="/incidents"' not in answer.text


def test_the_feed_is_atom(stranger: TestClient, world: World) -> None:
    system = world.registry.fleet.systems["portal"]
    answer = stranger.get(f"/status/{system.agency}.atom?lang=en")
    assert answer.headers["content-type"].startswith("application/atom+xml")
    top = fromstring(answer.content)
    assert top.tag == f"{ATOM}feed"
    assert top.findtext(f"{ATOM}id") == f"{world.settings.server.url}/status/{system.agency}"
    titles = [entry.findtext(f"{ATOM}title") for entry in top.findall(f"{ATOM}entry")]
    assert titles
    assert all(title and title.startswith(f"{system.name_en}: ") for title in titles)


def test_who_was_not_decided_on_has_none(stranger: TestClient, world: World) -> None:
    others = set(world.registry.fleet.agencies) - set(world.settings.access.status_pages.split())
    for agency in (*others, "nobody", "nope"):
        assert stranger.get(f"/status/{agency}").status_code == 404


def test_the_page_of_a_system_leads_there_where_its_agency_has_one(world: World) -> None:
    near = TestClient(world.app(), base_url="http://127.0.0.1:8650")
    for system in world.registry.fleet.systems.values():
        leads = f'href="/status/{system.agency}"' in near.get(f"/systems/{system.id}", headers=BROWSER).text
        assert leads == (system.agency == "adm"), system.id
