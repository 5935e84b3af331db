"""Boards as the JSON files that are committed and shipped."""

from __future__ import annotations

import json
from pathlib import Path

from dashboards.board import Board
from dashboards.boards import BOARDS

JSON_DIR = Path(__file__).parent / "grafana" / "json"


def render(board: Board) -> str:
    """A board's file: stable key order and one value per line, so that a change reads well in a diff."""
    return json.dumps(board.json(), indent=2, ensure_ascii=False) + "\n"


def rendered() -> dict[str, str]:
    """File name and text of every board."""
    return {f"{board.uid}.json": render(board) for board in BOARDS}


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
