"""How the chosen hubs and sites went, and what is wrong at them now."""

from __future__ import annotations

from dashboards.boards.shared import failing_checks
from dashboards.palette import DEGRADED, STATES, code_steps
from dashboards.panel import Head, Place, Query, Words, row, state_timeline, status_history
from dashboards.selectors import (
    BY_HOST,
    BY_SITE,
    FIRING,
    HOST_PAGE,
    HUB_ONLY,
    RUNBOOK_PAGE,
    SITE,
    SITE_PAGE,
    TO_HOST_ROW,
    TO_HOSTS_OF_SERIES,
)
from dashboards.tabular import Columns, table

SITE_COURSE = (
    state_timeline(
        Head(
            13,
            Place(0, 7, 12, 9),
            Words("사이트 상태 추이", "Sites over time"),
            Words("사이트마다 판정된 상태.", "What the collector said about each site."),
        ),
        (Query(f"max by (site) (bongsu_site_state{{{SITE}}})", "{{site}}"),),
        STATES,
        link=TO_HOSTS_OF_SERIES,
    ),
    state_timeline(
        Head(
            14,
            Place(12, 7, 12, 9),
            Words("회선과 거점 상태 추이", "Links and hubs over time"),
            Words("회선마다, 그리고 거점마다 판정된 상태.", "What the collector said about each link and each hub."),
        ),
        (
            Query(f"max by (hub) (bongsu_hub_state{{{HUB_ONLY}}})", "{{hub}} 거점 / hub", is_rare=True),
            Query(f"max by (site, link) (bongsu_link_state{{{SITE}}})", "{{site}} {{link}}"),
        ),
        STATES,
    ),
    status_history(
        Head(
            15,
            Place(0, 16, 24, 6),
            Words("시간별 최악 상태", "Worst state by the hour"),
            Words("사이트마다 한 시간 동안 가장 나빴던 상태.", "The worst each site was in each hour."),
        ),
        (Query(f"max by (site) (max_over_time(bongsu_site_state{{{SITE}}}[1h]))", "{{site}}"),),
        STATES,
        every="1h",
        link=TO_HOSTS_OF_SERIES,
    ),
)

WRONG_NOW = (
    row(16, 22, Words("지금 이상한 것", "What is wrong now")),
    table(
        Head(
            17,
            Place(0, 23, 12, 8),
            Words("호스트", "Hosts"),
            Words("호스트와 상태, 나쁜 순서로 50개까지.", "Hosts and their states, the fifty worst."),
        ),
        "none",
        code_steps(STATES),
        Query(f"topk(50, max by ({BY_HOST}) (bongsu_host_state{{{SITE}}}))"),
        Columns(("instance", "site", "hub", "agency"), Words("상태", "State")),
        link=(TO_HOST_ROW, HOST_PAGE, SITE_PAGE),
        meanings=STATES,
    ),
    failing_checks(18, Place(12, 23, 12, 8)),
    table(
        Head(
            19,
            Place(0, 31, 12, 7),
            Words("발생 중인 알림", "Alerts firing"),
            Words(
                "이 사이트들의 규칙 알림. 사이트 이름이 없는 알림은 감시 체계 보드에 있습니다.",
                "Alerts of rules about these sites. Those that name no site are on the board of the monitor itself.",
            ),
        ),
        "none",
        ((None, DEGRADED),),
        Query(f"max by (alertname, severity, site, instance) (ALERTS{{{FIRING},{SITE}}})", is_rare=True),
        Columns(("alertname", "severity", "site", "instance"), Words("발생", "Firing")),
        link=RUNBOOK_PAGE,
    ),
    table(
        Head(
            20,
            Place(12, 31, 12, 7),
            Words("마지막 보고 이후", "Since the last report"),
            Words(
                "사이트마다 가장 오래 조용한 에이전트, 오래된 순서로 20개.",
                "The agent of each site that is silent the longest; the twenty longest.",
            ),
        ),
        "s",
        ((None, code_steps(STATES)[0][1]), (180, DEGRADED)),
        Query(
            f"topk(20, time() - min by ({BY_SITE}) (bongsu_agent_last_report_timestamp_seconds{{{SITE}}}))",
        ),
        Columns(("site", "hub", "agency"), Words("지난 시간", "Age")),
        link=SITE_PAGE,
    ),
)
