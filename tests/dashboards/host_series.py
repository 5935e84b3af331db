"""The host series our boards may ask for: name, type and the label sets one small machine yields.

Names and labels are node_exporter's; ``agent_*`` are the agent's own. ``test_known_names`` holds them against what the
checks really yield.
"""

from __future__ import annotations

ROOT = {"device": "/dev/vda1", "fstype": "ext4", "mountpoint": "/"}
MODES = ("user", "system", "idle", "iowait", "steal", "irq", "softirq", "nice")
PORTS = tuple({"device": name} for name in ("eth0", "lo"))
DISK = ({"device": "vda"},)
TARGET = "gw.example"

HOST_SERIES: dict[str, tuple[str, tuple[dict[str, str], ...]]] = {
    "up": ("gauge", ({},)),
    "node_cpu_seconds_total": ("counter", tuple({"cpu": cpu, "mode": mode} for cpu in "01" for mode in MODES)),
    "node_load1": ("gauge", ({},)),
    "node_load5": ("gauge", ({},)),
    "node_load15": ("gauge", ({},)),
    "node_memory_MemTotal_bytes": ("gauge", ({},)),
    "node_memory_MemAvailable_bytes": ("gauge", ({},)),
    "node_memory_SwapTotal_bytes": ("gauge", ({},)),
    "node_memory_SwapFree_bytes": ("gauge", ({},)),
    "node_filesystem_size_bytes": ("gauge", (ROOT,)),
    "node_filesystem_avail_bytes": ("gauge", (ROOT,)),
    "node_time_seconds": ("gauge", ({},)),
    "node_boot_time_seconds": ("gauge", ({},)),
    "node_pressure_cpu_waiting_seconds_total": ("counter", ({},)),
    "node_pressure_memory_waiting_seconds_total": ("counter", ({},)),
    "node_pressure_io_waiting_seconds_total": ("counter", ({},)),
    "node_disk_io_time_seconds_total": ("counter", DISK),
    "node_disk_read_bytes_total": ("counter", DISK),
    "node_disk_written_bytes_total": ("counter", DISK),
    "node_network_receive_bytes_total": ("counter", PORTS),
    "node_network_transmit_bytes_total": ("counter", PORTS),
    "node_network_receive_errs_total": ("counter", PORTS),
    "node_network_transmit_errs_total": ("counter", PORTS),
    "node_network_receive_drop_total": ("counter", PORTS),
    "node_network_transmit_drop_total": ("counter", PORTS),
    "node_netstat_Tcp_CurrEstab": ("untyped", ({},)),
    "node_filefd_allocated": ("gauge", ({},)),
    "node_filefd_maximum": ("gauge", ({},)),
    "agent_info": ("gauge", ({"version": "0.1.0"},)),
    "agent_clock_offset_seconds": ("gauge", ({},)),
    "agent_spool_records": ("gauge", ({},)),
    "agent_process_resident_memory_bytes": ("gauge", ({},)),
    "agent_records_lost_total": ("counter", ({},)),
    "node_hwmon_temp_celsius": ("gauge", ({"chip": "room", "sensor": "temp1"},)),
    "network_ups_tools_battery_charge": ("gauge", ({"ups": "rack1"},)),
    "network_ups_tools_battery_runtime": ("gauge", ({"ups": "rack1"},)),
    "network_ups_tools_ups_load": ("gauge", ({"ups": "rack1"},)),
    "network_ups_tools_ups_status": ("gauge", tuple({"ups": "rack1", "flag": flag} for flag in ("OL", "OB"))),
    "probe_success": ("gauge", ({"target": TARGET, "module": "icmp"},)),
    "probe_icmp_duration_seconds": ("gauge", ({"target": TARGET, "module": "icmp", "phase": "rtt"},)),
    "probe_icmp_loss_ratio": ("gauge", ({"target": TARGET, "module": "icmp"},)),
    "probe_path_mtu_bytes": ("gauge", ({"target": TARGET, "module": "path_mtu"},)),
}

HOST_LABELS = ("agency", "hub", "site", "instance")
