"""Lines, power and the machines of the chosen sites over time."""

from __future__ import annotations

from dashboards.palette import DEGRADED, DOWN, OK, YELLOW
from dashboards.panel import Head, Place, Query, Words, row, state_timeline, timeseries
from dashboards.selectors import BY_SITE, SITE, SITE_PAGE, TO_HOSTS_OF_SERIES
from dashboards.tabular import Columns, table

ANY = ((None, OK),)
MAINS = ((0, "● 상용 mains", OK), (1, "▲ 배터리 battery", DEGRADED))

LINES = (
    row(21, 38, Words("회선 품질", "Quality of lines")),
    timeseries(
        Head(
            22,
            Place(0, 39, 8, 8),
            Words("왕복지연", "Round trip"),
            Words(
                "회선마다 바라보는 곳들의 평균 왕복지연. 응답이 없으면 값이 없습니다.",
                "Mean round trip to each link, over those who look at it. None while nobody gets an answer.",
            ),
        ),
        "s",
        ((None, OK), (0.4, DEGRADED), (1, DOWN)),
        (Query(f"link:probe_icmp_duration_seconds:avg{{{SITE}}}", "{{site}} {{link}}"),),
    ),
    timeseries(
        Head(
            23,
            Place(8, 39, 8, 8),
            Words("패킷 손실", "Packet loss"),
            Words("회선마다 잃어버린 패킷의 비율.", "Share of packets lost on the way to each link."),
        ),
        "percentunit",
        ((None, OK), (0.02, DEGRADED), (0.1, DOWN)),
        (Query(f"link:probe_icmp_loss_ratio:avg{{{SITE}}}", "{{site}} {{link}}"),),
        highest=1,
    ),
    timeseries(
        Head(
            24,
            Place(16, 39, 8, 8),
            Words("닿는 비율", "Reached by"),
            Words(
                "회선을 바라보는 곳 가운데 응답을 받은 비율. 모두 못 받으면 그 회선, 일부만 못 받으면 사이 구간이 의심됩니다.",
                "Share of those who look at a link that get an answer. None at all: the link; some: the way between.",
            ),
        ),
        "percentunit",
        ((None, DOWN), (0.5, DEGRADED), (1, OK)),
        (Query(f"link:probe_success:ratio{{{SITE}}}", "{{site}} {{link}}"),),
        highest=1,
    ),
    timeseries(
        Head(
            25,
            Place(0, 47, 8, 7),
            Words("경로 MTU", "Path MTU"),
            Words(
                "나뉘지 않고 지나는 가장 큰 패킷. 줄어들면 큰 패킷만 사라지고 ping은 정상으로 보입니다.",
                "The largest packet that passes whole. When it shrinks, large packets vanish while ping stays well.",
            ),
        ),
        "bytes",
        ((None, DOWN), (1280, DEGRADED), (1500, OK)),
        (Query(f"link:probe_path_mtu_bytes:min{{{SITE}}}", "{{site}} {{link}}"),),
    ),
    timeseries(
        Head(
            26,
            Place(8, 47, 8, 7),
            Words("사이트 트래픽", "Traffic of sites"),
            Words(
                "위는 수신, 아래는 송신. 사이트의 모든 호스트 합계.",
                "Received upwards, sent downwards; all hosts together.",
            ),
        ),
        "bps",
        ANY,
        (
            Query(
                f'sum by (site) (rate(node_network_receive_bytes_total{{{SITE},device!="lo"}}[$__rate_interval])) * 8',
                "{{site}} 수신 / in",
            ),
            Query(
                f'-sum by (site) (rate(node_network_transmit_bytes_total{{{SITE},device!="lo"}}[$__rate_interval])) * 8',
                "{{site}} 송신 / out",
            ),
        ),
        link=TO_HOSTS_OF_SERIES,
        lowest=None,
    ),
    timeseries(
        Head(
            27,
            Place(16, 47, 8, 7),
            Words("보고 지연", "Report lag"),
            Words("도착했을 때 가장 새 기록의 나이.", "How old the newest record was when it arrived."),
        ),
        "s",
        ((None, OK), (30, DEGRADED), (120, DOWN)),
        (Query(f"max by (site) (bongsu_ingest_lag_seconds{{{SITE}}})", "{{site}}"),),
        link=TO_HOSTS_OF_SERIES,
    ),
)

