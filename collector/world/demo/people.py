"""Who is called in the demonstration: a situation room in three shifts, a team for each hub's region, and their rosters."""

from __future__ import annotations

from zlib import crc32

from collector.world.demo.fleet import hubs, places

ROOM = (("kim", "김가람", "Kim Garam"), ("lee", "이나래", "Lee Narae"), ("park", "박다온", "Park Daon"),
        ("choi", "최라온", "Choi Raon"))  # fmt: skip
REGION = {
    "apac": ("tan", "탄 메이", "Tan Mei"), "nam": ("smith", "스미스", "Alex Smith"),
    "latam": ("garcia", "가르시아", "Ana Garcia"), "eur-cis": ("weber", "베버", "Jonas Weber"),
    "mea": ("hassan", "하산", "Omar Hassan"),
}  # fmt: skip

COVER = "office"
"""When somebody of a region's team is on duty."""


def rosters(login: str = "", is_thin: bool = False) -> str:
    """The file ``bongsu apply`` takes. ``login``: the user the first of the room signs in as."""
    parts = ["# People of the demonstration; all of them are invented."]
    for at, (name, name_ko, name_en) in enumerate(ROOM):
        more = f'login = "{login}"\n' if login and not at else ""
        parts.append(_person(name, name_ko, name_en, "ko", "Asia/Seoul", more))
    zones = {hub: next(at.timezone for at in places(is_thin) if at.id == site) for hub, _, _, site in hubs(is_thin)}
    for hub, (name, name_ko, name_en) in [item for item in REGION.items() if item[0] in zones]:
        parts.append(_person(name, name_ko, name_en, "en", zones[hub]))
    parts.append('[[teams]]\nid = "room"\nname_ko = "종합상황실"\nname_en = "Situation room"\nmembers = '
                 f"[{_words(name for name, _, _ in ROOM)}]\n")  # fmt: skip
    crews = ", ".join(f'["{name}"]' for name, _, _ in ROOM)
    parts.append(
        '[[rosters]]\nid = "room"\nname_ko = "종합상황실 4조2교대"\nname_en = "Situation room"\nfallback = ["@room"]\n'
        f'[[rosters.layers]]\nname = "shifts"\nkind = "cycle"\npattern = "4x2"\nstarts = 2026-01-05\ncrews = [{crews}]\n'
    )
    for hub, name_ko, name_en, site in hubs(is_thin):
        if hub not in REGION:
            continue
        sites = _words(place.id for place in places(is_thin) if place.hub == hub)
        parts.append(
            f'[[rosters]]\nid = "{hub}"\nname_ko = "{name_ko} 담당"\nname_en = "{name_en}"\nsites = [{sites}]\n'
            f'timezone = "{zones[hub]}"\ncalendar = "{site}"\ncover = "{COVER}"\nfallback = ["@room"]\n'
            f'[[rosters.layers]]\nname = "day"\nhours = "office"\nstarts = 2026-01-05\ncrews = [["{REGION[hub][0]}"]]\n'
        )
    return "\n".join(parts)


def _person(name: str, name_ko: str, name_en: str, language: str, zone: str, more: str = "") -> str:
    return (
        f'[[people]]\nid = "{name}"\nname_ko = "{name_ko}"\nname_en = "{name_en}"\nlanguages = ["{language}"]\n'
        f'timezone = "{zone}"\n{more}contacts = [{{ channel = "email", address = "{name}@demo.example" }}, '
        f'{{ channel = "sms", address = "+82-2-0000-{crc32(name.encode()) % 10_000:04d}" }}]\n'
    )


def _words(names: object) -> str:
    return ", ".join(f'"{name}"' for name in names)  # type: ignore[attr-defined]
