"""What an incident is called, in both languages; words of reasons and kinds are the catalogs'."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from collector.fleet.registry import Fleet
from collector.incidents.signal import VERDICT, Signal
from collector.verdicts.reasons import CHECKS_FAILING
from collector.verdicts.standing import Fact

LANGUAGES = ("ko", "en")
CATALOGS = Path(__file__).parent.parent / "web" / "locale"
MOST_CHARS = 400
SAID_CHARS = 120
"""Of what a check says, in a title."""
CHECKS = ("check_critical", "check_warning")
"""Codes of facts about checks that fail."""


@cache
def catalog(language: str) -> Mapping[str, Any]:
    """Every section of a language's catalogs."""
    found: dict[str, Any] = {}
    for file in sorted((CATALOGS / language).glob("*.toml")):
        found |= tomllib.loads(file.read_text("utf-8"))
    return found


def phrase(language: str, section: str, code: str) -> str:
    """The words of a code; the code itself where there are none."""
    return str(catalog(language).get(section, {}).get(code, code))


def titles(code: str, **values: object) -> dict[str, str]:
    """``title_ko`` and ``title_en`` of what is about no one thing."""
    return {f"title_{language}": phrase(language, "incident_title", code).format(**values) for language in LANGUAGES}


def title(signal: Signal, fleet: Fleet, language: str) -> str:
    """As "거점 중동: 거점 수신두절", or with the check that fails; an alert's is its summary."""
    if signal.source != VERDICT:
        notes = dict(signal.annotations)
        said = notes.get("summary_ko" if language == "ko" else "summary") or notes.get("summary", "")
        return (said or f"{signal.reason} {signal.subject[1]}".strip())[:MOST_CHARS]
    kind, name = signal.subject
    failing = _failing(signal.evidence, language) if signal.reason == CHECKS_FAILING else ""
    text = f"{phrase(language, 'cause', kind)} {name_of(kind, name, fleet, language)}: " + (
        failing or phrase(language, "reason", signal.reason)
    )
    return (text[:1].upper() + text[1:])[:MOST_CHARS]


def _failing(evidence: Sequence[Fact], language: str) -> str:
    """The worst check that fails, with what it says: "checks are failing" helps nobody at night. Empty where none does."""
    found = [fact for fact in evidence if fact.code in CHECKS]
    if not found:
        return ""
    said = " ".join(found[0].value.split())
    said = said if len(said) <= SAID_CHARS else said[: SAID_CHARS - 1] + "…"
    first = f"{found[0].subject}: {said}" if said else found[0].subject
    more = len(found) - 1
    return phrase(language, "incident_title", "more_checks").format(first=first, n=more) if more else first


def name_of(kind: str, name: str, fleet: Fleet, language: str) -> str:
    """What people call it; its id where it has no name."""
    books: Mapping[str, Mapping[str, Any]] = {"site": fleet.sites, "hub": fleet.hubs, "system": fleet.systems}
    found = books.get(kind, {}).get(name)
    if found is not None:
        return str((found.name_en if language == "en" else found.name_ko) or name)
    if kind == "agent":
        agent = next((each for each in fleet.agents.values() if each.id.hex() == name), None)
        return agent.host if agent is not None else name
    return name
