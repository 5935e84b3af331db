"""Bringing a running Grafana to our boards over its HTTP API, and saying where it differs from them.

Both look the same way: thing by thing, read first. A push writes what differs and nothing else, so a second one writes
nothing. What was provisioned from files is left alone, because Grafana lets only one of the two own a thing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from dashboards.board import DATASOURCE_NAME, DATASOURCE_UID, FOLDER_TITLE, FOLDER_UID
from dashboards.boards import BOARDS
from dashboards.compare import board_differences, differences, merged_datasource, some
from dashboards.door import Door, PushSettings, Refused
from dashboards.generate import with_pages
from dashboards.playlist import PLAYLIST_NAME, PLAYLIST_UID, NoPlaylists, find_playlist, write_playlist
from dashboards.refusals import PushError

Kind = Literal["folder", "datasource", "dashboard", "playlist"]
Action = Literal["created", "updated", "unchanged", "skipped"]
State = Literal["missing", "differs", "same", "by file"]
BY_FILE = "provisioned from a file"
NO_PLAYLISTS = "this Grafana shows our token no playlists: make one of the boards with the tag wall by hand"
EXCUSES = (BY_FILE, NO_PLAYLISTS)
ACTIONS: dict[State, Action] = {"missing": "created", "differs": "updated", "same": "unchanged", "by file": "skipped"}


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one thing."""

    kind: Kind
    uid: str
    title: str
    action: Action
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """One thing as it is there now; ``write`` would bring it to ours and may say what happened instead."""

    kind: Kind
    uid: str
    title: str
    state: State
    details: tuple[str, ...] = ()
    write: Callable[[], str | None] = lambda: None


class InterruptedPush(PushError):
    """A push that stopped half-way; ``done`` is what had been settled before."""

    def __init__(self, text: str, done: list[Change]) -> None:
        super().__init__(text)
        self.done = done


def push(settings: PushSettings) -> list[Change]:
    """Bring one Grafana to what we ship, and say what became of each thing, in order.

    Raises PushError where nothing was settled, InterruptedPush where something was.
    """
    done: list[Change] = []
    door = Door(settings)
    try:
        door.check_health()
        for found in look(door, settings):
            done.append(_settle(found))  # noqa: PERF401 -- what is done must be there if it stops
    except PushError as error:
        if done:
            raise InterruptedPush(str(error), done) from error
        raise
    finally:
        door.close()
    return done


def diff(settings: PushSettings) -> list[Found]:
    """Where one Grafana differs from what we ship. Writes nothing. Raises PushError."""
    door = Door(settings)
    try:
        door.check_health()
        return list(look(door, settings))
    finally:
        door.close()


def look(door: Door, settings: PushSettings) -> Iterator[Found]:
    """Each thing in the order it must be written; looked at when asked for, because a board needs its folder."""
    yield _folder(door)
    if settings.datasource_url is not None:
        yield _datasource(door, settings.datasource_url, settings.source_token)
    for board in BOARDS:
        yield _board(door, with_pages(board.json(), settings.pages_url))
    yield _playlist(door)


def _settle(found: Found) -> Change:
    if found.state in ("same", "by file"):
        return Change(found.kind, found.uid, found.title, ACTIONS[found.state], "; ".join(found.details))
    instead = found.write()
    if instead is not None:
        return Change(found.kind, found.uid, found.title, "unchanged", instead)
    reason = found.details[0] if found.state == "differs" else ""
    return Change(found.kind, found.uid, found.title, ACTIONS[found.state], reason)


