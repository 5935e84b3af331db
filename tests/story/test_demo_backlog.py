"""A site is cut off for two hours. What was wrong there meanwhile is over when anybody hears of it: one digest, no page.

The demonstration's small world and its whole application; the agent's backlog tells everything at once, the newest first.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from paged_demo import paged_demo

from collector.incidents.incident import OPEN
from collector.incidents.queries import list_incidents, signals_of
from collector.store.scope import EVERYTHING

pytestmark = pytest.mark.slow
BEGAN = datetime(2026, 11, 17, 10, 0, tzinfo=ZoneInfo("Asia/Seoul"))
MINUTE = 60.0
CUT = "tashkent/main"


def test_what_was_over_before_anybody_heard_is_one_digest(tmp_path: Path) -> None:
    with paged_demo(tmp_path, BEGAN, is_thin=True, least_seconds=10.0, interval_seconds=30.0) as (demo, calls):
        demo.play(5 * MINUTE)
        assert calls.called == []
        condition, after = demo.condition, demo.timeline.after
        condition.cut_links.add(CUT)
        for check, begins, ends in (("process:smbd", 20, 50), ("process:sshd", 70, 95)):
            name = ("srv1.tashkent", check)
            after(begins * MINUTE, lambda name=name: condition.failing.__setitem__(name, (2, "not running")))  # type: ignore[misc]
            after(ends * MINUTE, lambda name=name: condition.failing.pop(name))  # type: ignore[misc]
        demo.play(118 * MINUTE)
        app = demo.centre.app
        assert app is not None
        with app.store.reading() as connection:
            (cut,) = list_incidents(connection, EVERYTHING)
        assert cut.subject_id.startswith("tashkent")
        before = len(calls.calls)
        assert {call.incident for call in calls.calls} == {cut.number}

        condition.cut_links.discard(CUT)
        demo.play(30 * MINUTE)
        with app.store.reading() as connection:
            found = list_incidents(connection, EVERYTHING)
            (digest,) = [one for one in found if one.is_digest]
            told = signals_of(connection, digest.number)
        assert {dict(row.labels).get("check") for row in told} >= {"process:smbd", "process:sshd"}
        assert {dict(row.labels).get("instance") for row in told} == {"srv1.tashkent"}
        assert [one.key for one in found if one.state in OPEN] == []
        whole = next(one for one in found if not one.is_digest)
        assert whole.subject_id.startswith("tashkent"), "the cut itself, by whatever name it was known in the end"
        later = calls.calls[before:]
        called_for = {call.person for call in calls.calls[:before]}
        ends = [call for call in later if call.kind == "recovery"]
        assert {call.person for call in ends} == called_for, "whoever was called hears the end"
        assert {call.incident for call in ends} == {whole.number}
        digests = [call for call in later if call.kind == "digest"]
        assert {call.incident for call in digests} == {digest.number}
        assert len(digests) == len({call.person for call in digests}) >= 1, "one to each who is on duty"
        assert {call.kind for call in later} == {"recovery", "digest"}, "nobody is called for the past"
