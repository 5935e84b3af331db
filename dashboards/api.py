"""Pushing the boards into a running Grafana over its HTTP API.

The client asked for grafana-api, which upstream archived in 2022; it is used here, and only here, as a transport.
What it does not do is put right on its public ``requests`` session, without touching the library:

- it tries nothing twice: an adapter does, also for POST, since every write of ours is keyed by a uid;
- an empty answer (204) makes it fail after the fact, and an error page that is not JSON hides the status: a hook
  rewrites both before it looks;
- a redirect would turn POST into GET and look like success: the hook refuses it;
- a path prefix needs its trailing slash.

A push is idempotent: it reads first and writes only what differs. What was provisioned from files is left alone,
because Grafana lets only one of the two own a thing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dashboards.board import DATASOURCE_NAME, DATASOURCE_UID, FOLDER_TITLE, FOLDER_UID
from dashboards.boards import BOARDS
from dashboards.compare import holds, merged_datasource, same_board
from dashboards.refusals import PushError, explain, shorten
from dashboards.transport import cause, retries, split_url, tidy

Action = Literal["created", "updated", "unchanged", "skipped"]


@dataclass(frozen=True, slots=True)
class PushSettings:
    """Where to push and as whom. ``datasource_url`` None leaves data sources alone."""

    url: str
    token: str
    datasource_url: str | None = None
    ca_file: str | None = None
    timeout_seconds: float = 10.0
    backoff_seconds: float = 0.5


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one thing."""

    kind: Literal["folder", "datasource", "dashboard"]
    uid: str
    title: str
    action: Action
    reason: str = ""


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
        done.append(_push_folder(door))
        if settings.datasource_url is not None:
            done.append(_push_datasource(door, settings.datasource_url))
        for board in BOARDS:
            done.append(_push_board(door, board.json()))  # noqa: PERF401 -- what is done must be there if it stops
    except PushError as error:
        if done:
            raise InterruptedPush(str(error), done) from error
        raise
    finally:
        door.close()
    return done


def _push_folder(door: Door) -> Change:
    body = {"uid": FOLDER_UID, "title": FOLDER_TITLE}
    path = f"/folders/{FOLDER_UID}"
    found = door.find(path)
    if found is None:
        try:
            door.ask("POST", "/folders", body)
        except Refused as refused:
            # Releases differ in the code; whoever made the folder meanwhile made the one we want.
            if refused.status not in (409, 412) or door.find(path) is None:
                raise
            return Change("folder", FOLDER_UID, FOLDER_TITLE, "unchanged", "made by someone else meanwhile")
        return Change("folder", FOLDER_UID, FOLDER_TITLE, "created")
    if found.get("title") == FOLDER_TITLE:
        return Change("folder", FOLDER_UID, FOLDER_TITLE, "unchanged")
    door.ask("PUT", path, {"title": FOLDER_TITLE, "overwrite": True})
    return Change("folder", FOLDER_UID, FOLDER_TITLE, "updated", f"was called {found.get('title')!r}")


def _push_datasource(door: Door, url: str) -> Change:
    body = {
        "uid": DATASOURCE_UID,
        "name": DATASOURCE_NAME,
        "type": "prometheus",
        "access": "proxy",
        "url": url,
        "jsonData": {"timeInterval": "15s", "httpMethod": "POST", "prometheusType": "Prometheus"},
    }
    path = f"/datasources/uid/{DATASOURCE_UID}"
    found = door.find(path)
    if found is None:
        door.ask("POST", "/datasources", body)
        return Change("datasource", DATASOURCE_UID, DATASOURCE_NAME, "created")
    if found.get("readOnly") is True:
        return Change("datasource", DATASOURCE_UID, DATASOURCE_NAME, "skipped", "provisioned from a file")
    if holds(found, body):
        return Change("datasource", DATASOURCE_UID, DATASOURCE_NAME, "unchanged")
    door.ask("PUT", path, merged_datasource(found, body))
    return Change("datasource", DATASOURCE_UID, DATASOURCE_NAME, "updated")


