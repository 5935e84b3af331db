"""What every selector of a board is filtered by, and the links from one level to the next and to our own pages."""

from __future__ import annotations

from dashboards.panel import Link, Words

AGENCY = 'agency=~"$agency"'
HUB_ONLY = 'hub=~"$hub"'
HUB = 'agency=~"$agency",hub=~"$hub"'
SITE = 'agency=~"$agency",hub=~"$hub",site=~"$site"'
HOST = 'agency=~"$agency",hub=~"$hub",site=~"$site",instance=~"$instance"'
SYSTEM = 'agency=~"$agency",grade=~"$grade",system=~"$system"'
FIRING = 'alertstate="firing",severity=~"critical|warning|info"'

BY_SITE = "agency, hub, site"
BY_LINK = "agency, hub, site, link"
BY_HOST = "agency, hub, site, instance"
BY_SYSTEM = "agency, system, grade"

NOC_UID = "bongsu-noc"
SITE_UID = "bongsu-site"
HOST_UID = "bongsu-host"
SYSTEMS_UID = "bongsu-systems"
SELF_UID = "bongsu-self"

PAGES_URL = "http://127.0.0.1:8650"
"""Where our own pages are. ``bongsu grafana files`` and ``push`` put the real address in its place."""

_TIME = "${__url_time_range}&${datasource:queryparam}"
_KEPT = f"{_TIME}&${{agency:queryparam}}&${{hub:queryparam}}"
_CHOSEN = f"{_KEPT}&${{site:queryparam}}"

TO_SITES = Link(Words("사이트 보기", "Show sites"), f"/d/{SITE_UID}?{_CHOSEN}")
"""To the sites of whatever is chosen now."""

TO_HOSTS = Link(Words("호스트 보기", "Show hosts"), f"/d/{HOST_UID}?{_CHOSEN}")

TO_SELF = Link(Words("감시 체계 보기", "Show the monitor itself"), f"/d/{SELF_UID}?{_CHOSEN}")

TO_SYSTEMS = Link(Words("시스템 보기", "Show systems"), f"/d/{SYSTEMS_UID}?{_TIME}&${{agency:queryparam}}")

TO_SITE_ROW = Link(Words("이 사이트", "This site"), f"/d/{SITE_UID}?{_KEPT}&var-site=${{__data.fields.site}}")
"""To the site in this row of a table (or behind this marker of a map)."""

TO_SITE_SERIES = Link(Words("이 사이트", "This site"), f"/d/{SITE_UID}?{_KEPT}&var-site=${{__field.labels.site}}")

TO_HOSTS_OF_SERIES = Link(
    Words("이 사이트의 호스트", "Hosts of this site"), f"/d/{HOST_UID}?{_KEPT}&var-site=${{__field.labels.site}}"
)

TO_HOST_ROW = Link(
    Words("이 호스트", "This host"),
    f"/d/{HOST_UID}?{_KEPT}&var-site=${{__data.fields.site}}&var-instance=${{__data.fields.instance}}",
)

TO_AGENCY_ROW = Link(
    Words("이 기관의 시스템", "Systems of this agency"),
    f"/d/{SYSTEMS_UID}?{_TIME}&var-agency=${{__data.fields.agency}}",
)

TO_AGENCY_SITES = Link(
    Words("이 기관의 사이트", "Sites of this agency"), f"/d/{SITE_UID}?{_TIME}&var-agency=${{__data.fields.agency}}"
)

TO_HUB_SERIES = Link(
    Words("이 거점", "This hub"),
    f"/d/{SITE_UID}?{_TIME}&${{agency:queryparam}}&var-hub=${{__field.labels.hub}}&${{site:queryparam}}",
)

SITE_PAGE = Link(Words("봉수에서 보기", "Open in Bongsu"), f"{PAGES_URL}/sites/${{__data.fields.site}}")
HOST_PAGE = Link(Words("봉수에서 보기", "Open in Bongsu"), f"{PAGES_URL}/hosts/${{__data.fields.instance}}")
HOST_PAGE_OF_SERIES = Link(Words("봉수에서 보기", "Open in Bongsu"), f"{PAGES_URL}/hosts/${{__field.labels.instance}}")
SYSTEM_PAGE = Link(Words("봉수에서 보기", "Open in Bongsu"), f"{PAGES_URL}/systems/${{__data.fields.system}}")
RUNBOOK_PAGE = Link(Words("조치 안내", "What to do"), f"{PAGES_URL}/runbooks/${{__data.fields.alertname}}")
INCIDENTS_PAGE = Link(Words("봉수의 장애 건 목록", "Incidents in Bongsu"), f"{PAGES_URL}/incidents")
AGENTS_PAGE = Link(Words("봉수의 에이전트 목록", "Agents in Bongsu"), f"{PAGES_URL}/agents")
SYSTEMS_PAGE = Link(Words("봉수의 시스템 목록", "Systems in Bongsu"), f"{PAGES_URL}/systems")
