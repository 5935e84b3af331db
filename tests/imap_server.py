"""A little real IMAP server in threads: one folder, LOGIN, SELECT, UID SEARCH, UID FETCH, UID STORE. As much of RFC 3501 as
is asked of it, with literals and sequence numbers as servers send them."""

from __future__ import annotations

import re
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Folder:
    """Mails by UID (from 101 on); ``dies_at``: the command at which it hangs up."""

    mails: list[bytes] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    commands: list[str] = field(default_factory=list)
    dies_at: str = ""
    port: int = 0

    def put(self, *lines: str) -> int:
        self.mails.append("\r\n".join(lines).encode("utf-8", "surrogateescape"))
        return 100 + len(self.mails)


class _Talk(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        folder = self.server.folder
        self.say("* OK ready")
        for line in self.rfile:
            tag, _, rest = line.decode().strip().partition(" ")
            folder.commands.append(rest)
            if folder.dies_at and folder.dies_at in rest:
                return
            if not self.answer(tag, rest, folder):
                return

    def answer(self, tag: str, rest: str, folder: Folder) -> bool:
        word = rest.split(" ")[0].upper()
        if word == "CAPABILITY":
            self.say("* CAPABILITY IMAP4rev1")
        elif word == "LOGIN" and rest != 'LOGIN "bongsu" "pass \\"word\\""':
            self.say(f"{tag} NO wrong user or password")
            return True
        elif word == "SELECT":
            if rest != 'SELECT "INBOX"':
                self.say(f"{tag} NO no such folder")
                return True
            self.say(f"* {len(folder.mails)} EXISTS", "* OK [UIDVALIDITY 7]")
        elif rest.startswith("UID SEARCH UNSEEN SINCE "):
            unread = [str(101 + n) for n in range(len(folder.mails)) if 101 + n not in folder.seen]
            self.say(f"* SEARCH {' '.join(unread)}".rstrip())
        elif found := re.fullmatch(r"UID FETCH (\d+) \(BODY\.PEEK\[\]<0\.(\d+)>\)", rest):
            uid, most = int(found[1]), int(found[2])
            raw = folder.mails[uid - 101][:most]
            self.wfile.write(f"* {uid - 100} FETCH (UID {uid} BODY[]<0> {{{len(raw)}}}\r\n".encode() + raw + b")\r\n")
        elif found := re.fullmatch(r"UID STORE (\d+) \+FLAGS\.SILENT \(\\Seen\)", rest):
            folder.seen.add(int(found[1]))
        elif word == "LOGOUT":
            self.say("* BYE", f"{tag} OK bye")
            return False
        self.say(f"{tag} OK done")
        return True

    def say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    folder: Folder


@contextmanager
def imap_server(context: ssl.SSLContext | None = None) -> Iterator[Folder]:
    server = _Server(("127.0.0.1", 0), _Talk)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.folder = Folder(port=server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.folder
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
