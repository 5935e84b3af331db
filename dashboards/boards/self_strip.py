"""The strip on top of the board of the monitor itself: can what the other boards say be believed?"""

from __future__ import annotations

from dashboards.palette import DEGRADED, DOWN, OK, REACHED, code_steps
from dashboards.panel import Head, Links, Panel, Place, Query, Steps, Unit, Words, stat
from dashboards.selectors import AGENTS_PAGE, FIRING, INCIDENTS_PAGE, SITE, TO_SITES


def _number(
    id: int,
    place: Place,
    words: tuple[Words, Words],
    expr: str,
    thresholds: Steps,
    unit: Unit = "short",
    link: Links = None,
    decimals: int | None = None,
) -> Panel:
    title, description = words
    return stat(Head(id, place, title, description), unit, thresholds, Query(expr), link=link, decimals=decimals)


SELF_STRIP = (
    stat(
        Head(
            1,
            Place(0, 0, 4, 4),
            Words("수집기", "Collector"),
            Words("수집기가 답하는지.", "Whether the collector answers."),
        ),
        "none",
        code_steps(REACHED),
        Query('min(up{job="bongsu"})'),
        meanings=REACHED,
    ),
    stat(
        Head(
            2,
            Place(4, 0, 4, 4),
            Words("버전", "Version"),
            Words("도는 수집기의 버전.", "Version of the collector that runs."),
        ),
        "none",
        ((None, OK),),
        Query("max by (version) (bongsu_collector_build_info)", "{{version}}"),
        text_mode="name",
    ),
    _number(
        3,
        Place(8, 0, 4, 4),
        (
            Words("조용한 에이전트", "Agents silent"),
            Words("보고가 최신이 아닌 에이전트 수.", "Agents whose reports are not current."),
        ),
        f"sum(bongsu_agent_up{{{SITE}}} == bool 0)",
        ((None, OK), (1, DEGRADED)),
        link=(TO_SITES, AGENTS_PAGE),
    ),
    _number(
        4,
        Place(12, 0, 4, 4),
        (
            Words("가장 늦은 작업", "Slowest task"),
            Words(
                "판정, 규칙, 장애, 발송 작업이 마지막으로 끝난 뒤 지난 시간, 그 가운데 최댓값.",
                "Time since verdicts, rules, incidents and pages were last done; the longest.",
            ),
        ),
        "time() - min(bongsu_job_last_success_timestamp_seconds"
        '{task=~"verdicts|rules|registry|alerts|incidents|pages|page_delivery"})',
        ((None, OK), (60, DEGRADED), (300, DOWN)),
        "s",
        decimals=0,
    ),
    _number(
        5,
        Place(16, 0, 4, 4),
        (
            Words("최대 보고 지연", "Largest report lag"),
            Words(
                "도착했을 때 가장 새 기록의 나이, 사이트 가운데 최댓값.",
                "Age of the newest record when it came; the worst site.",
            ),
        ),
        f"max(bongsu_ingest_lag_seconds{{{SITE}}})",
        ((None, OK), (30, DEGRADED), (120, DOWN)),
        "s",
        TO_SITES,
        1,
    ),
    _number(
        6,
        Place(20, 0, 4, 4),
        (
            Words("잃은 기록 (1시간)", "Records lost (1 h)"),
            Words("에이전트가 잃었다고 알린 기록 수, 최근 한 시간.", "Records agents declared lost within the hour."),
        ),
        f"sum(increase(agent_records_lost_total{{{SITE}}}[1h]))",
        ((None, OK), (1, DOWN)),
        link=AGENTS_PAGE,
        decimals=0,
    ),
    _number(
        7,
        Place(0, 4, 4, 3),
        (
            Words("발생 중인 알림", "Alerts firing"),
            Words("지금 발생 중인 규칙 알림 수, 전체.", "Alerts of rules that fire now, of the whole fleet."),
        ),
        f"count(ALERTS{{{FIRING}}}) or 0 * max(bongsu_collector_build_info)",
        ((None, OK), (1, DEGRADED)),
    ),
    _number(
        8,
        Place(4, 4, 4, 3),
        (
            Words("열린 장애 건", "Open incidents"),
            Words("열린 장애 건의 수, 전체.", "Open incidents of the whole fleet."),
        ),
        "sum(bongsu_incidents_open)",
        ((None, OK), (1, DEGRADED)),
        link=INCIDENTS_PAGE,
    ),
    _number(
        9,
        Place(8, 4, 4, 3),
        (
            Words("고장 난 발송 수단", "Channels failing"),
            Words("세 번 이어 실패한 발송 수단 수.", "Channels that failed three times in a row."),
        ),
        "sum(bongsu_page_channel_failing)",
        ((None, OK), (1, DOWN)),
    ),
    _number(
        10,
        Place(12, 4, 4, 3),
        (
            Words("가장 오래 기다린 통보", "Oldest waiting page"),
            Words("나가지 못하고 기다리는 통보가 기다린 시간.", "For how long the page that is due the longest waits."),
        ),
        "max(bongsu_page_oldest_waiting_seconds)",
        ((None, OK), (60, DEGRADED), (300, DOWN)),
        "s",
        decimals=0,
    ),
    _number(
        11,
        Place(16, 4, 4, 3),
        (
            Words("근무자 없는 당직표", "Rosters uncovered"),
            Words("지금 아무도 없는 당직표 수.", "Rosters on which nobody is on duty though somebody must be."),
        ),
        "sum(bongsu_roster_uncovered)",
        ((None, OK), (1, DOWN)),
    ),
    _number(
        12,
        Place(20, 4, 4, 3),
        (
            Words("거부된 봉투 (1시간)", "Envelopes refused (1 h)"),
            Words(
                "서명이 틀렸거나 갈라진 봉투 수, 최근 한 시간. 위조를 뜻할 수 있습니다.",
                "Envelopes with a bad signature or a fork within the hour: they may be forged.",
            ),
        ),
        'sum(increase(bongsu_envelopes_refused_total{code=~"bad_signature|fork"}[1h]))',
        ((None, OK), (1, DOWN)),
        link=AGENTS_PAGE,
        decimals=0,
    ),
)
