"""Boards as the JSON files that are committed and shipped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dashboards.board import Board
from dashboards.boards import BOARDS
from dashboards.selectors import PAGES_URL

JSON_DIR = Path(__file__).parent / "grafana" / "json"


def render(board: Board, pages_url: str = PAGES_URL) -> str:
    """A board's file: stable key order and one value per line, so that a change reads well in a diff."""
    return json.dumps(with_pages(board.json(), pages_url), indent=2, ensure_ascii=False) + "\n"


def with_pages(board: Any, pages_url: str) -> Any:
    """A board whose links to our own pages lead to this address."""
    if isinstance(board, dict):
        return {key: with_pages(value, pages_url) for key, value in board.items()}
    if isinstance(board, list):
        return [with_pages(value, pages_url) for value in board]
    if isinstance(board, str) and board.startswith(f"{PAGES_URL}/"):
        return pages_url.rstrip("/") + board.removeprefix(PAGES_URL)
    return board


def rendered(pages_url: str = PAGES_URL) -> dict[str, str]:
    """File name and text of every board."""
    return {f"{board.uid}.json": render(board, pages_url) for board in BOARDS}


def write(folder: Path = JSON_DIR) -> list[str]:
    """Write every board into a folder and take away what no board stands behind any more; the names that changed."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = rendered()
    changed = []
    for name, text in wanted.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            changed.append(name)
    for path in sorted(folder.glob(f"{_PREFIX}*.json")):
        if path.name not in wanted:
            path.unlink()
            changed.append(path.name)
    return changed


_PREFIX = "bongsu-"
"""Files of ours; anything else in a folder is somebody's own and stays."""
