"""The same number with other content is told from a replay, wherever the first one is by then."""

from __future__ import annotations

from centre import NOW_MS, Centre
from sender import request, schema_of


def test_a_fork_within_one_request_reaches_back_to_its_first_record(centre: Centre) -> None:
    sender = centre.enrolled()
    schema = schema_of(sender.host)
    many = [sender.sample(schema, [float(n)], NOW_MS) for n in range(60)]
    copied = sender.envelope([many[0]._replace(taken_at_ms=NOW_MS - 1)], [schema.packed])
    answer = centre.answer(request(sender.envelope(many, [schema.packed]), copied))
    assert [(r.index, r.action, r.code) for r in answer.envelopes] == [(1, "renew", "fork")]


def test_a_replay_of_what_was_too_old_is_counted_as_duplicate(centre: Centre) -> None:
    sender = centre.enrolled()
    body = request(sender.report(NOW_MS - 365 * 86_400_000))
    for _ in range(2):
        assert centre.answer(body).agents[0].held == [(1, 1)]
    assert centre.live.reports == {("abuja", "expired"): 1, ("abuja", "duplicate"): 1}
