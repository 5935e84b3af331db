"""What a report tells of others and of its power, also where it names a series and has no value of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from agent.link.model import Labels
from collector.verdicts.evidence import UPS_STATUS, sensed

OB, OL = (("flag", "OB"),), (("flag", "OL"),)
UPS = "network_ups_tools_ups_status"


class Said:
    """A report with these values; None = named in its schema and absent."""

    agent_id, received_at_ms, interval_ms, checks = b"", 0, 15_000, {}  # type: ignore[var-annotated]

    def __init__(self, values: dict[tuple[str, Labels], float | None]) -> None:
        self.values = values

    def has(self, name: str) -> bool:
        return any(name == known for known, _ in self.values)

    def named(self, name: str) -> Iterator[tuple[Labels, float]]:
        return (
            (labels, value) for (known, labels), value in self.values.items() if known == name and value is not None
        )


@pytest.mark.parametrize(
    ("values", "is_on_battery"),
    [
        ({(UPS, OB): 0.0, (UPS, OL): 1.0}, False),
        ({(UPS, OB): 1.0, (UPS, OL): 0.0}, True),
        ({(UPS, (("flag", "OB"), ("ups", "a"))): 0.0, (UPS, (("flag", "OB"), ("ups", "b"))): 1.0}, True),
        ({(UPS, OB): None, (UPS, OL): None}, None),  # nobody hears the UPS now: that is not "on the mains"
    ],
)
def test_power(values: dict[tuple[str, Labels], float | None], is_on_battery: bool | None) -> None:
    assert UPS == UPS_STATUS
    found = sensed(Said(values))
    assert found is not None
    assert found.is_on_battery is is_on_battery


def test_a_probe_without_a_result_says_nothing_of_its_target() -> None:
    probe = (("module", "tcp"), ("target", "gw"))
    found = sensed(Said({("probe_success", probe): None, ("probe_duration_seconds", probe): None}))
    assert found is not None
    assert found.probes == {}
