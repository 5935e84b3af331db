"""What stands where: hosts, lines, probes and systems of the demonstration, as a topology file.

A mission has two servers with an agent each and a gateway that the first one speaks for; a centre has the servers of the
agencies whose home it is, one machine that looks at the missions and at the building, and a core router that is shared.
"""

from __future__ import annotations

from typing import NamedTuple

from collector.world.topology import AGENCIES, DATA_CENTRES, HUBS, PLACES, PROFILES, Place

SPARE = "visa desk"
"""What a small world leaves out."""
WATCHER = "noc1"
"""Of a centre: looks at lines, at the building and at the machines in it."""
HUB_SITES = {name: site for name, _, _, site in HUBS}
CENTRE_SITE = "dc-gwj"
THIN_HUBS = ("nam", "eur-cis", "mea")
THIN_SITES = ("washington", "new-york", "ottawa", "frankfurt", "london", "warsaw", "tashkent", "dubai", "cairo", "nairobi",
              "abuja", "beirut")  # fmt: skip
"""Of a thin world: every kind of line, and every zone whose clocks change in autumn."""
CABLES = {
    "singapore": "sea-east", "hanoi": "sea-east", "new-delhi": "red-sea", "dubai": "red-sea", "cairo": "red-sea",
    "nairobi": "red-sea", "frankfurt": "eurasia-land", "london": "eurasia-land", "warsaw": "eurasia-land",
    "washington": "pacific-north", "new-york": "pacific-north", "ottawa": "pacific-north", "los-angeles": "pacific-north",
    "mexico-city": "pacific-south", "brasilia": "pacific-south", "santiago": "pacific-south",
}  # fmt: skip
"""Of a mission's main line, where it runs in one that others share."""
CARRIERS = {"L": "global-line", "V": "inter-web", "G": "sat-one", "E": "low-orbit"}
COUNTRIES = {
    "singapore": "SG", "tokyo": "JP", "beijing": "CN", "hanoi": "VN", "new-delhi": "IN", "port-moresby": "PG",
    "washington": "US", "new-york": "US", "los-angeles": "US", "ottawa": "CA", "mexico-city": "MX", "brasilia": "BR",
    "santiago": "CL", "lima": "PE", "frankfurt": "DE", "london": "GB", "warsaw": "PL", "tashkent": "UZ", "dubai": "AE",
    "cairo": "EG", "nairobi": "KE", "abuja": "NG", "kinshasa": "CD", "beirut": "LB",
}  # fmt: skip
SUBDIVISIONS = {"ottawa": "ON", "frankfurt": "HE", "london": "ENG", "new-delhi": "DL"}
WEEKENDS = {"cairo": ("fri", "sat"), "kinshasa": ("sat", "sun")}
KOREAN_DAYS = ("march-first", "liberation-day", "foundation-day", "hangul-day")


class Service(NamedTuple):
    """An agency's main system: at ``home``, with a stand-by server at ``other`` ("" = none)."""

    id: str
    agency: str
    name_ko: str
    name_en: str
    grade: int
    home: str
    other: str
    depends_on: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()


SERVICES = (
    Service("login", "adm", "통합 인증", "Joint login", 1, "dc-djn", "dc-gwj"),
    Service("portal", "adm", "민원 포털", "Citizen portal", 1, "dc-djn", "dc-gwj", depends_on=("login",)),
    Service("postal-finance", "pfn", "우편금융", "Postal finance", 1, "dc-gwj", "dc-dgu", uses=("login",)),
    Service("situation", "saf", "재난 상황 플랫폼", "Disaster situation platform", 1, "dc-dgu", "dc-gwj"),
    Service("overseas", "for", "해외정보 공유", "Overseas-information sharing", 2, "dc-gwj", "dc-dgu", uses=("login",)),
    Service("consultation", "ctc", "통합 상담", "Merged call centre", 2, "dc-dgu", "", depends_on=("login",)),
    Service("records", "rec", "기록 관리", "Records platform", 2, "dc-djn", "dc-gju"),
    Service("approval", "apv", "모바일 전자결재", "Mobile e-approval", 3, "dc-djn", "", depends_on=("login",)),
    Service("open-data", "opn", "개방 데이터", "Open data and IoT broker", 3, "dc-dgu", ""),
)
ESSENTIAL = ("login", "portal", "overseas")
"""All that a thin world has: two of grade 1, one that others depend on, and one of grade 2 with an interface."""
INTERFACES = (("overseas-portal", "overseas", "portal"), ("consultation-portal", "consultation", "portal"),
              ("records-approval", "approval", "records"))  # fmt: skip
