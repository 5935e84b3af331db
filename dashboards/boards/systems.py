"""Agencies and their information systems: which work, how gravely do those matter that do not, for how long?"""

from __future__ import annotations

from dashboards.board import Annotation, Board, Variable
from dashboards.palette import DEGRADED, DOWN, MAINTENANCE, OK, STATES, UNKNOWN, code_steps
from dashboards.panel import Head, Panel, Place, Query, Words, gauge, stat, state_timeline, status_history, timeseries
from dashboards.selectors import (
    AGENCY,
    BY_SYSTEM,
    INCIDENTS_PAGE,
    SYSTEM,
    SYSTEM_PAGE,
    SYSTEMS_PAGE,
    SYSTEMS_UID,
    TO_AGENCY_SITES,
)
from dashboards.tabular import Columns, table

AVAILABILITY = ((None, DOWN), (0.995, DEGRADED), (0.999, OK))


def _count(id: int, x: int, words: tuple[Words, Words], expr: str, colour: str) -> Panel:
    title, description = words
    return stat(
        Head(id, Place(x, 0, 3, 4), title, description),
        "short",
        ((None, OK), (1, colour)),
        Query(expr),
        link=SYSTEMS_PAGE,
    )


STRIP = (
    _count(
        1,
        0,
        (Words("시스템 장애", "Systems down"), Words("장애로 판정된 시스템 수.", "Systems judged down now.")),
        f"sum(bongsu_system_state{{{SYSTEM}}} == bool 4)",
        DOWN,
    ),
    _count(
        2,
        3,
        (
            Words("성능저하", "Degraded"),
            Words(
                "돌지만 구성 요소나 의존 시스템이 실패한 시스템 수.",
                "Systems that work, with a part or a dependency failing.",
            ),
        ),
        f"sum(bongsu_system_state{{{SYSTEM}}} == bool 3)",
        DEGRADED,
    ),
    _count(
        3,
        6,
        (Words("수신두절", "No data"), Words("상태를 알 수 없는 시스템 수.", "Systems whose state is unknown.")),
        f"sum(bongsu_system_state{{{SYSTEM}}} == bool 2)",
        UNKNOWN,
    ),
    _count(
        4,
        9,
        (Words("점검 중", "Maintenance"), Words("합의된 작업 중인 시스템 수.", "Systems in agreed maintenance.")),
        f"sum(bongsu_system_state{{{SYSTEM}}} == bool 1)",
        MAINTENANCE,
    ),
    _count(
        5,
        12,
        (
            Words("1등급 장애", "Grade 1 down"),
            Words(
                "고른 시스템 가운데 1등급이면서 장애인 수.",
                "Of those chosen, systems of grade 1 that are down.",
            ),
        ),
        f'sum(bongsu_system_state{{{SYSTEM},grade="1"}} == bool 4)',
        DOWN,
    ),
    stat(
        Head(
            6,
            Place(15, 0, 3, 4),
            Words("가용률", "Availability"),
            Words(
                "선택한 기간에 장애가 아니었던 감시 시간의 비율. 월말 수치는 보고서를 따릅니다.",
                "Share of the watched time in this range that was not downtime. Month-end figures come from the report.",
            ),
        ),
        "percentunit",
        AVAILABILITY,
        Query(
            f"1 - sum(increase(bongsu_system_downtime_seconds_total{{{SYSTEM}}}[$__range]))"
            f" / (sum(increase(bongsu_system_eligible_seconds_total{{{SYSTEM}}}[$__range])) > 0)"
        ),
        decimals=3,
    ),
    stat(
        Head(
            7,
            Place(18, 0, 3, 4),
            Words("장애 시간", "Downtime"),
            Words("선택한 기간의 장애 시간 합계.", "Downtime of all chosen systems in this range, added up."),
        ),
        "s",
        ((None, OK), (60, DEGRADED), (3600, DOWN)),
        Query(f"sum(increase(bongsu_system_downtime_seconds_total{{{SYSTEM}}}[$__range]))"),
        decimals=0,
    ),
    stat(
        Head(
            8,
            Place(21, 0, 3, 4),
            Words("열린 장애 건", "Open incidents"),
            Words("선택한 기관의 열린 장애 건의 수.", "Open incidents of the chosen agencies."),
        ),
        "short",
        ((None, OK), (1, DEGRADED)),
        Query(f"sum(bongsu_agency_incidents_open{{{AGENCY}}})"),
        link=INCIDENTS_PAGE,
    ),
)

NOW = (
    gauge(
        Head(
            9,
            Place(0, 4, 8, 8),
            Words("등급별 정상 비율", "Working by grade"),
            Words(
                "등급마다 정상이거나 점검 중인 시스템의 비율. 재난 때는 복구율로 읽습니다.",
                "Share of systems of each grade that are well or in agreed work. In a disaster, read it as recovery.",
            ),
        ),
        "percentunit",
        ((None, DOWN), (0.9, DEGRADED), (1, OK)),
        Query(f"avg by (grade) (bongsu_system_state{{{SYSTEM}}} < bool 3)", "{{grade}}등급 / grade {{grade}}"),
        top=1,
        link=SYSTEMS_PAGE,
    ),
    table(
        Head(
            10,
            Place(8, 4, 16, 8),
            Words("시스템", "Systems"),
            Words("시스템과 지금 상태, 나쁜 순서.", "Systems and their states, the worst first."),
        ),
        "none",
        code_steps(STATES),
        Query(f"max by ({BY_SYSTEM}) (bongsu_system_state{{{SYSTEM}}})"),
        Columns(("system", "grade", "agency"), Words("상태", "State")),
        link=SYSTEM_PAGE,
        meanings=STATES,
    ),
)

