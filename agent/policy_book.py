"""The policy this agent follows: fetched when an answer names another one, checked, kept in a file for the next start.

Believed is only what the centre signed for this agent, and never one older than the last. Whatever else comes is told
in the log and in ``bongsu-agent status``, and the agent goes on as before.
"""

from __future__ import annotations

import logging
from pathlib import Path

from agent.link.clock import Chance
from agent.link.exchange import Exchange
from agent.link.policy import Policy, PolicyError, open_policy, packed_of, policy_hint
from agent.link.private_file import write_private
from agent.link.send_collector import CollectorLink
from agent.link.send_signers import Signers
from agent.link.signed_get import Asker, NotTold, signed_get

log = logging.getLogger("agent")
POLICY_FILE = "policy"
PATH = "/v1/policy"
RETRY_SECONDS = 60.0, 600.0


class PolicyBook:
    """An errand of the sender. ``policy`` may be read from any thread; ``trouble`` is "" while all is well."""

    def __init__(
        self,
        data_dir: Path,
        centre_key: bytes,
        signers: Signers,
        exchange: Exchange,
        chance: Chance,
    ) -> None:
        """What was kept is in force at once; a damaged file is told and left aside."""
        self.policy: Policy | None = None
        self.trouble = ""
        self._file = data_dir / POLICY_FILE
        self._centre_key = centre_key
        self._signers = signers
        self._exchange = exchange
        self._chance = chance
        self._hint = ""
        self._nonce = ""
        self._ready_at = 0.0
        try:
            packed = self._file.read_bytes()
            self.policy = open_policy(packed, centre_key, signers.agent_id)
            self._hint = policy_hint(packed)
        except FileNotFoundError:
            pass
        except (OSError, PolicyError) as why:
            self._tell(f"{self._file}: {why}; it is asked for again")

    def is_due(self, collector: CollectorLink, now: float) -> bool:
        return bool(collector.policy_hint) and collector.policy_hint != self._hint and now >= self._ready_at

    def run(self, collector: CollectorLink, now: float) -> None:
        """Ask once. Where that did not bring what was named, it is not asked again at once."""
        self._ready_at = now + self._chance.uniform(*RETRY_SECONDS)
        signer = self._signers.at(collector.key_at)
        asker = Asker(signer.agent_id, signer.key_no, signer.sign)
        told = signed_get(self._exchange, collector.url, PATH, asker, self._nonce)
        self._nonce = told.nonce
        if isinstance(told, NotTold):
            self._ready_at = max(self._ready_at, now + told.retry_after_seconds)
            self._tell(f"policy not fetched: {told.text}")
            return
        try:
            self.take(packed_of(str(told.said.get("policy", ""))))
        except (PolicyError, OSError) as why:
            self._tell(f"policy of {collector.url} not taken: {why}")
        if self._hint == collector.policy_hint:
            self._ready_at = now

    def take(self, packed: bytes) -> None:
        """Raises PolicyError where it may not be followed, OSError where it cannot be kept (it is followed all the same)."""
        policy = open_policy(packed, self._centre_key, self._signers.agent_id)
        had = self.policy
        if had is not None and (policy.version, policy.at_ms) < (had.version, had.at_ms):
            raise PolicyError(f"policy: version {policy.version}, expected at least {had.version}, which is in force")
        self.policy, self._hint, self.trouble = policy, policy_hint(packed), ""
        if had is None or had.version != policy.version:
            log.info("policy %d of the centre is in force", policy.version)
        write_private(self._file, packed)

    def _tell(self, text: str) -> None:
        if text != self.trouble:
            log.warning("%s", text)
        self.trouble = text
