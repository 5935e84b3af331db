"""Why something stands as it does: a closed set, for words in two languages and for metrics."""

from __future__ import annotations

REPORTING = "reporting"
CHECKS_FAILING = "checks_failing"
HOSTS_SILENT = "hosts_silent"
HOSTS_NEVER_REPORTED = "hosts_never_reported"
HOSTS_DOWN = "hosts_down"
AGENTS_SILENT = "agents_silent"
SILENT = "silent"
LATE = "late"
NEVER_REPORTED = "never_reported"
SUSPENDED = "suspended"
REVOKED = "revoked"
NO_HOSTS = "no_hosts"
STARTING = "collector_starting"

UNDER_MAINTENANCE = "maintenance"
PLANNED_SHUTDOWN = "planned_shutdown"
BEHIND_WORK = "behind_work"
COLLECTOR_BLIND = "collector_blind"
HUB_AFFECTED = "hub_affected"
RECOVERING = "recovering"
POWER = "power"
UPLINK = "uplink"
UNREACHABLE = "unreachable"
COMMON_FACTOR = "common_factor"
BEHIND = "behind"
AGENT_DOWN = "agent_down"
BUILDING_FAILING = "building_failing"
ON_BATTERY = "on_battery"
ON_BACKUP = "on_backup"
LINK_DEGRADED = "link_degraded"
FLAPPING = "flapping"

LARGE_PACKETS_LOST = "large_packets_lost"
SLOW = "slow"
LOSSY = "lossy"
ONE_PATH = "one_path"
NOT_PROBED = "not_probed"
BACKUP_UNTESTED = "backup_untested"

HUB_SILENT = "hub_silent"
HUB_PROCESS = "hub_process"
HUB_DOWN = "hub_down"
HUB_CHILDREN_SILENT = "hub_children_silent"

MEMBERS_DOWN = "members_down"
MEMBERS_DEGRADED = "members_degraded"
MEMBERS_UNKNOWN = "members_unknown"
REDUNDANCY_LOST = "redundancy_lost"
DEPENDENCY = "dependency"
NO_MEMBERS = "no_members"

REASONS = tuple(sorted(value for name, value in list(globals().items()) if name.isupper() and isinstance(value, str)))

SELF_EXPLAINED = frozenset({REPORTING, NEVER_REPORTED, SUSPENDED, REVOKED, NO_HOSTS, STARTING, NOT_PROBED, NO_MEMBERS})
"""Nothing happened: such a state is no disturbance and has no cause to look for."""

# What a verdict stands on: the codes of ``Fact``, worded in the catalogs under [fact].
FACTS = (
    "last_report",
    "on_battery",
    "battery_charge",
    "probe_failed",
    "probe_answered",
    "vantage_mute",
    "hub_last_heard",
    "hub_children",
    "anchors_lost",
    "all_silent",
    "large_loss",
    "loss",
    "rtt",
    "baseline",
    "shared",
    "went_before",
    "recovered",
    "window",
    "link_state",
    "backup_tested",
    "member",
    "dependency",
    "flaps",
    "check_warning",
    "check_critical",
)
