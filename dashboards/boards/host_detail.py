"""The folded rows of the host board: what one looks at only when something is wrong. Closed rows ask nothing."""

from __future__ import annotations

from dashboards.palette import DEGRADED, DOWN, OK
from dashboards.panel import Head, Place, Query, Words, row, stat, timeseries
from dashboards.selectors import HOST
from dashboards.tabular import Columns, table

ANY = ((None, OK),)

DETAIL_ROW = row(
    21,
    48,
    Words("오류와 한도", "Errors and limits"),
    (
        timeseries(
            Head(
                22,
                Place(0, 49, 8, 8),
                Words("네트워크 오류", "Network errors"),
                Words("초당 오류와 버려진 패킷 수.", "Packets per second that were faulty or dropped."),
            ),
            "short",
            ANY,
            (
                Query(
                    f"sum by (instance, device) (rate(node_network_receive_errs_total{{{HOST}}}[$__rate_interval])"
                    f" + rate(node_network_transmit_errs_total{{{HOST}}}[$__rate_interval]))",
                    "{{instance}} {{device}} 오류 / errors",
                ),
                Query(
                    f"sum by (instance, device) (rate(node_network_receive_drop_total{{{HOST}}}[$__rate_interval])"
                    f" + rate(node_network_transmit_drop_total{{{HOST}}}[$__rate_interval]))",
                    "{{instance}} {{device}} 버림 / dropped",
                ),
            ),
        ),
        timeseries(
            Head(
                23,
                Place(8, 49, 8, 8),
                Words("열린 연결", "Open connections"),
                Words("맺어진 TCP 연결 수.", "Established TCP connections."),
            ),
            "short",
            ANY,
            (Query(f"node_netstat_Tcp_CurrEstab{{{HOST}}}", "{{instance}}"),),
        ),
        timeseries(
            Head(
                24,
                Place(16, 49, 8, 8),
                Words("파일 기술자", "File descriptors"),
                Words(
                    "커널 한도 대비 열린 파일 기술자의 비율.", "Open file descriptors as a share of the kernel's limit."
                ),
            ),
            "percentunit",
            ((None, OK), (0.8, DEGRADED), (0.95, DOWN)),
            (Query(f"node_filefd_allocated{{{HOST}}} / node_filefd_maximum{{{HOST}}}", "{{instance}}"),),
        ),
    ),
)

AGENT_ROW = row(
    25,
    49,
    Words("에이전트", "Agent"),
    (
        table(
            Head(
                26,
                Place(0, 50, 6, 7),
                Words("에이전트 버전", "Agent version"),
                Words("이 호스트에서 도는 에이전트의 버전.", "Version of the agent that runs on this host."),
            ),
            "none",
            ANY,
            Query(f"max by (instance, version) (agent_info{{{HOST}}})"),
            Columns(("instance", "version"), Words("개수", "Count")),
        ),
        stat(
            Head(
                27,
                Place(6, 50, 4, 7),
                Words("시계 오차", "Clock offset"),
                Words(
                    "수신자 시계와의 차이. 양수면 이 호스트가 늦습니다.",
                    "Difference from the receiver's clock; positive means this host is behind.",
                ),
            ),
            "s",
            ((None, DOWN), (-5, DEGRADED), (-0.5, OK), (0.5, DEGRADED), (5, DOWN)),
            Query(f"agent_clock_offset_seconds{{{HOST}}}", "{{instance}}"),
            decimals=2,
        ),
        timeseries(
            Head(
                28,
                Place(10, 50, 7, 7),
                Words("전송 대기 기록", "Records waiting"),
                Words("전송을 기다리는 기록 수.", "Records in the agent's spool that wait to be sent."),
            ),
            "short",
            ANY,
            (Query(f"agent_spool_records{{{HOST}}}", "{{instance}}"),),
        ),
        timeseries(
            Head(
                29,
                Place(17, 50, 7, 7),
                Words("에이전트 메모리", "Agent memory"),
                Words("에이전트 프로세스의 상주 메모리.", "Resident memory of the agent's process."),
            ),
            "bytes",
            ANY,
            (Query(f"agent_process_resident_memory_bytes{{{HOST}}}", "{{instance}}"),),
        ),
    ),
)
