"""One machine by the USE method: how busy is each resource, is anything queueing for it, does it fail?

Host series carry node_exporter's names. They leave a few intervals after the host fell silent, so every panel here
goes empty rather than stale; the state in the corner, which the collector goes on judging, says why.
"""

from __future__ import annotations

from dashboards.board import Board, Variable
from dashboards.boards.annotations import INCIDENT_MARKS, WORK_MARKS
from dashboards.boards.host_detail import AGENT_ROW, DETAIL_ROW
from dashboards.boards.host_status import BUSY, FULL, REAL_FILES, STATUS
from dashboards.palette import CHECK_STATES, DEGRADED, DOWN, GREEN, MAINTENANCE, OK, PURPLE, STATES, UNKNOWN
from dashboards.panel import Head, Place, Query, Words, row, state_timeline, timeseries
from dashboards.selectors import HOST, HOST_PAGE_OF_SERIES, HOST_UID

ANY = ((None, OK),)
PRESSED = ((None, OK), (0.7, DEGRADED), (0.9, DOWN))

REAL_DISKS = f'{HOST},device!~"(loop|ram|zram)[0-9].*"'
REAL_PORTS = f'{HOST},device!~"lo|veth.*|docker.*|br-.*"'

COURSE = (
    state_timeline(
        Head(
            9,
            Place(0, 4, 24, 4),
            Words("호스트 상태 추이", "State over time"),
            Words("호스트별 판정 상태.", "What the collector said about each host."),
        ),
        (Query(f"max by (instance) (bongsu_host_state{{{HOST}}})", "{{instance}}"),),
        STATES,
        link=HOST_PAGE_OF_SERIES,
    ),
    state_timeline(
        Head(
            10,
            Place(0, 8, 24, 6),
            Words("점검 항목", "Checks"),
            Words("프로세스, 서비스 등 점검 항목의 상태.", "State of each check: processes, services and the rest."),
        ),
        (Query(f"max by (instance, check) (bongsu_check_state{{{HOST}}})", "{{instance}} {{check}}"),),
        CHECK_STATES,
    ),
)

CPU_AND_MEMORY = (
    row(11, 14, Words("CPU와 메모리", "CPU and memory")),
    timeseries(
        Head(
            12,
            Place(0, 15, 12, 8),
            Words("CPU 사용", "CPU by mode"),
            Words(
                "CPU 시간이 쓰인 곳. 가는 회선의 호스트는 합계와 디스크 대기만 보냅니다.",
                "Where CPU time goes, and the sum at work. Hosts behind thin links send the sum and the wait for disk only.",
            ),
        ),
        "percentunit",
        ANY,
        (
            Query(
                f'avg by (instance, mode) (rate(node_cpu_seconds_total{{{HOST},mode!="idle"}}[$__rate_interval]))',
                "{{instance}} {{mode}}",
            ),
            Query(f"instance:node_cpu_busy:ratio_rate5m{{{HOST}}}", "{{instance}} 합계 / busy"),
        ),
        colours=(
            ("/ user$/", OK),
            ("/ system$/", DEGRADED),
            ("/ iowait$/", DOWN),
            ("/ steal$/", PURPLE),
            ("/ (soft)?irq$/", GREEN),
            ("/ nice$/", MAINTENANCE),
            ("/busy$/", UNKNOWN),
        ),
        stacked=True,
        apart="/busy$/",
    ),
    timeseries(
        Head(
            13,
            Place(12, 15, 12, 8),
            Words("부하", "Load"),
            Words("1, 5, 15분 부하 평균과 CPU 수.", "Load averages of 1, 5 and 15 minutes, and the number of CPUs."),
        ),
        "short",
        ANY,
        (
            Query(f"node_load1{{{HOST}}}", "{{instance}} 1m"),
            Query(f"node_load5{{{HOST}}}", "{{instance}} 5m"),
            Query(f"node_load15{{{HOST}}}", "{{instance}} 15m"),
            Query(f"instance:node_cpus:count{{{HOST}}}", "{{instance}} CPU"),
        ),
        colours=(("/ 1m$/", OK), ("/ 5m$/", MAINTENANCE), ("/ 15m$/", PURPLE), ("/ CPU$/", DOWN)),
    ),
    timeseries(
        Head(
            14,
            Place(0, 23, 12, 8),
            Words("메모리 사용", "Memory in use"),
            Words(
                "쓸 수 없는 메모리, 여유, 스왑 사용량.",
                "Memory that is taken, what is still available, and swap in use.",
            ),
        ),
        "bytes",
        ANY,
        (
            Query(
                f"node_memory_MemTotal_bytes{{{HOST}}} - node_memory_MemAvailable_bytes{{{HOST}}}",
                "{{instance}} 사용 / taken",
            ),
            Query(f"node_memory_MemAvailable_bytes{{{HOST}}}", "{{instance}} 여유 / available"),
            Query(
                f"node_memory_SwapTotal_bytes{{{HOST}}} - node_memory_SwapFree_bytes{{{HOST}}}",
                "{{instance}} 스왑 / swap",
            ),
        ),
        colours=(("/taken$/", DEGRADED), ("/available$/", OK), ("/swap$/", DOWN)),
    ),
    timeseries(
        Head(
            15,
            Place(12, 23, 12, 8),
            Words("기다림", "Pressure"),
            Words(
                "CPU, 메모리, 디스크를 기다리며 보낸 시간의 비율. 커널이 알려 주는 경우에만 보입니다.",
                "Share of time work waited for CPU, memory or disk, where the kernel tells.",
            ),
        ),
        "percentunit",
        PRESSED,
        (
            Query(f"rate(node_pressure_cpu_waiting_seconds_total{{{HOST}}}[$__rate_interval])", "{{instance}} CPU"),
            Query(
                f"rate(node_pressure_memory_waiting_seconds_total{{{HOST}}}[$__rate_interval])",
                "{{instance}} 메모리 / memory",
            ),
            Query(
                f"rate(node_pressure_io_waiting_seconds_total{{{HOST}}}[$__rate_interval])",
                "{{instance}} 디스크 / disk",
            ),
        ),
        colours=(("/ CPU$/", OK), ("/memory$/", PURPLE), ("/disk$/", DOWN)),
    ),
)

