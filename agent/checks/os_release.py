"""Which distribution is installed? /etc/os-release, else /usr/lib/os-release (os-release(5))::

PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
VERSION_ID="12"
ID=debian
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from agent.checks.base import GAUGE, Check, Host, NoData, Sample
from agent.checks.labels import labels
from agent.checks.reading import words

PATHS = ("/etc/os-release", "/usr/lib/os-release")
FIELDS = words(
    "build_id id id_like image_id image_version name pretty_name variant variant_id version version_codename version_id"
)


@lru_cache(maxsize=16)
def parse_release(text: str) -> dict[str, str]:
    """Values by lower-case name, shell quotes taken off; lines that are no assignment are no matter."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if not equals or name.startswith("#"):
            continue
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        for character in '"$`\\':
            value = value.replace("\\" + character, character)
        found[name.lower()] = value
    return found


def version_number(text: str) -> float | None:
    """Major and minor version as a number: ``22.04.3`` -> 22.04, ``12`` -> 12; None for a rolling release."""
    major, _, rest = text.partition(".")
    minor = rest.partition(".")[0]
    if not major.isdigit():
        return None
    return float(f"{major}.{minor}") if minor.isdigit() else float(major)


def collect(host: Host) -> Iterator[Sample]:
    for path in PATHS:
        try:
            release = parse_release(host.read(path))
            break
        except OSError:
            continue
    else:
        raise NoData("no os-release file")
    pairs = [part for field in FIELDS for part in (field, release.get(field, ""))]
    yield Sample("node_os_info", GAUGE, labels(*pairs), 1)
    version = version_number(release.get("version_id", ""))
    if version is not None:
        pairs = [part for field in ("id", "id_like", "name") for part in (field, release.get(field, ""))]
        yield Sample("node_os_version", GAUGE, labels(*pairs), version)


CHECK = Check("os", collect)
