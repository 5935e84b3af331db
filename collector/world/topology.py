"""The world's places: 24 missions under five hubs, and four data centres that report to the centre directly.

Fictional load at city-centre coordinates. The round trip is to Seoul: great circle times 1.5, a geostationary line 620
ms, low orbit 40 ms on top. ``document`` is a topology file that ``bongsu apply`` takes.
"""

from __future__ import annotations

from typing import NamedTuple

AGENCIES = (
    ("adm", "민원서비스처", "Civil Services Office"),
    ("pfn", "우편금융본부", "Postal Finance Headquarters"),
    ("saf", "재난안전본부", "Disaster Safety Headquarters"),
    ("for", "외교정보처", "Overseas Information Office"),
    ("ctc", "통합상담센터", "Joint Call Centre"),
    ("rec", "국가기록관리처", "Records Administration"),
    ("apv", "전자결재운영단", "Electronic Approval Service"),
    ("opn", "개방데이터원", "Open Data Institute"),
)
HUBS = (
    ("apac", "아시아태평양 거점", "Asia and Pacific hub", "singapore"),
    ("nam", "북미 거점", "North America hub", "washington"),
    ("latam", "중남미 거점", "Latin America hub", "mexico-city"),
    ("eur-cis", "유럽·독립국가연합 거점", "Europe and CIS hub", "frankfurt"),
    ("mea", "중동아프리카 거점", "Middle East and Africa hub", "dubai"),
)
"""Id, names, and the mission it stands at."""
PROFILES = {"L": "leased", "V": "vpn", "G": "geo", "E": "leo"}
BITS_PER_SECOND = {"leased": 2e6, "vpn": 4e6, "leo": 10e6, "geo": 256e3, "thin": 64e3, "lan": 100e6}
"""What a site's line of each profile carries here."""


class Place(NamedTuple):
    """A site. ``link`` = primary, with + and backup where there is one: L leased, V VPN, G geostationary, E low orbit."""

    id: str
    name_ko: str
    name_en: str
    latitude: float
    longitude: float
    timezone: str
    link: str
    rtt_ms: int
    hub: str = ""
    agency: str = "for"

    @property
    def profile(self) -> str:
        return PROFILES[self.link[0]] if self.link else "lan"


MISSIONS = (
    Place("singapore", "싱가포르", "Singapore", 1.3521, 103.8198, "Asia/Singapore", "L+V", 70, "apac"),
    Place("tokyo", "도쿄", "Tokyo", 35.6762, 139.6503, "Asia/Tokyo", "L", 20, "apac"),
    Place("beijing", "베이징", "Beijing", 39.9042, 116.4074, "Asia/Shanghai", "V", 40, "apac"),
    Place("hanoi", "하노이", "Hanoi", 21.0278, 105.8342, "Asia/Ho_Chi_Minh", "L", 40, "apac"),
    Place("new-delhi", "뉴델리", "New Delhi", 28.6139, 77.2090, "Asia/Kolkata", "L", 70, "apac"),
    Place("port-moresby", "포트모르즈비", "Port Moresby", -9.4438, 147.1803, "Pacific/Port_Moresby", "G", 620, "apac"),
    Place("washington", "워싱턴", "Washington", 38.9072, -77.0369, "America/New_York", "L+L", 170, "nam"),
    Place("new-york", "뉴욕", "New York", 40.7128, -74.0060, "America/New_York", "L", 170, "nam"),
    Place("los-angeles", "로스앤젤레스", "Los Angeles", 34.0522, -118.2437, "America/Los_Angeles", "L", 140, "nam"),
    Place("ottawa", "오타와", "Ottawa", 45.4215, -75.6972, "America/Toronto", "L", 160, "nam"),
    Place("mexico-city", "멕시코시티", "Mexico City", 19.4326, -99.1332, "America/Mexico_City", "L+V", 180, "latam"),
    Place("brasilia", "브라질리아", "Brasília", -15.7939, -47.8828, "America/Sao_Paulo", "L", 260, "latam"),
    Place("santiago", "산티아고", "Santiago", -33.4489, -70.6693, "America/Santiago", "L", 280, "latam"),
    Place("lima", "리마", "Lima", -12.0464, -77.0428, "America/Lima", "V", 240, "latam"),
    Place("frankfurt", "프랑크푸르트", "Frankfurt", 50.1109, 8.6821, "Europe/Berlin", "L+L", 130, "eur-cis"),
    Place("london", "런던", "London", 51.5074, -0.1278, "Europe/London", "L", 130, "eur-cis"),
    Place("warsaw", "바르샤바", "Warsaw", 52.2297, 21.0122, "Europe/Warsaw", "L", 120, "eur-cis"),
    Place("tashkent", "타슈켄트", "Tashkent", 41.2995, 69.2401, "Asia/Tashkent", "V", 70, "eur-cis"),
    Place("dubai", "두바이", "Dubai", 25.2048, 55.2708, "Asia/Dubai", "L+E", 100, "mea"),
    Place("cairo", "카이로", "Cairo", 30.0444, 31.2357, "Africa/Cairo", "L", 130, "mea"),
    Place("nairobi", "나이로비", "Nairobi", -1.2921, 36.8219, "Africa/Nairobi", "L", 150, "mea"),
    Place("abuja", "아부자", "Abuja", 9.0765, 7.3986, "Africa/Lagos", "G", 620, "mea"),
    Place("kinshasa", "킨샤사", "Kinshasa", -4.4419, 15.2663, "Africa/Kinshasa", "E", 220, "mea"),
    Place("beirut", "베이루트", "Beirut", 33.8938, 35.5018, "Asia/Beirut", "E", 160, "mea"),
)
DATA_CENTRES = (
    Place("dc-djn", "대전센터", "Daejeon centre", 36.3504, 127.3845, "Asia/Seoul", "", 5, agency="adm"),
    Place("dc-gwj", "광주센터", "Gwangju centre", 35.1595, 126.8526, "Asia/Seoul", "", 1, agency="pfn"),
    Place("dc-dgu", "대구센터", "Daegu centre", 35.8714, 128.6014, "Asia/Seoul", "", 4, agency="saf"),
    Place("dc-gju", "공주센터", "Gongju centre", 36.4466, 127.1190, "Asia/Seoul", "", 3, agency="rec"),
)
PLACES = MISSIONS + DATA_CENTRES
AT = {place.id: place for place in PLACES}


def document() -> str:
    """The topology file of this world."""
    parts = ["# The demonstration world: fictional load at city-centre coordinates.\n"]
    for name, name_ko, name_en in AGENCIES:
        parts.append(f'[[agencies]]\nid = "{name}"\nname_ko = "{name_ko}"\nname_en = "{name_en}"\n')
    for name, name_ko, name_en, _ in HUBS:
        parts.append(f'[[hubs]]\nid = "{name}"\nname_ko = "{name_ko}"\nname_en = "{name_en}"\n')
    for place in PLACES:
        hub = f'hub = "{place.hub}"\n' if place.hub else ""
        parts.append(
            f'[[sites]]\nid = "{place.id}"\nagency = "{place.agency}"\n{hub}'
            f'name_ko = "{place.name_ko}"\nname_en = "{place.name_en}"\n'
            f"latitude = {place.latitude}\nlongitude = {place.longitude}\n"
            f'timezone = "{place.timezone}"\nlink_profile = "{place.profile}"\n'
        )
    return "\n".join(parts)
