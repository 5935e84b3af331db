"""The keys of the pages, in one place: what the page of keys lists is what ``static/keys.js`` is told to do.

Single keys stay out of the way of browsers and screen readers: two letters lead to a page, ``/`` and ``?`` are what people
know from elsewhere, and all of them can be turned off (WCAG 2.1.4).
"""

from __future__ import annotations

from typing import NamedTuple

LEAD = "g"
"""The first of the two letters that lead somewhere ("go")."""


class Way(NamedTuple):
    letter: str
    href: str
    text: str
    """Key of the catalogs."""


NAVIGATION = (
    Way("b", "/", "nav.board"),
    Way("m", "/map", "nav.map"),
    Way("i", "/incidents", "nav.incidents"),
    Way("s", "/systems", "nav.systems"),
    Way("a", "/agents", "nav.agents"),
    Way("o", "/oncall", "nav.oncall"),
    Way("c", "/maintenance", "nav.maintenance"),
    Way("w", "/wall", "nav.wall"),
)
WAYS = (
    *NAVIGATION,
    Way("d", "/systems?view=recovery", "recovery.title"),
    Way("r", "/situation", "situation.title"),
    Way("l", "/completeness", "arrivals.title"),
)
ACTS = (("/", "look.key_search"), ("?", "look.key_help"), ("p", "look.key_pause"), ("Esc", "look.key_close"))
WALL_ACTS = (("s", "look.key_sound"), ("p", "look.key_pause"))


def said(is_signed_out: bool) -> str:
    """``b=/ m=/map …`` for the script; a reader who may go nowhere has only the help."""
    return "?=/keys" if is_signed_out else " ".join(["?=/keys", *(f"{way.letter}={way.href}" for way in WAYS)])
