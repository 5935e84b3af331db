"""The boards we ship, large to small."""

from __future__ import annotations

from dashboards.board import Board
from dashboards.boards.host import HOST_BOARD
from dashboards.boards.noc import NOC_BOARD
from dashboards.boards.self_health import SELF_BOARD
from dashboards.boards.site import SITE_BOARD
from dashboards.boards.systems import SYSTEMS_BOARD

BOARDS: tuple[Board, ...] = (NOC_BOARD, SITE_BOARD, HOST_BOARD, SYSTEMS_BOARD, SELF_BOARD)
