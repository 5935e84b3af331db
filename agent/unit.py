"""A systemd unit for this agent, as ``configs/systemd/bongsu-agent.service`` has it (a test compares the two).

The agent reads /proc and /sys and writes one folder; everything else is closed to it. ``ProtectProc`` stays at its
default because watched processes are other users'.
"""

from __future__ import annotations

UNIT = """\
[Unit]
Description=Bongsu agent: reports the health of this machine
Documentation=man:systemd.exec(5)
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=/opt/bongsu/bin/bongsu-agent run --data /var/lib/bongsu-agent
User=bongsu-agent
Group=bongsu-agent
StateDirectory=bongsu-agent
StateDirectoryMode=0700
Restart=always
RestartSec=5
TimeoutStopSec=10
Nice=5
MemoryMax=128M
TasksMax=64
UMask=0077
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
"""
