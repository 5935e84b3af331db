"""Answers that parse back, answers that do not, and patterns that must never reach a shell."""

from __future__ import annotations

import pytest

from agent.checks.base import CheckFailed, FilesystemSpace
from agent.remote import scripts

MARK = b"5ac0f3f4-3f0c-4f5e-9a39-0d1c2b3a4e1f"


def frame(status: int, path: str) -> bytes:
    return b"\n" + MARK + f" {status} {path}".encode() + b"\0"


def test_tree_keeps_any_content_and_leaves_out_what_failed() -> None:
    data = (
        b"a\n\0b\n\n"
        + frame(0, "/a b\nc")
        + b""
        + frame(0, "/empty")
        + b"half"
        + frame(1, "/refused")
        + b"\xff"
        + frame(0, "/Z")
    )
    assert scripts.parse_tree(data, MARK) == {"/Z": "\ufffd", "/a b\nc": "a\n\0b\n\n", "/empty": ""}
    assert scripts.parse_tree(b"", MARK) == {}


@pytest.mark.parametrize("data", [b"no frame", b"x\n" + MARK + b" 0 /a", b"x" + frame(0, "/a") + b"more"])
def test_a_tree_cut_short_is_an_error(data: bytes) -> None:
    with pytest.raises(CheckFailed):
        scripts.parse_tree(data, MARK)


def test_filesystems() -> None:
    data = (
        b"0 4096 100 50 40 1000 900\n2 512 8 0 0 0 0\n7 1 1 1 1 1 1\nnonsense\n\n"
        b"/dev/vda / ext4 rw,relatime 0 0\n//nas/share /mnt/a\\040b cifs ro,noatime 0 0\n"
    )
    assert scripts.parse_filesystems(data, ["/", "/dead", "/mnt/a b"]) == {
        "/": FilesystemSpace(409600, 204800, 163840, 1000, 900, False),
        "/dead": None,
        "/mnt/a b": FilesystemSpace(4096, 0, 0, 0, 0, True),
    }
    assert scripts.parse_filesystems(b"\n/dev/vda / ext4 rw 0 0\n", ["/"]) == {"/": None}
    with pytest.raises(CheckFailed):
        scripts.parse_filesystems(b"0 4096 100", ["/"])


@pytest.mark.parametrize(
    "pattern", ["/a b", "/$(id)", "/`id`", "/a;b", "relative/*", "/a/**", "/{a,b}", "/a\nb", "/a'b", "/~"]
)
def test_patterns_that_a_shell_would_run_are_refused(pattern: str) -> None:
    for make in (lambda: scripts.tree_script([pattern]), lambda: scripts.list_script(pattern)):
        with pytest.raises(ValueError, match="expected an absolute glob"):
            make()


@pytest.mark.parametrize("path", ["relative", "/a\nb", "/a\0b"])
def test_paths_are_absolute_and_one_line(path: str) -> None:
    with pytest.raises(ValueError, match="expected an absolute path"):
        scripts.read_script(path)


@pytest.mark.parametrize(
    ("data", "now"),
    [
        (b"1795334549.986941300\n", 1795334549.9869413),
        (b"1795334549.\n", 1795334549.0),
        (b"1795334549.%N\n", 1795334549.0),
    ],
)
def test_now(data: bytes, now: float) -> None:
    assert scripts.parse_now(data) == pytest.approx(now, abs=1e-6)


def test_now_that_is_none() -> None:
    with pytest.raises(CheckFailed, match="expected seconds"):
        scripts.parse_now(b"date: not found")
