"""Where the spool is emptied to: a collector over the link, or files in a directory where nothing may come back."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from agent.config import AgentConfig
from agent.identity import Identity
from agent.link.clock import Chance, Clock
from agent.link.exchange import Exchange
from agent.link.files import SystemFiles
from agent.link.offset import Offset
from agent.link.profile import LinkProfile
from agent.link.send import Sender
from agent.link.send_signers import Signers
from agent.link.spool import Spool
from agent.policy_book import PolicyBook

if TYPE_CHECKING:
    from agent.link.export import Exporter

_log = logging.getLogger("agent")


def make_outlet(
    config: AgentConfig,
    data_dir: Path,
    identity: Identity,
    spool: Spool,
    signers: Signers,
    exchange: Exchange,
    clock: Clock,
    chance: Chance,
    offset: Offset,
    profile: LinkProfile,
    book: PolicyBook,
) -> Sender | Exporter:
    """Raises OSError where the directory for files cannot be written."""
    one_way = config.one_way
    if not one_way.directory:
        return Sender(
            spool,
            signers,
            identity.centre_key,
            identity.enrolment.collectors,
            exchange,
            clock,
            chance,
            offset,
            profile,
            _log.warning,
            book,
        )
    from agent.link.export import Exporter

    exporter = Exporter(
        spool,
        signers,
        SystemFiles(),
        clock,
        one_way.directory,
        str(data_dir),
        one_way.every_seconds,
        one_way.keep_days,
        config.spool_max_mib << 20,
        _log.warning,
    )
    exporter.try_out()
    return exporter
