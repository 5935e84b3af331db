"""Which series travel over which link: ``core`` about 60 of a host, ``standard`` about 150, ``full`` all of them.

Core answers, over 64 kbit/s: is the machine up, busy, out of memory, out of disk, cut off, losing packets, off time,
broken. Standard adds what tells why. Series that were asked for (checks of agent.toml, the agent's own) always travel,
of probes those that judge.
A name that is in no table here is a matter of the full profile.
"""

from __future__ import annotations

from functools import lru_cache

from agent.checks.base import Labels, Sample
from agent.checks.reading import words

CORE, STANDARD, FULL = 0, 1, 2
LEVELS = {"core": CORE, "standard": STANDARD, "full": FULL}

_CORE = words("""
    boot_time_seconds time_seconds load1 load5 load15 procs_running procs_blocked cpu_seconds_total
    memory_MemTotal_bytes memory_MemAvailable_bytes memory_MemFree_bytes memory_Buffers_bytes memory_Cached_bytes
    memory_SwapTotal_bytes memory_SwapFree_bytes
    filesystem_size_bytes filesystem_avail_bytes filesystem_files filesystem_files_free filesystem_readonly
    filesystem_device_error
    disk_io_time_seconds_total disk_read_bytes_total disk_written_bytes_total disk_reads_completed_total
    disk_writes_completed_total
    network_receive_bytes_total network_transmit_bytes_total network_receive_errs_total network_transmit_errs_total
    network_receive_drop_total network_transmit_drop_total network_up network_carrier_changes_total
    network_speed_bytes
    netstat_Tcp_CurrEstab netstat_Tcp_RetransSegs netstat_Tcp_OutSegs
    filefd_allocated filefd_maximum nf_conntrack_entries nf_conntrack_entries_limit
    timex_sync_status timex_offset_seconds timex_maxerror_seconds
    pressure_cpu_waiting_seconds_total pressure_io_waiting_seconds_total pressure_io_stalled_seconds_total
    pressure_memory_waiting_seconds_total pressure_memory_stalled_seconds_total
    vmstat_oom_kill vmstat_pgmajfault uname_info os_info
    systemd_units systemd_system_running
    md_disks md_disks_required md_state bonding_slaves bonding_active edac_uncorrectable_errors_total
    power_supply_online power_supply_capacity thermal_zone_temp zfs_zpool_state
""")
_STANDARD = words("""
    context_switches_total forks_total intr_total
    memory_Active_bytes memory_Inactive_bytes memory_Slab_bytes memory_SReclaimable_bytes memory_SUnreclaim_bytes
    memory_Dirty_bytes memory_Writeback_bytes memory_Mapped_bytes memory_Shmem_bytes memory_AnonPages_bytes
    memory_PageTables_bytes memory_KernelStack_bytes memory_Committed_AS_bytes memory_CommitLimit_bytes
    memory_SwapCached_bytes memory_HugePages_Total memory_HugePages_Free memory_Hugepagesize_bytes
    memory_HardwareCorrupted_bytes
    filesystem_free_bytes
    disk_read_time_seconds_total disk_write_time_seconds_total disk_io_now disk_io_time_weighted_seconds_total
    disk_flush_requests_total disk_flush_requests_time_seconds_total disk_info
    network_receive_packets_total network_transmit_packets_total network_receive_multicast_total
    network_receive_fifo_total network_transmit_carrier_total network_transmit_colls_total
    network_carrier network_mtu_bytes network_info
    netstat_Tcp_ActiveOpens netstat_Tcp_PassiveOpens netstat_Tcp_InSegs netstat_Tcp_InErrs netstat_Tcp_OutRsts
    netstat_TcpExt_ListenDrops netstat_TcpExt_ListenOverflows netstat_TcpExt_TCPSynRetrans
    netstat_TcpExt_TCPTimeouts netstat_Udp_InDatagrams netstat_Udp_OutDatagrams netstat_Udp_NoPorts
    netstat_Udp_InErrors netstat_Udp_RcvbufErrors netstat_Udp_SndbufErrors
    sockstat_sockets_used sockstat_TCP_inuse sockstat_TCP_alloc sockstat_TCP_tw sockstat_TCP_orphan
    sockstat_TCP_mem_bytes sockstat_UDP_inuse sockstat_UDP_mem_bytes
    softnet_dropped_total softnet_times_squeezed_total nf_conntrack_stat_drop nf_conntrack_stat_early_drop
    vmstat_pgfault vmstat_pgpgin vmstat_pgpgout vmstat_pswpin vmstat_pswpout
    entropy_available_bits arp_entries udp_queues time_zone_offset_seconds
    timex_estimated_error_seconds timex_frequency_adjustment_ratio timex_status timex_tai_offset_seconds
    cpu_scaling_frequency_hertz cpu_core_throttles_total cpu_package_throttles_total
    edac_correctable_errors_total md_blocks md_blocks_synced nvme_info dmi_info power_supply_info
    hwmon_temp_celsius hwmon_fan_rpm hwmon_power_average_watt hwmon_in_volts hwmon_chip_names hwmon_sensor_label
    nfs_rpcs_total nfs_rpc_retransmissions_total selinux_enabled
    infiniband_state_id infiniband_port_data_received_bytes_total infiniband_port_data_transmitted_bytes_total
    fibrechannel_info fibrechannel_link_failure_total
    btrfs_size_bytes btrfs_used_bytes zfs_arc_size zfs_arc_hits zfs_arc_misses
""")
_PROBE_STANDARD = words("""
    dns_lookup_time_seconds ip_protocol http_duration_seconds http_version http_ssl http_redirects http_content_length
    http_uncompressed_body_length tls_version_info ssl_last_chain_info ssl_last_chain_expiry_timestamp_seconds
    icmp_reply_hop_limit dns_duration_seconds dns_answer_rrs dns_authority_rrs dns_additional_rrs
""")
LEVEL_OF = {
    **{f"probe_{name}": STANDARD for name in _PROBE_STANDARD},
    "agent_check_duration_seconds": FULL,
    **{f"node_{name}": STANDARD for name in _STANDARD},
    **{f"node_{name}": CORE for name in _CORE},
}
CORE_MODE = "idle"
"""Busy is what is not idle; a machine of 64 processors must not spend 512 series on the other modes."""
VIRTUAL_NETWORK = ("lo", "veth", "docker", "br-", "ifb", "virbr", "cali", "flannel", "cni", "tap", "vnet", "dummy")
VIRTUAL_DISKS = ("zram", "ram", "loop")
STACKED_DISKS = ("dm-", "md")
"""They repeat what the disks below them say."""
MEMORY_FILESYSTEMS = ("tmpfs", "ramfs")


