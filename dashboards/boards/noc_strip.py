"""The strip on top of the overview: how many sites are in which state, and whether these numbers can be believed.

Counts are ``sum(state == bool code)``: zero while sites are well, and *no data* when nothing is known. An
``or vector(0)`` would show a calm zero while the collector is gone.
"""

from __future__ import annotations

from dashboards.palette import DEGRADED, DOWN, MAINTENANCE, OK, REACHED, UNKNOWN, code_steps
from dashboards.panel import Head, Links, Panel, Place, Query, Words, stat
from dashboards.selectors import (
    AGENCY,
    FIRING,
    HUB_ONLY,
    INCIDENTS_PAGE,
    SITE,
    SYSTEMS_PAGE,
    TO_HOSTS,
    TO_SELF,
    TO_SITES,
    TO_SYSTEMS,
)


def _count(id: int, x: int, code: int, title: Words, description: Words, colour: str) -> Panel:
    """How many sites are in one state now."""
    return stat(
        Head(id, Place(x, 0, 3, 4), title, description),
        "short",
        ((None, OK), (1, colour)),
        Query(f"sum(bongsu_site_state{{{SITE}}} == bool {code})"),
        link=TO_SITES,
    )


COUNTS = (
    _count(
        1,
        0,
        4,
        Words("사이트 장애", "Sites down"),
        Words("지금 장애 상태로 판정된 사이트 수.", "Sites judged down now."),
        DOWN,
    ),
    _count(
        2,
        3,
        3,
        Words("성능저하", "Degraded"),
        Words("일부 점검 항목이 실패한 사이트 수.", "Sites that work, with something failing behind them."),
        DEGRADED,
    ),
    _count(
        3,
        6,
        2,
        Words("수신두절", "No data"),
        Words(
            "현재 보고가 없어 상태를 알 수 없는 사이트 수. 정상이 아닙니다.",
            "Sites without a current report. Their state is unknown, which is not the same as well.",
        ),
        UNKNOWN,
    ),
    _count(
        4,
        9,
        1,
        Words("점검 중", "Maintenance"),
        Words("합의된 작업창 안에 있는 사이트 수.", "Sites inside an agreed maintenance window."),
        MAINTENANCE,
    ),
)

SUMMARY = (
    stat(
        Head(
            5,
            Place(12, 0, 3, 4),
            Words("보고 중인 에이전트", "Agents reporting"),
            Words("보고가 최신인 에이전트의 비율.", "Share of agents whose reports are current."),
        ),
        "percentunit",
        ((None, DOWN), (0.9, DEGRADED), (0.98, OK)),
        Query(f"avg(bongsu_agent_up{{{SITE}}})"),
        link=TO_SITES,
        decimals=1,
    ),
    stat(
        Head(
            6,
            Place(15, 0, 3, 4),
            Words("긴급 장애 건", "Critical incidents"),
            Words(
                "열려 있는 긴급 장애 수. 기관 선택과 무관한 전체 수입니다.",
                "Open incidents of severity critical. A number of the whole fleet; the choice above does not narrow it.",
            ),
        ),
        "short",
        ((None, OK), (1, DOWN)),
        Query('sum(bongsu_incidents_open{severity="critical"})'),
        link=(TO_SELF, INCIDENTS_PAGE),
    ),
    stat(
        Head(
            7,
            Place(18, 0, 3, 4),
            Words("가용률", "Availability"),
            Words(
                "선택한 기간에 장애가 아니었던 감시 시간의 비율. 월말 수치는 보고서를 따릅니다.",
                "Share of the watched time in this range that was not downtime. Month-end figures come from the report.",
            ),
        ),
        "percentunit",
        ((None, DOWN), (0.995, DEGRADED), (0.999, OK)),
        Query(
            f"1 - sum(increase(bongsu_site_downtime_seconds_total{{{SITE}}}[$__range]))"
            f" / (sum(increase(bongsu_site_eligible_seconds_total{{{SITE}}}[$__range])) > 0)"
        ),
        link=TO_SITES,
        decimals=3,
    ),
    stat(
        Head(
            8,
            Place(21, 0, 3, 4),
            Words("수집기", "Collector"),
            Words(
                "프로메테우스가 수집기에 닿는지. 닿지 않으면 이 화면의 다른 값은 갱신되지 않습니다.",
                "Whether Prometheus reaches the collector. If it does not, nothing else here is being renewed.",
            ),
        ),
        "none",
        code_steps(REACHED),
        Query('min(up{job="bongsu"})'),
        link=TO_SELF,
        meanings=REACHED,
    ),
)


