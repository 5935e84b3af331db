"""The documents as tests read them: fenced blocks, links, headings."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def text_of(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def blocks(text: str) -> list[tuple[str, str]]:
    """(language, content) of every fenced block, without comment lines."""
    return [
        (language, "\n".join(line for line in content.splitlines() if not line.lstrip().startswith("#")))
        for language, content in FENCE.findall(text)
    ]


def prose(text: str) -> str:
    """Without fenced blocks."""
    return FENCE.sub("", text)


def headings(text: str) -> list[str]:
    """The levels, in order: ``["#", "##", "##", …]``."""
    return [line.split(" ")[0] for line in prose(text).splitlines() if re.match(r"#+ ", line)]


def links(text: str) -> list[str]:
    return LINK.findall(prose(text))


def tracked() -> list[Path]:
    """Every file of the repository, or of the tree where there is no repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split("\0")
    return [ROOT / name for name in listed if name and (ROOT / name).is_file()]
