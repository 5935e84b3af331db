"""Is SELinux on, and does it enforce? /sys/fs/selinux/enforce (1 or 0) while it is on; /etc/selinux/config::

SELINUX=enforcing
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.base import GAUGE, Check, Host, Sample
from agent.checks.labels import NONE
from agent.checks.reading import whole

ENFORCE, CONFIG = "/sys/fs/selinux/enforce", "/etc/selinux/config"
MODES = {"enforcing": 1, "permissive": 0, "disabled": -1}


def parse_config(text: str) -> int:
    """1 enforcing, 0 permissive, -1 disabled or not said."""
    for line in text.splitlines():
        name, _, value = line.strip().partition("=")
        if name == "SELINUX":
            return MODES.get(value.strip().lower(), -1)
    return -1


def collect(host: Host) -> Iterator[Sample]:
    files = host.read_tree(ENFORCE)
    if not files:
        yield Sample("node_selinux_enabled", GAUGE, NONE, 0)
        return
    yield Sample("node_selinux_enabled", GAUGE, NONE, 1)
    config = host.read_tree(CONFIG).get(CONFIG, "")
    yield Sample("node_selinux_config_mode", GAUGE, NONE, parse_config(config))
    mode = whole(files[ENFORCE])
    if mode is not None:
        yield Sample("node_selinux_current_mode", GAUGE, NONE, mode)


CHECK = Check("selinux", collect)
