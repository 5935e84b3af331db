"""What docs/tasks.md tells people to press stands on the pages, in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from collector.web.i18n import catalog

DOCS = Path(__file__).parents[2] / "docs"


def headings(text: str) -> list[str]:
    return re.findall(r"^## (.+)$", text, re.MULTILINE)


@pytest.mark.parametrize(("name", "language"), [("tasks.md", "en"), ("tasks.ko.md", "ko")])
def test_every_word_in_bold_is_on_a_page(name: str, language: str) -> None:
    text = (DOCS / name).read_text("utf-8")
    said = set(re.findall(r"\*\*([^*]+)\*\*", text))
    assert len(said) > 20
    assert said - set(catalog(language).values()) == set()


def test_both_languages_answer_the_same_ten() -> None:
    english, korean = ((DOCS / name).read_text("utf-8") for name in ("tasks.md", "tasks.ko.md"))
    assert len(headings(english)) == len(headings(korean)) == 10
    assert english.count("**") == korean.count("**")
