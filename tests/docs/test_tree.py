"""What must not stand in any file: places of one machine, registries, ids of somebody's plans."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from reading import ROOT, text_of, tracked

from agent.link.names import Limits
from collector.cli.listening import KEEP_ALIVE_SECONDS

SLASH = "/"
FORBIDDEN = {
    "a place on somebody's machine": re.compile(
        rf"(?<![\w.{SLASH}])(?:{SLASH}work|{SLASH}root|{SLASH}home{SLASH}(?!\$)[a-z]|{SLASH}Users){SLASH}"
    ),
    "a package registry": re.compile(r"find-links|index-url|\bregistry\s*=\s*http|\"resolved\":\s*\"http"),
    "an id of a requirement": re.compile(r"\bR-[A-Z]{1,2}\d{1,3}\b"),
}
ALLOWED = {
    ".ci/run": "the home of the user it makes",
    "tests/docs/test_tree.py": "this list",
}


def readable() -> list[Path]:
    return [path for path in tracked() if path.suffix not in (".png", ".bin", ".woff2", ".zst", ".gz")]


@pytest.mark.parametrize("what", FORBIDDEN)
def test_nothing_of_one_machine_stands_in_the_tree(what: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path in readable()
        if str(path.relative_to(ROOT)) not in ALLOWED
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1)
        if FORBIDDEN[what].search(line)
    ]
    assert found == []


def test_the_version_is_in_the_changelog() -> None:
    assert re.search(r"^## \d+\.\d+\.\d+$", text_of("CHANGELOG.md"), re.M)


def test_the_manual_names_the_wheel_of_this_version() -> None:
    (version, *_) = re.findall(r"^## (\d+\.\d+\.\d+)$", text_of("CHANGELOG.md"), re.M)
    for name in ("README.md", "README.ko.md", "docs/operations.md", "docs/operations.ko.md"):
        assert set(re.findall(r"bongsu-([\d.]+)-py3-none-any\.whl", text_of(name))) == {version}, name


def test_the_proxy_lets_through_what_the_collector_takes() -> None:
    text = text_of("configs/nginx/bongsu.conf")
    assert f"client_max_body_size {Limits().request_bytes >> 20}m;" in text
    (seconds,) = re.findall(r"keepalive_timeout (\d+)s;     # less than", text)
    assert int(seconds) < KEEP_ALIVE_SECONDS
    assert text.count("{") == text.count("}")


def test_constraints_pin_every_requirement_once() -> None:
    import tomllib

    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    wanted = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    pinned = [line.split("==")[0] for line in text_of("constraints.txt").splitlines() if not line.startswith("#")]
    assert len(pinned) == len(set(pinned))
    names = {re.split(r"[<>=\[;! ]", one)[0].lower().replace("_", "-").replace(".", "-") for one in wanted}
    assert names - {"bongsu"} <= set(pinned)


def test_test_modules_have_names_of_their_own() -> None:
    """They are imported by their bare name, so that two of one name hide each other. The benches are a package."""
    names = [path.name for path in (ROOT / "tests").rglob("*.py") if "bench" not in path.parts]
    twice = {name for name in names if names.count(name) > 1}
    assert twice <= {"conftest.py"}
