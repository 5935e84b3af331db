"""Panels that say the same on two boards."""

from __future__ import annotations

from dashboards.palette import CHECK_STATES, OK, code_steps
from dashboards.panel import Head, Link, Panel, Place, Query, Words, timeseries
from dashboards.selectors import HOST_PAGE, SITE, TO_HOST_ROW
from dashboards.tabular import Columns, table


def failing_checks(id: int, place: Place) -> Panel:
    return table(
        Head(
            id,
            place,
            Words("실패한 점검 항목", "Failing checks"),
            Words(
                "경고, 위험 또는 미확인인 점검 항목 50개까지.",
                "Checks in warning, critical or unknown, at most fifty.",
            ),
        ),
        "none",
        code_steps(CHECK_STATES),
        Query(f"topk(50, max by (site, instance, check) (bongsu_check_state{{{SITE}}}) > 0)", is_rare=True),
        Columns(("instance", "check", "site"), Words("상태", "State")),
        link=(TO_HOST_ROW, HOST_PAGE),
        meanings=CHECK_STATES,
    )


def waiting_at_agents(id: int, place: Place, link: Link) -> Panel:
    return timeseries(
        Head(
            id,
            place,
            Words("에이전트에 쌓인 기록", "Records waiting at agents"),
            Words(
                "전송을 기다리는 기록이 많은 사이트 10개. 회선이 끊기면 늘고 복구되면 줄어듭니다.",
                "The ten sites with most records waiting to be sent. Grows while a link is cut, drains when it is back.",
            ),
        ),
        "short",
        ((None, OK),),
        (Query(f"topk(10, sum by (site) (bongsu_agent_spool_reports{{{SITE}}}))", "{{site}}"),),
        link=link,
    )
