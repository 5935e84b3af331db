"""Hubs and sites: what happens at the places chosen, with their lines and their power?"""

from __future__ import annotations

from dashboards.board import Board, Variable
from dashboards.boards.annotations import INCIDENT_MARKS, WORK_MARKS
from dashboards.boards.relaying import HUBS
from dashboards.boards.site_course import SITE_COURSE, WRONG_NOW
from dashboards.boards.site_quality import LINES, MACHINES, POWER
from dashboards.boards.site_strip import SITE_STRIP
from dashboards.panel import Words
from dashboards.selectors import SITE_UID

SITE_BOARD = Board(
    uid=SITE_UID,
    title=Words("거점과 사이트", "Hubs and sites"),
    description=Words(
        "고른 거점과 사이트의 상태, 회선, 전원, 보고. 한 곳만 골라도, 모두 골라도 됩니다.",
        "State, lines, power and reports of the hubs and sites chosen, one or all.",
    ),
    tags=("site",),
    span="12h",
    refresh="30s",
    variables=(
        Variable("agency", Words("기관", "Agency"), "bongsu_site_state"),
        Variable("hub", Words("거점", "Hub"), "bongsu_site_state", everything=".*"),
        Variable("site", Words("사이트", "Site"), "bongsu_site_state"),
    ),
    panels=(*SITE_STRIP, *SITE_COURSE, *WRONG_NOW, *LINES, POWER, MACHINES, HUBS),
    annotations=(WORK_MARKS, INCIDENT_MARKS),
)
