"""Every query of every board in a world with known faults, put to a real Prometheus, a real VictoriaMetrics and our own
query API: each finds something, and the numbers are those of the faults. The pages that boards lead to are there."""

from __future__ import annotations

import json
import re
import sys
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "dashboards"))

from board_lint import panels
from board_prometheus import ask, board_queries, prometheus_over, variable_queries, wait_until, without_data
from board_victoria import victoria_over
from demo_world import AT_WORK, DEAD, FAILING, ON_BATTERY, STOPPED, World, served_world
from mail_server import Mailbox

from collector.access.queries import API_TOKEN_PREFIX, add_api_token
from collector.store.scope import Scope
from collector.world.demo.machine import UPS_CHECK
from dashboards.boards import BOARDS
from dashboards.selectors import PAGES_URL

pytestmark = [pytest.mark.real, pytest.mark.slow]

ALL_SITES, ALL_SYSTEMS, ALL_HUBS = 28, 9, 5
AILING = len({ON_BATTERY, FAILING[0].partition(".")[2], DEAD[0].partition(".")[2]})
HOSTS_GONE = 2 * len(STOPPED) + len(DEAD)
"""A stopped mission has a server and a gateway."""
HOSTS_FAILING = len([FAILING, ON_BATTERY])
"""That with the failing check, and that whose UPS says the mains are lost."""
SILENT_AGENTS = len(STOPPED) + len(DEAD)
TOO_NEW = {"bongsu-self panel 31 A"}
"""What counts over an hour, where a store began a minute ago and pages left before."""
NOT_A_NUMBER = {"bongsu-self panel 17 A", "bongsu-self panel 17 B", "bongsu-self panel 17 C"}
"""Mean time of what did not happen within the minute: NaN, which VictoriaMetrics leaves out."""
ELSEWHERE = {
    *(f"bongsu-self panel {number} A" for number in (38, 39, 40)),  # only a hub says that of itself
    *(f"bongsu-site panel {number} A" for number in (41, 42)),
    "bongsu-site panel 43 A",  # no hub brings what is refused
    "bongsu-self panel 43 A",  # and no store refuses
}
EXCUSED = {"prometheus": TOO_NEW | ELSEWHERE, "victoria": TOO_NEW | NOT_A_NUMBER | ELSEWHERE, "own": ELSEWHERE}


class Asked(NamedTuple):
    world: World
    mails: Mailbox
    sources: dict[str, str]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    folder = tmp_path_factory.mktemp("demo")
    with (
        served_world(folder / "world") as (world, mails),
        prometheus_over(world.address, folder / "prometheus", "5s") as prometheus,
        victoria_over(world.address, folder / "victoria", "5s") as victoria,
    ):
        own = f"http://{world.address}"
        yield Asked(world, mails, {"prometheus": prometheus, "victoria": victoria, "own": own})


def api(asked: Asked, path: str) -> Any:
    with urllib.request.urlopen(f"http://{asked.world.address}{path}", timeout=20) as answer:
        return json.load(answer)


BOUNDS = {
    "bongsu-noc panel 7 A": (0.8, 0.999),  # two of 28 sites were down for minutes
    "bongsu-noc panel 24 A": (10, 200),
    "bongsu-site panel 5 A": (0.8, 0.999),
    "bongsu-site panel 6 A": (480, 1200),  # since the first site was stopped
    "bongsu-site panel 7 A": (HOSTS_GONE + HOSTS_FAILING, HOSTS_GONE + HOSTS_FAILING + 1),  # and the spare one
    "bongsu-site panel 12 A": (1, 1e6),
    "bongsu-systems panel 6 A": (0.5, 0.999),  # one of nine is down
    "bongsu-systems panel 7 A": (1, 1200),  # since its server died
    "bongsu-self panel 4 A": (0, 60),
    "bongsu-self panel 5 A": (0, 30),
    "bongsu-self panel 6 A": (0, 0),
    "bongsu-self panel 7 A": (10, 200),
    "bongsu-self panel 10 A": (0, 60),
    "bongsu-self panel 12 A": (0, 0),
}
"""Of stats that move: shares, ages and lags."""
VERSION = "bongsu-self panel 2 A"

SOURCES = pytest.mark.parametrize("source", ["prometheus", "victoria", "own"])


