"""What comes from npm: exactly what the lock says, from wherever, and only once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from collector.web import build
from collector.web.assets import FOLDER, Assets
from collector.web.i18n import words
from collector.web.render import Frame, environment

ROOT = Path(__file__).parents[3]


def test_the_lock_names_no_registry() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text("utf-8"))
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert not [name for name, entry in packages.items() if "resolved" in entry]
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
    assert "omit-lockfile-registry-resolved=true" in (ROOT / ".npmrc").read_text("utf-8")


def test_every_package_the_build_copies_from_is_a_dependency() -> None:
    wanted = json.loads((ROOT / "package.json").read_text("utf-8"))["dependencies"]
    taken = {"/".join(source.split("/")[: 2 if source.startswith("@") else 1]) for source in build.FILES}
    assert taken == wanted.keys()
    assert all(version[0].isdigit() for version in wanted.values()), "versions are exact"


def test_a_second_run_has_nothing_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    (tmp_path / ".stamp").write_text(build.stamp_of((ROOT / "package-lock.json").read_bytes()), "ascii")
    monkeypatch.setenv("PATH", "")
    assert build.main([], tmp_path) == 0
    assert capsys.readouterr() == ("", "")


def test_a_failure_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho no network here >&2\nexit 7\n")
    npm.chmod(0o755)
    (tmp_path / "node").symlink_to(npm)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert build.main([], tmp_path / "vendor") == 1
    said = capsys.readouterr().err
    assert "exit code 7" in said
    assert "no network here" in said
    assert "python -m collector.web.build" in said


def test_pages_do_without_what_npm_brings(tmp_path: Path) -> None:
    for ours in FOLDER.glob("*.*"):
        (tmp_path / ours.name).write_text("")
    bare = Assets(tmp_path)
    assert not bare.has_vendor
    frame = Frame(words("ko"), "ko", "/nope", (), 0, None, bare)
    text = environment.get_template("error.html").render(frame=frame, t=frame.words, status=404, kind="404", detail="")
    assert "vendor" not in text
    assert "찾을 수 없습니다" in text
