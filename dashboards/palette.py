"""Colours and state texts of every panel.

The colours are Okabe and Ito's, which stay apart for colour-blind eyes; Grafana's colour-blind themes do not touch
panel colours, so they are fixed here as hex. A state is never told by colour alone: its text and its shape say it too.
"""

from __future__ import annotations

from typing import Any

OK = "#0072B2"
MAINTENANCE = "#56B4E9"
UNKNOWN = "#999999"
DEGRADED = "#E69F00"
DOWN = "#D55E00"
GREEN = "#009E73"
PURPLE = "#CC79A7"
YELLOW = "#F0E442"

COLOURS = frozenset({OK, MAINTENANCE, UNKNOWN, DEGRADED, DOWN, GREEN, PURPLE, YELLOW})

STATES = (
    (0, "● 정상 OK", OK),
    (1, "◆ 점검 중 maintenance", MAINTENANCE),
    (2, "? 수신두절 no data", UNKNOWN),
    (3, "▲ 성능저하 degraded", DEGRADED),
    (4, "■ 장애 down", DOWN),
)
"""Code, text and colour of what the collector says about a site, hub, link, system or host."""

CHECK_STATES = (
    (0, "● 정상 ok", OK),
    (1, "▲ 경고 warning", DEGRADED),
    (2, "■ 위험 critical", DOWN),
    (3, "? 미확인 unknown", UNKNOWN),
)
"""The same for a check, whose scale is another one."""

REACHED = ((0, "■ 응답 없음 unreachable", DOWN), (1, "● 수집 중 answering", OK))
"""Prometheus' own ``up``."""

Meaning = tuple[int, str, str]


def value_mapping(meanings: tuple[Meaning, ...]) -> list[dict[str, Any]]:
    """Grafana's value mapping of codes to text and colour."""
    return [
        {
            "type": "value",
            "options": {
                str(code): {"index": index, "text": text, "color": colour}
                for index, (code, text, colour) in enumerate(meanings)
            },
        }
    ]


def code_steps(meanings: tuple[Meaning, ...]) -> tuple[tuple[float | None, str], ...]:
    """The same colours as threshold steps, for what draws by threshold and not by mapping (the map's markers)."""
    return tuple((None if index == 0 else float(code), colour) for index, (code, _, colour) in enumerate(meanings))
