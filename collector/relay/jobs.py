"""What only a hub does in the background."""

from __future__ import annotations

from collections.abc import Callable

from agent.link.answer import Receiver
from agent.link.leap import Leap
from collector.intake.commit import Writer
from collector.jobs import ByAge, Job
from collector.relay.hub import HubSide
from collector.relay.letting_go import LettingGo
from collector.relay.tidying import Tidying
from collector.settings import Settings
from collector.store.engine import Store


def hub_jobs(
    settings: Settings, store: Store, hub: HubSide, log: Writer, become: Callable[[Receiver], None], leap: Leap
) -> tuple[Job, ...]:
    """``become``: takes the receiver of a new epoch."""
    letting_go = LettingGo(settings, store, hub.relay, log, become)
    tidying = Tidying(log, hub.custody)
    return (
        Job("letting_go", 600.0, ByAge(letting_go, leap).step),
        Job("tidying", 3600.0, ByAge(tidying, leap).step),
    )
