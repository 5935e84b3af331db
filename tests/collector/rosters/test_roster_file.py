"""The file of rosters: its example is right, every mistake is told with its place, and it is taken over whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from small_rosters import ROSTERS
from stage import Stage

from collector.errors import TopologyError
from collector.people.queries import list_people, whole_book
from collector.rosters.queries import add_override, load_rosters
from collector.rosters.roster_apply import apply_rosters
from collector.rosters.roster_file import TABLES, is_roster_file, read_rosters
from collector.rosters.roster_keys import LAYERS, MEMBERSHIPS, turn_hours
from collector.store.scope import EVERYTHING, Scope

EXAMPLE = (Path(__file__).parents[3] / "configs/rosters.toml").read_text("utf-8")


def test_the_example_shows_every_key_and_is_right() -> None:
    plain, larger = EXAMPLE.split("# --- A larger example", 1)
    assigned = set(re.findall(r"^(?:# )?([a-z_]+) = ", plain, re.M))
    wanted = {key for keys in TABLES.values() for key in keys} | set(LAYERS) | set(MEMBERSHIPS)
    assert wanted - {"layers"} <= assigned
    read_rosters(plain)
    switched_on = re.sub(r"^# ((?:\[\[[a-z.]+\]\]$|[a-z_]+ = ).*)", r"\1", larger.partition("\n")[2], flags=re.M)
    found = read_rosters(plain + switched_on)
    assert set(found.rosters) == {"operations", "noc", "day-and-home"}
    assert found.rosters["noc"]["layers"][0]["cycle"] == tuple("DDNN----")


def test_a_roster_file_is_known_by_its_tables() -> None:
    topology = (Path(__file__).parents[3] / "configs/topology.toml").read_text("utf-8")
    assert is_roster_file(EXAMPLE)
    assert not is_roster_file(topology)
    assert not is_roster_file("")
    assert not is_roster_file("[[people")


HEAD = '[[people]]\nid = "kim"\n[[rosters]]\nid = "r"\n[[rosters.layers]]\nname = "main"\nstarts = 2026-01-05\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[people]]\nid = 'Kim'", "rosters.toml:1: people 'Kim': id = 'Kim': expected 1 to 63"),
        ("[[people]]\nid = 'a'\nnmae_ko = ''", "people 'a': nmae_ko: unknown key; did you mean 'name_ko'?"),
        ("[[people]]\nid = 'a'\n[[people]]\nid = 'a'", "rosters.toml:3: people 'a': is there twice"),
        ("[[people]]\nid = 'a'\ntimezone = 'Asia/Soul'", "timezone = 'Asia/Soul': no such time zone"),
        ("[[people]]\nid = 'a'\nquiet_hours = '7-8'", "expected two local times such as '23:00-07:00'"),
        ("[[people]]\nid = 'a'\ncontacts = [{channel='pigeon', address='x'}]", "channel = 'pigeon': expected one of"),
        ("[[people]]\nid = 'a'\ncontacts = [{channel='email'}]", "contacts 'no. 1': address: missing"),
        ("[[teams]]\nid = 't'\nmembers = ['nobody']", "teams 't': members: 'nobody': no such person among [[people]]"),
        ("[[sites]]\nid = 's'\n[[people]]\nid = 'a'", "unknown table in a file of rosters"),
        (HEAD + "crews = [['@night']]", "crews: '@night': no such team among [[teams]]"),
        (HEAD + "crews = []", "layers 'main': crews: expected at least one"),
        (HEAD + "crews = [['kim']]\nturn = 'dayly'", "turn = 'dayly': expected 'daily', 'weekly'"),
        (HEAD + "crews = [['kim']]\nkind = 'cycle'\npattern = '4x2'", "expected 4 crews"),
        (HEAD + "crews = [['kim']]\nkind = 'cycle'", "cycle: missing"),
        (HEAD + "crews = [['kim']]\nkind = 'cycle'\ncycle = 'X'", "letters without hours: X"),
        (HEAD + "crews = [['kim']]\nkind = 'sun'", "sites: expected one for each of the 1 crews"),
        (HEAD + "crews = [['kim']]\ndays = ['sunday']", "days = ['sunday']: expected 'all', 'working', 'off'"),
        ("[[people]]\nid = 'a'\n[[rosters]]\nid = 'r'", "layers: missing"),
        ("people = 3", "expected tables, each written [[people]]"),
        ("[[people", "not TOML"),
    ],
)
def test_mistakes_are_told(text: str, said: str) -> None:
    with pytest.raises(TopologyError) as caught:
        read_rosters(text)
    assert said in str(caught.value)


@pytest.mark.parametrize(("turn", "hours"), [("daily", 24), ("weekly", 168), ("12h", 12), ("3d", 72), ("2w", 336)])
def test_turns_in_hours(turn: str, hours: int) -> None:
    assert turn_hours(turn) == hours


def test_applied_twice_changes_nothing_and_a_change_is_told_by_its_key(stage: Stage) -> None:
    with stage.store.transaction() as connection:
        assert apply_rosters(connection, read_rosters(ROSTERS)) == []
        later = read_rosters(ROSTERS.replace('hours = "office"', 'hours = "outside"'))
        (change,) = apply_rosters(connection, later)
    assert str(change) == "~ rosters   here  layers.day.hours: 'office' -> 'outside'"


def test_what_the_file_no_longer_names_goes_and_what_pages_made_stays(stage: Stage) -> None:
    now = stage.clock.now
    with stage.store.transaction() as connection:
        (noc,) = [each for each in load_rosters(connection) if each.id == "noc"]
        add_override(
            connection, noc, out="kim", instead="ada", began_at=now, ended_at=now.replace(hour=23), now=now, by="t"
        )
        shorter = ROSTERS[: ROSTERS.rindex("[[rosters]]")].replace('name_en = "Kim Garam"', 'name_en = "Kim G."')
        signs = [(change.sign, change.noun, change.id) for change in apply_rosters(connection, read_rosters(shorter))]
        assert signs == [("~", "people", "kim"), ("-", "rosters", "away")]
        (noc,) = [each for each in load_rosters(connection) if each.id == "noc"]
        assert [(o.out, o.instead) for o in noc.overrides] == [("kim", "ada")]
        apply_rosters(connection, read_rosters("[[people]]\nid = 'kim'"))
        assert load_rosters(connection) == []
        assert set(whole_book(connection).people) == {"kim"}


def test_agencies_sites_and_logins_must_be_there(stage: Stage) -> None:
    text = ROSTERS.replace('login = "kim"', 'login = "kimm"').replace('sites = ["here"]', 'sites = ["hree"]')
    with stage.store.transaction() as connection, pytest.raises(TopologyError) as caught:
        apply_rosters(connection, read_rosters(text))
    assert "people 'kim': login: no such login 'kimm'; did you mean 'kim'?" in str(caught.value)
    assert "rosters 'here': sites: no such site 'hree'; did you mean 'here'?" in str(caught.value)


def test_an_agency_sees_its_own_people_and_those_of_the_centre(stage: Stage) -> None:
    with stage.store.reading() as connection:
        assert [p.id for p in list_people(connection, EVERYTHING)] == ["ada", "kim", "lee", "omar"]
        assert [p.id for p in list_people(connection, Scope(frozenset({"owner"})))] == ["ada", "kim", "lee"]
