"""Whether what a Grafana holds is what we would send (pure)."""

from __future__ import annotations

from typing import Any

OWN_BY_GRAFANA = ("id", "version", "iteration")
"""Keys of a dashboard that Grafana counts by itself."""

SETTLED_BY_GRAFANA = ("id", "orgId", "typeName", "typeLogoUrl", "readOnly", "accessControl", "apiVersion")
"""Keys of a data source that Grafana tells and does not take."""


def holds(theirs: Any, ours: Any) -> bool:
    """Whether every value we set is there as we set it.

    Keys that Grafana fills in by itself do not count as a difference (another release fills in others, and a push
    would never come to rest); list lengths do, so an added or removed panel is seen.
    """
    if isinstance(ours, dict):
        return isinstance(theirs, dict) and all(key in theirs and holds(theirs[key], ours[key]) for key in ours)
    if isinstance(ours, list):
        return (
            isinstance(theirs, list)
            and len(theirs) == len(ours)
            and all(holds(one, other) for one, other in zip(theirs, ours, strict=True))
        )
    if isinstance(ours, bool) or isinstance(theirs, bool):
        return theirs is ours
    return bool(theirs == ours)


def same_board(theirs: dict[str, Any], ours: dict[str, Any]) -> bool:
    """Whether a stored dashboard shows what ours shows. A schema version that Grafana raised by itself is the same."""
    content = {key: value for key, value in ours.items() if key not in OWN_BY_GRAFANA}
    stored = theirs.get("schemaVersion")
    if isinstance(stored, int) and stored >= content["schemaVersion"]:
        content.pop("schemaVersion")
    return holds(theirs, content)


def merged_datasource(theirs: dict[str, Any], ours: dict[str, Any]) -> dict[str, Any]:
    """Ours laid over theirs: certificates, headers and passwords somebody set there stay.

    Their ``version`` travels along, so that a change made at the same moment is refused and not overwritten.
    """
    kept = {key: value for key, value in theirs.items() if key not in SETTLED_BY_GRAFANA}
    options = theirs.get("jsonData")
    return kept | ours | {"jsonData": (options if isinstance(options, dict) else {}) | ours["jsonData"]}
