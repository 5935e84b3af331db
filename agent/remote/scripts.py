"""The shell programs SshHost sends, and how their answers parse. Pure: values in, text out, bytes in, values out.

Each is one line of POSIX sh (dash, busybox, bash) for ``channel.Shell``, and so one round trip. ``read_tree`` answers with
many files in one stream. A length cannot be sent first (a sysfs file of size 4096 holds three bytes, and a counter
changes between two readings), so each content is followed by the shell's mark, which no file can hold (see ``Shell``),
head's exit code and the path:

    CONTENT \\n 5ac0...e1 0 /sys/class/net/eth0/mtu \\0  CONTENT \\n 5ac0...e1 1 /sys/class/net/eth0/speed \\0  ...
"""

from __future__ import annotations

import errno
import math
import os
import re
import shlex
from collections.abc import Sequence

from agent.checks.base import CheckFailed, FilesystemSpace

READ_LIMIT = 1 << 20
"""Bytes of one file; what is longer is cut there, as LocalHost does."""
TREE_LIMIT = 4 << 20
"""Bytes of one read_tree answer; past it the question fails."""
RUN_LIMIT = 64 << 10
LIST_LIMIT = 1 << 20
SMALL_LIMIT = 16 << 10

_PATTERN = re.compile(r"/[A-Za-z0-9_./*?\[\]!:@,+=%-]*")
_PATHS = "PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; export PATH; "
_MISSING, _FOLDER, _DENIED, _FAILED, _NOT_A_LINK = 81, 82, 83, 84, 85
_ERRNO = {
    _MISSING: errno.ENOENT,
    _FOLDER: errno.EISDIR,
    _DENIED: errno.EACCES,
    _FAILED: errno.EIO,
    _NOT_A_LINK: errno.EINVAL,
}


def _quoted(path: str) -> str:
    if not path.startswith("/") or "\0" in path or "\n" in path:
        raise ValueError(f"path {path!r}: expected an absolute path without line breaks")
    return shlex.quote(path)


def _globs(patterns: Sequence[str]) -> str:
    """Patterns go to the shell unquoted, so only characters it takes as a glob or literally are let through."""
    for pattern in patterns:
        if not _PATTERN.fullmatch(pattern) or "**" in pattern:
            raise ValueError(f"pattern {pattern!r}: expected an absolute glob of letters, digits and _./*?[]!:@,+=%-")
    return " ".join(patterns)


def read_script(path: str) -> str:
    name = _quoted(path)
    return (
        f"head -c {READ_LIMIT} {name} && exit 0; [ -e {name} ] || exit {_MISSING}; [ -d {name} ] && exit {_FOLDER}; "
        f"[ -r {name} ] || exit {_DENIED}; exit {_FAILED}"
    )


def link_script(path: str) -> str:
    name = _quoted(path)
    return (
        f"readlink -n {name} && exit 0; [ -e {name} ] && exit {_NOT_A_LINK}; [ -L {name} ] || exit {_MISSING}; "
        f"exit {_DENIED}"
    )


def raise_for_exit(code: int, path: str) -> None:
    """OSError of the right kind for an exit code of the two scripts above; nothing for any other code."""
    if code in _ERRNO:
        raise OSError(_ERRNO[code], os.strerror(_ERRNO[code]), path)


def tree_script(patterns: Sequence[str]) -> str:
    """Small text files of the kernel are read by the shell itself: starting ``head`` costs 1 to 2 ms each, and there are
    hundreds. What the shell finds empty, and what may hold NUL (/proc/PID/cmdline), goes through head, which can tell an
    empty file from one whose device refuses."""
    return (
        f'h() {{ head -c {READ_LIMIT} "$1"; }}; '
        'r() { g=; l=; while IFS= read -r l; do g=1; printf "%s\\n" "$l"; done <"$1"; '
        'if [ "$l" ]; then printf %s "$l"; elif [ -z "$g" ]; then h "$1"; fi; }; '
        f'for p in {_globs(patterns)}; do [ -f "$p" ] || continue; '
        'case "$p" in /sys/*|/proc/*/stat|/proc/*/comm) r "$p";; *) h "$p";; esac; printf "\\n%s %s %s\\0" "$M" $? "$p"; done'
    )