def keep(profile: str, sample: Sample) -> bool:
    """Whether a sample travels under a profile; the answer depends on name and labels only. KeyError: no such profile."""
    return level(sample.name, sample.labels) <= LEVELS[profile]


@lru_cache(maxsize=16_384)
def level(name: str, labels: Labels) -> int:
    """The smallest profile that has the series: 0 core, 1 standard, 2 full."""
    if not name.startswith("node_"):
        return LEVEL_OF.get(name, CORE)
    least = LEVEL_OF.get(name, FULL)
    return least if least == FULL else max(least, _by_labels(name, dict(labels)))


def _by_labels(name: str, labels: dict[str, str]) -> int:
    """What the labels ask for: devices that are no hardware are for the full profile."""
    if name == "node_cpu_seconds_total":
        return CORE if labels["mode"] == CORE_MODE else STANDARD
    device = labels.get("device", "")
    if name.startswith("node_network_") and device.startswith(VIRTUAL_NETWORK):
        return FULL
    if name.startswith("node_disk_"):
        return FULL if device.startswith(VIRTUAL_DISKS) else STANDARD if device.startswith(STACKED_DISKS) else CORE
    if name.startswith("node_filesystem_") and labels.get("fstype") in MEMORY_FILESYSTEMS:
        return STANDARD
    return CORE
