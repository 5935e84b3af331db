"""The overview for a situation room: is anything wrong anywhere, and where?"""

from __future__ import annotations

from dashboards.board import Board, Variable
from dashboards.boards.annotations import INCIDENT_MARKS, WORK_MARKS
from dashboards.boards.noc_strip import BESIDES, COUNTS, SUMMARY
from dashboards.boards.shared import failing_checks, waiting_at_agents
from dashboards.palette import DEGRADED, DOWN, OK, STATES, code_steps
from dashboards.panel import Head, Place, Query, Words, row, state_timeline, timeseries
from dashboards.selectors import (
    AGENCY,
    BY_SITE,
    HUB,
    NOC_UID,
    SITE,
    SITE_PAGE,
    TO_AGENCY_ROW,
    TO_HUB_SERIES,
    TO_SELF,
    TO_SITE_ROW,
)
from dashboards.tabular import Columns, state_map, table

ANY = ((None, OK),)

NOW = (
    state_map(
        Head(
            9,
            Place(0, 7, 14, 12),
            Words("사이트 지도", "Sites on the map"),
            Words(
                "좌표가 등록된 사이트의 현재 상태. 배경 지도는 그라파나 서버 설정을 따르며, 없어도 국경선은 보입니다.",
                "State of every site that has a position. The base map is the Grafana server's own setting; country "
                "outlines show without it. The tables beside say the same in words.",
            ),
        ),
        Query(
            f"max by ({BY_SITE}) (bongsu_site_state{{{SITE}}}) * on ({BY_SITE}) group_left (geohash)"
            f' max by ({BY_SITE}, geohash) (bongsu_site_info{{{SITE},geohash!=""}})'
        ),
        STATES,
        label="site",
        link=(TO_SITE_ROW, SITE_PAGE),
    ),
    table(
        Head(
            10,
            Place(14, 7, 10, 6),
            Words("주의할 사이트", "Sites to look at"),
            Words(
                "정상도 점검 중도 아닌 사이트, 나쁜 순서로 20개. 비어 있으면 모두 정상입니다.",
                "The twenty worst sites that are neither well nor in maintenance. Empty means all is well, or that "
                "the collector is not answering: see the stat above.",
            ),
        ),
        "none",
        code_steps(STATES),
        Query(f"topk(20, max by ({BY_SITE}) (bongsu_site_state{{{SITE}}}) > 1)", is_rare=True),
        Columns(("site", "hub", "agency"), Words("상태", "State")),
        link=(TO_SITE_ROW, SITE_PAGE),
        meanings=STATES,
    ),
    failing_checks(11, Place(14, 13, 10, 6)),
)

COURSE = (
    row(12, 19, Words("추이", "Over time")),
    state_timeline(
        Head(
            13,
            Place(0, 20, 24, 6),
            Words("거점별 최악 상태", "Worst state by hub"),
            Words(
                "거점마다 그 순간 가장 나쁜 사이트의 상태. 이름 없는 줄은 센터에 직접 보고하는 사이트입니다.",
                "State of the worst site behind each hub. The band named direct is of sites that report to the centre.",
            ),
        ),
        (
            Query(f'max by (hub) (agency_hub:bongsu_site_state:max{{{HUB},hub!=""}})', "{{hub}}"),
            Query(f'max(agency_hub:bongsu_site_state:max{{{HUB},hub=""}})', "센터 직접 / direct", is_rare=True),
        ),
        STATES,
        link=TO_HUB_SERIES,
    ),
    timeseries(
        Head(
            14,
            Place(0, 26, 8, 8),
            Words("거점별 보고 비율", "Agents reporting by hub"),
            Words(
                "거점에 속한 사이트의 에이전트 보고 비율 평균.",
                "Mean share of agents reporting, over each hub's sites.",
            ),
        ),
        "percentunit",
        ((None, DOWN), (0.9, DEGRADED), (0.98, OK)),
        (Query(f"avg by (hub) (site:bongsu_agent_up:ratio{{{SITE}}})", "{{hub}}"),),
        link=TO_HUB_SERIES,
        highest=1,
    ),
    timeseries(
        Head(
            15,
            Place(8, 26, 8, 8),
            Words("보고 지연", "Report lag"),
            Words(
                "도착했을 때 가장 새 기록의 나이, 거점별 최댓값.",
                "How old the newest record was when it arrived; the worst site of each hub.",
            ),
        ),
        "s",
        ((None, OK), (30, DEGRADED), (120, DOWN)),
        (Query(f"max by (hub) (bongsu_ingest_lag_seconds{{{SITE}}})", "{{hub}}"),),
        link=TO_HUB_SERIES,
    ),
    timeseries(
        Head(
            16,
            Place(16, 26, 8, 8),
            Words("받은 기록", "Records received"),
            Words("초당 받은 기록 수, 처리 결과별.", "Records received per second, by what became of them."),
        ),
        "reqps",
        ANY,
        (Query(f"sum by (result) (rate(bongsu_reports_total{{{SITE}}}[$__rate_interval]))", "{{result}}"),),
        link=TO_SELF,
        stacked=True,
    ),
    table(
        Head(
            17,
            Place(0, 34, 12, 7),
            Words("기관별 가용률 (30일)", "Availability by agency (30 days)"),
            Words(
                "최근 30일. 감시된 시간만 셉니다. 계약 수치는 월간 보고서를 따릅니다.",
                "The last thirty days, counting watched time only. Contract figures come from the monthly report.",
            ),
        ),
        "percentunit",
        ((None, DOWN), (0.995, DEGRADED), (0.999, OK)),
        Query(f"agency:bongsu_availability:ratio30d{{{AGENCY}}}"),
        Columns(("agency",), Words("가용률", "Availability")),
        link=TO_AGENCY_ROW,
        worst_first=False,
    ),
    waiting_at_agents(18, Place(12, 34, 12, 7), TO_SELF),
)

NOC_BOARD = Board(
    uid=NOC_UID,
    title=Words("종합상황", "NOC overview"),
    description=Words(
        "모든 사이트의 현재 상태. 벽면 화면은 주소에 ?kiosk를 붙입니다.",
        "State of every site now. For a wall, add ?kiosk to the address.",
    ),
    tags=("noc", "wall"),
    span="6h",
    refresh="30s",
    variables=(
        Variable("agency", Words("기관", "Agency"), "bongsu_site_state"),
        Variable("hub", Words("거점", "Hub"), "bongsu_site_state", everything=".*"),
        Variable("site", Words("사이트", "Site"), "bongsu_site_state"),
    ),
    panels=(*COUNTS, *SUMMARY, *BESIDES, *NOW, *COURSE),
    annotations=(WORK_MARKS, INCIDENT_MARKS),
)
