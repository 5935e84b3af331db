"""The collector's own numbers: bounded labels, and clean in the eyes of promtool."""

from __future__ import annotations

import subprocess

import pytest
from prometheus_client.parser import text_string_to_metric_families
from real import require

from agent.link.names import FLEET_METRICS
from collector.telemetry import ENVELOPE_CODES, Telemetry


def used() -> Telemetry:
    telemetry = Telemetry("1.2.3")
    telemetry.job_known("verdicts")
    telemetry.job_ran("verdicts", 0.01, 1_790_000_000_000)
    telemetry.http_requests.labels("GET", "/sites/{id}", "200").inc()
    telemetry.refused("bad_signature", 2)
    telemetry.refused("something else entirely")
    telemetry.commit_seconds.observe(0.002)
    telemetry.batch_envelopes.observe(7)
    telemetry.watch(telemetry.log_bytes, lambda: 4096)
    telemetry.history_records("stored", 240)
    return telemetry


def test_what_was_counted_is_shown() -> None:
    families = {family.name: family for family in text_string_to_metric_families(used().text().decode())}
    refused = {sample.labels["code"]: sample.value for sample in families["bongsu_envelopes_refused"].samples}
    assert refused == {**dict.fromkeys(ENVELOPE_CODES, 0.0), "bad_signature": 2.0, "other": 1.0}
    assert families["bongsu_collector_build_info"].samples[0].labels == {"version": "1.2.3"}
    assert families["bongsu_log_bytes"].samples[0].value == 4096
    assert families["bongsu_job_last_success_timestamp_seconds"].samples[0].value == 1_790_000_000
    assert "process_resident_memory_bytes" in families
    assert all(family.documentation for family in families.values())
    assert not [name for name in families if name.endswith("_created")]


def test_two_collectors_in_one_process_do_not_mix() -> None:
    first, second = Telemetry("1"), Telemetry("2")
    first.refused("fork")
    assert 'bongsu_envelopes_refused_total{code="fork"} 0.0' in second.text().decode()


def test_a_result_nobody_named_is_our_mistake() -> None:
    with pytest.raises(AssertionError):
        Telemetry("1").history_records("lost somewhere", 1)


def test_fleet_series_here_are_those_of_the_one_table() -> None:
    families = {family.name: family for family in text_string_to_metric_families(used().text().decode())}
    for name in families.keys() & FLEET_METRICS.keys():
        assert families[name].documentation == FLEET_METRICS[name].help


@pytest.mark.real
def test_promtool_finds_nothing_to_say() -> None:
    promtool = require("promtool")
    said = subprocess.run([promtool, "check", "metrics"], input=used().text(), capture_output=True, timeout=30)
    assert (said.returncode, said.stdout, said.stderr) == (0, b"", b"")
