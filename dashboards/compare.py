"""Whether, and where, what a Grafana holds differs from what we would send (pure)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from dashboards.refusals import shorten

OWN_BY_GRAFANA = ("id", "version", "iteration")
"""Keys of a dashboard that Grafana counts by itself."""

SETTLED_BY_GRAFANA = ("id", "orgId", "typeName", "typeLogoUrl", "readOnly", "accessControl", "apiVersion")
"""Keys of a data source that Grafana tells and does not take."""

MOST_DIFFERENCES = 20


def differences(theirs: Any, ours: Any, at: str = "") -> Iterator[str]:
    """Every place where a value we set is not there as we set it, in words.

    Keys that Grafana fills in by itself do not count (another release fills in others, and a push would never come to
    rest); list lengths do, so an added or removed panel is seen.
    """
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in ours:
            where = f"{at}.{key}" if at else key
            if key in theirs:
                yield from differences(theirs[key], ours[key], where)
            else:
                yield f"{where}: is not there, expected {_shown(ours[key])}"
    elif isinstance(ours, list) and isinstance(theirs, list):
        if len(theirs) != len(ours):
            yield f"{at}: holds {len(theirs)}, expected {len(ours)}"
        else:
            for index, (one, other) in enumerate(zip(theirs, ours, strict=True)):
                yield from differences(one, other, f"{at}[{index}]")
    elif (type(theirs) is not type(ours) and bool in (type(theirs), type(ours))) or theirs != ours:
        yield f"{at}: is {_shown(theirs)}, expected {_shown(ours)}"


def some(found: Iterator[str]) -> tuple[str, ...]:
    return tuple(islice(found, MOST_DIFFERENCES))


def holds(theirs: Any, ours: Any) -> bool:
    """Whether every value we set is there as we set it."""
    return next(differences(theirs, ours), None) is None


def board_differences(theirs: dict[str, Any], ours: dict[str, Any]) -> Iterator[str]:
    """Where a stored dashboard shows something else than ours. A schema version that Grafana raised is the same."""
    content = {key: value for key, value in ours.items() if key not in OWN_BY_GRAFANA}
    stored = theirs.get("schemaVersion")
    if isinstance(stored, int) and stored >= content["schemaVersion"]:
        content.pop("schemaVersion")
    return differences(theirs, content)


def same_board(theirs: dict[str, Any], ours: dict[str, Any]) -> bool:
    return next(board_differences(theirs, ours), None) is None


def merged_datasource(theirs: dict[str, Any], ours: dict[str, Any]) -> dict[str, Any]:
    """Ours laid over theirs: certificates, headers and passwords somebody set there stay.

    Their ``version`` travels along, so that a change made at the same moment is refused and not overwritten.
    """
    kept = {key: value for key, value in theirs.items() if key not in SETTLED_BY_GRAFANA}
    options = theirs.get("jsonData")
    return kept | ours | {"jsonData": (options if isinstance(options, dict) else {}) | ours["jsonData"]}


def _shown(value: Any) -> str:
    return shorten(json.dumps(value, ensure_ascii=False), 60)
