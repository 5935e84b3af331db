"""The likely cause, the next action and the runbook of an incident: from its alerts' annotations, else by its reason.

Annotations are in the manner of our rules: ``cause``, ``action`` and with ``_ko`` in Korean, ``runbook_url``; the rules of
others have ``description`` at best.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from collector.pages.words import catalog

RUNBOOKS: Mapping[str, str] = {
    "hub": "HubDown",
    "link": "LinkDown",
    "system": "SystemDown",
    "site": "SiteDown",
    "host": "HostNoData",
    "agent": "AgentSilent",
    "interface": "InterfaceTrouble",
    "carrier": "CarrierTrouble",
    "cable": "CableTrouble",
    "facility": "FacilityTrouble",
    "device": "DeviceTrouble",
    "collector": "CollectorTrouble",
}
BY_REASON: Mapping[str, str] = {
    "silent": "SiteNoData",
    "checks_failing": "HostCheckCritical",
    "on_battery": "UpsOnBattery",
    "link_degraded": "SiteDegraded",
    "on_backup": "SiteDegraded",
    "slow": "SiteDegraded",
    "lossy": "SiteDegraded",
}


class Advice(NamedTuple):
    cause: str
    action: str
    runbook: str
    """An address, or a path of ours; empty = none."""


def advice(reason: str, subject_kind: str, annotations: Mapping[str, str], language: str) -> Advice:
    texts = catalog(language)
    known = reason if f"{reason}.cause" in texts else "other"
    tail = "_ko" if language == "ko" else ""
    said = {
        name: annotations.get(f"{name}{tail}") or annotations.get(name) or annotations.get(f"{name}_ko", "")
        for name in ("cause", "action")
    }
    name = ""
    if known != "other":
        is_site_silent = reason == "silent" and subject_kind == "site"
        name = BY_REASON.get(reason, "") if reason != "silent" or is_site_silent else ""
        name = name or RUNBOOKS.get(subject_kind, "")
    return Advice(
        said["cause"] or annotations.get("description", "") or texts[f"{known}.cause"],
        said["action"] or texts[f"{known}.action"],
        annotations.get("runbook_url", "") or (f"/runbooks/{name}" if name else ""),
    )
