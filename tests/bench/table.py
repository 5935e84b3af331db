"""Every benchmark, its unit, its target, and where it is measured. The ids are those of ``var/bench.json``."""

from __future__ import annotations

from tests.bench.figures import Goal

TABLE: tuple[Goal, ...] = (
    Goal("ingest_cpu_s_per_msample", "CPU s / M samples", 1.0, "ingest:direct"),
    Goal("ingest_bundle_cpu_s_per_msample", "CPU s / M samples", 0.4, "ingest:bundled"),
)
