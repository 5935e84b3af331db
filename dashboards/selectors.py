"""What every selector of a board is filtered by, and the links from one level to the next."""

from __future__ import annotations

from dashboards.panel import Link, Words

AGENCY = 'agency=~"$agency"'
HUB = 'agency=~"$agency",hub=~"$hub"'
SITE = 'agency=~"$agency",hub=~"$hub",site=~"$site"'
HOST = 'agency=~"$agency",hub=~"$hub",site=~"$site",instance=~"$instance"'

BY_SITE = "agency, hub, site"
BY_HOST = "agency, hub, site, instance"

NOC_UID = "bongsu-noc"
HOST_UID = "bongsu-host"

_KEPT = "${__url_time_range}&${datasource:queryparam}&${agency:queryparam}&${hub:queryparam}"

TO_HOSTS = Link(Words("호스트 보기", "Show hosts"), f"/d/{HOST_UID}?{_KEPT}&${{site:queryparam}}")
"""To the hosts of whatever is chosen now."""

TO_SITE_ROW = Link(
    Words("이 사이트의 호스트", "Hosts of this site"), f"/d/{HOST_UID}?{_KEPT}&var-site=${{__data.fields.site}}"
)
"""To the hosts of the site in this row of a table (or behind this marker of a map)."""

TO_HOST_ROW = Link(
    Words("이 호스트", "This host"),
    f"/d/{HOST_UID}?{_KEPT}&var-site=${{__data.fields.site}}&var-instance=${{__data.fields.instance}}",
)

TO_AGENCY_ROW = Link(
    Words("이 기관의 호스트", "Hosts of this agency"),
    f"/d/{HOST_UID}?${{__url_time_range}}&${{datasource:queryparam}}&var-agency=${{__data.fields.agency}}"
    "&${hub:queryparam}&${site:queryparam}",
)

TO_HUB_SERIES = Link(
    Words("이 거점의 호스트", "Hosts of this hub"),
    f"/d/{HOST_UID}?${{__url_time_range}}&${{datasource:queryparam}}&${{agency:queryparam}}"
    "&var-hub=${__field.labels.hub}&${site:queryparam}",
)
