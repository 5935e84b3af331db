"""The table of who may what, asked of the real door."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from stage import Stage

from collector.access.caller import ANONYMOUS, Caller
from collector.access.guard import Administrator, Announcer, Answerer, Auditor, Leader, Reader, Writer
from collector.access.queries import check_role
from collector.access.roles import RIGHTS, ROLES, rights_of
from collector.errors import UsageError
from collector.store.scope import EVERYTHING, Scope

DOORS = {"read": Reader, "answer": Answerer, "announce": Announcer, "work": Writer, "lead": Leader, "audit": Auditor,
         "administer": Administrator}  # fmt: skip
MAY = {
    "tenant_viewer": "read",
    "site_admin": "read answer announce",
    "noc_operator": "read answer announce work reach",
    "shift_lead": "read answer announce work lead reach",
    "auditor": "read audit",
    "system_admin": "read answer announce work lead reach audit administer",
    "viewer": "read",
    "operator": "read answer announce work lead reach",
    "admin": "read answer announce work lead reach audit administer",
    "chief": "",
    "": "",
}


@pytest.mark.parametrize(("role", "may"), MAY.items())
def test_who_may_what(role: str, may: str) -> None:
    caller = Caller("kim", role, EVERYTHING, way="session")
    assert {right for right in RIGHTS if caller.may(right)} == set(may.split()) == rights_of(role)
    near = Caller("kim", role, EVERYTHING, way="open")
    assert {right for right in RIGHTS if near.may(right)} <= {"read"}, "nobody may more by being near"


def test_every_role_is_in_the_table() -> None:
    assert set(ROLES) == set(MAY) - {"chief", ""}
    assert ANONYMOUS.may("read")
    with pytest.raises(AssertionError):
        ANONYMOUS.may("operator")


def add_doors(app: FastAPI) -> None:
    def door(kind: object) -> None:
        def enter(caller: kind) -> str:  # type: ignore[valid-type]
            return caller.name  # type: ignore[attr-defined,no-any-return]

        enter.__annotations__["caller"] = kind
        name = next(name for name, each in DOORS.items() if each is kind)
        (app.get if name in ("read", "audit") else app.post)(f"/api/doors/{name}")(enter)

    for kind in DOORS.values():
        door(kind)


def test_the_door_keeps_to_the_table(stage: Stage) -> None:
    add_doors(stage.fastapi)
    everyone = Scope(frozenset({"owner", "stranger"}), frozenset({"here"}))
    for role in ROLES:
        limit = everyone if role in ("tenant_viewer", "site_admin") else None
        client = stage.program(role, role=role, scope=limit)
        for name in DOORS:
            method = client.get if name in ("read", "audit") else client.post
            assert (method(f"/api/doors/{name}").status_code == 200) == (name in MAY[role].split()), (role, name)
    limited = stage.program("some", role="auditor", scope=Scope(frozenset({"owner"})))
    assert limited.get("/api/doors/audit").status_code == 403, "the log is of everybody"


def test_a_role_of_ones_own_says_whose() -> None:
    for role, scope in (("tenant_viewer", Scope(None, frozenset({"here"}))), ("site_admin", Scope(frozenset({"a"})))):
        with pytest.raises(UsageError, match="expected whose"):
            check_role(role, scope)
    check_role("tenant_viewer", Scope(frozenset({"a"})))
    check_role("site_admin", Scope(None, frozenset({"here"})))
