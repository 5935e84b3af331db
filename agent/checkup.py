"""``bongsu-agent check``: run checks once, without spool or collector, and say in words what they found."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from agent.checks.base import Check, Host, Sample
from agent.checks.runner import Outcome, run_check
from agent.config import AgentConfig
from agent.link.names import CHECK_STATES
from agent.runtime_checks import local_checks, probe_checks, target_checks

SAME_CAUSE = 3
"""More checks than this that fail with the very same words are counted, not listed."""


class CheckupError(Exception):
    """No such check or target."""


class Looked(NamedTuple):
    check: str
    outcome: Outcome

    @property
    def is_bad(self) -> bool:
        return bool(self.outcome.state)

    @property
    def word(self) -> str:
        return "nothing" if self.outcome.state is None else CHECK_STATES[self.outcome.state]

    @property
    def samples(self) -> list[Sample]:
        return [result for result in self.outcome.results if isinstance(result, Sample)]

    def as_json(self) -> dict[str, Any]:
        return {
            "check": self.check,
            "state": self.word,
            "text": self.outcome.text,
            "duration_seconds": round(self.outcome.duration_seconds, 6),
            "samples": [
                {"name": sample.name, "labels": dict(sample.labels), "value": _number(sample.value)}
                for sample in self.samples
            ],
        }

    def as_text(self, *, with_samples: bool) -> str:
        milliseconds = self.outcome.duration_seconds * 1000
        line = f"{self.check:<24} {self.word:<8} {len(self.samples):>5} series {milliseconds:>8.1f} ms  {self.outcome.text}"
        rows = [
            f"  {sample.name}{{{','.join(f'{k}={v!r}' for k, v in sample.labels)}}} {sample.value:g}"
            for sample in self.samples
            if with_samples
        ]
        return "\n".join([line.rstrip(), *rows])


def look(config: AgentConfig, name: str, target: str) -> list[Looked]:
    """Run one check or all, here or on a target. Raises CheckupError."""
    host: Host
    if target:
        chosen = next((one for one in config.targets if one.name == target), None)
        if chosen is None:
            known = ", ".join(one.name for one in config.targets) or "none"
            raise CheckupError(f"check --target {target}: no such [[targets]] in the configuration; there: {known}")
        from agent.remote.ssh import SshHost

        host, checks = SshHost(chosen), target_checks(chosen)
    else:
        from agent.checks.local import LocalHost

        host, checks = LocalHost(), [*local_checks(config), *probe_checks(config)]
    if name:
        checks = [_find(name, checks)]
    return [Looked(check.name, run_check(check, host)) for check in checks]


def as_table(looked: list[Looked], *, with_samples: bool) -> str:
    """For people. Where one cause keeps several checks from asking, the first line tells it and the last counts them."""
    texts = Counter(one.outcome.text for one in looked if one.is_bad)
    shown = [one for one in looked if not one.is_bad or texts[one.outcome.text] <= SAME_CAUSE]
    lines = [one.as_text(with_samples=with_samples) for one in shown]
    same = [f"{count} other checks: {text}" for text, count in texts.items() if count > SAME_CAUSE]
    return "\n".join([*lines, *same])


def _find(name: str, checks: list[Check]) -> Check:
    for check in checks:
        if check.name == name:
            return check
    from agent.checks.table import TABLE, load

    if name in TABLE:
        return load(name)
    import difflib

    near = difflib.get_close_matches(name, [*TABLE, *(check.name for check in checks)], n=1, cutoff=0.0)[0]
    raise CheckupError(f"check {name}: no check of that name; nearest: {near}")


def _number(value: float) -> float | None:
    return value if value == value and abs(value) != float("inf") else None
