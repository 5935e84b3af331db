"""The monitor's own flow over time: what comes in, what becomes of it, and what it costs."""

from __future__ import annotations

from dashboards.boards.shared import waiting_at_agents
from dashboards.palette import DEGRADED, DOWN, OK
from dashboards.panel import Head, Place, Query, Words, row, timeseries
from dashboards.selectors import SITE, TO_SITE_SERIES

ANY = ((None, OK),)

INTAKE = (
    row(13, 7, Words("받기", "Intake")),
    timeseries(
        Head(
            14,
            Place(0, 8, 8, 8),
            Words("받은 기록", "Records received"),
            Words("초당 받은 기록 수, 처리 결과별.", "Records received per second, by what became of them."),
        ),
        "reqps",
        ANY,
        (Query(f"sum by (result) (rate(bongsu_reports_total{{{SITE}}}[$__rate_interval]))", "{{result}}"),),
        stacked=True,
    ),
    timeseries(
        Head(
            15,
            Place(8, 8, 8, 8),
            Words("사이트별 보고 지연", "Lag by site"),
            Words(
                "도착했을 때 가장 새 기록의 나이, 큰 순서로 10개.",
                "Age of the newest record when it came; the ten largest.",
            ),
        ),
        "s",
        ((None, OK), (30, DEGRADED), (120, DOWN)),
        (Query(f"topk(10, max by (site) (bongsu_ingest_lag_seconds{{{SITE}}}))", "{{site}}"),),
        link=TO_SITE_SERIES,
    ),
    waiting_at_agents(16, Place(16, 8, 8, 8), TO_SITE_SERIES),
    timeseries(
        Head(
            17,
            Place(0, 16, 8, 7),
            Words("저장과 질의 시간", "Commit and query time"),
            Words(
                "한 묶음을 저장하는 데, 질의 하나에, 요청 하나에 걸린 평균 시간.",
                "Mean time of one group commit, of one query and of one request.",
            ),
        ),
        "s",
        ANY,
        (
            Query(
                "sum(rate(bongsu_intake_commit_seconds_sum[$__rate_interval]))"
                " / sum(rate(bongsu_intake_commit_seconds_count[$__rate_interval]))",
                "저장 / commit",
            ),
            Query(
                "sum(rate(bongsu_query_seconds_sum[$__rate_interval]))"
                " / sum(rate(bongsu_query_seconds_count[$__rate_interval]))",
                "질의 / query",
                is_rare=True,
            ),
            Query(
                "sum(rate(bongsu_http_request_seconds_sum[$__rate_interval]))"
                " / sum(rate(bongsu_http_request_seconds_count[$__rate_interval]))",
                "요청 / request",
                is_rare=True,
            ),
        ),
    ),
    timeseries(
        Head(
            18,
            Place(8, 16, 8, 7),
            Words("받지 않은 것", "Turned away"),
            Words(
                "초당 거부한 봉투와, 몰려서 나중에 다시 보내라고 한 요청.",
                "Envelopes refused per second, and requests told to come again because of load.",
            ),
        ),
        "reqps",
        ANY,
        (
            Query("sum by (code) (rate(bongsu_envelopes_refused_total[$__rate_interval]))", "{{code}}"),
            Query("sum by (lane) (rate(bongsu_intake_shed_total[$__rate_interval]))", "몰림 / load {{lane}}"),
        ),
    ),
    timeseries(
        Head(
            19,
            Place(16, 16, 8, 7),
            Words("에이전트 시계 오차", "Clock offsets"),
            Words(
                "받는 쪽 시계와 가장 크게 다른 에이전트들.", "The agents whose clocks are furthest from the receiver's."
            ),
        ),
        "s",
        ((None, DEGRADED), (-1, OK), (1, DEGRADED)),
        (
            Query(f"topk(5, bongsu_agent_clock_offset_seconds{{{SITE}}})", "{{agent}} 늦음 / behind"),
            Query(f"-topk(5, -bongsu_agent_clock_offset_seconds{{{SITE}}})", "{{agent}} 빠름 / ahead"),
        ),
        lowest=None,
    ),
)

WORK = (
    row(20, 23, Words("작업과 자원", "Tasks and resources")),
    timeseries(
        Head(
            21,
            Place(0, 24, 8, 8),
            Words("작업이 끝난 뒤", "Since tasks were done"),
            Words("작업마다 마지막으로 끝난 뒤 지난 시간.", "Time since each background task last succeeded."),
        ),
        "s",
        ANY,
        (Query("time() - max by (task) (bongsu_job_last_success_timestamp_seconds)", "{{task}}"),),
    ),
    timeseries(
        Head(
            22,
            Place(8, 24, 8, 8),
            Words("실패하거나 밀린 작업", "Tasks failed or late"),
            Words(
                "5분 동안 실패한 작업과, 앞선 것이 끝나지 않아 건너뛴 작업.",
                "Runs within five minutes that failed or were skipped.",
            ),
        ),
        "short",
        ANY,
        (
            Query(
                'sum by (task, result) (increase(bongsu_job_runs_total{result=~"failed|skipped"}[5m]))',
                "{{task}} {{result}}",
            ),
        ),
    ),
    timeseries(
        Head(
            23,
            Place(16, 24, 8, 8),
            Words("작업에 걸린 시간", "Time of tasks"),
            Words("작업 한 번에 걸린 평균 시간, 긴 것 10개.", "Mean time of one run; the ten longest."),
        ),
        "s",
        ANY,
        (
            Query(
                "topk(10, sum by (task) (rate(bongsu_job_seconds_sum[$__rate_interval]))"
                " / sum by (task) (rate(bongsu_job_seconds_count[$__rate_interval])))",
                "{{task}}",
            ),
        ),
    ),
    timeseries(
        Head(
            24,
            Place(0, 32, 8, 7),
            Words("수집기의 메모리", "Collector's memory"),
            Words("수집기 프로세스의 상주 메모리.", "Resident memory of the collector's process."),
        ),
        "bytes",
        ANY,
        (Query("max by (job) (process_resident_memory_bytes)", "{{job}}"),),
    ),
    timeseries(
        Head(
            25,
            Place(8, 32, 8, 7),
            Words("수집기의 CPU", "Collector's CPU"),
            Words("수집기 프로세스가 쓰는 코어 수.", "Cores the collector's process uses."),
        ),
        "short",
        ANY,
        (Query("sum by (job) (rate(process_cpu_seconds_total[$__rate_interval]))", "{{job}}"),),
    ),
    timeseries(
        Head(
            26,
            Place(16, 32, 8, 7),
            Words("기록 저장소 크기", "Size of the log"),
            Words("기록이 있는 데이터베이스의 크기.", "Size of the database that holds the log."),
        ),
        "bytes",
        ANY,
        (Query("max by (job) (bongsu_log_bytes)", "{{job}}"),),
    ),
)
