"""What goes out to people, and the agents: the folded rows of the board of the monitor itself."""

from __future__ import annotations

from dashboards.palette import DEGRADED, DOWN, GREEN, MAINTENANCE, OK, UNKNOWN
from dashboards.panel import Head, Place, Query, Words, row, timeseries
from dashboards.selectors import AGENTS_PAGE, FIRING, RUNBOOK_PAGE, SITE
from dashboards.tabular import Columns, table

ANY = ((None, OK),)

PEOPLE = row(
    27,
    39,
    Words("알림과 통보", "Alerts and pages"),
    (
        table(
            Head(
                28,
                Place(0, 40, 12, 8),
                Words("알림 목록", "Alerts that fire"),
                Words("발생 중인 규칙 알림 전체.", "Every alert of a rule that fires now."),
            ),
            "none",
            ((None, DEGRADED),),
            Query(f"max by (alertname, severity, agency, hub, site, instance) (ALERTS{{{FIRING}}})", is_rare=True),
            Columns(("alertname", "severity", "site", "instance", "hub", "agency"), Words("발생", "Firing")),
            link=RUNBOOK_PAGE,
        ),
        timeseries(
            Head(
                29,
                Place(12, 40, 12, 8),
                Words("심각도별 열린 장애 건", "Incidents by severity"),
                Words("열린 장애 건의 수, 심각도별.", "Open incidents, by severity."),
            ),
            "short",
            ANY,
            (Query("sum by (severity) (bongsu_incidents_open)", "{{severity}}"),),
            colours=(("critical", DOWN), ("warning", DEGRADED), ("info", OK)),
            stacked=True,
        ),
        timeseries(
            Head(
                30,
                Place(0, 48, 8, 8),
                Words("보낸 통보", "Pages"),
                Words(
                    "한 시간에 보내거나 보내지 못한 통보, 수단과 결과별.",
                    "Tries to send a page per hour, by channel and what came of them.",
                ),
            ),
            "short",
            ANY,
            (Query("sum by (channel, result) (increase(bongsu_pages_total[1h]))", "{{channel}} {{result}}"),),
            colours=(("/ sent$/", OK), ("/ failed$/", DOWN), ("/ retried$/", DEGRADED), ("/ superseded$/", UNKNOWN)),
        ),
        timeseries(
            Head(
                31,
                Place(8, 48, 8, 8),
                Words("통보에 걸린 시간", "Time until a page left"),
                Words(
                    "보낼 때가 된 통보가 나가기까지 걸린 평균 시간.", "Mean time from a page being due to its leaving."
                ),
            ),
            "s",
            ((None, OK), (30, DEGRADED), (120, DOWN)),
            (
                Query(
                    "sum(increase(bongsu_page_delivery_seconds_sum[1h]))"
                    " / (sum(increase(bongsu_page_delivery_seconds_count[1h])) > 0)",
                    "평균 / mean",
                    is_rare=True,
                ),
            ),
        ),
        timeseries(
            Head(
                32,
                Place(16, 48, 8, 8),
                Words("규칙 평가", "Rule evaluations"),
                Words("초당 평가한 규칙 수, 결과별.", "Rules evaluated per second, by result."),
            ),
            "reqps",
            ANY,
            (Query("sum by (result) (rate(bongsu_rule_evaluations_total[$__rate_interval]))", "{{result}}"),),
            colours=(("ok", GREEN), ("failed", DOWN)),
        ),
    ),
)

AGENTS = row(
    33,
    40,
    Words("에이전트", "Agents"),
    (
        table(
            Head(
                34,
                Place(0, 41, 8, 8),
                Words("에이전트 버전", "Agent versions"),
                Words("버전마다 에이전트 수.", "How many agents run each version."),
            ),
            "short",
            ((None, MAINTENANCE),),
            Query(f"count by (version) (agent_info{{{SITE}}})"),
            Columns(("version",), Words("에이전트", "Agents")),
            link=AGENTS_PAGE,
        ),
        timeseries(
            Head(
                35,
                Place(8, 41, 8, 8),
                Words("가장 오래 남은 기록", "Oldest record waiting"),
                Words(
                    "전송을 기다리는 기록의 나이, 큰 순서로 10개.",
                    "Age of the oldest record that waits to be sent; the ten oldest.",
                ),
            ),
            "s",
            ((None, OK), (600, DEGRADED), (3600, DOWN)),
            (
                Query(
                    f"topk(10, time() - bongsu_agent_spool_oldest_timestamp_seconds{{{SITE}}})",
                    "{{agent}}",
                ),
            ),
        ),
        timeseries(
            Head(
                36,
                Place(16, 41, 8, 8),
                Words("보고 중인 에이전트 수", "Agents reporting over time"),
                Words("거점마다 보고가 최신인 에이전트 수.", "Agents whose reports are current, by hub."),
            ),
            "short",
            ANY,
            (Query(f"sum by (hub) (bongsu_agent_up{{{SITE}}})", "{{hub}}"),),
            stacked=True,
        ),
    ),
)
