"""Settings of alerts: other Alertmanagers, intakes, the watchdog; and what is said of mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.errors import SettingsError
from collector.settings import Settings
from collector.settings_read import load

KEY = "0123456789abcdef"


def read(folder: Path, text: str, **environ: str) -> Settings:
    (folder / "key").write_text(KEY + "\n")
    file = folder / "collector.toml"
    file.write_text(text.replace("KEY", str(folder / "key")))
    return load(file, environ)


def test_as_they_are_meant(tmp_path: Path) -> None:
    text = (
        '[[alertmanagers]]\nname = "a"\nurl = "http://am:9093"\n'
        '[[intakes]]\nname = "zbx"\nformat = "json"\nkey_file = "KEY"\nlabels = { alertname = "/t" }\n'
        '[[intakes]]\nname = "graf-1"\n'
    )
    found = read(tmp_path, text, BONGSU_INTAKE_GRAF_1_KEY="fedcba9876543210")
    assert [one.name for one in found.alertmanagers] == ["a"]
    assert [(one.name, one.key) for one in found.intakes] == [("zbx", KEY), ("graf-1", "fedcba9876543210")]
    assert KEY not in repr(found)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[alertmanagers]]\nname = "a"\nurl = "am:9093"', "expected the URL of an Alertmanager"),
        ('[[alertmanagers]]\nname = "a"\nurl = "http://am"\nusername = "u"', "username and password_file together"),
        ('[[alertmanagers]]\nname = "a"\nurl = "http://am"\ntimeout = 3', "did you mean 'timeout_seconds'"),
        ('[[intakes]]\nname = "a"', "with a key of 16 or more"),
        ('[[intakes]]\nname = "a"\nkey_file = "KEY"\nformat = "jason"', "did you mean 'json'"),
        ('[[intakes]]\nname = "a"\nkey_file = "KEY"\nseverity = "level"', "expected a JSON pointer"),
        ('[[intakes]]\nname = "a"\nkey_file = "KEY"\nseverities = { x = "bad" }', "expected one of critical"),
        ('[[intakes]]\nname = "a"\nkey_file = "KEY"\n[[intakes]]\nname = "b"\nkey_file = "KEY"', "the same key"),
        ('[[intakes]]\nname = "a"\nkey = "x"', "unknown key"),
        ('[watchdog]\nurl = "hc.example.org"', "expected the URL of a receiver"),
        ('[watchdog]\nchannel = "mail"\naddress = "x@y"', "nothing is defined here"),
    ],
)
def test_mistakes_in_alert_settings(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        read(tmp_path, text)
