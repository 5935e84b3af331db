"""The manual cannot rot silently: verbs, findings, keys, links, and the two languages saying the same."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from reading import DOCUMENTS, ROOT, blocks, headings, links, prose, text_of

from agent.cli import _parser
from agent.config import KEYS, read_config
from agent.link.names import Limits
from agent.remote.targets import KEYS as TARGET_KEYS
from collector.cli import VERBS, _load
from collector.fleet.topology import read_topology
from collector.settings import SECTIONS
from collector.settings_alerts import AlertmanagerTarget, Intake
from collector.settings_read import load
from collector.settings_remote_write import Destination

PAIRS = [("README.md", "README.ko.md"), ("docs/operations.md", "docs/operations.ko.md")]
MANUAL = ["README.md", "README.ko.md", "docs/operations.md", "docs/operations.ko.md"]
ALL_IN_ENGLISH = text_of("README.md") + text_of("docs/operations.md")


def actions_of(verb: str) -> list[str]:
    """``bongsu token`` has create, list and cancel; ``bongsu serve`` is one by itself."""
    import argparse

    root = argparse.ArgumentParser()
    verbs = root.add_subparsers()
    _load(verb).add(verbs)
    (parser,) = verbs.choices.values()
    inner = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return [f"{verb} {name}" for name in inner[0].choices] if inner else [verb]


@pytest.mark.parametrize("words", [words for verb in VERBS for words in actions_of(verb)])
def test_every_verb_of_the_collector_is_shown(words: str) -> None:
    assert f"bongsu {words}" in ALL_IN_ENGLISH


def test_every_verb_of_the_agent_is_shown() -> None:
    verbs = next(action.choices for action in _parser()._actions if action.choices)
    for verb in verbs:
        assert f"bongsu-agent {verb}" in ALL_IN_ENGLISH, verb


@pytest.mark.parametrize("name", MANUAL)
def test_every_verb_that_is_shown_exists(name: str) -> None:
    agent_verbs = set(next(action.choices for action in _parser()._actions if action.choices))
    shown = {word for language, block in blocks(text_of(name)) if language == "sh" for word in shell_words(block)}
    inline = set(re.findall(r"`(bongsu(?:-agent)? [a-z][a-z-]*)", prose(text_of(name))))
    for words in shown | inline:
        program, verb = words.split(" ")[:2]
        assert verb in (agent_verbs if program == "bongsu-agent" else VERBS), words


def shell_words(block: str) -> list[str]:
    """Each use of a program of ours in a block, with its verb: ``bongsu serve``."""
    return re.findall(r"(?:^|/|-- )(bongsu(?:-agent)? [a-z][a-z-]*)", block, re.M)


@pytest.mark.parametrize(("english", "korean"), PAIRS)
def test_both_languages_say_the_same(english: str, korean: str) -> None:
    one, other = text_of(english), text_of(korean)
    assert headings(one) == headings(other)
    assert blocks(one) == blocks(other)
    assert [target(link) for link in links(one)] == [target(link) for link in links(other)]
    assert one.count("\n| ") == other.count("\n| "), "rows of tables"


def target(link: str) -> str:
    """Where a link leads, whichever language it leads to."""
    return link.replace(".ko.", ".")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for link in links(document.read_text("utf-8")):
        parts = urlsplit(link)
        if parts.scheme:
            assert parts.scheme == "https", link
        else:
            assert (document.parent / parts.path).exists(), link


@pytest.mark.parametrize("name", ["docs/operations.md", "docs/operations.ko.md"])
def test_every_finding_of_the_doctors_is_explained(name: str) -> None:
    explained = set(re.findall(r"^\| ([AC]\d{3}) \|", text_of(name), re.M))
    files = (
        "collector/cli/doctor.py",
        "collector/cli/paging_findings.py",
        "collector/cli/copy_finding.py",
        "agent/doctor.py",
    )
    sources = "".join(map(text_of, files))
    assert explained == set(re.findall(r"\"([AC]\d{3})\"", sources))


def test_make_targets_of_the_manual_exist() -> None:
    known = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.M))
    for name in MANUAL:
        assert set(re.findall(r"(?:`|^)make ([a-z-]+)", text_of(name), re.M)) <= known


# ---------------------------------------------------------------- configuration

ASSIGNED = re.compile(r"^#? ?([a-z_0-9]+) = ", re.M)


def test_collector_toml_shows_every_key_at_its_default(tmp_path: Path) -> None:
    text, _, destination = text_of("configs/collector.toml").partition("# [[remote_write]]\n")
    destination, _, others = destination.partition("# [[")
    assert set(ASSIGNED.findall(destination)) == {field.name for field in fields(Destination)}
    wanted = {field.name for kind in (AlertmanagerTarget, Intake) for field in fields(kind)} - {"key"}
    assert set(ASSIGNED.findall(others)) == wanted
    shown = {part.split("]", 1)[0]: part for part in re.split(r"^\[", text, flags=re.M)[1:]}
    assert set(shown) == set(SECTIONS)
    for section, kind in SECTIONS.items():
        keys = Limits._fields if kind is Limits else [field.name for field in fields(kind)]
        assert set(ASSIGNED.findall(shown[section])) == set(keys), section
    switched_on = tmp_path / "collector.toml"
    switched_on.write_text(re.sub(r"^# ([a-z_0-9]+ = )", r"\1", text, flags=re.M), "utf-8")
    assert load(switched_on, {}) == load(None, {})


def test_hub_toml_shows_every_key_of_collector_toml(tmp_path: Path) -> None:
    """The same sections and keys at the same defaults; only the comments are a hub's."""
    hub = text_of("configs/hub.toml")
    shown, wanted = (
        {part.split("]", 1)[0]: set(ASSIGNED.findall(part)) for part in re.split(r"^\[", text, flags=re.M)[1:]}
        for text in (hub, text_of("configs/collector.toml").split("# [[")[0])
    )
    assert {section: keys for section, keys in shown.items() if section in wanted} == wanted
    assert set(shown) == set(SECTIONS)
    switched_on = tmp_path / "hub.toml"
    switched_on.write_text(re.sub(r"^# ([a-z_0-9]+ = )", r"\1", hub, flags=re.M), "utf-8")
    assert load(switched_on, {}) == load(None, {})


