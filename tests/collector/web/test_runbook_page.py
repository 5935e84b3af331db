"""Runbook pages: every shipped alert has one in both languages, and nothing else is served from there."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from collector.rules.runbook import load_runbook, read_runbook

BROWSER = {"accept": "text/html"}


def test_a_runbook_is_read() -> None:
    found = read_runbook(
        "# A\n\nSeverity `x`.\n\n## What happened\n\nIt is\ndown.\n\n```promql\nup == 0\n```\n\n## Likely cause\n\nOne.\n\nTwo.\n"
    )
    assert (found.title, found.intro) == ("A", "Severity x.")
    assert [(one.heading, one.paragraphs, one.expression) for one in found.sections] == [
        ("What happened", ("It is down.",), "up == 0"),
        ("Likely cause", ("One.", "Two."), ""),
    ]


@pytest.mark.parametrize(("language", "heading"), [("ko", "다음 조치"), ("en", "Next action")])
def test_the_page_of_an_alert(client: TestClient, language: str, heading: str) -> None:
    answer = client.get("/runbooks/SiteDown", params={"lang": language}, headers=BROWSER)
    assert answer.status_code == 200
    assert "<h1>SiteDown</h1>" in answer.text
    assert heading in answer.text
    assert "bongsu_site_state == 4" in answer.text
    assert "`" not in answer.text.split("<main")[1].split("</main>")[0]


@pytest.mark.parametrize(
    "name", ["Nothing", "%2e%2e%2fREADME", "SiteDown.ko", "SiteDown.md", "..%2f..%2fREADME", "a" * 200]
)
def test_nothing_else_is_served(client: TestClient, name: str) -> None:
    assert client.get(f"/runbooks/{name}", headers=BROWSER).status_code == 404
    assert load_runbook(name, "en") is None