DISKS_AND_NETWORK = (
    row(16, 31, Words("디스크와 네트워크", "Disks and network")),
    timeseries(
        Head(
            17,
            Place(0, 32, 12, 8),
            Words("파일시스템 사용", "Filesystem use"),
            Words("마운트 지점별 사용 비율.", "Used share of each filesystem."),
        ),
        "percentunit",
        FULL,
        (
            Query(
                f"1 - node_filesystem_avail_bytes{{{REAL_FILES}}} / node_filesystem_size_bytes{{{REAL_FILES}}}",
                "{{instance}} {{mountpoint}}",
            ),
        ),
        highest=1,
    ),
    timeseries(
        Head(
            18,
            Place(12, 32, 12, 8),
            Words("디스크 바쁨", "Disk busy"),
            Words("디스크가 일하고 있던 시간의 비율.", "Share of time each disk was at work."),
        ),
        "percentunit",
        BUSY,
        (Query(f"rate(node_disk_io_time_seconds_total{{{REAL_DISKS}}}[$__rate_interval])", "{{instance}} {{device}}"),),
    ),
    timeseries(
        Head(
            19,
            Place(0, 40, 12, 8),
            Words("디스크 처리량", "Disk throughput"),
            Words("위는 읽기, 아래는 쓰기.", "Reading upwards, writing downwards."),
        ),
        "Bps",
        ANY,
        (
            Query(
                f"rate(node_disk_read_bytes_total{{{REAL_DISKS}}}[$__rate_interval])",
                "{{instance}} {{device}} 읽기 / read",
            ),
            Query(
                f"-rate(node_disk_written_bytes_total{{{REAL_DISKS}}}[$__rate_interval])",
                "{{instance}} {{device}} 쓰기 / write",
            ),
        ),
        lowest=None,
    ),
    timeseries(
        Head(
            20,
            Place(12, 40, 12, 8),
            Words("네트워크", "Network traffic"),
            Words("위는 수신, 아래는 송신.", "Received upwards, sent downwards."),
        ),
        "bps",
        ANY,
        (
            Query(
                f"rate(node_network_receive_bytes_total{{{REAL_PORTS}}}[$__rate_interval]) * 8",
                "{{instance}} {{device}} 수신 / in",
            ),
            Query(
                f"-rate(node_network_transmit_bytes_total{{{REAL_PORTS}}}[$__rate_interval]) * 8",
                "{{instance}} {{device}} 송신 / out",
            ),
        ),
        lowest=None,
    ),
)

HOST_BOARD = Board(
    uid=HOST_UID,
    title=Words("호스트", "Host"),
    description=Words(
        "한 대 또는 여러 대의 서버를 자원별로 봅니다: 사용, 대기, 오류.",
        "One machine or several, resource by resource: use, saturation, errors.",
    ),
    tags=("host",),
    span="6h",
    refresh="30s",
    variables=(
        Variable("agency", Words("기관", "Agency"), "bongsu_host_state"),
        Variable("hub", Words("거점", "Hub"), "bongsu_host_state", everything=".*"),
        Variable("site", Words("사이트", "Site"), "bongsu_host_state"),
        Variable("instance", Words("호스트", "Host"), "bongsu_host_state"),
    ),
    panels=(*STATUS, *COURSE, *CPU_AND_MEMORY, *DISKS_AND_NETWORK, DETAIL_ROW, AGENT_ROW),
    annotations=(WORK_MARKS, INCIDENT_MARKS),
)