COURSE = (
    state_timeline(
        Head(
            11,
            Place(0, 12, 24, 8),
            Words("시스템 상태 추이", "Systems over time"),
            Words("시스템마다 판정된 상태.", "What the collector said about each system."),
        ),
        (Query(f"max by (system) (bongsu_system_state{{{SYSTEM}}})", "{{system}}"),),
        STATES,
    ),
    status_history(
        Head(
            12,
            Place(0, 20, 24, 7),
            Words("시간별 최악 상태", "Worst state by the hour"),
            Words("시스템마다 한 시간 동안 가장 나빴던 상태.", "The worst each system was in each hour."),
        ),
        (Query(f"max by (system) (max_over_time(bongsu_system_state{{{SYSTEM}}}[1h]))", "{{system}}"),),
        STATES,
        every="1h",
    ),
    table(
        Head(
            13,
            Place(0, 27, 8, 8),
            Words("시스템별 장애 시간", "Downtime by system"),
            Words("선택한 기간의 장애 시간, 긴 순서.", "Downtime in this range, the longest first."),
        ),
        "s",
        ((None, OK), (60, DEGRADED), (3600, DOWN)),
        Query(f"sum by ({BY_SYSTEM}) (increase(bongsu_system_downtime_seconds_total{{{SYSTEM}}}[$__range]))"),
        Columns(("system", "grade", "agency"), Words("장애 시간", "Downtime")),
        link=SYSTEM_PAGE,
    ),
    table(
        Head(
            14,
            Place(8, 27, 8, 8),
            Words("시스템별 가용률 (30일)", "Availability by system (30 days)"),
            Words(
                "최근 30일, 낮은 순서. 감시된 시간만 셉니다.",
                "The last thirty days, the lowest first; watched time only.",
            ),
        ),
        "percentunit",
        AVAILABILITY,
        Query(f"system:bongsu_availability:ratio30d{{{SYSTEM}}}"),
        Columns(("system", "grade", "agency"), Words("가용률", "Availability")),
        link=SYSTEM_PAGE,
        worst_first=False,
    ),
    table(
        Head(
            15,
            Place(16, 27, 8, 8),
            Words("기관별 가용률 (30일)", "Availability by agency (30 days)"),
            Words("최근 30일, 기관에 속한 사이트의 가용률.", "The last thirty days, of the sites of each agency."),
        ),
        "percentunit",
        AVAILABILITY,
        Query(f"agency:bongsu_availability:ratio30d{{{AGENCY}}}"),
        Columns(("agency",), Words("가용률", "Availability")),
        link=TO_AGENCY_SITES,
        worst_first=False,
    ),
    table(
        Head(
            16,
            Place(0, 35, 8, 7),
            Words("기관별 정상이 아닌 사이트", "Sites not well by agency"),
            Words(
                "기관마다 수신두절, 성능저하 또는 장애인 사이트 수.",
                "Sites of each agency without data, degraded or down.",
            ),
        ),
        "short",
        ((None, OK), (1, DEGRADED)),
        Query(f"sum by (agency) (bongsu_site_state{{{AGENCY}}} >= bool 2)"),
        Columns(("agency",), Words("사이트", "Sites")),
        link=TO_AGENCY_SITES,
    ),
    table(
        Head(
            17,
            Place(8, 35, 8, 7),
            Words("등록 대조", "Reconciliation"),
            Words(
                "기관마다 등록되었으나 감시되지 않거나, 감시되나 등록되지 않은 호스트 수.",
                "Hosts of each agency that are registered and not monitored, or monitored and not registered.",
            ),
        ),
        "short",
        ((None, OK), (1, DEGRADED)),
        Query(
            f"sum by (agency) (bongsu_hosts_unmonitored{{{AGENCY}}}) + sum by (agency) (bongsu_hosts_unregistered{{{AGENCY}}})"
        ),
        Columns(("agency",), Words("호스트", "Hosts")),
        link=TO_AGENCY_SITES,
    ),
    timeseries(
        Head(
            18,
            Place(16, 35, 8, 7),
            Words("기관별 열린 장애 건", "Open incidents by agency"),
            Words("기관마다 열린 장애 건의 수.", "Open incidents of each agency."),
        ),
        "short",
        ((None, OK),),
        (Query(f"sum by (agency) (bongsu_agency_incidents_open{{{AGENCY}}})", "{{agency}}"),),
        stacked=True,
    ),
)

SYSTEMS_BOARD = Board(
    uid=SYSTEMS_UID,
    title=Words("기관과 시스템", "Agencies and systems"),
    description=Words(
        "등급별 정보시스템의 상태와 장애 시간. 계약 수치는 월간 보고서를 따릅니다.",
        "State and downtime of information systems by grade. Contract figures come from the monthly report.",
    ),
    tags=("systems", "wall"),
    span="24h",
    refresh="1m",
    variables=(
        Variable("agency", Words("기관", "Agency"), "bongsu_agency_incidents_open"),
        Variable("grade", Words("등급", "Grade"), "bongsu_system_state"),
        Variable("system", Words("시스템", "System"), "bongsu_system_state"),
    ),
    panels=(*STRIP, *NOW, *COURSE),
    annotations=(
        Annotation(
            Words("장애 건", "Incidents"),
            f"sum by (agency) (bongsu_agency_incidents_open{{{AGENCY}}}) > 0",
            "{{agency}}",
            DOWN,
        ),
    ),
)
