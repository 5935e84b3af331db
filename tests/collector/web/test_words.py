"""Both catalogs say the same things, in the glossary's words."""

from __future__ import annotations

import re
import string
import tomllib
from pathlib import Path

import pytest

from agent.link.names import CHECK_STATES
from collector.fleet.registry import INTERVAL_SECONDS
from collector.verdicts.reasons import REASONS
from collector.verdicts.standing import STATES
from collector.web import plots
from collector.web.i18n import catalog, choose_language, words
from collector.web.view import UNJUDGED

KO, EN = catalog("ko"), catalog("en")
TERMS = tomllib.loads((Path(__file__).parents[3] / "docs/glossary.toml").read_text("utf-8"))["term"]
PARTICLES = r"(?:은|는|이|가|을|를|과|와|으로|로|의|에서|에게|에|도|만|부터|까지|라|이라)"


def names_in(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_catalogs_have_the_same_keys() -> None:
    assert KO.keys() == EN.keys()


def test_both_texts_take_the_same_values() -> None:
    for key in KO:
        assert names_in(KO[key]) == names_in(EN[key]), key
        assert KO[key].strip() == KO[key] != "", key
        assert EN[key].strip() == EN[key] != "", key
        assert not re.search("[가-힣]", EN[key]), key


def test_no_particle_follows_a_value() -> None:
    particle = re.compile(r"\}\s?" + PARTICLES + r"(?:[\s.,)]|$)")
    assert particle.search("{at}부터"), "the rule can fail"
    assert not particle.search("{n}초 전")
    assert [key for key in KO if particle.search(KO[key])] == []


PAIRS = sorted(((form, term["ko"]) for term in TERMS for form in term["en"]), key=lambda pair: -len(pair[0]))


def test_words_come_from_the_glossary() -> None:
    assert [fault for key in EN for fault in departures(EN[key], KO[key])] == []
    assert departures("No data from the hub", "수신두절, 허브") == ["hub: 수신두절, 허브"], "the rule can fail"


def departures(english: str, korean: str) -> list[str]:
    """Where an English text uses a glossary term, the Korean text uses one of its Korean forms. The longest term wins:
    "maintenance window" is not searched for "maintenance"."""
    rest = english.lower()
    found_faults = []
    for term, forms in PAIRS:
        found = re.search(rf"(?<![\w]){re.escape(term.lower())}(?:s|es)?(?![\w])", rest)
        if found is not None:
            rest = rest[: found.start()] + " " + rest[found.end() :]
            if not any(form in korean for form in forms):
                found_faults.append(f"{term}: {korean}")
    return found_faults


def test_glossary_terms_are_complete_and_unique() -> None:
    english = [form.lower() for term in TERMS for form in term["en"]]
    assert len(english) == len(set(english)) > 90
    assert all(term["ko"] for term in TERMS)


def test_every_code_has_words() -> None:
    for codes in (
        [f"state.{code}" for code in range(len(STATES))],
        [f"check.{code}" for code in range(len(CHECK_STATES))],
        [f"reason.{reason}" for reason in (*REASONS, UNJUDGED)],
        [f"profile.{profile}" for profile in INTERVAL_SECONDS],
        [f"plot.{kind.id}" for kind in plots.KINDS],
    ):
        assert set(codes) <= KO.keys()


@pytest.mark.parametrize(
    ("asked", "remembered", "accept", "expected"),
    [
        (None, None, None, "ko"),
        (None, None, "", "ko"),
        (None, None, "fr-FR,fr;q=0.9", "ko"),
        (None, None, "en-US,en;q=0.9", "en"),
        (None, None, "en;q=0.5,ko;q=0.8", "ko"),
        (None, None, "fr,en;q=0.8,ko;q=0.7", "en"),
        (None, None, "en;q=x,ko;q=0.1", "ko"),
        (None, "en", "ko", "en"),
        ("ko", "en", "en", "ko"),
        ("xx", "yy", "en", "en"),
    ],
)
def test_language_is_chosen(asked: str | None, remembered: str | None, accept: str | None, expected: str) -> None:
    assert choose_language(asked, remembered, accept) == expected


def test_a_name_falls_back_to_the_other_language_then_the_id() -> None:
    from collector.fleet.registry import Named

    assert words("ko").name(Named("a", "가", "A")) == "가"
    assert words("en").name(Named("a", "가", "")) == "가"
    assert words("en").name(Named("a", "", "")) == "a"
