"""The topology file: what is right, and every mistake with its line, all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.errors import TopologyError
from collector.fleet.topology import read_topology
from collector.fleet.topology_change import difference, summary
from collector.fleet.topology_default import default_topology
from collector.fleet.topology_keys import KEYS

ROOT = Path(__file__).parents[3]
AGENCY = '[[agencies]]\nid = "a"\n'
SITE = AGENCY + '[[sites]]\nid = "s"\nagency = "a"\ntimezone = "Asia/Seoul"\n'
LINK = '[[links]]\nname = "l"\nsite = "s"\n'
PROBE = '[[probes]]\nfrom = "h.s"\ntarget = "t"\n'
SYSTEM = '[[systems]]\nid = "v"\nagency = "a"\ngrade = 1\n'


def problems(text: str) -> list[str]:
    with pytest.raises(TopologyError) as caught:
        read_topology(text, "t.toml")
    return list(caught.value.problems)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[[agencies]\n", "t.toml: not TOML: "),
        ("[[sties]]\n", "t.toml:1: sties: unknown table; did you mean 'sites'?"),
        ("agencies = 3\n", "t.toml:1: agencies: expected tables, each written [[agencies]]"),
        ("[agencies]\n", "t.toml:1: agencies: expected tables, each written [[agencies]]"),
        ('[[agencies]]\nname_ko = "가"\n', "t.toml:1: agencies no. 1: id: missing; expected 1 to 63 of"),
        ('[[agencies]]\nid = "A"\n', "t.toml:2: agencies 'A': id = 'A': expected 1 to 63 of"),
        ('[[agencies]]\nid = "a.b"\n', "t.toml:2: agencies 'a.b': id = 'a.b': expected"),
        ('[[agencies]]\nid = "a"\nnam_ko = "x"\n', "t.toml:3: agencies 'a': nam_ko: unknown key; did you mean 'name_ko'?"),
        ('[[agencies]]\nid = "a"\nname_en = 3\n', "t.toml:3: agencies 'a': name_en = 3: expected text"),
        (AGENCY + AGENCY, "t.toml:4: agencies 'a': is there twice; each id once"),
        (SITE.replace("Asia/Seoul", "Asia/Soeul"), "t.toml:6: sites 's': timezone = 'Asia/Soeul': no such time zone; did you mean 'Asia/Seoul'?"),
        (SITE.replace("Asia/Seoul", "../etc/passwd"), "no such time zone; expected one such as 'Asia/Seoul'"),
        (SITE.replace('agency = "a"', 'agency = "b"'), "t.toml:5: sites 's': agency = 'b': no such agency among [[agencies]]; expected one of a"),
        (SITE + 'hub = "h"\n', "t.toml:7: sites 's': hub = 'h': no such hub among [[hubs]]; nothing is defined here"),
        (SITE + 'link_profile = "lam"\n', "t.toml:7: sites 's': link_profile = 'lam': no such profile; did you mean 'lan'?"),
        (SITE + "latitude = 91\nlongitude = 0\n", "t.toml:7: sites 's': latitude = 91: expected degrees north, -90 to 90"),
        (SITE + "latitude = nan\nlongitude = 0\n", "latitude = nan: expected degrees"),
        (SITE + "latitude = true\nlongitude = 0\n", "latitude = True: expected degrees"),
        (SITE + "latitude = 9\n", "t.toml:3: sites 's': latitude and longitude: give both or neither"),
        (SITE + '[[hosts]]\nname = "h"\nsite = "x"\n', "t.toml:9: hosts 'h': site = 'x': no such site among [[sites]]; expected one of s"),
        (SITE + '[[hosts]]\nname = "h.s"\nsite = "s"\n', "t.toml:8: hosts 'h.s': name = 'h.s': expected"),
        (SITE + '[[hosts]]\nname = "h"\nsite = "s"\nshared = 1\n', "t.toml:10: hosts 'h': shared = 1: expected true or false"),
        (SITE + '[[hosts]]\nname = "h"\nsite = "s"\nagent = "h.s"\n', "t.toml:10: hosts 'h': agent is the host itself"),
        (SITE + '[[hosts]]\nname = "h"\nsite = "s"\nagent = "x.other"\n', "t.toml:10: hosts 'h': agent = 'x.other': at another site"),
        (SITE + '[[hosts]]\nname = "h"\nsite = "s"\nagent = "x"\n', "agent = 'x': expected a host id NAME.SITE"),
        (SITE + '[[systems]]\nid = "v"\nagency = "a"\ngrade = 5\n', "t.toml:10: systems 'v': grade = 5: expected a grade, 1 to 4"),
        (SITE + '[[systems]]\nid = "v"\nagency = "a"\ngrade = true\n', "grade = True: expected a grade, 1 to 4"),
        (SITE + '[[systems]]\nid = "v"\nagency = "a"\ngrade = 1\nhosts = ["h.x"]\n', "t.toml:11: systems 'v': hosts: 'h.x': no such site"),
        (SITE + 'subdivision = "ON"\n', "t.toml:7: sites 's': subdivision = 'ON': no such part of the country; give its country first"),
        (SITE + 'country = "KP2"\n', "t.toml:7: sites 's': country = 'KP2': expected a country"),
        (SITE + 'weekend = ["friday"]\n', "t.toml:7: sites 's': weekend = ['friday']: expected a list of mon"),
        (SITE + 'business_hours = "18:00-09:00"\n', "business_hours = '18:00-09:00': expected local hours"),
        (SITE + 'closures = ["2026-02-30"]\n', "closures = ['2026-02-30']: expected a list of days"),
        (SITE + "custodian = true\n", "t.toml:7: sites 's': custodian = true: no hub; give the hub that stands here"),
        (SITE + 'behind = ["r1.x"]\n', "t.toml:7: sites 's': behind: 'r1.x': no such site among [[sites]]"),
        (SITE + LINK + 'kind = "fibre"\n', "t.toml:10: links 'l': kind = 'fibre': expected one of lan, leased"),
        (SITE + LINK + 'kind = "vpn"\n' + LINK + 'kind = "vpn"\n', "links 'l': is there twice"),
        (SITE + PROBE, "t.toml:9: probes no. 1: give exactly one of site, link, hub and host, or anchor = true"),
        (SITE + PROBE + 'link = "s/l"\n', "t.toml:10: probes no. 1: link = 's/l': no such line among [[links]]"),
        (SITE + PROBE + 'hub = "m"\n', "t.toml:10: probes no. 1: hub = 'm': no such hub among [[hubs]]"),
        (SITE + SYSTEM + 'groups = [{ name = "w", rule = "most", members = ["h.s"] }]\n', "t.toml:11: systems 'v': groups = "),
        (SITE + SYSTEM + 'groups = [{ name = "w", rule = "3 of 2", members = ["h.s", "i.s"] }]\n', "t.toml:11: systems 'v': group 'w': rule = '3 of 2', but it has 2 members; expected 'N of 2'"),
        (SITE + SYSTEM + 'groups = [{ name = "w", rule = "standby", members = ["h.s"] }]\n', "group 'w': a standby pair has 2 members, not 1"),
        (SITE + SYSTEM + 'depends_on = ["vv"]\n', "t.toml:11: systems 'v': depends_on: 'vv': no such system among [[systems]]; did you mean 'v'?"),
        (SITE + SYSTEM + 'uses = ["v"]\n', "systems 'v': stands on itself: v -> v"),
        (SITE + SYSTEM + '[[interfaces]]\nid = "i"\nsource = "v"\ntarget = "w"\n', "t.toml:14: interfaces 'i': target = 'w': no such system among [[systems]]"),
    ],
)  # fmt: skip
def test_mistakes(text: str, expected: str) -> None:
    assert any(expected in problem for problem in problems(text)), problems(text)


def test_all_mistakes_at_once_in_the_order_of_the_file() -> None:
    text = SITE.replace("Asia/Seoul", "Mars") + 'color = "red"\n[[systems]]\nid = "v"\nagency = "b"\ngrade = 0\n'
    assert [problem.split(":")[1] for problem in problems(text)] == ["6", "7", "11"]


def test_defaults_are_filled_in() -> None:
    found = read_topology(SITE + '[[hosts]]\nname = "h"\nsite = "s"\n[[hubs]]\nid = "x"\nname_ko = "거점"\n')
    assert found.agencies["a"] == {"id": "a", "name_ko": "a", "name_en": "a"}
    assert found.hubs["x"] == {"id": "x", "name_ko": "거점", "name_en": "거점", "url": ""}
    assert found.sites["s"]["hub"] == ""
    assert found.sites["s"]["link_profile"] == "lan"
    assert found.hosts["h.s"] == {
        "id": "h.s",
        "name": "h",
        "site": "s",
        "agency": "a",
        "is_shared": False,
        "role": "",
        "via": "",
        "tags": (),
        "behind": (),
    }


def test_a_site_and_a_host_may_stand_in_any_order() -> None:
    assert read_topology('[[hosts]]\nname = "h"\nsite = "s"\n' + SITE).hosts["h.s"]["agency"] == "a"


def test_difference_is_read_by_people() -> None:
    before = read_topology(SITE + '[[hosts]]\nname = "old"\nsite = "s"\n')
    after = read_topology(
        SITE.replace("Seoul", "Tokyo") + '[[systems]]\nid = "v"\nagency = "a"\ngrade = 1\nhosts = ["h.s"]\n'
    )
    changes = difference(before, after)
    assert [str(change) for change in changes] == [
        "~ sites     s  timezone: 'Asia/Seoul' -> 'Asia/Tokyo'",
        "+ systems   v  agency='a', name_ko='v', name_en='v', grade=1, hosts=[h.s], groups=[hosts (all): h.s]",
        "- hosts     old.s",
    ]
    assert summary(changes) == "1 made, 1 changed, 1 gone"
    assert difference(after, after) == []


def test_the_documented_example_is_the_default_topology() -> None:
    assert read_topology((ROOT / "configs/topology.toml").read_text("utf-8")) == default_topology()


def test_the_commented_example_is_right_too_and_shows_every_key() -> None:
    text = (ROOT / "configs/topology.toml").read_text("utf-8")
    head, _, example = text.partition("# --- A larger example")
    lines = [line.removeprefix("# ") for line in example.splitlines()[1:]]
    toml = [line for line in lines if line.startswith("[[") or " = " in line.split("#")[0]]
    found = read_topology(head + "\n".join(toml) + "\n")
    assert found.hosts["db1.abuja"]["via"] == "srv1.abuja"
    assert found.hosts["router1.abuja"]["agency"] == "local"
    for keys in KEYS.values():
        for key in keys:
            assert f"{key} = " in text, key
