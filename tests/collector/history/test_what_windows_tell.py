"""Old history is there in windows: what functions can still say of it, and that an answer says what it cannot."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from archive import DAY, HOUR, NOW_MS, Archive
from sender import schema_of

from agent.link.model import Series, make_schema
from agent.link.names import COUNTER
from collector.history.ageing import Ageing, Days
from collector.history.answer import success
from collector.history.query import Query
from collector.store.scope import EVERYTHING

START = NOW_MS // HOUR * HOUR
MINUTE = 60_000
LATER = START + 5 * DAY
KEPT = Days(1, 9, 9)
COUNTS = make_schema((Series("srv1.abuja", "requests_total", COUNTER, ()),), ())


def aged(archive: Archive, values: list[float], schema: Any = COUNTS, days: Days = KEPT) -> Query:
    """One value a minute, five days ago, in windows by now."""
    sender = archive.centre.enrolled()
    rows = [(START + at * MINUTE, [value]) for at, value in enumerate(values)]
    archive.send(sender, schema, rows, at_once=True)
    archive.chunk(START + 4 * HOUR)
    ageing = Ageing(archive.store, archive.history, days)
    ageing.step(datetime.fromtimestamp(LATER / 1000, UTC))
    return Query([archive.history], EVERYTHING, coarse=ageing.coarse(LATER), warnings=[])


def value(query: Query, text: str, minute: int) -> float | None:
    found = query.instant(text, START + minute * MINUTE)["result"]
    return float(found[0]["value"][1]) if found else None


@pytest.mark.parametrize(
    ("days", "length"), [(Days(1, 9, 9), "1h"), (Days(1, 1, 9), "3h")], ids=["five minutes", "an hour"]
)
def test_a_counter_that_began_anew_and_was_higher_soon_is_known_to_have_fallen(
    archive: Archive, days: Days, length: str
) -> None:
    """It stands at 500; at minute 62 it begins anew, and is at 900 before the window ends."""
    query = aged(archive, [500.0] * 62 + [300.0, 600.0] + [900.0] * 116, days=days)
    found = value(query, f"increase(requests_total[{length}])", 179 if length == "3h" else 90)
    assert found is not None
    assert 890 <= found <= 1_400, "all 900, stretched to the ends of the range; not only the 400 above its old height"
    assert query.warnings == []


def test_what_is_approximate_is_said_with_the_answer(archive: Archive) -> None:
    query = aged(archive, [float(at % 7) for at in range(180)], schema_of("srv1.abuja", ["node_load1"]))
    before = query.coarse[0][0]
    said = f"before {datetime.fromtimestamp(before / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
    for name, text in (
        ("quantile_over_time", "quantile_over_time(0.9, node_load1[1h])"),
        ("changes", "changes(node_load1[1h])"),
    ):
        query.warnings.clear()  # type: ignore[union-attr]
        assert value(query, text, 90) is not None
        expected = (
            f"{name} over node_load1[1h] is approximate {said}: of every 5 minutes only the last value is left there"
        )
        assert query.warnings == [expected]
    query.warnings.clear()  # type: ignore[union-attr]
    assert value(query, "rate(node_load1[5m]) + rate(node_load1[5m])", 90) is None
    assert query.warnings == [
        f"rate over node_load1[5m] has no value {said}: the range must be 10 minutes or more there"
    ]


def test_what_is_exact_needs_no_word(archive: Archive) -> None:
    query = aged(archive, [float(at) for at in range(180)])
    for text in ("max_over_time(requests_total[1h])", "rate(requests_total[1h])", "requests_total"):
        assert value(query, text, 90) is not None
    assert query.warnings == []
    assert success({}, query.warnings or ()) == {"status": "success", "data": {}}
    assert success({}, ["so"]) == {"status": "success", "data": {}, "warnings": ["so"]}