@SOURCES
def test_every_query_finds_data(asked: Asked, source: str) -> None:
    """Also those that are silent while all is well: something of everything is wrong here."""
    excused = EXCUSED.get(source, set())

    def missing() -> set[str]:
        return set(without_data(asked.sources[source], board_queries())) - excused

    wait_until(lambda: not missing(), 90)
    assert missing() == set()


@SOURCES
def test_a_store_that_is_handed_nothing_shows(asked: Asked, source: str) -> None:
    """A destination nobody listens at: what waits for it is drawn, though most fleets have none."""
    queries = board_queries()
    asked_for = {f"bongsu-self panel {number} A": queries[f"bongsu-self panel {number} A"] for number in (41, 42)}
    assert without_data(asked.sources[source], asked_for) == []


@SOURCES
def test_every_variable_has_every_choice(asked: Asked, source: str) -> None:
    counts: dict[str, set[int]] = {}
    for selector, label in variable_queries().values():
        counts.setdefault(label, set()).add(
            len(ask(asked.sources[source], f"label/{label}/values", **{"match[]": selector}))
        )
    assert counts["site"] == {ALL_SITES}
    assert counts["hub"] == {ALL_HUBS}
    assert counts["system"] == {ALL_SYSTEMS}
    assert counts["grade"] == {3}
    assert min(counts["instance"]) > 80


def expected(asked: Asked) -> dict[str, float]:
    """What each stat is to show, from the faults that were planted and from what the API lists."""
    incidents = [one for one in api(asked, "/api/incidents?limit=500")["items"] if one["state"] in OPEN]
    of_sites = sum(bool(one["site"]) for one in incidents)
    agents = len(asked.world.demo.agents)
    numbers = {
        "bongsu-noc panel 1": len(STOPPED),
        "bongsu-noc panel 2": AILING,
        "bongsu-noc panel 3": 0,
        "bongsu-noc panel 4": len([AT_WORK]),
        "bongsu-noc panel 5": 1 - SILENT_AGENTS / agents,
        "bongsu-noc panel 6": sum(one["severity"] == "critical" for one in incidents),
        "bongsu-noc panel 8": 1,
        "bongsu-noc panel 19": len(STOPPED),
        "bongsu-noc panel 20": 0,
        "bongsu-noc panel 21": 1,  # its neighbours see that the dead server is out
        "bongsu-noc panel 22": len([ON_BATTERY]),
        "bongsu-noc panel 23": of_sites,
        "bongsu-noc panel 25": 1,
        "bongsu-noc panel 26": 0,
        "bongsu-site panel 1": 4,
        "bongsu-site panel 2": len(STOPPED) + AILING,
        "bongsu-site panel 3": 1 - SILENT_AGENTS / agents,
        "bongsu-site panel 4": of_sites,
        "bongsu-site panel 8": HOSTS_FAILING,
        "bongsu-site panel 9": len(STOPPED),
        "bongsu-site panel 10": 1,
        "bongsu-site panel 11": 1,
        "bongsu-systems panel 1": 1,
        "bongsu-systems panel 2": 0,
        "bongsu-systems panel 3": 0,
        "bongsu-systems panel 4": 0,
        "bongsu-systems panel 5": 0,
        "bongsu-systems panel 8": len(incidents),
        "bongsu-self panel 1": 1,
        "bongsu-self panel 3": SILENT_AGENTS,
        "bongsu-self panel 8": len(incidents),
        "bongsu-self panel 9": 0,
        "bongsu-self panel 11": 0,
    }
    return {f"{where} A": float(number) for where, number in numbers.items()}


OPEN = ("triggered", "acknowledged")


def shown(asked: Asked, source: str, where: str) -> float:
    (found,) = ask(asked.sources[source], "query", query=board_queries()[where])["result"]
    return float(found["value"][1])


@SOURCES
def test_every_stat_shows_the_faults_that_were_planted(asked: Asked, source: str) -> None:
    wanted = expected(asked)

    def wrong() -> dict[str, tuple[float, float]]:
        seen = {where: shown(asked, source, where) for where in wanted}
        return {where: (seen[where], wanted[where]) for where in wanted if seen[where] != pytest.approx(wanted[where])}

    wait_until(lambda: not wrong(), 45)
    assert wrong() == {}


@SOURCES
def test_the_other_stats_are_where_they_must_be(asked: Asked, source: str) -> None:
    found = {where: shown(asked, source, where) for where in BOUNDS}
    assert {w: found[w] for w, (low, high) in BOUNDS.items() if not low <= found[w] <= high} == {}


