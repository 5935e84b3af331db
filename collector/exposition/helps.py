"""HELP of families agents send: the agent's own, the probes' and the UPS's.

Agents send names and types, no words: they would travel with every schema. node_exporter's families go without, as
docs/parity.md says.
"""

from __future__ import annotations

HELPS = {
    "agent_check_duration_seconds": "How long a check took in the last round.",
    "agent_clock_offset_seconds": "How far the agent's clock is behind the receiver's; negative where it is ahead.",
    "agent_info": "1; the label says which version the agent is.",
    "agent_link_received_bytes_total": "Bytes the agent received over its link.",
    "agent_link_sent_bytes_total": "Bytes the agent sent over its link.",
    "agent_policy_info": "1; the labels say which policy the agent follows, and which keys its own file overrides.",
    "agent_process_cpu_seconds_total": "Processor time of the agent, user and system.",
    "agent_process_resident_memory_bytes": "Memory the agent's process holds.",
    "agent_records_lost_total": "Records the agent had to drop, each declared to the centre.",
    "agent_records_rolled_up_total": "Records the agent replaced by roll-ups to save room.",
    "agent_report_interval_seconds": "How often the host is reported.",
    "agent_spool_bytes": "Bytes the agent's spool takes, with what the centre holds and was not deleted yet.",
    "agent_spool_damaged_total": "Damaged places found in the agent's spool.",
    "agent_spool_oldest_timestamp_seconds": "When the oldest record that waits in the spool was taken.",
    "agent_spool_on_disk": "1 while the spool is on disk, 0 while it is held in memory.",
    "agent_spool_records": "Records that wait in the agent's spool until the centre holds them.",
    "network_ups_tools_battery_charge": "Charge of the UPS's battery, 0 to 100.",
    "network_ups_tools_battery_runtime": "Seconds the UPS's battery lasts at this load.",
    "network_ups_tools_ups_load": "Load on the UPS in percent of what it can carry.",
    "network_ups_tools_ups_status": "1 where the UPS says this flag, such as OL on mains or OB on battery, else 0.",
    "probe_dns_additional_rrs": "Records in the answer's additional section.",
    "probe_dns_answer_rrs": "Records in the answer section.",
    "probe_dns_authority_rrs": "Records in the answer's authority section.",
    "probe_dns_duration_seconds": "How long each phase of a DNS request took.",
    "probe_dns_lookup_time_seconds": "How long it took to resolve the target's name.",
    "probe_dns_query_succeeded": "1 where the name server answered the question, else 0.",
    "probe_duration_seconds": "How long the whole probe took.",
    "probe_failed_due_to_regex": "1 where a pattern that must or must not match made the probe fail, else 0.",
    "probe_http_content_length": "Length of the body as its header says; -1 where it does not.",
    "probe_http_duration_seconds": "How long each phase of an HTTP request took, redirects included.",
    "probe_http_redirects": "How many redirects were followed.",
    "probe_http_ssl": "1 where the last request went over TLS, else 0.",
    "probe_http_status_code": "Status of the last HTTP answer.",
    "probe_http_uncompressed_body_length": "Length of the body as it was read, unpacked.",
    "probe_http_version": "Version of HTTP the answer came in.",
    "probe_icmp_duration_seconds": "How long each phase of an echo took.",
    "probe_icmp_loss_ratio": "Share of echoes that were not answered, 0 to 1.",
    "probe_icmp_reply_hop_limit": "Hop limit (TTL) of the answer.",
    "probe_ip_protocol": "4 or 6: the IP version the target was reached by.",
    "probe_path_mtu_bytes": "Largest packet that passes the whole way.",
    "probe_ssl_earliest_cert_expiry": "When the first certificate of the chain ends, in seconds since 1970.",
    "probe_ssl_last_chain_expiry_timestamp_seconds": "When the verified chain that lasts longest ends.",
    "probe_ssl_last_chain_info": "1; the labels say which certificate was shown.",
    "probe_success": "1 where the probe succeeded, else 0.",
    "probe_tls_version_info": "1; the label says which version of TLS was agreed.",
}
HELP_LINES = {name: f"# HELP {name} {text}\n".encode() for name, text in HELPS.items()}
