"""What lies behind what, among the signals that hold. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from collector.incidents.signal import VERDICT, Signal, worst


def covering(signals: Iterable[Signal]) -> dict[tuple[str, str], str]:
    """By (kind, id): the verdict's signal it lies behind, or is about."""
    verdicts = [signal for signal in signals if signal.source == VERDICT]
    found = {thing: signal.key for signal in verdicts if signal.hides for thing in signal.affected}
    for signal in verdicts:
        if not signal.hides:
            for thing in signal.affected:
                found.setdefault(thing, signal.key)
    return found | {signal.subject: signal.key for signal in verdicts}


def root_of(signal: Signal, covers: Mapping[tuple[str, str], str]) -> str:
    """The key of the signal it belongs to; its own where it is told by itself."""
    if signal.source == VERDICT:
        return signal.key
    return covers.get(signal.subject, signal.key)


def one_each(signals: Iterable[Signal]) -> dict[str, Signal]:
    """Verdicts first; of two with one key the graver."""
    found: dict[str, Signal] = {}
    for signal in sorted(signals, key=lambda signal: signal.source != VERDICT):
        known = found.get(signal.key)
        if known is None or worst(known.severity, signal.severity) != known.severity:
            found[signal.key] = signal
    return found
