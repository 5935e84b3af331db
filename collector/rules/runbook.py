"""Runbooks: what happened, the likely cause and the next action for one alert, in one of two languages.

They are written as Markdown, one file for each alert and language (``docs/runbooks/SiteDown.ko.md``), in a fixed form:
a title, a paragraph, three sections of paragraphs, and the expression in a fence. Pure but for ``load_runbook``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}")


class Section(NamedTuple):
    """A heading, its paragraphs, and the expression that stands there ("" = none)."""

    heading: str
    paragraphs: tuple[str, ...]
    expression: str


class Runbook(NamedTuple):
    title: str
    intro: str
    sections: tuple[Section, ...]


def folder() -> Path:
    """In the package where it was installed, in the repository where it is a checkout."""
    import collector

    package = Path(collector.__file__).parent
    return next((p for p in (package / "runbooks", package.parent / "docs" / "runbooks") if p.is_dir()), package)


def load_runbook(name: str, language: str) -> Runbook | None:
    """The page of one alert; None where there is none."""
    if NAME.fullmatch(name) is None:
        return None
    path = folder() / (f"{name}.ko.md" if language == "ko" else f"{name}.md")
    return read_runbook(path.read_text("utf-8")) if path.is_file() else None


def read_runbook(text: str) -> Runbook:
    head, *parts = re.split(r"^## ", text, flags=re.MULTILINE)
    title, _, intro = head.strip().removeprefix("# ").partition("\n")
    sections = []
    for part in parts:
        heading, _, body = part.partition("\n")
        fence = re.search(r"^```\w*\n(.*?)^```$", body, re.MULTILINE | re.DOTALL)
        prose = body.replace(fence[0], "") if fence else body
        paragraphs = tuple(" ".join(one.split()) for one in re.split(r"\n\s*\n", prose) if one.strip())
        sections.append(Section(heading.strip(), paragraphs, fence[1].strip() if fence else ""))
    return Runbook(title.strip(), intro.strip().replace("`", ""), tuple(sections))
