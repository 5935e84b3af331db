"""What each agent is to do: the ``[[policies]]`` that fit it, merged in the order of the file.

Before all of them comes the site's link profile, so that a site moved to another line moves its agents too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agent.link.policy import Policy, pack_policy
from collector.fleet.registry import Agent, Fleet, PolicyRule

REVOKED = "revoked"


def policy_for(fleet: Fleet, agent: Agent) -> Policy | None:
    """The policy of an agent, without number and date yet; None for one that is to do nothing any more."""
    site = fleet.sites.get(agent.site)
    if site is None or agent.status == REVOKED:
        return None
    said: dict[str, Any] = {"link_profile": site.link_profile}
    for rule in fleet.policies:
        if fits(rule, fleet, agent):
            said.update(_said(rule))
    return Policy(agent=agent.id, version=0, at_ms=0, **said)


def fits(rule: PolicyRule, fleet: Fleet, agent: Agent) -> bool:
    """Whether a rule is for this agent: everything it asks for, any one of each."""
    host = fleet.hosts.get(agent.host)
    tags = fleet.sites[agent.site].tags | (host.tags if host is not None else frozenset())
    role = host.role if host is not None else ""
    return (
        (rule.sites is None or agent.site in rule.sites)
        and (rule.roles is None or role in rule.roles)
        and (rule.tags is None or not tags.isdisjoint(rule.tags))
    )


def signed_policy(policy: Policy, sign: Callable[[bytes], bytes]) -> bytes:
    """As it is kept, handed on and opened by the agent; ``sign`` is the centre's key."""
    return pack_policy(policy, sign)


def _said(rule: PolicyRule) -> dict[str, Any]:
    said: dict[str, Any] = {
        "link_profile": rule.link_profile,
        "interval_seconds": rule.interval_seconds,
        "checks": None if rule.checks is None else {key: list(names) for key, names in rule.checks.items()},
        "processes": None if rule.processes is None else [dict(each) for each in rule.processes],
        "probes": None if rule.probes is None else [dict(each) for each in rule.probes],
    }
    return {key: value for key, value in said.items() if value is not None}