def parse_tree(data: bytes, mark: bytes) -> dict[str, str]:
    """Readable files by path, sorted. CheckFailed where the stream is not what ``tree_script`` writes."""
    found: dict[str, str] = {}
    cut = b"\n" + mark + b" "
    start = 0
    while start < len(data):
        end = data.find(cut, start)
        stop = data.find(b"\0", end + len(cut))
        if end < 0 or stop < 0:
            raise CheckFailed(f"the answer ended after {len(found)} files in the middle of one")
        status, _, path = data[end + len(cut) : stop].partition(b" ")
        if status == b"0":
            found[path.decode("utf-8", "replace")] = data[start:end].decode("utf-8", "replace")
        start = stop + 1
    return dict(sorted(found.items()))


def list_script(pattern: str) -> str:
    return f'for p in {_globs((pattern,))}; do if [ -e "$p" ] || [ -L "$p" ]; then printf "%s\\0" "$p"; fi; done; printf "\\0"'


def parse_list(data: bytes) -> list[str]:
    if not data.endswith(b"\0"):
        raise CheckFailed("the list of files came without its end mark")
    return sorted(path.decode("utf-8", "replace") for path in data[:-1].split(b"\0")[:-1])


def filesystems_script(mount_points: Sequence[str]) -> str:
    """All at once in the background, so that dead network mounts cost one wait together; each line under PIPE_BUF."""
    ask = 'r=$(s -f -c "%S %b %f %a %c %d" "$2") && printf "%s %s\\n" "$1" "$r"'
    calls = " ".join(f"a {index} {_quoted(point)} &" for index, point in enumerate(mount_points))
    return f's() {{ ${{T:+$T 3}} stat "$@"; }}; a() {{ {ask}; }}; {calls} wait; echo; cat /proc/self/mounts'


def parse_filesystems(data: bytes, mount_points: Sequence[str]) -> dict[str, FilesystemSpace | None]:
    """Lines ``index %S %b %f %a %c %d``, an empty line, then /proc/self/mounts for who is read-only."""
    head, separator, mounts = data.decode("utf-8", "replace").partition("\n\n" if data[:1] != b"\n" else "\n")
    if not separator:
        raise CheckFailed("the answer about filesystems ended early")
    read_only: dict[str, bool] = {}
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) >= 4:
            read_only[_unescaped(fields[1])] = "ro" in fields[3].split(",")
    spaces: dict[str, FilesystemSpace | None] = dict.fromkeys(mount_points)
    for line in head.splitlines():
        try:
            index, unit, blocks, free, available, files, files_free = (int(word) for word in line.split())
            point = mount_points[index]
        except (ValueError, IndexError):
            continue  # a stat that prints something else tells nothing about this mount point
        spaces[point] = FilesystemSpace(
            blocks * unit, free * unit, available * unit, files, files_free, read_only.get(point, False)
        )
    return spaces


def _unescaped(field: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), field)


def run_script(argv: Sequence[str], seconds: float) -> str:
    """Where there is ``timeout``, the program does not outlive the question by more than a second or two."""
    if not argv or "\0" in "".join(argv):
        raise ValueError(f"argv = {list(argv)!r}: expected a program and its arguments, without NUL")
    return f"{_PATHS}exec ${{T:+$T {math.ceil(seconds) + 1}}} {shlex.join(argv)}"


def parse_now(data: bytes) -> float:
    """``date +%s.%N``; a date without %N (busybox) leaves the fraction empty or literal."""
    seconds, _, fraction = data.decode("ascii", "replace").strip().partition(".")
    if not seconds.isdigit():
        raise CheckFailed(f"date answered {seconds[:40]!r}, expected seconds since 1970")
    return int(seconds) + (float("0." + fraction) if fraction.isdigit() else 0.0)
