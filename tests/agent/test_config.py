"""agent.toml: every key is shown at its default, and a wrong one is refused in words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agent.config import KEYS, AgentConfig, ConfigError, load_config, read_config
from agent.link.profile import PROFILES

SHIPPED = Path(__file__).parents[2] / "configs" / "agent.toml"


def test_the_shipped_file_changes_nothing(tmp_path):
    assert load_config(SHIPPED) == AgentConfig()


def test_every_key_is_shipped_at_its_default(tmp_path):
    text = re.sub(r"^#(?=\w+ = )", "", SHIPPED.read_text(), flags=re.MULTILINE)
    assert text != SHIPPED.read_text()
    file = tmp_path / "agent.toml"
    file.write_text(text)
    assert load_config(file) == AgentConfig()
    shown = set(re.findall(r"^(?:# ?)?(\w+) = ", SHIPPED.read_text(), flags=re.MULTILINE))
    tables = set(re.findall(r"^(?:# )?\[+(\w+)\]+", SHIPPED.read_text(), flags=re.MULTILINE))
    from agent.probes.config import COMMON
    from agent.remote.targets import KEYS as TARGET_KEYS

    assert shown | tables == {key for keys in KEYS.values() for key in keys} | set(TARGET_KEYS) | set(COMMON) | {
        "allow"
    }


def test_all_of_it_can_be_said(tmp_path):
    file = tmp_path / "agent.toml"
    file.write_text("""
        data_dir = "/srv/a"
        link_profile = "thin"
        interval_seconds = 20
        series = "full"
        [spool]
        max_mib = 8
        [checks]
        disable = ["netclass"]
        [[processes]]
        name = "nginx"
        [[processes]]
        name = "work"
        pattern = "celery .* worker"
        min_count = 3
        [[units]]
        name = "ssh.service"
        [[targets]]
        name = "db1"
        address = "10.0.3.7"
        user = "bongsu"
        key_file = "/etc/k"
        known_hosts = "/etc/h"
    """)
    config = load_config(file)
    assert config.data_dir == Path("/srv/a")
    assert config.profile("lan") == PROFILES["thin"]._replace(interval_seconds=20, series="full")
    assert (config.spool_max_mib, config.checks_disable, config.units) == (8, ("netclass",), ("ssh.service",))
    assert [(p.name, p.pattern, p.min_count) for p in config.processes] == [
        ("nginx", None, 1),
        ("work", "celery .* worker", 3),
    ]
    assert [target.name for target in config.targets] == ["db1"]


def test_the_site_decides_where_the_file_does_not():
    assert AgentConfig().profile("geo") == PROFILES["geo"]
    assert AgentConfig().profile("of a later version") == PROFILES["lan"]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"data_dirr": "/x"}, ["agent.toml: data_dirr", "unknown key", "'data_dir'"]),
        ({"spool": {"max_mb": 1}}, ["[spool] max_mb", "'max_mib'"]),
        ({"spool": 3}, ["spool = 3", "a table"]),
        ({"spool": {"max_mib": 0}}, ["[spool] max_mib = 0", "1 to"]),
        ({"link_profile": "dsl"}, ["link_profile = 'dsl'", "'thin'"]),
        ({"interval_seconds": 2}, ["interval_seconds = 2", "5 to 300"]),
        ({"interval_seconds": True}, ["interval_seconds = True"]),
        ({"log_level": "loud"}, ["log_level", "'debug'"]),
        ({"checks": {"disable": ["cpuu"]}}, ["[checks] disable", "'cpuu'", "'cpu'"]),
        ({"checks": {"only": "cpu"}}, ["[checks] only", "a list"]),
        ({"processes": [{"command": "x"}]}, ["[processes] name", "a text"]),
        ({"processes": [{"name": "x", "command": "x", "pattern": "y"}]}, ["both"]),
        ({"processes": {"name": "x"}}, ["[[processes]]"]),
        ({"units": [{"nam": "x"}]}, ["[units] nam", "'name'"]),
        ({"targets": [{"name": "DB"}]}, ["targets"]),
    ],
)
def test_a_wrong_key_or_value_is_refused_in_words(said, words):
    with pytest.raises(ConfigError) as refused:
        read_config(said, "agent.toml")
    for word in words:
        assert word in str(refused.value)


def test_a_file_that_is_not_there_or_no_toml(tmp_path):
    with pytest.raises(ConfigError, match="expected a configuration file"):
        load_config(tmp_path / "no.toml")
    (tmp_path / "bad.toml").write_text("a = ")
    with pytest.raises(ConfigError, match="expected TOML"):
        load_config(tmp_path / "bad.toml")
