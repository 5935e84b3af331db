"""Every benchmark, its unit, its target, and where it is measured. The ids are those of ``var/bench.json``."""

from __future__ import annotations

from tests.bench.figures import Goal

TABLE: tuple[Goal, ...] = (
    Goal("ingest_cpu_s_per_msample", "CPU s / M samples", 1.0, "ingest:direct"),
    Goal("ingest_bundle_cpu_s_per_msample", "CPU s / M samples", 0.4, "ingest:bundled"),
    Goal("scrape_300k_cpu_s", "CPU s", 0.16, "scrape:of_300k"),
    Goal("scrape_1m_cpu_s", "CPU s", 0.45, "scrape:of_1m"),
    Goal("pace_cpu_s_per_hour", "CPU s / h", 350, "pace:measure"),
    Goal("pace_hubs_cpu_s_per_hour", "CPU s / h", 130, "pace_hubs:measure"),
    Goal("collector_rss_mib_300k", "MiB", 250, "pace:measure"),
    Goal("push_p99_ms_during_1m_scrape", "ms", 20, "latency:during_1m_scrape"),
    Goal("wire_bytes_per_report", "bytes", 900, "wire:measure"),
    Goal("wire_bytes_per_report_batched", "bytes", 250, "wire:measure"),
    Goal("agent_rss_mib", "MiB", 32, "agent:measure"),
    Goal("agent_cpu_s_per_hour", "CPU s / h", 1.5, "agent:measure"),
    Goal("agent_start_ms", "ms", 250, "agent:start"),
    Goal("agent_probe_cpu_ms", "CPU ms", 2, "probe:measure"),
    Goal("fault_to_board_s", "s", 5, "fault:to_board"),
    Goal("fault_to_page_s", "s", 5, "page:after_fault"),
    Goal("silence_to_page_s", "s", 75, "page:after_silence"),
    Goal("restart_to_ready_s", "s", 5, "restart:measure"),
    Goal("catchup_s", "s", 200, "catchup:measure"),
    Goal("verdict_tick_ms", "ms", 200, "verdict:tick"),
    Goal("board_first_byte_ms", "ms", 50, "board:first_byte"),
    Goal("board_first_byte_ms_in_storm", "ms", 50, "storm:board_first_byte"),
    Goal("board_1000_sites_ms", "ms", 250, "board:of_1000_sites"),
    Goal("event_streams_cpu", "% of a core", 5, "streams:still"),
    Goal("live_update_delay_s", "s", 2, "streams:update"),
)