def test_agent_toml_shows_every_key_at_its_default() -> None:
    text = text_of("configs/agent.toml")
    plain, lists = text.split("# Processes that must run", 1)
    assert read_config(tomllib.loads(re.sub(r"^#([a-z_]+ = )", r"\1", plain, flags=re.M)), "agent.toml") == read_config(
        {}, "nothing"
    )
    keys = {key for names in KEYS.values() for key in names} - {*KEYS, "targets", "probes", "probe_guard"}
    assert keys <= set(re.findall(r"^# ?([a-z_]+) = ", text, re.M))
    shown = re.sub(r"^# ((?:\[\[)?[a-z_]+(?:\]\]$| = ))", r"\1", lists.partition("\n")[2], flags=re.M)
    switched_on = tomllib.loads(shown)
    assert set(TARGET_KEYS) == set(switched_on["targets"][0])
    (process,) = switched_on["processes"]
    assert set(process) == set(KEYS["processes"])
    del process["pattern"]  # the other way to name one
    assert read_config(switched_on, "agent.toml").targets


def test_topology_toml_is_taken_with_its_example() -> None:
    text = text_of("configs/topology.toml")
    plain, example = text.split("# --- A larger example", 1)
    read_topology(plain, "topology.toml")
    switched_on = re.sub(r"^# ((?:\[\[[a-z]+\]\]$|[a-z_]+ = ).*)", r"\1", example.partition("\n")[2], flags=re.M)
    topology = read_topology(plain + switched_on, "topology.toml")
    assert set(topology.hosts) >= {"srv1.abuja", "db1.abuja", "router1.abuja"}


@pytest.mark.parametrize("name", MANUAL)
def test_fragments_of_configuration_are_understood(name: str) -> None:
    for language, block in blocks(text_of(name)):
        if language != "toml":
            continue
        document = tomllib.loads(block)
        if "targets" in document:
            read_config(document, name)
        else:
            read_topology(text_of("configs/topology.toml") + block.replace('agent = "srv1.local"', ""), name)


# ---------------------------------------------------------------- style


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_documents_are_calm(document: Path) -> None:
    text = prose(document.read_text("utf-8")).replace("![", "[")
    assert "!" not in text
    assert not [letter for letter in text if 0x1F000 <= ord(letter) <= 0x1FAFF or 0x2600 <= ord(letter) <= 0x27BF]


def test_pictures_are_small() -> None:
    for picture in (ROOT / "docs/images").iterdir():
        assert picture.suffix == ".png"
        assert picture.stat().st_size < 300_000, picture.name
        assert any(picture.name in document.read_text("utf-8") for document in DOCUMENTS), picture.name