"""Id, who asks, and who answers; the first web server of the one tries the other."""


class Machine(NamedTuple):
    """``speaker``: the host whose agent reports it, itself where it has its own. ``kind``: server, gateway, watcher."""

    id: str
    site: str
    agency: str
    role: str
    speaker: str
    kind: str = "server"
    is_shared: bool = False
    checks: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.id.partition(".")[0]


class Looked(NamedTuple):
    """A probe: the host that looks, and at what; ``subject`` is ``link``, ``site``, ``host`` or ``anchor``."""

    host: str
    target: str
    subject: str
    id: str


def machines(is_small: bool = False, is_thin: bool = False) -> tuple[Machine, ...]:
    """``is_small``: one server a mission; ``is_thin``: that, few missions and systems, one agent for a whole centre."""
    few = services(is_thin)
    every = [each for place in places(is_thin) for each in (_mission(place) if place.link else _centre(place, few))]
    if is_thin:
        centres = {place.id for place in DATA_CENTRES}
        every = [each._replace(speaker=f"{WATCHER}.{each.site}") if each.site in centres else each for each in every]
    return tuple([each for each in every if not ((is_small or is_thin) and each.role == SPARE)])


def places(is_thin: bool = False) -> tuple[Place, ...]:
    return tuple([place for place in PLACES if not (is_thin and place.link and place.id not in THIN_SITES)])


def hubs(is_thin: bool = False) -> tuple[tuple[str, str, str, str], ...]:
    """Id, names, and the mission each stands at."""
    return tuple([each for each in HUBS if each[0] in THIN_HUBS or not is_thin])


def services(is_thin: bool = False) -> tuple[Service, ...]:
    return tuple([each for each in SERVICES if each.id in ESSENTIAL or not is_thin])


def _mission(place: Place) -> list[Machine]:
    first = f"srv1.{place.id}"
    return [
        Machine(first, place.id, place.agency, "file server", first, checks=("process:smbd", "process:sshd")),
        Machine(f"srv2.{place.id}", place.id, place.agency, SPARE, f"srv2.{place.id}", checks=("process:nginx",)),
        Machine(f"gw1.{place.id}", place.id, place.agency, "gateway", first, "gateway"),
    ]


def _centre(place: Place, few: tuple[Service, ...]) -> list[Machine]:
    watcher = f"{WATCHER}.{place.id}"
    found = [
        Machine(watcher, place.id, place.agency, "watcher", watcher, "watcher", checks=("process:upsd",)),
        Machine(f"core1.{place.id}", place.id, place.agency, "core router", watcher, "gateway", is_shared=True),
    ]
    for one in few:
        if one.home == place.id:
            for name, check in (("web1", "process:nginx"), ("web2", "process:nginx"), ("db1", "process:postgres")):
                host = f"{one.id}-{name}.{place.id}"
                asked = [f"http:{target}" for _, source, target in INTERFACES if (source, name) == (one.id, "web1")]
                found.append(Machine(host, place.id, one.agency, name[:-1], host, checks=(check, *asked)))
        if one.other == place.id:
            host = f"{one.id}-dr1.{place.id}"
            found.append(
                Machine(host, place.id, one.agency, "dr", host, checks=("process:postgres", "backup:off-site"))
            )
    return found


def looks(is_thin: bool = False) -> tuple[Looked, ...]:
    """Who looks at whom: the own hub, the centre and a foreign hub at every line; centres at each other as anchors; in a
    centre its watcher at every machine, but in a thin world, where it speaks for them all."""
    found = []
    hub_sites = [site for _, _, _, site in hubs(is_thin)]
    for place in [place for place in places(is_thin) if place.link]:
        own = HUB_SITES[place.hub]
        foreign = next(site for site in hub_sites if site not in (own, place.id))
        eyes = [f"srv1.{site}" for site in (own, foreign) if site != place.id] + [f"{WATCHER}.{CENTRE_SITE}"]
        for host in eyes:
            found += [Looked(host, f"gw.{place.id}", "link", f"{place.id}/main")]
            found += [Looked(host, f"gw2.{place.id}", "link", f"{place.id}/backup")] if "+" in place.link else []
            found += [Looked(host, place.id, "site", place.id)]
    for place in DATA_CENTRES:
        for eye in [other.id for other in DATA_CENTRES if other.id != place.id][:3]:
            found.append(Looked(f"{WATCHER}.{eye}", f"core.{place.id}", "link", f"{place.id}/main"))
    for site in (CENTRE_SITE, *hub_sites):
        host = f"{WATCHER}.{site}" if site == CENTRE_SITE else f"srv1.{site}"
        found += [Looked(host, f"gw.{place.id}", "anchor", "") for place in DATA_CENTRES if place.id != site][:2]
    if not is_thin:
        centres = {place.id for place in DATA_CENTRES}
        inside = [
            each for each in machines() if each.site in centres and each.speaker == each.id != f"{WATCHER}.{each.site}"
        ]
        found += [Looked(f"{WATCHER}.{each.site}", each.id, "host", each.id) for each in inside]
    return tuple(found)


