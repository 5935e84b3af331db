"""The monitor itself, in the order of its flow: intake, tasks, alerts and pages, agents."""

from __future__ import annotations

from dashboards.board import Board, Variable
from dashboards.boards.annotations import INCIDENT_MARKS, WORK_MARKS
from dashboards.boards.relaying import HANDED_ON
from dashboards.boards.self_course import INTAKE, WORK
from dashboards.boards.self_people import AGENTS, PEOPLE
from dashboards.boards.self_strip import SELF_STRIP
from dashboards.panel import Words
from dashboards.selectors import SELF_UID

SELF_BOARD = Board(
    uid=SELF_UID,
    title=Words("감시 체계", "The monitor itself"),
    description=Words(
        "수집기와 에이전트가 제대로 도는지, 알림이 사람에게 가는지. 수집기 수치는 기관 선택과 무관합니다.",
        "Whether collector and agents do their work and alerts reach people. Numbers of the collector are of the whole "
        "fleet, whatever is chosen.",
    ),
    tags=("self", "wall"),
    span="3h",
    refresh="30s",
    variables=(
        Variable("agency", Words("기관", "Agency"), "bongsu_agent_up"),
        Variable("hub", Words("거점", "Hub"), "bongsu_agent_up", everything=".*"),
        Variable("site", Words("사이트", "Site"), "bongsu_agent_up"),
    ),
    panels=(*SELF_STRIP, *INTAKE, *WORK, PEOPLE, AGENTS, HANDED_ON),
    annotations=(WORK_MARKS, INCIDENT_MARKS),
)