POWER = row(
    28,
    54,
    Words("전원과 환경", "Power and room"),
    (
        state_timeline(
            Head(
                29,
                Place(0, 55, 12, 7),
                Words("전원", "Mains or battery"),
                Words(
                    "무정전전원장치가 상용 전원으로 도는지, 배터리로 도는지.",
                    "Whether each UPS runs on mains or on its battery.",
                ),
            ),
            (Query(f'max by (site) (network_ups_tools_ups_status{{{SITE},flag="OB"}})', "{{site}}"),),
            MAINS,
            link=TO_HOSTS_OF_SERIES,
        ),
        timeseries(
            Head(
                30,
                Place(12, 55, 12, 7),
                Words("배터리 잔량", "Battery charge"),
                Words("사이트마다 가장 적게 남은 배터리.", "The emptiest battery of each site."),
            ),
            "percent",
            ((None, DOWN), (30, DEGRADED), (80, OK)),
            (Query(f"min by (site) (network_ups_tools_battery_charge{{{SITE}}})", "{{site}}"),),
            link=TO_HOSTS_OF_SERIES,
            highest=100,
        ),
        timeseries(
            Head(
                31,
                Place(0, 62, 8, 7),
                Words("배터리로 버틸 시간", "Battery runtime"),
                Words(
                    "무정전전원장치가 말하는 남은 시간, 가장 짧은 것.", "What the UPS says it will last; the shortest."
                ),
            ),
            "s",
            ((None, DOWN), (600, DEGRADED), (1800, OK)),
            (Query(f"min by (site) (network_ups_tools_battery_runtime{{{SITE}}})", "{{site}}"),),
            link=TO_HOSTS_OF_SERIES,
        ),
        timeseries(
            Head(
                32,
                Place(8, 62, 8, 7),
                Words("무정전전원장치 부하", "UPS load"),
                Words("정격에 대한 부하.", "Load as a share of what the UPS is made for."),
            ),
            "percent",
            ((None, OK), (80, DEGRADED), (95, DOWN)),
            (Query(f"max by (site) (network_ups_tools_ups_load{{{SITE}}})", "{{site}}"),),
            link=TO_HOSTS_OF_SERIES,
            highest=100,
        ),
        timeseries(
            Head(
                33,
                Place(16, 62, 8, 7),
                Words("온도", "Temperature"),
                Words("센서가 있는 사이트의 가장 높은 온도.", "The highest temperature where there is a sensor."),
            ),
            "celsius",
            ((None, OK), (30, YELLOW), (35, DEGRADED), (40, DOWN)),
            (Query(f"max by (site) (node_hwmon_temp_celsius{{{SITE}}})", "{{site}}"),),
            link=TO_HOSTS_OF_SERIES,
            lowest=None,
        ),
    ),
)

MACHINES = row(
    34,
    55,
    Words("서버와 보고", "Machines and reports"),
    (
        timeseries(
            Head(
                35,
                Place(0, 56, 8, 8),
                Words("가장 바쁜 호스트", "Busiest host"),
                Words("사이트마다 가장 바쁜 호스트의 CPU 사용 비율.", "CPU use of the busiest host of each site."),
            ),
            "percentunit",
            ((None, OK), (0.85, DEGRADED), (0.95, DOWN)),
            (Query(f"max by (site) (instance:node_cpu_busy:ratio_rate5m{{{SITE}}})", "{{site}}"),),
            link=TO_HOSTS_OF_SERIES,
            highest=1,
        ),
        timeseries(
            Head(
                36,
                Place(8, 56, 8, 8),
                Words("메모리가 가장 적은 호스트", "Least memory left"),
                Words(
                    "사이트마다 가장 빠듯한 호스트의 메모리 사용 비율.", "Memory use of the tightest host of each site."
                ),
            ),
            "percentunit",
            ((None, OK), (0.8, DEGRADED), (0.9, DOWN)),
            (
                Query(
                    f"max by (site) (1 - node_memory_MemAvailable_bytes{{{SITE}}} / node_memory_MemTotal_bytes{{{SITE}}})",
                    "{{site}}",
                ),
            ),
            link=TO_HOSTS_OF_SERIES,
            highest=1,
        ),
        timeseries(
            Head(
                37,
                Place(16, 56, 8, 8),
                Words("가장 찬 파일시스템", "Fullest filesystem"),
                Words("사이트마다 가장 찬 파일시스템의 사용 비율.", "Use of the fullest filesystem of each site."),
            ),
            "percentunit",
            ((None, OK), (0.8, DEGRADED), (0.9, DOWN)),
            (
                Query(
                    f'max by (site) (1 - node_filesystem_avail_bytes{{{SITE},fstype!~"tmpfs|ramfs|squashfs|iso9660"}}'
                    f' / node_filesystem_size_bytes{{{SITE},fstype!~"tmpfs|ramfs|squashfs|iso9660"}})',
                    "{{site}}",
                ),
            ),
            link=TO_HOSTS_OF_SERIES,
            highest=1,
        ),
        table(
            Head(
                38,
                Place(0, 64, 12, 7),
                Words("보고 완전성", "Completeness"),
                Words(
                    "마지막으로 따져 본 한 시간에 와야 할 것 가운데 온 비율, 낮은 순서.",
                    "Of the last judged hour, the share of what was expected that came; the lowest first.",
                ),
            ),
            "percentunit",
            ((None, DOWN), (0.9, DEGRADED), (0.99, OK)),
            Query(f"min by ({BY_SITE}) (bongsu_completeness_ratio{{{SITE}}})"),
            Columns(("site", "hub", "agency"), Words("완전성", "Share")),
            link=SITE_PAGE,
            worst_first=False,
        ),
        timeseries(
            Head(
                39,
                Place(12, 64, 12, 7),
                Words("잃은 기록", "Records lost"),
                Words(
                    "마지막으로 따져 본 한 시간에 잃은 것으로 밝혀진 값의 수.",
                    "Numbers lost for good in the last judged hour.",
                ),
            ),
            "short",
            ((None, OK), (1, DEGRADED)),
            (Query(f"sum by (site) (bongsu_completeness_lost_samples{{{SITE}}})", "{{site}}"),),
            link=TO_HOSTS_OF_SERIES,
        ),
    ),
)
