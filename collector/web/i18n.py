"""Words of the pages in Korean and English.

A catalog is every ``locale/<language>/*.toml``, a file for each noun and ``messages.toml`` for what all pages share:
sections of ``key = "text with {names}"``, looked up as ``section.key``; a section stands in one file. Both catalogs have the same keys with the same names in braces, and Korean never puts a particle right
after a brace (it would have to agree with a word nobody knows yet); tests hold all of that.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

LANGUAGES = ("ko", "en")
COOKIE = "bongsu_lang"
_FOLDER = Path(__file__).parent / "locale"


@cache
def catalog(language: str) -> Mapping[str, str]:
    """Every text of a language by ``section.key``."""
    found: dict[str, str] = {}
    for file in sorted((_FOLDER / language).glob("*.toml")):
        for section, texts in tomllib.loads(file.read_text("utf-8")).items():
            for key, text in texts.items():
                assert f"{section}.{key}" not in found, f"{file}: {section}.{key} stands in two files"
                found[f"{section}.{key}"] = text
    return found


class Words:
    """A language's texts: ``words("board.title")``, ``words("age.seconds", n=12)``. An unknown key is our mistake."""

    def __init__(self, language: str) -> None:
        assert language in LANGUAGES, language
        self.language = language
        self._texts = catalog(language)

    def __call__(self, key: str, **values: object) -> str:
        text = self._texts[key]
        return text.format(**values) if values else text

    def maybe(self, key: str, otherwise: str) -> str:
        """The text of a key that comes from elsewhere (a reason's code), or ``otherwise`` where there is none."""
        return self._texts.get(key, otherwise)

    def name(self, named: object) -> str:
        """The name of a site, hub, agency or system in this language; its other name or id where that is empty."""
        korean, english = getattr(named, "name_ko", ""), getattr(named, "name_en", "")
        first, second = (korean, english) if self.language == "ko" else (english, korean)
        return str(first or second or getattr(named, "id", ""))


@cache
def words(language: str) -> Words:
    return Words(language)


def choose_language(asked: str | None, remembered: str | None, accept_language: str | None) -> str:
    """``?lang=`` first, then the cookie, then the browser's wish; Korean where nothing known is said."""
    for wish in (asked, remembered):
        if wish in LANGUAGES:
            return wish
    wishes = []
    for place, part in enumerate((accept_language or "").split(",")):
        tag, _, rest = part.strip().partition(";")
        language = tag.partition("-")[0].lower()
        if language in LANGUAGES:
            wishes.append((-_quality(rest), place, language))
    return min(wishes)[2] if wishes else "ko"


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