def _push_board(door: Door, board: dict[str, Any]) -> Change:
    uid, title = board["uid"], board["title"]
    found = door.find(f"/dashboards/uid/{uid}")
    if found is not None:
        meta, stored = found.get("meta"), found.get("dashboard")
        if not isinstance(meta, dict) or not isinstance(stored, dict):
            raise PushError(
                f"{door.base_url}/api/dashboards/uid/{uid} answered without meta and dashboard: no Grafana?"
            )
        if meta.get("provisioned") is True:
            return Change("dashboard", uid, title, "skipped", "provisioned from a file")
        if meta.get("folderUid") == FOLDER_UID and same_board(stored, board):
            return Change("dashboard", uid, title, "unchanged")
    # Without folderUid the board would move to the root folder.
    door.ask(
        "POST",
        "/dashboards/db",
        {"dashboard": board, "folderUid": FOLDER_UID, "overwrite": True, "message": "bongsu grafana push"},
    )
    return Change("dashboard", uid, title, "created" if found is None else "updated")


class Refused(PushError):
    """An error reply; ``status`` is its HTTP status."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


class Door:
    """The one way to a Grafana: asks, tries again where that helps, and words what went wrong."""

    def __init__(self, settings: PushSettings) -> None:
        self.base_url, scheme, host, prefix = split_url(settings.url)
        if settings.ca_file is not None and not Path(settings.ca_file).is_file():
            raise PushError(f"--ca-file {settings.ca_file}: there is no such file")
        from grafana_api.grafana_face import GrafanaFace  # on first use: whoever only builds boards needs no client
        from requests.adapters import HTTPAdapter

        self._api = GrafanaFace(
            auth=settings.token,
            host=host,
            url_path_prefix=prefix,
            protocol=scheme,
            verify=settings.ca_file or True,
            timeout=settings.timeout_seconds,
        ).api
        session = self._api.s
        for start in ("http://", "https://"):
            session.mount(start, HTTPAdapter(max_retries=retries(settings.backoff_seconds)))
        session.hooks["response"].append(tidy)

    def close(self) -> None:
        """Give back the kept connections."""
        self._api.s.close()

    def check_health(self) -> None:
        """Raises PushError where no working Grafana answers under the address."""
        health = self.find("/health")
        if health is None or "database" not in health:
            raise PushError(
                f"{self.base_url}/api/health is not Grafana's: give the address its pages have, with its path"
                " (https://example.org/grafana)"
            )

    def find(self, path: str) -> dict[str, Any] | None:
        """The object at a path, None where there is none."""
        try:
            answer = self.ask("GET", path)
        except Refused as refused:
            if refused.status == 404:
                return None
            raise
        if not isinstance(answer, dict):
            raise PushError(f"GET {self.base_url}/api{path} answered something else than an object: no Grafana?")
        return answer

    def ask(self, method: Literal["GET", "POST", "PUT"], path: str, body: dict[str, Any] | None = None) -> Any:
        """One request; None where the answer has no body. Raises Refused for an error reply, PushError for none."""
        from grafana_api.grafana_api import GrafanaException
        from requests.exceptions import ConnectionError as NotConnected
        from requests.exceptions import JSONDecodeError, RequestException, SSLError, Timeout

        where = f"{method} {self.base_url}/api{path}"
        try:
            return getattr(self._api, method)(path, json=body)
        except GrafanaException as error:
            said = error.response.get("message", "") if isinstance(error.response, dict) else str(error.response)
            text = explain(self.base_url, method, path, error.status_code, str(said))
            raise Refused(text, error.status_code) from error
        except JSONDecodeError as error:
            raise PushError(
                f"{where} answered a page, not JSON: a login page or another service stands at this address"
            ) from error
        except SSLError as error:
            raise PushError(
                f"{where}: no trusted TLS ({cause(error)}): is it https? An authority of your own goes to --ca-file"
            ) from error
        except (Timeout, NotConnected) as error:
            raise PushError(
                f"{where}: no connection ({cause(error)}): is the address right, does Grafana run?"
            ) from error
        except RequestException as error:
            raise PushError(f"{where}: {shorten(str(error))}") from error
