"""A small HTTP server that keeps folders, data sources and boards as Grafana's API documentation says it does.

It records what it is asked and can be told to answer otherwise. It also does what catches a careless client: it gives
boards an id and a version, moves a board without ``folderUid`` to the root, fills in keys nobody sent, and raises the
schema version.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

TOKEN = "glsa_0123456789"


@dataclass
class Reply:
    status: int
    body: bytes = b""
    type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


def said(status: int, answer: Any, **headers: str) -> Reply:
    return Reply(status, json.dumps(answer).encode(), headers=headers)


@dataclass
class Grafana:
    """Its state, what was asked of it, and answers it was told to give instead (first come, first served)."""

    prefix: str = ""
    folders: dict[str, dict[str, Any]] = field(default_factory=dict)
    datasources: dict[str, dict[str, Any]] = field(default_factory=dict)
    boards: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    instead: dict[tuple[str, str], list[Reply]] = field(default_factory=dict)
    playlists: dict[str, dict[str, Any]] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    has_apis: bool = True
    """Whether it is of release 12 or later, which keep playlists under /apis."""
    answers: Callable[[str], list[Any]] | None = None
    """What the data source finds for an expression; None = it is down."""
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.prefix}"

    @property
    def writes(self) -> list[tuple[str, str]]:
        return [(method, path) for method, path in self.asked if method != "GET"]

    def answer(self, method: str, path: str, token: str | None, body: Any) -> Reply:
        if path.startswith(f"{self.prefix}/apis/") and self.has_apis:
            path = path.removeprefix(self.prefix)
            self.asked.append((method, path))
            if token != f"Bearer {TOKEN}":
                return said(401, {"message": "Unauthorized"})
            return self._newer_playlists(method, path, body)
        if not path.startswith(f"{self.prefix}/api/"):
            return Reply(404, b"<html>nothing here</html>", "text/html")
        path = path.removeprefix(f"{self.prefix}/api")
        self.asked.append((method, path))
        waiting = self.instead.get((method, path))
        if waiting:
            return waiting.pop(0) if len(waiting) > 1 or waiting[0].headers.get("once") else waiting[0]
        if path == "/health":
            return said(200, {"database": "ok", "version": "12.2.0", "commit": "0"})
        if token != f"Bearer {TOKEN}":
            return said(401, {"message": "Invalid API key"})
        return self._kept(method, path, body)

    def _kept(self, method: str, path: str, body: Any) -> Reply:
        if path.startswith("/datasources/proxy/uid/"):
            return self._proxied(path)
        path, _, query = path.partition("?")
        noun, _, uid = path.strip("/").rpartition("/")
        match (method, noun or uid):
            case ("GET", "folders"):
                return self._one(self.folders, uid, "folder not found")
            case ("POST", "folders"):
                if body["uid"] in self.folders:
                    return said(409, {"message": "a folder with that uid exists"})
                self.folders[body["uid"]] = {"id": 1, **body}
                return said(200, self.folders[body["uid"]])
            case ("PUT", "folders"):
                assert body["overwrite"] is True
                self.folders[uid]["title"] = body["title"]
                return said(200, self.folders[uid])
            case ("GET", "datasources/uid"):
                return self._one(self.datasources, uid, "Data source not found")
            case ("POST", "datasources"):
                self.datasources[body["uid"]] = {
                    "id": 3, "orgId": 1, "version": 1, "readOnly": False, "basicAuth": False, "isDefault": False,
                    **self._keep_secrets(body),
                }  # fmt: skip
                return said(200, {"id": 3, "message": "Datasource added", "datasource": body})
            case ("PUT", "datasources/uid"):
                if body.get("version", 0) not in (0, self.datasources[uid]["version"]):
                    return said(409, {"message": "Datasource has already been updated by someone else"})
                held = {
                    "id": 3,
                    "orgId": 1,
                    "readOnly": False,
                    **self._keep_secrets(body),
                    "version": body.get("version", 0) + 1,
                }
                self.datasources[uid] = held
                return said(200, {"message": "Datasource updated", "datasource": held})
            case ("GET", "org"):
                return said(200, {"id": 1, "name": "Main Org."})
            case ("GET", "playlists") if not noun:
                wanted = unquote(query.removeprefix("query="))
                return said(200, [one for one in self.playlists.values() if wanted in one["name"]])
            case ("GET", "playlists"):
                return self._one(self.playlists, uid, "Playlist not found")
            case ("POST", "playlists"):
                uid = f"a{len(self.playlists)}"
                self.playlists[uid] = {
                    "uid": uid,
                    **body,
                    "items": [{"id": 9, "title": "", **i} for i in body["items"]],
                }
                return said(200, self.playlists[uid])
            case ("PUT", "playlists"):
                self.playlists[uid] |= body
                return said(200, self.playlists[uid])
            case ("GET", "dashboards/uid"):
                return self._one(self.boards, uid, "Dashboard not found")
            case ("POST", "dashboards"):
                return self._save(body)
        return said(404, {"message": "Not found"})

    def _keep_secrets(self, body: dict[str, Any]) -> dict[str, Any]:
        """Secrets come in and are never told again, only that they are set."""
        told = {key: value for key, value in body.items() if key != "secureJsonData"}
        for name, value in body.get("secureJsonData", {}).items():
            self.secrets[name] = value
            told["secureJsonFields"] = {**told.get("secureJsonFields", {}), name: True}
        return told

    def _newer_playlists(self, method: str, path: str, body: Any) -> Reply:
        """Objects with a name we choose and a version that a change must bring along."""
        uid = path.partition("/playlists")[2].strip("/")
        if method == "GET" and not uid:
            return said(200, {"kind": "PlaylistList", "items": list(self.playlists.values())})
        if method == "GET":
            return self._one(self.playlists, uid, "not found")
        name = body["metadata"]["name"]
        held = self.playlists.get(name)
        if held is not None and body["metadata"].get("resourceVersion") != held["metadata"]["resourceVersion"]:
            return said(409, {"message": "the object has been modified"})
        version = 1 if held is None else int(held["metadata"]["resourceVersion"]) + 1
        self.playlists[name] = body | {"metadata": {"name": name, "resourceVersion": str(version)}}
        return said(200, self.playlists[name])

    def _proxied(self, path: str) -> Reply:
        uid, _, rest = path.removeprefix("/datasources/proxy/uid/").partition("/")
        if uid not in self.datasources:
            return said(404, {"message": "Unable to find datasource"})
        if self.answers is None:
            return said(502, {"message": "Bad Gateway"})
        expr = unquote(rest.partition("query=")[2])
        return said(200, {"status": "success", "data": {"resultType": "vector", "result": self.answers(expr)}})

    def _one(self, kept: dict[str, dict[str, Any]], uid: str, missing: str) -> Reply:
        return said(200, kept[uid]) if uid in kept else said(404, {"message": missing})

    def _save(self, body: dict[str, Any]) -> Reply:
        board = body["dashboard"]
        before = self.boards.get(board["uid"])
        if before is not None and not body.get("overwrite"):
            return said(
                412, {"status": "version-mismatch", "message": "The dashboard has been changed by someone else"}
            )
        version = 1 if before is None else before["dashboard"]["version"] + 1
        filled = {"preload": False, **board, "id": 40 + len(self.boards), "version": version, "schemaVersion": 42}
        self.boards[board["uid"]] = {
            "dashboard": filled,
            "meta": {"provisioned": False, "folderUid": body.get("folderUid", ""), "version": version},
        }
        return said(200, {"status": "success", "uid": board["uid"], "version": version})


@contextmanager
def serving(grafana: Grafana) -> Iterator[Grafana]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _handle(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            reply = grafana.answer(self.command, self.path, self.headers.get("authorization"), body)
            self.send_response(reply.status)
            self.send_header("content-type", reply.type)
            self.send_header("content-length", str(len(reply.body)))
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        do_GET = do_POST = do_PUT = do_DELETE = _handle

        def log_message(self, *_: Any) -> None:
            """Quiet: the test reads ``asked``."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        grafana.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield grafana
        finally:
            server.shutdown()
            thread.join()
