"""Every answer tells an agent which policy is its newest."""

from __future__ import annotations

from datetime import UTC, datetime

from centre import NOW_MS, Centre
from sender import request

from agent.link.policy import policy_hint
from collector.fleet.job import PolicyJob
from collector.fleet.queries import find_signed_policy


def test_an_answer_names_the_newest_policy(centre: Centre) -> None:
    sender = centre.enrolled()
    before = centre.answer(request(sender.report(NOW_MS)))
    assert [agent.policy for agent in before.agents] == [""]

    job = PolicyJob(centre.store, centre.registry, centre.key.sign, centre.key.public)
    job.step(datetime.fromtimestamp(NOW_MS / 1000, UTC))
    with centre.store.reading() as connection:
        packed = find_signed_policy(connection, sender.agent_id)
    assert packed is not None
    after = centre.answer(request(sender.report(NOW_MS), sender.report(NOW_MS)))
    assert [agent.policy for agent in after.agents] == [policy_hint(packed)]
