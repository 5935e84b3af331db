"""The strip on top of the board of hubs and sites: the chosen sites in twelve numbers."""

from __future__ import annotations

from dashboards.palette import DEGRADED, DOWN, OK, STATES, UNKNOWN, code_steps
from dashboards.panel import Head, Links, Panel, Place, Query, Steps, Unit, Words, stat
from dashboards.selectors import BY_SITE, INCIDENTS_PAGE, SITE, TO_HOSTS, TO_SELF

NONE_IS_WELL: Steps = ((None, OK), (1, DEGRADED))


def _number(
    id: int,
    place: Place,
    words: tuple[Words, Words],
    expr: str,
    thresholds: Steps = NONE_IS_WELL,
    unit: Unit = "short",
    link: Links = TO_HOSTS,
    decimals: int | None = None,
) -> Panel:
    title, description = words
    return stat(Head(id, place, title, description), unit, thresholds, Query(expr), link=link, decimals=decimals)


SITE_STRIP = (
    stat(
        Head(
            1,
            Place(0, 0, 4, 4),
            Words("가장 나쁜 상태", "Worst state"),
            Words("선택한 사이트 가운데 가장 나쁜 상태.", "The worst state among the chosen sites."),
        ),
        "none",
        code_steps(STATES),
        Query(f"max(bongsu_site_state{{{SITE}}})"),
        link=TO_HOSTS,
        meanings=STATES,
    ),
    _number(
        2,
        Place(4, 0, 4, 4),
        (
            Words("정상이 아닌 사이트", "Sites not well"),
            Words("수신두절, 성능저하 또는 장애인 사이트 수.", "Sites without data, degraded or down."),
        ),
        f"sum(bongsu_site_state{{{SITE}}} >= bool 2)",
    ),
    _number(
        3,
        Place(8, 0, 4, 4),
        (
            Words("보고 중인 에이전트", "Agents reporting"),
            Words("보고가 최신인 에이전트의 비율.", "Share of agents whose reports are current."),
        ),
        f"avg(bongsu_agent_up{{{SITE}}})",
        ((None, DOWN), (0.9, DEGRADED), (0.98, OK)),
        "percentunit",
        TO_SELF,
        1,
    ),
    _number(
        4,
        Place(12, 0, 4, 4),
        (
            Words("열린 장애 건", "Open incidents"),
            Words("선택한 사이트의 열린 장애 건의 수.", "Open incidents of the chosen sites."),
        ),
        f"sum(bongsu_site_incidents_open{{{SITE}}})",
        link=(TO_HOSTS, INCIDENTS_PAGE),
    ),
    _number(
        5,
        Place(16, 0, 4, 4),
        (
            Words("가용률", "Availability"),
            Words(
                "선택한 기간에 장애가 아니었던 감시 시간의 비율.",
                "Share of the watched time in this range that was not downtime.",
            ),
        ),
        f"1 - sum(increase(bongsu_site_downtime_seconds_total{{{SITE}}}[$__range]))"
        f" / (sum(increase(bongsu_site_eligible_seconds_total{{{SITE}}}[$__range])) > 0)",
        ((None, DOWN), (0.995, DEGRADED), (0.999, OK)),
        "percentunit",
        decimals=3,
    ),
    _number(
        6,
        Place(20, 0, 4, 4),
        (
            Words("가장 오래된 보고", "Oldest report"),
            Words(
                "에이전트마다 마지막 보고 이후 지난 시간, 그 가운데 최댓값.",
                "Time since each agent's newest report was received; the longest of them.",
            ),
        ),
        f"time() - min(bongsu_agent_last_report_timestamp_seconds{{{SITE}}})",
        ((None, OK), (180, DEGRADED), (600, DOWN)),
        "s",
        TO_SELF,
        0,
    ),
    _number(
        7,
        Place(0, 4, 4, 3),
        (
            Words("정상이 아닌 호스트", "Hosts not well"),
            Words("수신두절, 성능저하 또는 장애인 호스트 수.", "Hosts without data, degraded or down."),
        ),
        f"sum(bongsu_host_state{{{SITE}}} >= bool 2)",
    ),
    _number(
        8,
        Place(4, 4, 4, 3),
        (
            Words("실패한 점검", "Checks failing"),
            Words("경고 또는 위험인 점검 항목 수.", "Checks in warning or critical."),
        ),
        f"sum(bongsu_check_state{{{SITE}}} == bool 1) + sum(bongsu_check_state{{{SITE}}} == bool 2)",
    ),
    _number(
        9,
        Place(8, 4, 4, 3),
        (
            Words("정상이 아닌 회선", "Links not well"),
            Words("수신두절, 성능저하 또는 장애인 회선 수.", "Links without data, degraded or down."),
        ),
        f"sum(bongsu_link_state{{{SITE}}} >= bool 2)",
    ),
    _number(
        10,
        Place(12, 4, 4, 3),
        (
            Words("배터리로 도는 사이트", "On battery"),
            Words("무정전전원장치가 배터리로 도는 사이트 수.", "Sites whose UPS runs on its battery."),
        ),
        f'sum(max by ({BY_SITE}) (network_ups_tools_ups_status{{{SITE},flag="OB"}}))',
    ),
    _number(
        11,
        Place(16, 4, 4, 3),
        (
            Words("점검 중인 사이트", "In maintenance"),
            Words("합의된 작업창 안에 있는 사이트 수.", "Sites inside an agreed maintenance window."),
        ),
        f"sum(bongsu_maintenance_active{{{SITE}}})",
        ((None, OK), (1, UNKNOWN)),
    ),
    _number(
        12,
        Place(20, 4, 4, 3),
        (
            Words("전송 대기 기록", "Records waiting"),
            Words("에이전트에 남아 전송을 기다리는 기록 수.", "Records in agents' spools that wait to be sent."),
        ),
        f"sum(bongsu_agent_spool_reports{{{SITE}}})",
        ((None, OK), (1000, DEGRADED)),
        link=TO_SELF,
    ),
)