def _besides(id: int, x: int, words: tuple[Words, Words], query: Query, colour: str, link: Links) -> Panel:
    """A number of the second line: none is well."""
    title, description = words
    return stat(Head(id, Place(x, 4, 3, 3), title, description), "short", ((None, OK), (1, colour)), query, link=link)


BESIDES = (
    _besides(
        19,
        0,
        (Words("회선 장애", "Links down"), Words("장애로 판정된 회선 수.", "Links judged down now.")),
        Query(f"sum(bongsu_link_state{{{SITE}}} == bool 4)"),
        DOWN,
        TO_SITES,
    ),
    _besides(
        20,
        3,
        (
            Words("거점 이상", "Hubs not well"),
            Words("두절, 성능저하, 장애인 거점 수.", "Hubs that are silent, degraded or down."),
        ),
        Query(f"sum(bongsu_hub_state{{{HUB_ONLY}}} >= bool 2)"),
        DOWN,
        TO_SITES,
    ),
    _besides(
        21,
        6,
        (
            Words("시스템 장애", "Systems down"),
            Words("장애로 판정된 정보시스템 수.", "Information systems judged down now."),
        ),
        Query(f"sum(bongsu_system_state{{{AGENCY}}} == bool 4)"),
        DOWN,
        (TO_SYSTEMS, SYSTEMS_PAGE),
    ),
    _besides(
        22,
        9,
        (
            Words("배터리 운전", "Sites on battery"),
            Words("무정전전원장치가 배터리로 도는 사이트 수.", "Sites whose UPS runs on its battery."),
        ),
        Query(f'sum(max by (agency, hub, site) (network_ups_tools_ups_status{{{SITE},flag="OB"}}))'),
        DEGRADED,
        TO_SITES,
    ),
    _besides(
        23,
        12,
        (
            Words("열린 장애 건", "Open incidents"),
            Words(
                "선택한 사이트의 열린 장애 건의 수, 심각도와 무관합니다.",
                "Open incidents of the chosen sites, however grave.",
            ),
        ),
        Query(f"sum(bongsu_site_incidents_open{{{SITE}}})"),
        DEGRADED,
        (TO_SITES, INCIDENTS_PAGE),
    ),
    _besides(
        24,
        15,
        (
            Words("발생 중인 알림", "Alerts firing"),
            Words(
                "지금 발생 중인 규칙 알림 수. 기관 선택과 무관한 전체 수입니다.",
                "Alerts of rules that fire now; a number of the whole fleet.",
            ),
        ),
        Query(f"count(ALERTS{{{FIRING}}}) or 0 * max(bongsu_collector_build_info)"),
        DEGRADED,
        TO_SELF,
    ),
    _besides(
        25,
        18,
        (
            Words("감시되지 않는 호스트", "Not monitored"),
            Words(
                "등록되었으나 한 번도 보고되지 않은 호스트 수.",
                "Hosts that are registered and that nobody ever reported for.",
            ),
        ),
        Query(f"sum(bongsu_hosts_unmonitored{{{AGENCY}}})"),
        DEGRADED,
        TO_HOSTS,
    ),
    _besides(
        26,
        21,
        (
            Words("등록되지 않은 호스트", "Not registered"),
            Words(
                "보고하지만 토폴로지와 명부에 없는 호스트 수.",
                "Hosts that report and that neither the topology file nor a list names.",
            ),
        ),
        Query(f"sum(bongsu_hosts_unregistered{{{AGENCY}}})"),
        DEGRADED,
        TO_HOSTS,
    ),
)
