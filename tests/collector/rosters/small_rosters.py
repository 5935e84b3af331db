"""Rosters over the fleet of ``stage``: one of the centre's for everyone, one of an agency for a site, a stranger's."""

from __future__ import annotations

ROSTERS = """
[[people]]
id = "kim"
name_ko = "김가람"
name_en = "Kim Garam"
login = "kim"
quiet_hours = "23:00-07:00"
contacts = [{ channel = "email", address = "kim@example.org" }, { channel = "phone", address = "+82-2-555-0001" }]
[[people]]
id = "lee"
name_ko = "이나래"
name_en = "Lee Narae"
languages = ["en", "ko"]
contacts = [{ channel = "phone", address = "+82-2-555-0002" }]
[[people]]
id = "ada"
name_en = "Ada"
agency = "owner"
timezone = "Africa/Lagos"
[[people]]
id = "omar"
name_en = "Omar"
agency = "stranger"
timezone = "Asia/Dubai"
[[teams]]
id = "noc"
name_ko = "종합상황실"
members = ["kim", "lee"]
[[rosters]]
id = "noc"
name_ko = "종합상황실"
name_en = "Situation room"
fallback = ["@noc"]
[[rosters.layers]]
name = "main"
crews = [["kim"], ["lee"]]
starts = 2026-11-02
[[rosters]]
id = "here"
name_en = "Here"
agency = "owner"
sites = ["here"]
timezone = "Africa/Lagos"
calendar = "here"
fallback = ["kim"]
[[rosters.layers]]
name = "day"
hours = "office"
crews = [["ada"]]
starts = 2026-11-02
[[rosters]]
id = "away"
name_en = "Away"
agency = "stranger"
agencies = ["stranger"]
timezone = "Asia/Dubai"
cover = "never"
[[rosters.layers]]
name = "main"
crews = [["omar"]]
starts = 2026-11-02
"""
