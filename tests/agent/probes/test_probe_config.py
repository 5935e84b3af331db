import re
from pathlib import Path

import pytest

from agent.config import ConfigError, load_config
from agent.probes.config import COMMON, OPTIONS, ProbeError, read_guard, read_probes
from agent.probes.model import MODULES

GOOD = {
    "icmp": {"target": "gw.abuja.example", "count": 5, "size_bytes": 120},
    "path_mtu": {"target": "10.1.0.1", "mtu_bytes": 1400},
    "tcp": {"target": "[fd00::7]:22", "expect": "^SSH-", "send": "x", "tls": False},
    "http": {"target": "https://portal.example/x?y=1", "status": [200, 302], "header_matches": {"Server": "nginx"}},
    "dns": {"target": "10.1.0.53", "query_name": "www.example", "query_type": "AAAA", "rcodes": ["NXDOMAIN"]},
}


@pytest.mark.parametrize("module", MODULES)
def test_each_module_reads_its_options(module):
    (probe,) = read_probes([{"name": "one", "module": module, **GOOD[module]}], "f.toml")
    assert (probe.name, probe.module, probe.target) == ("one", module, GOOD[module]["target"])
    assert probe.options == {key: value for key, value in GOOD[module].items() if key != "target"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"module": "icpm"}, "module = 'icpm': expected one of icmp"),
        ({"module": None}, "module is missing"),
        ({"name": "a b"}, "name = 'a b': expected letters"),
        ({"target": ""}, "target = '': expected a text"),
        ({"interval_seconds": 2}, "interval_seconds = 2: expected 0"),
        ({"timeout_seconds": 0}, "timeout_seconds = 0: expected 0.5 to 60"),
        ({"ip_protocol": "v4"}, "ip_protocol = 'v4': expected"),
        ({"cuont": 3}, "cuont: unknown key of a icmp probe; nearest valid key: 'count'"),
        ({"count": 0}, "count = 0: expected a whole number, 1 to 20"),
        ({"count": True}, "count = True: expected"),
        ({"module": "http", "target": "portal"}, "target = 'portal': expected http://"),
        ({"module": "http", "target": "http://x", "body_matches": "("}, "body_matches = '(': expected a regular"),
        ({"module": "tcp", "target": "db1"}, "'db1': expected host:port"),
        ({"module": "tcp", "target": "db1:99999"}, "expected host:port"),
        ({"module": "dns", "target": "ns1"}, "query_name is missing"),
    ],
)
def test_a_mistake_is_told_by_place_and_key(changes, said):
    table = {"name": "one", "module": "icmp", "target": "x", **changes}
    with pytest.raises(ProbeError, match=re.escape(said)) as why:
        read_probes([{key: value for key, value in table.items() if value is not None}], "f.toml")
    assert str(why.value).startswith("f.toml: [[probes]] 1: ")


def test_names_are_used_once():
    table = {"name": "one", "module": "icmp", "target": "x"}
    with pytest.raises(ProbeError, match="'one' stands twice"):
        read_probes([table, table], "f.toml")


@pytest.mark.parametrize("table", [{"alow": []}, {"allow": "10.0.0.0/8"}, {"allow": ["ten"]}, []])
def test_a_guard_that_cannot_be_read_is_refused(table):
    with pytest.raises(ProbeError, match=r"f.toml: \[probe_guard\]"):
        read_guard(table, "f.toml")


def test_the_agents_file_carries_probes(tmp_path):
    file = tmp_path / "agent.toml"
    file.write_text(
        '[probe_guard]\nallow = ["10.0.0.0/8"]\n[[probes]]\nname = "gw"\nmodule = "icmp"\ntarget = "10.0.0.1"\n'
    )
    config = load_config(file)
    assert [probe.name for probe in config.probes] == ["gw"]
    assert len(config.probes_allowed) == 1
    file.write_text('[[probes]]\nname = "gw"\nmodule = "icmp"\n')
    with pytest.raises(ConfigError, match="target is missing"):
        load_config(file)


def test_every_option_is_shown_in_the_shipped_file():
    text = Path("configs/agent.toml").read_text()
    assert [key for key in COMMON if not re.search(rf"^# {key} = ", text, re.MULTILINE)] == []
    assert {key for options in OPTIONS.values() for key in options if not re.search(rf"\b{key} = ", text)} == set()
