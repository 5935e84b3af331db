"""The strip on top of the overview: how many sites are in which state, and whether these numbers can be believed.

Counts are ``sum(state == bool code)``: zero while sites are well, and *no data* when nothing is known. An
``or vector(0)`` would show a calm zero while the collector is gone.
"""

from __future__ import annotations

from dashboards.palette import DEGRADED, DOWN, MAINTENANCE, OK, REACHED, UNKNOWN, code_steps
from dashboards.panel import Head, Panel, Place, Query, Words, stat
from dashboards.selectors import SITE, TO_HOSTS


def _count(id: int, x: int, code: int, title: Words, description: Words, colour: str) -> Panel:
    """How many sites are in one state now."""
    return stat(
        Head(id, Place(x, 0, 3, 4), title, description),
        "short",
        ((None, OK), (1, colour)),
        Query(f"sum(bongsu_site_state{{{SITE}}} == bool {code})"),
        link=TO_HOSTS,
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
        link=TO_HOSTS,
        decimals=1,
    ),
    stat(
        Head(
            6,
            Place(15, 0, 3, 4),
            Words("심각 장애 건", "Critical incidents"),
            Words(
                "열려 있는 심각 등급 장애 건. 기관 선택과 무관한 전체 수입니다.",
                "Open incidents of severity critical. A number of the whole fleet; the choice above does not narrow it.",
            ),
        ),
        "short",
        ((None, OK), (1, DOWN)),
        Query('sum(bongsu_incidents_open{severity="critical"})'),
        link=TO_HOSTS,
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
        link=TO_HOSTS,
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
        link=TO_HOSTS,
        meanings=REACHED,
    ),
)
