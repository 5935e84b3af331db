"""Who may what: the one table of it. A role that is not in it may nothing.

What a right reaches is limited by the caller's ``Scope`` as well: a site admin answers for the sites named for them and
for no other. The words stored before there were these roles (``viewer``, ``operator``, ``admin``) stay good for what
they always meant; ``viewer`` is also what a program has that only reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

RIGHTS = ("read", "answer", "announce", "work", "lead", "reach", "audit", "administer")
"""``read`` what the limits show; ``answer`` acknowledge an incident and say something to it; ``announce`` agreed work and
a planned shutdown; ``work`` assign, put off, resolve and close, silence, hand over; ``lead`` change who is on duty and
summon; ``reach`` see how to reach people; ``audit`` read the audit log; ``administer`` decide who may."""

NOC_OPERATOR = "noc_operator"
SHIFT_LEAD = "shift_lead"
TENANT_VIEWER = "tenant_viewer"
SITE_ADMIN = "site_admin"
AUDITOR = "auditor"
SYSTEM_ADMIN = "system_admin"

TABLE: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        TENANT_VIEWER: frozenset({"read"}),
        SITE_ADMIN: frozenset({"read", "answer", "announce"}),
        NOC_OPERATOR: frozenset({"read", "answer", "announce", "work", "reach"}),
        SHIFT_LEAD: frozenset({"read", "answer", "announce", "work", "lead", "reach"}),
        AUDITOR: frozenset({"read", "audit"}),
        SYSTEM_ADMIN: frozenset(RIGHTS),
    }
)

BEFORE: Mapping[str, str] = MappingProxyType({"viewer": TENANT_VIEWER, "operator": SHIFT_LEAD, "admin": SYSTEM_ADMIN})
"""What the older words are now: nobody may less than on the day before."""

ROLES = (*TABLE, *BEFORE)

WALL = "wall"
"""What a screen on a wall is. It is no role and has no right: its token opens the wall's own page and nothing else, so
that whoever reads it off a kiosk's settings has only what hangs there for everybody to see."""

ADMINISTER = tuple(role for role in ROLES if "administer" in TABLE.get(BEFORE.get(role, role), ()))
"""Every stored word for who decides who may."""

NEEDS_LIMIT: Mapping[str, str] = MappingProxyType({TENANT_VIEWER: "agencies", SITE_ADMIN: "sites"})
"""Roles that mean somebody's own: given out without saying whose, they would mean everybody's."""


def rights_of(role: str) -> frozenset[str]:
    """Nothing for a role nobody knows."""
    return TABLE.get(BEFORE.get(role, role), frozenset())


def role_of(stored: str) -> str:
    """Today's name of a role."""
    return BEFORE.get(stored, stored)
