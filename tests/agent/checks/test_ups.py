import pytest

from agent.checks.base import CRITICAL, OK, WARNING, CheckFailed, NoData, Ran, Sample, State
from agent.checks.ups import judge, parse_variables, samples_of, ups_check

ON_BATTERY = """battery.charge: 87
battery.runtime: 1260
device.mfr: Dummy Manufacturer
driver.parameter.pollinterval: 5
input.voltage: 0.0
ups.load: 23
ups.status: OB DISCHRG
"""


class Answers:
    """A host whose programs answer what was recorded."""

    name = "ups1"

    def __init__(self, *answers: tuple[list[str], Ran]) -> None:
        self._answers = {tuple(argv): ran for argv, ran in answers}

    def run(self, argv, timeout_seconds=5.0):
        return self._answers[tuple(argv)]


@pytest.mark.parametrize(
    ("status", "state", "words"),
    [
        ("OL", OK, "on mains (charge 87 %, 21 min left)"),
        ("OL CHRG", OK, "on mains"),
        ("OL RB", WARNING, "battery must be replaced"),
        ("OL OVER", WARNING, "overloaded"),
        ("OL BYPASS", WARNING, "bypass"),
        ("OB DISCHRG", CRITICAL, "mains lost, on battery (charge 87 %, 21 min left)"),
        ("OB LB", CRITICAL, "battery is nearly empty"),
        ("FSD OB LB", CRITICAL, "is shutting down"),
        ("OFF", CRITICAL, "switched off"),
    ],
)
def test_status_is_judged_by_its_worst_flag(status, state, words):
    judged = judge("rack1", {**parse_variables(ON_BATTERY), "ups.status": status})
    assert (judged.check, judged.state) == ("ups:rack1", state)
    assert words in judged.text


@pytest.mark.parametrize("status", ["", "WAIT"])
def test_a_status_nobody_knows_is_not_called_good(status):
    with pytest.raises(CheckFailed, match="expected OL or OB"):
        judge("rack1", {"ups.status": status})


def test_series_are_those_of_nut_exporter():
    samples = {
        (s.name, dict(s.labels).get("flag")): s.value
        for s in samples_of("rack1", parse_variables(ON_BATTERY))
        if isinstance(s, Sample)
    }
    assert samples["network_ups_tools_battery_charge", None] == 87
    assert samples["network_ups_tools_input_voltage", None] == 0
    assert samples["network_ups_tools_ups_status", "OB"] == 1
    assert samples["network_ups_tools_ups_status", "OL"] == 0
    assert not any("driver" in name or "mfr" in name for name, _ in samples)


def test_every_ups_of_a_server_is_asked():
    host = Answers(
        (["upsc", "-l", "nut:3493"], Ran(0, "rack1\nrack2\n", "Init SSL without certificate database\n")),
        (["upsc", "rack1@nut:3493"], Ran(0, ON_BATTERY, "")),
        (["upsc", "rack2@nut:3493"], Ran(0, "ups.status: OL\n", "")),
    )
    states = [result for result in ups_check("nut:3493").collect(host) if isinstance(result, State)]
    assert [(one.check, one.state) for one in states] == [("ups:rack1", CRITICAL), ("ups:rack2", OK)]


@pytest.mark.parametrize(
    ("listed", "told", "error", "words"),
    [
        (
            Ran(1, "", "Error: Connection failure: Connection refused\n"),
            None,
            CheckFailed,
            "Connection refused; does upsd",
        ),
        (Ran(0, "", ""), None, NoData, "has no UPS"),
        (Ran(0, "rack1\n", ""), Ran(1, "", "Init SSL\nError: Data stale\n"), CheckFailed, "rack1@nut:3493: Data stale"),
    ],
)
def test_what_goes_wrong_is_told(listed, told, error, words):
    answers = [(["upsc", "-l", "nut:3493"], listed)]
    if told is not None:
        answers.append((["upsc", "rack1@nut:3493"], told))
    with pytest.raises(error, match=words):
        list(ups_check("nut:3493").collect(Answers(*answers)))
