"""Retention never takes what the centre lacks; the hard limit does, and says so by a new epoch."""

from __future__ import annotations

from region import Region
from sqlalchemy import select

from agent.link.exchange import Request, Response
from collector.relay.tables import receipts

DAY = 86_400.0


def jobs(region: Region) -> None:
    region.at_hub.log.save_checkpoint()
    region.at_hub.log.step()
    for name in ("history_chunks", "retention", "letting_go"):
        region.at_hub.jobs.run(name)
        region.at_hub.log.step()


def test_unrelayed_rows_outlive_retention_until_the_limit(region: Region) -> None:
    agent = region.agent()
    region.hub.keep_days = 30
    region.is_cut = True
    before = [region.report(agent) for _ in range(3)]
    region.wait(20 * DAY)
    jobs(region)
    assert region.rows(region.at_hub) == 3, "history keeps 15 days, the line has been cut for 20"
    region.wait(11.1 * DAY)
    jobs(region)
    assert region.rows(region.at_hub) == 1, "all but the newest, so that numbers of rows never come again"
    after = region.report(agent)
    assert after.receiver.id == before[0].receiver.id
    assert after.receiver.epoch != before[0].receiver.epoch, "agents forget what it said it holds"
    assert after.agents[0].held == [(3, 4)]
    region.hub.end()
    region.hub.begin()
    greeting = region.hub.answer(Request("POST", "", "/v1/envelopes", b"\x90"))
    assert isinstance(greeting, Response)
    assert after.receiver.epoch.encode() in greeting.body, "a restart keeps the new epoch"
    region.is_cut = False
    region.wait(61)
    region.hub.turn()
    assert region.held(region.at_centre, agent)[-1] == (3, 4)


def test_what_the_centre_has_goes_as_usual(region: Region) -> None:
    agent = region.agent()
    epoch = region.report(agent).receiver.epoch
    for _ in range(3):
        region.report(agent)
    region.hub.turn()
    region.wait(40 * DAY)
    region.report(agent)
    region.hub.turn()
    jobs(region)
    assert region.rows(region.at_hub) == 1
    assert region.report(agent).receiver.epoch == epoch


def test_nobody_is_told_under_the_new_epoch_that_it_holds_what_is_on_its_way_out(region: Region) -> None:
    agent = region.agent()
    region.is_cut = True
    epoch, _, _ = (region.report(agent).receiver.epoch for _ in range(3))
    region.wait(32 * DAY)
    region.at_hub.jobs.run("letting_go")
    answers = [region.report(agent) for _ in range(2)]
    assert answers[-1].receiver.epoch != epoch
    for answer in answers:
        assert answer.receiver.epoch == epoch or answer.agents[0].held[0][0] == 3


def test_agents_send_again_once_a_day_at_most(region: Region) -> None:
    agent = region.agent()
    region.is_cut = True
    for _ in range(40):
        region.report(agent)
        region.wait(DAY / 10)
    region.wait(29 * DAY)
    epochs = set()
    for _ in range(20):
        jobs(region)
        epochs.add(region.report(agent).receiver.epoch)
        region.wait(DAY / 10)
    assert 2 <= len(epochs) <= 3


def test_what_was_said_of_epochs_that_are_over_is_forgotten(region: Region) -> None:
    agent, idle = region.agent(), region.agent("srv2")
    for sender in (agent, idle):
        region.report(sender)
    region.hub.turn()
    former = agent.agent_id, agent.epoch
    agent.epoch, agent.seq = b"the next", 0
    region.wait(8 * 86_400)
    region.report(agent)
    region.wait(61)
    region.hub.turn()
    assert region.at_hub.upstream is not None
    custody = region.at_hub.upstream.custody
    assert former in custody.names
    region.at_hub.jobs.run("tidying")
    region.at_hub.log.step()
    assert custody.names == {(agent.agent_id, agent.epoch), (idle.agent_id, idle.epoch)}
    with region.at_hub.store.reading() as connection:
        assert len(connection.execute(select(receipts)).all()) == 2
    agent.epoch, agent.seq = former[1], 1
    assert region.report(agent).agents[0].receipt == ""
    region.wait(61)
    region.hub.turn()
    assert region.receipt(region.report(agent), agent).ranges == [(1, 2)], "it came back, and is told again"
