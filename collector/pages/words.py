"""Texts of pages in Korean and English: ``templates/<language>/*.toml``, looked up as ``section.key``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

LANGUAGES = ("ko", "en")
_FOLDER = Path(__file__).parent / "templates"


@cache
def catalog(language: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for file in sorted((_FOLDER / language).glob("*.toml")):
        for section, texts in tomllib.loads(file.read_text("utf-8")).items():
            found |= {f"{section}.{key}": text for key, text in texts.items()}
    return found


def language_of(wishes: tuple[str, ...]) -> str:
    """The first of a person's languages that we speak; Korean where there is none."""
    return next((wish for wish in wishes if wish in LANGUAGES), "ko")


def say(language: str, key: str, **values: object) -> str:
    """The text of a key. An unknown key is our mistake."""
    text = catalog(language)[key]
    return text.format(**values) if values else text
