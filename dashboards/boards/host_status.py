"""The strip on top of the host board: a machine's health in eight numbers."""

from __future__ import annotations

from dashboards.palette import DEGRADED, DOWN, OK, STATES, code_steps
from dashboards.panel import Head, Place, Query, Words, gauge, stat
from dashboards.selectors import BY_HOST, HOST, HOST_PAGE_OF_SERIES

BUSY = ((None, OK), (0.85, DEGRADED), (0.95, DOWN))
FULL = ((None, OK), (0.8, DEGRADED), (0.9, DOWN))

REAL_FILES = f'{HOST},fstype!~"tmpfs|ramfs|squashfs|iso9660"'

STATUS = (
    stat(
        Head(
            1,
            Place(0, 0, 3, 4),
            Words("상태", "State"),
            Words("수집기가 판정한 호스트 상태.", "What the collector says about this host."),
        ),
        "none",
        code_steps(STATES),
        Query(f"max by ({BY_HOST}) (bongsu_host_state{{{HOST}}})", "{{instance}}"),
        link=HOST_PAGE_OF_SERIES,
        meanings=STATES,
    ),
    gauge(
        Head(
            2,
            Place(3, 0, 3, 4),
            Words("CPU", "CPU busy"),
            Words("5분 평균 사용 비율. 대기와 뺏긴 시간은 뺍니다.", "Share of CPU time at work, mean of five minutes."),
        ),
        "percentunit",
        BUSY,
        Query(f"instance:node_cpu_busy:ratio_rate5m{{{HOST}}}", "{{instance}}"),
        top=1,
    ),
    gauge(
        Head(
            3,
            Place(6, 0, 3, 4),
            Words("메모리", "Memory"),
            Words(
                "프로그램이 더 쓸 수 없는 메모리의 비율.", "Share of memory that programs could not get any more of."
            ),
        ),
        "percentunit",
        FULL,
        Query(f"1 - node_memory_MemAvailable_bytes{{{HOST}}} / node_memory_MemTotal_bytes{{{HOST}}}", "{{instance}}"),
        top=1,
    ),
    gauge(
        Head(
            4,
            Place(9, 0, 3, 4),
            Words("가장 찬 파일시스템", "Fullest filesystem"),
            Words("가장 많이 찬 파일시스템의 사용 비율.", "Used share of the fullest filesystem."),
        ),
        "percentunit",
        FULL,
        Query(
            f"max by ({BY_HOST}) (1 - node_filesystem_avail_bytes{{{REAL_FILES}}}"
            f" / node_filesystem_size_bytes{{{REAL_FILES}}})",
            "{{instance}}",
        ),
        top=1,
    ),
    gauge(
        Head(
            5,
            Place(12, 0, 3, 4),
            Words("CPU당 부하", "Load per CPU"),
            Words(
                "1분 부하를 CPU 수로 나눈 값. 1을 넘으면 기다립니다.", "One-minute load per CPU; above 1, work waits."
            ),
        ),
        "short",
        ((None, OK), (1, DEGRADED), (2, DOWN)),
        Query(f"node_load1{{{HOST}}} / on ({BY_HOST}) instance:node_cpus:count{{{HOST}}}", "{{instance}}"),
        top=3,
    ),
    stat(
        Head(
            6,
            Place(15, 0, 3, 4),
            Words("가동 시간", "Uptime"),
            Words("마지막 부팅 이후 지난 시간.", "Time since the last boot."),
        ),
        "dtdurations",
        ((None, DEGRADED), (600, OK)),
        Query(f"node_time_seconds{{{HOST}}} - node_boot_time_seconds{{{HOST}}}", "{{instance}}"),
    ),
    stat(
        Head(
            7,
            Place(18, 0, 3, 4),
            Words("마지막 수치의 나이", "Age of newest numbers"),
            Words(
                "호스트 시계 기준 마지막 수집 이후 지난 시간. 시계가 틀리면 그만큼 어긋납니다.",
                "Time since the newest numbers were taken, by the host's own clock: a wrong clock shows here too.",
            ),
        ),
        "s",
        ((None, DOWN), (-60, OK), (120, DEGRADED), (300, DOWN)),
        Query(f"time() - node_time_seconds{{{HOST}}}", "{{instance}}"),
        decimals=0,
    ),
    stat(
        Head(
            8,
            Place(21, 0, 3, 4),
            Words("4일 안에 찰 파일시스템", "Full within 4 days"),
            Words(
                "최근 6시간 추세대로면 4일 안에 가득 찰 파일시스템 수.",
                "Filesystems that would be full in four days if the last six hours went on.",
            ),
        ),
        "short",
        ((None, OK), (1, DOWN)),
        Query(
            f"sum by ({BY_HOST}) (predict_linear(node_filesystem_avail_bytes{{{REAL_FILES}}}[6h], 4 * 86400) < bool 0)",
            "{{instance}}",
        ),
    ),
)
