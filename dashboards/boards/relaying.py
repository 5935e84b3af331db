"""What is handed on: by hubs to the centre, by the centre to other stores. On the boards of hubs and of the monitor."""

from __future__ import annotations

from dashboards.palette import DEGRADED, DOWN, OK, UNKNOWN, YELLOW
from dashboards.panel import Head, Panel, Place, Query, Words, row, timeseries
from dashboards.selectors import HUB_ONLY

ANY = ((None, OK),)
LAG = ((None, OK), (300, YELLOW), (900, DEGRADED), (3600, DOWN))
"""From 900 s on, rule RelayBehind speaks."""


def backlog(id: int, place: Place) -> Panel:
    return timeseries(
        Head(
            id,
            place,
            Words("거점에 쌓인 봉투", "Envelopes waiting at hubs"),
            Words(
                "센터가 받았다고 확인되지 않은 봉투. 거점을 수집할 때만 보입니다.",
                "Envelopes that the centre was not seen to hold. Of hubs that are scraped.",
            ),
        ),
        "short",
        ANY,
        (Query("sum by (instance) (bongsu_relay_pending_envelopes)", "{{instance}}", is_rare=True),),
        stacked=True,
    )


def lag(id: int, place: Place) -> Panel:
    return timeseries(
        Head(
            id,
            place,
            Words("중계 지연", "Relay lag"),
            Words(
                "센터를 기다리는 가장 오래된 봉투의 나이. 거점을 수집할 때만 보입니다.",
                "Age of the oldest envelope that waits for the centre. Of hubs that are scraped.",
            ),
        ),
        "s",
        LAG,
        (
            Query(
                "time() - min by (instance) (bongsu_relay_oldest_timestamp_seconds)",
                "{{instance}}",
                is_rare=True,
            ),
        ),
    )


def refused(id: int, place: Place) -> Panel:
    return timeseries(
        Head(
            id,
            place,
            Words("거점이 가져왔으나 거부한 봉투", "Brought by hubs and refused"),
            Words(
                "센터가 한 시간 동안 받지 않은 봉투, 거점과 이유별.",
                "Envelopes that the centre did not take within an hour, by hub and reason.",
            ),
        ),
        "short",
        ((None, OK), (1, DEGRADED)),
        (
            Query(
                f"sum by (hub, code) (increase(bongsu_hub_envelopes_refused_total{{{HUB_ONLY}}}[1h]))",
                "{{hub}} {{code}}",
                is_rare=True,
            ),
        ),
    )


HUBS = row(40, 56, Words("거점에서 센터로", "From hubs to the centre"), (
    lag(41, Place(0, 57, 8, 8)),
    backlog(42, Place(8, 57, 8, 8)),
    refused(43, Place(16, 57, 8, 8)),
))  # fmt: skip

HANDED_ON = row(
    37,
    41,
    Words("중계와 전달", "Relay and remote write"),
    (
        lag(38, Place(0, 42, 8, 8)),
        backlog(39, Place(8, 42, 8, 8)),
        timeseries(
            Head(
                40,
                Place(16, 42, 8, 8),
                Words("중계 결과", "What became of relayed envelopes"),
                Words("초당 봉투 수, 센터의 처리 결과별.", "Envelopes per second, by what the centre made of them."),
            ),
            "reqps",
            ANY,
            (
                Query(
                    "sum by (result) (rate(bongsu_relay_envelopes_total[$__rate_interval]))", "{{result}}", is_rare=True
                ),
            ),
            colours=(("taken", OK), ("held", DEGRADED), ("refused", DOWN)),
        ),
        timeseries(
            Head(
                41,
                Place(0, 50, 8, 8),
                Words("원격 쓰기 지연", "Remote-write lag"),
                Words(
                    "다른 저장소가 아직 받지 못한 가장 오래된 봉투의 나이, 대상별.",
                    "Age of the oldest envelope that another store does not have yet, by destination.",
                ),
            ),
            "s",
            LAG,
            (Query("max by (destination) (bongsu_remote_write_lag_seconds)", "{{destination}}", is_rare=True),),
        ),
        timeseries(
            Head(
                42,
                Place(8, 50, 8, 8),
                Words("원격 쓰기 대기", "Waiting for remote write"),
                Words(
                    "다른 저장소가 아직 받지 못한 봉투 수, 대상별.",
                    "Envelopes that another store does not have yet, by destination.",
                ),
            ),
            "short",
            ANY,
            (Query("max by (destination) (bongsu_remote_write_pending_envelopes)", "{{destination}}", is_rare=True),),
        ),
        timeseries(
            Head(
                43,
                Place(16, 50, 8, 8),
                Words("받아 주지 않는 값", "Samples a store will never take"),
                Words(
                    "한 시간 동안 버린 값: 대상이 끝내 받지 않는 것, 이유별.",
                    "Samples dropped within an hour because the destination will never take them, by why.",
                ),
            ),
            "short",
            ((None, OK), (1, DEGRADED)),
            (
                Query(
                    "sum by (destination, result)"
                    ' (increase(bongsu_remote_write_samples_total{result!="sent"}[1h])) > 0',
                    "{{destination}} {{result}}",
                    is_rare=True,
                ),
            ),
            colours=(("/ duplicate$/", UNKNOWN),),
        ),
    ),
)