def _folder(door: Door) -> Found:
    body = {"uid": FOLDER_UID, "title": FOLDER_TITLE}
    path = f"/folders/{FOLDER_UID}"
    found = door.find(path)

    def create() -> str | None:
        try:
            door.ask("POST", "/folders", body)
        except Refused as refused:
            # Releases differ in the code; whoever made the folder meanwhile made the one we want.
            if refused.status not in (409, 412) or door.find(path) is None:
                raise
            return "made by someone else meanwhile"
        return None

    def rename() -> None:
        door.ask("PUT", path, {"title": FOLDER_TITLE, "overwrite": True})

    if found is None:
        return Found("folder", FOLDER_UID, FOLDER_TITLE, "missing", write=create)
    if found.get("title") == FOLDER_TITLE:
        return Found("folder", FOLDER_UID, FOLDER_TITLE, "same")
    details = (f"was called {found.get('title')!r}",)
    return Found("folder", FOLDER_UID, FOLDER_TITLE, "differs", details, rename)


def datasource_body(url: str, token: str | None) -> dict[str, Any]:
    """What we set. Grafana never tells a secret again, so the token's fingerprint stands beside it to be compared."""
    options = {"timeInterval": "15s", "httpMethod": "POST", "prometheusType": "Prometheus"}
    body: dict[str, Any] = {
        "uid": DATASOURCE_UID,
        "name": DATASOURCE_NAME,
        "type": "prometheus",
        "access": "proxy",
        "url": url,
        "jsonData": options,
    }
    if token is not None:
        options |= {"httpHeaderName1": "Authorization", "bongsuToken": hashlib.sha256(token.encode()).hexdigest()[:12]}
        body["secureJsonData"] = {"httpHeaderValue1": f"Bearer {token}"}
    return body


def _datasource(door: Door, url: str, token: str | None) -> Found:
    body = datasource_body(url, token)
    path = f"/datasources/uid/{DATASOURCE_UID}"
    found = door.find(path)

    def create() -> None:
        door.ask("POST", "/datasources", body)

    def update() -> None:
        door.ask("PUT", path, merged_datasource(found or {}, body))

    if found is None:
        return Found("datasource", DATASOURCE_UID, DATASOURCE_NAME, "missing", write=create)
    if found.get("readOnly") is True:
        return Found("datasource", DATASOURCE_UID, DATASOURCE_NAME, "by file", (BY_FILE,))
    told = {key: value for key, value in body.items() if key != "secureJsonData"}
    details = some(differences(found, told))
    state: State = "differs" if details else "same"
    return Found("datasource", DATASOURCE_UID, DATASOURCE_NAME, state, details, update)


def _board(door: Door, board: dict[str, Any]) -> Found:
    uid, title = board["uid"], board["title"]
    found = door.find(f"/dashboards/uid/{uid}")

    def save() -> None:
        # Without folderUid the board would move to the root folder.
        body = {"dashboard": board, "folderUid": FOLDER_UID, "overwrite": True, "message": "bongsu grafana push"}
        door.ask("POST", "/dashboards/db", body)

    if found is None:
        return Found("dashboard", uid, title, "missing", write=save)
    meta, stored = found.get("meta"), found.get("dashboard")
    if not isinstance(meta, dict) or not isinstance(stored, dict):
        raise PushError(f"{door.base_url}/api/dashboards/uid/{uid} answered without meta and dashboard: no Grafana?")
    details = some(board_differences(stored, board))
    if meta.get("folderUid") != FOLDER_UID:
        details = (f"is in the folder {meta.get('folderUid')!r}, expected {FOLDER_UID!r}", *details)
    if meta.get("provisioned") is True:
        return Found("dashboard", uid, title, "by file", (BY_FILE, *details))
    return Found("dashboard", uid, title, "differs" if details else "same", details, save)


def _playlist(door: Door) -> Found:
    try:
        found = find_playlist(door)
    except NoPlaylists:
        return Found("playlist", PLAYLIST_UID, PLAYLIST_NAME, "by file", (NO_PLAYLISTS,))
    if found is None:
        return Found("playlist", PLAYLIST_UID, PLAYLIST_NAME, "missing", write=lambda: write_playlist(door, None))
    return Found(
        "playlist",
        found.uid,
        PLAYLIST_NAME,
        "differs" if found.details else "same",
        found.details,
        lambda: write_playlist(door, found),
    )
