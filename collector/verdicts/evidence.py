"""What verdicts are made from, as values: reports, what hosts saw of each other, who was heard, what was agreed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from agent.link.model import Labels

PROBE_SUCCESS = "probe_success"
PROBE_SECONDS = "probe_duration_seconds"
PROBE_RTT = "probe_icmp_duration_seconds"
PROBE_LOSS = "probe_icmp_loss_ratio"
PROBE_MTU = "probe_path_mtu_bytes"
MTU_MODULE, TIMED_MODULES = "path_mtu", ("icmp", "tcp", "")
UPS_STATUS = "network_ups_tools_ups_status"
UPS_CHARGE = "network_ups_tools_battery_charge"
ON_BATTERY_FLAG = "OB"


class CheckResult(Protocol):
    @property
    def state(self) -> int: ...
    @property
    def since_ms(self) -> int: ...
    @property
    def text(self) -> str: ...


class Probed(NamedTuple):
    """One host's newest look at one target. Seconds and shares, None = not measured."""

    is_reached: bool
    rtt_seconds: float | None = None
    loss_ratio: float | None = None
    loses_large: bool | None = None
    """Whether full packets that may not be cut are lost while small ones pass; None = not looked at."""
    mtu_bytes: float | None = None


class Sensed(NamedTuple):
    """What a host's report tells about others, and about the power it stands on."""

    probes: Mapping[str, Probed]
    is_on_battery: bool | None
    """None = no UPS tells."""
    battery_charge_ratio: float | None = None


class Report(Protocol):
    """A host's newest report. A newer one is another object: identity tells whether there is news."""

    @property
    def agent_id(self) -> bytes: ...
    @property
    def received_at_ms(self) -> int: ...
    @property
    def interval_ms(self) -> int: ...
    @property
    def checks(self) -> Mapping[str, CheckResult]: ...
    def has(self, name: str) -> bool:
        """Whether a series of this name is in it."""
        ...

    def named(self, name: str) -> Iterator[tuple[Labels, float]]:
        """Labels and value of each series of this name that has a value."""
        ...


class Heard(Protocol):
    @property
    def received_at_ms(self) -> int: ...
    @property
    def interval_ms(self) -> int:
        """How often it reports, as it says; 0 = not known, the site's profile holds."""


class Reports(Protocol):
    """``collector.live.board.Live`` is one. Reports taken too long before their receipt must not be in it."""

    @property
    def hosts(self) -> Mapping[str, Report]: ...
    @property
    def agents(self) -> Mapping[bytes, Heard]: ...


class Window(NamedTuple):
    """Agreed work that holds now: ``is_shutdown`` = announced by the site itself; ``began_ms`` = since when it holds."""

    id: str
    is_shutdown: bool = False
    began_ms: int = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """All of one tick's evidence but the fleet."""

    hosts: Mapping[str, Report] = field(default_factory=dict)
    agents: Mapping[bytes, Heard] = field(default_factory=dict)
    hub_seen_ms: Mapping[str, int] = field(default_factory=dict)
    """Last contact of each hub's own collector; a hub that is not in it has none that could be heard."""
    windows: Mapping[tuple[str, str], Window] = field(default_factory=dict)
    """By (``site``, ``host``, ``system``, ``hub`` or ``link``, id), children not listed. A hub's is of the hub alone."""


def sensed(report: Report) -> Sensed | None:
    """None where the report has neither probes nor a UPS. Several probes of one target are one look at it."""
    if not (report.has(PROBE_SUCCESS) or report.has(UPS_STATUS)):
        return None
    by_target: dict[str, dict[tuple[str, str], float]] = {}
    for name in (PROBE_SUCCESS, PROBE_SECONDS, PROBE_RTT, PROBE_LOSS, PROBE_MTU):
        for labels, value in report.named(name):
            known = dict(labels)
            if known.get("phase", "rtt") == "rtt":
                by_target.setdefault(known.get("target", ""), {})[name, known.get("module", "")] = value
    flags = [(dict(labels).get("flag", ""), value) for labels, value in report.named(UPS_STATUS)]
    charges = [value for _, value in report.named(UPS_CHARGE)]
    return Sensed(
        {target: probed(seen) for target, seen in by_target.items() if any(name == PROBE_SUCCESS for name, _ in seen)},
        (ON_BATTERY_FLAG, 1.0) in flags if flags else None,
        min(charges) / 100 if charges else None,
    )


def probed(seen: Mapping[tuple[str, str], float]) -> Probed:
    """One look from what the modules measured, by (series, module). Small packets that came back reached it, too."""
    mtu = next((value for (name, _), value in seen.items() if name == PROBE_MTU), None)
    is_reached = mtu is not None or any(name == PROBE_SUCCESS and value == 1.0 for (name, _), value in seen.items())
    passes_large = seen.get((PROBE_SUCCESS, MTU_MODULE))
    loses_large = None if passes_large is None or not is_reached else passes_large != 1.0
    rtts = [value for (name, _), value in seen.items() if name == PROBE_RTT]
    rtts += [seen[PROBE_SECONDS, module] for module in TIMED_MODULES if (PROBE_SECONDS, module) in seen]
    loss = next((value for (name, _), value in seen.items() if name == PROBE_LOSS), None)
    return Probed(is_reached, rtts[0] if rtts and is_reached else None, loss, loses_large, mtu)
