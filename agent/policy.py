"""The centre's policy under this machine's own file: key by key, what ``agent.toml`` says wins. Pure.

A policy that cannot be used in part is used in the rest: a wrong key is told and left out, for a mistake at the centre
must not silence an agent a continent away.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from agent.config import AgentConfig, ConfigError, read_policy
from agent.link.policy import Policy

Words = dict[str, Any]


class Applied(NamedTuple):
    """``config``: what is in force. ``overridden``: keys of the policy where the file says otherwise. ``problems``: keys
    of the policy that cannot be used, in words.
    """

    config: AgentConfig
    overridden: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def apply(config: AgentConfig, policy: Policy | None) -> Applied:
    """What the agent does under a policy; the file's own words where there is none."""
    if policy is None:
        return Applied(config)
    overridden: list[str] = []
    problems: list[str] = []

    def take(key: str, said: Words, is_own: Callable[[AgentConfig], bool]) -> None:
        """Bring in one key of the policy, as the configuration would read it."""
        nonlocal config
        try:
            wished = read_policy(said)
        except ConfigError as why:
            problems.append(str(why))
            return
        if is_own(config):
            overridden.append(key)
        else:
            config = _merged(config, wished, said)

    if policy.link_profile:
        take("link_profile", {"link_profile": policy.link_profile}, lambda own: bool(own.link_profile))
    if policy.interval_seconds:
        take("interval_seconds", {"interval_seconds": policy.interval_seconds}, lambda own: bool(own.interval_seconds))
    if policy.checks.get("only"):
        take("checks", {"checks": {"only": policy.checks["only"]}}, lambda own: bool(own.checks_only))
    if policy.checks.get("off"):
        take("checks", {"checks": {"disable": policy.checks["off"]}}, lambda own: bool(own.checks_disable))
    if policy.processes:
        take("processes", {"processes": policy.processes}, lambda own: bool(own.processes))
    if policy.probes:
        take("probes", {"probes": policy.probes}, lambda own: bool(own.probes))
    return Applied(config, tuple(sorted(set(overridden))), tuple(problems))


FIELDS = {
    "link_profile": ("link_profile",),
    "interval_seconds": ("interval_seconds",),
    "processes": ("processes",),
    "probes": ("probes",),
}


def _merged(config: AgentConfig, wished: AgentConfig, said: Words) -> AgentConfig:
    (key,) = said
    fields = FIELDS.get(key) or (("checks_only",) if "only" in said["checks"] else ("checks_disable",))
    return config._replace(**{field: getattr(wished, field) for field in fields})