def document(is_small: bool = False, is_thin: bool = False) -> str:
    """The topology file."""
    lines = ["# The demonstration world: fictional load at city-centre coordinates."]
    for name, name_ko, name_en in AGENCIES:
        lines += _table("agencies", id=name, name_ko=name_ko, name_en=name_en)
    for name, name_ko, name_en, _ in hubs(is_thin):
        lines += _table("hubs", id=name, name_ko=name_ko, name_en=name_en)
    for place in places(is_thin):
        lines += _table("sites", **_site(place))
    for one in machines(is_small, is_thin):
        more = {"agent": one.speaker} if one.speaker != one.id else {}
        shared = {"shared": True} if one.is_shared else {}
        lines += _table("hosts", name=one.name, site=one.site, agency=one.agency, role=one.role, **more, **shared)
    for place in places(is_thin):
        lines += _links(place) if place.link else _backbone(place)
    for look in looks(is_thin):
        subject = {"anchor": True} if look.subject == "anchor" else {look.subject: look.id}
        lines += _table("probes", **{"from": look.host}, target=look.target, **subject)
    few = services(is_thin)
    for service in few:
        lines += _system(service)
    known = {service.id: service for service in few}
    for name, source, target in INTERFACES:
        if {source, target} <= known.keys():
            check = f"{source}-web1.{known[source].home}/http:{target}"
            lines += _table("interfaces", id=name, source=source, target=target, check=check)
    return "\n".join(lines) + "\n"


def _site(place: Place) -> dict[str, object]:
    found: dict[str, object] = {"id": place.id, "agency": place.agency, "name_ko": place.name_ko}
    found |= {"name_en": place.name_en, "latitude": place.latitude, "longitude": place.longitude}
    found |= {"timezone": place.timezone, "link_profile": place.profile}
    if place.hub:
        found |= {"hub": place.hub, "country": COUNTRIES[place.id], "korean_days": KOREAN_DAYS}
        found |= {"business_hours": "09:00-17:00"}
        found |= {"subdivision": SUBDIVISIONS[place.id]} if place.id in SUBDIVISIONS else {}
        found |= {"weekend": WEEKENDS[place.id]} if place.id in WEEKENDS else {}
    else:
        found |= {"country": "KR", "facility": place.id, "behind": (f"core1.{place.id}",)}
    return found | ({"collector": True} if place.id == CENTRE_SITE else {})


def _links(place: Place) -> list[str]:
    first, _, second = place.link.partition("+")
    cable = CABLES.get(place.id, "")
    found = _table("links", site=place.id, name="main", role="primary", kind=PROFILES[first], carrier=CARRIERS[first],
                   cable=cable)  # fmt: skip
    if second:
        carrier = "second-line" if second == first else CARRIERS[second]
        found += _table("links", site=place.id, name="backup", role="backup", kind=PROFILES[second], carrier=carrier)
    return found


def _backbone(place: Place) -> list[str]:
    return _table("links", site=place.id, name="main", role="primary", kind="lan", carrier="backbone")


def _system(one: Service) -> list[str]:
    at = f"{one.id}-{{}}.{one.home}"
    database = [at.format("db1"), *([f"{one.id}-dr1.{one.other}"] if one.other else [])]
    groups = [
        ("web", "any", (at.format("web1"), at.format("web2"))),
        ("database", "standby" if one.other else "all", tuple(database)),
    ]
    lines = _table("systems", id=one.id, agency=one.agency, name_ko=one.name_ko, name_en=one.name_en, grade=one.grade,
                   depends_on=one.depends_on, uses=one.uses)  # fmt: skip
    rows = ", ".join(f'{{ name = "{name}", rule = "{rule}", members = {_value(of)} }}' for name, rule, of in groups)
    return [*lines, f"groups = [{rows}]"]


def _table(name: str, /, **keys: object) -> list[str]:
    return ["", f"[[{name}]]", *(f"{key} = {_value(value)}" for key, value in keys.items())]


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(_value, value))}]"
    return f'"{value}"' if isinstance(value, str) else str(value)