def test_no_stat_goes_unchecked(asked: Asked) -> None:
    of_one_host = {f"bongsu-host panel {id} A" for id in (1, 6, 7, 8, 27)}
    stats = {
        f"{board.uid} panel {each['id']} A"
        for board in BOARDS
        for each in panels(board.json())
        if each["type"] == "stat"
    }
    assert stats - of_one_host - {VERSION} == expected(asked).keys() | BOUNDS.keys()
    for url in asked.sources.values():
        (found,) = ask(url, "query", query=board_queries()[VERSION])["result"]
        assert re.fullmatch(r"\d+\.\d+\.\d+", found["metric"]["version"])


@SOURCES
def test_one_host_s_numbers(asked: Asked, source: str) -> None:
    queries = board_queries()
    for panel, wanted in (("1", lambda v: v == 3), ("6", lambda v: v > 86_400), ("7", lambda v: -5 < v < 95)):
        found = ask(asked.sources[source], "query", query=queries[f"bongsu-host panel {panel} A"])["result"]
        (value,) = [float(one["value"][1]) for one in found if one["metric"]["instance"] == FAILING[0]]
        assert wanted(value), (panel, value)


@SOURCES
def test_tables_name_who_it_is(asked: Asked, source: str) -> None:
    queries = board_queries()

    def rows(where: str, label: str) -> set[str]:
        return {one["metric"][label] for one in ask(asked.sources[source], "query", query=queries[where])["result"]}

    bad = {*STOPPED, ON_BATTERY, FAILING[0].partition(".")[2], DEAD[0].partition(".")[2]}
    assert rows("bongsu-noc panel 10 A", "site") == bad
    assert rows("bongsu-noc panel 11 A", "check") == {FAILING[1], UPS_CHECK}
    assert rows("bongsu-noc annotation 점검 / Maintenance", "site") == {AT_WORK}
    assert rows("bongsu-noc annotation 장애 건 / Incidents", "site") == bad
    assert rows("bongsu-noc panel 9 A", "geohash") != set()
    wanted = {"SiteDown", "LinkDown"}
    assert wait_until(lambda: wanted <= rows("bongsu-self panel 28 A", "alertname"), 45)


def test_an_agency_s_source_shows_its_own_alone(asked: Asked) -> None:
    """What Grafana shows whose data source is the query API, asked with an agency's token."""
    app = asked.world.demo.centre.app
    assert app is not None
    secret, now = API_TOKEN_PREFIX + "5" * 64, datetime.now(UTC)
    with app.store.transaction() as connection:
        add_api_token(connection, secret, "grafana-apv", "test", now, scope=Scope(agencies=frozenset({"apv"})))
    seen, found = set(), set()
    for where, expr in board_queries().items():
        url = f"{asked.sources['own']}/api/v1/query?{urlencode({'query': expr})}"
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {secret}"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            rows = json.load(answer)["data"]["result"]
        found |= {where} if rows else set()
        seen |= {one["metric"]["agency"] for one in rows if "agency" in one["metric"]}
    assert seen == {"apv"}
    assert {"bongsu-systems panel 3 A", "bongsu-host panel 2 A"} <= found


def test_pages_sent_are_pages_received(asked: Asked) -> None:
    assert asked.mails.mails
    sent = 'sum(bongsu_pages_total{channel="email",result="sent"})'

    def counted() -> set[float]:
        return {float(ask(url, "query", query=sent)["result"][0]["value"][1]) for url in asked.sources.values()}

    assert wait_until(lambda: counted() == {float(len(asked.mails.mails))}, 45), (counted(), len(asked.mails.mails))


def test_links_lead_to_pages_that_are_there(asked: Asked) -> None:
    names = {
        "site": STOPPED[0], "instance": FAILING[0], "system": "open-data", "alertname": "SiteDown",
    }  # fmt: skip
    links = set()
    for board in BOARDS:
        for each in panels(board.json()):
            for link in each["fieldConfig"]["defaults"]["links"]:
                if link["url"].startswith(PAGES_URL):
                    links.add(re.sub(r"\$\{__\w+\.\w+\.(\w+)\}", lambda m: names[m[1]], link["url"][len(PAGES_URL) :]))
    assert len(links) > 5
    for path in sorted(links):
        with urllib.request.urlopen(f"http://{asked.world.address}{path}", timeout=20) as answer:
            assert answer.status == 200, path
            assert "/login" not in answer.url, path
