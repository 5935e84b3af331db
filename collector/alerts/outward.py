"""What other Alertmanagers are told: each alert of ours while it fires, and for a quarter of an hour after. Pure.

Nothing is queued. What is due is worked out from the alerts there are now, so a receiver that was away for an hour is told
the newest state at once, and what came and went meanwhile not at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from collector.alerts.alert import FiringAlert, place_of, stamped
from collector.alerts.received import label_set
from collector.fleet.registry import Fleet
from collector.rules.alert import KEEP_RESOLVED_MS
from collector.rules.queries import fingerprint

AGAIN_MS = 60_000
GOOD_FOR_MS = 4 * AGAIN_MS
"""An Alertmanager that hears nothing of us for so long takes an alert for over, as with Prometheus."""
BATCH = 64
VERDICT = "verdict"


@dataclass(slots=True)
class Told:
    """The last word about an alert that one receiver got. ``ended_ms``: None = it fires."""

    alert: FiringAlert
    ended_ms: int | None
    at_ms: int


@dataclass(slots=True)
class _News:
    alert: FiringAlert
    since_ms: int


class Ledger:
    """What one receiver was told, and what it is to be told next. Used by one thread."""

    def __init__(self) -> None:
        self._told: dict[bytes, Told] = {}
        self._news: dict[bytes, _News] = {}
        self._is_new = True
        """It may know things from before a restart of ours."""

    def due(self, alerts: Iterable[FiringAlert], now_ms: int) -> list[FiringAlert]:
        """Alerts to be sent now, as they are now: news first. One that is simply gone is over."""
        current = {alert.fingerprint: alert for alert in alerts}
        for name, told in self._told.items():
            if name not in current:
                ended_ms = told.ended_ms if told.ended_ms is not None else now_ms
                current[name] = told.alert._replace(ended_at_ms=ended_ms)
        again: list[FiringAlert] = []
        news: dict[bytes, _News] = {}
        for name, alert in current.items():
            told_before = self._told.get(name)
            if alert.ended_at_ms is not None and now_ms - alert.ended_at_ms > KEEP_RESOLVED_MS:
                self._told.pop(name, None)
            elif told_before is None and alert.ended_at_ms is not None and not self._is_new:
                continue  # it never knew
            elif told_before is None or (told_before.ended_ms is None) != (alert.ended_at_ms is None):
                known = self._news.get(name)
                news[name] = _News(alert, known.since_ms if known is not None else now_ms)
            elif now_ms - told_before.at_ms >= AGAIN_MS or now_ms < told_before.at_ms:
                again.append(alert)
        self._news = news
        return [one.alert for one in news.values()] + again

    def sent(self, alerts: Iterable[FiringAlert], now_ms: int) -> None:
        """It took these."""
        self._is_new = False
        for alert in alerts:
            self._told[alert.fingerprint] = Told(alert, alert.ended_at_ms, now_ms)
            self._news.pop(alert.fingerprint, None)

    def lag_ms(self, now_ms: int) -> int:
        """For how long it has not been told the oldest change it does not know."""
        return max([now_ms - one.since_ms for one in self._news.values()], default=0)


def trouble(kind: str) -> str:
    """What a verdict's cause of this kind is called as an alert."""
    return f"{''.join(part.capitalize() for part in kind.split('_'))}Trouble"


def disturbance(kind: str, name: str, reason: str, severity: str, since_ms: int, fleet: Fleet) -> FiringAlert:
    """A verdict's cause as an alert, for those who only know alerts, and for silences:
    ``SiteTrouble{site="abuja", reason="power_lost"}``."""
    labels = {
        "alertname": trouble(kind),
        "severity": severity,
        "reason": reason,
        {"host": "instance"}.get(kind, kind): name,
    }
    pairs = label_set(labels)
    place = place_of(labels, fleet)
    return FiringAlert(
        fingerprint(pairs),
        VERDICT,
        stamped(pairs, place),
        (("runbook_url", f"/runbooks/{trouble(kind)}"), ("summary", f"{kind} {name}: {reason}")),
        severity,
        since_ms,
        None,
        (kind, name),
        place.site,
        place.agency,
        place.system,
    )
