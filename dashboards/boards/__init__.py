"""The boards we ship, large to small."""

from __future__ import annotations

from dashboards.board import Board
from dashboards.boards.host import HOST_BOARD
from dashboards.boards.noc import NOC_BOARD

BOARDS: tuple[Board, ...] = (NOC_BOARD, HOST_BOARD)
