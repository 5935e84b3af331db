"""The wall: our boards for a large screen, one after the other. A playlist, by the tag of its boards.

Grafana 12 and later keep playlists under ``/apis``, named by us; those before under ``/api/playlists``, numbered by
Grafana, so that there it is found by its title. Files cannot bring one.
Source: grafana.com/docs, HTTP API, Playlist, for 11, 12.4 and 13.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import quote

from dashboards.compare import differences, some
from dashboards.door import Door, Refused

PLAYLIST_UID = "bongsu-wall"
PLAYLIST_NAME = "봉수 상황판 / Bongsu wall"
INTERVAL = "1m"
TAG = "wall"
ITEMS = [{"type": "dashboard_by_tag", "value": TAG}]
_GROUP = "s/playlist.grafana.app/v1/namespaces"
"""``/apis`` as seen from ``/api``, which the client puts before every path."""


class Playlist(NamedTuple):
    """As it is there now. ``path`` is where it is written; ``held`` what the newer API wants back."""

    uid: str
    path: str
    details: tuple[str, ...]
    held: dict[str, Any] | None = None


class NoPlaylists(Exception):
    """This Grafana knows no playlists, or does not show them to our token."""


def find_playlist(door: Door) -> Playlist | None:
    """None where there is none. Raises NoPlaylists, PushError."""
    path = _newer(door)
    if path is not None:
        found = door.find(f"{path}/{PLAYLIST_UID}")
        if found is None:
            return None
        details = some(differences(found.get("spec"), _spec()))
        return Playlist(PLAYLIST_UID, f"{path}/{PLAYLIST_UID}", details, found)
    try:
        listed = door.ask("GET", f"/playlists?query={quote(PLAYLIST_NAME)}")
    except Refused as refused:
        if refused.status in (403, 404):
            raise NoPlaylists from refused
        raise
    for one in listed if isinstance(listed, list) else ():
        if one.get("name") == PLAYLIST_NAME:
            uid = str(one.get("uid") or one.get("id"))
            whole = door.find(f"/playlists/{uid}") or {}
            items = [{key: item.get(key) for key in ("type", "value")} for item in whole.get("items") or ()]
            ours = {"interval": INTERVAL, "items": ITEMS}
            return Playlist(uid, f"/playlists/{uid}", some(differences(whole | {"items": items}, ours)))
    return None


def write_playlist(door: Door, found: Playlist | None) -> None:
    """Make it, or make it ours again. Raises PushError."""
    path = _newer(door)
    if path is None:
        body: dict[str, Any] = {"name": PLAYLIST_NAME, "interval": INTERVAL, "items": ITEMS}
        door.ask("PUT" if found else "POST", found.path if found else "/playlists", body)
        return
    version = {} if found is None or found.held is None else {"resourceVersion": _version(found.held)}
    body = {
        "kind": "Playlist",
        "apiVersion": "playlist.grafana.app/v1",
        "metadata": {"name": PLAYLIST_UID, **version},
        "spec": _spec(),
    }
    door.ask("PUT" if found else "POST", found.path if found else path, body)


def _spec() -> dict[str, Any]:
    return {"title": PLAYLIST_NAME, "interval": INTERVAL, "items": ITEMS}


def _version(held: dict[str, Any]) -> str:
    metadata = held.get("metadata")
    return str(metadata.get("resourceVersion", "")) if isinstance(metadata, dict) else ""


def _newer(door: Door) -> str | None:
    """The newer API's path in the organisation of our token; None where this Grafana has none."""
    try:
        number = (door.find("/org") or {}).get("id", 1)
    except Refused as refused:
        if refused.status != 403:
            raise
        number = 1  # most have no other
    path = f"{_GROUP}/{'default' if number == 1 else f'org-{number}'}/playlists"
    return path if door.is_there(path) else None
