"""A real Dovecot in a folder of its own, as whoever runs the tests; as root it runs as nobody, for it serves root no mail."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from grp import getgrgid
from pathlib import Path
from pwd import getpwuid

NOBODY = 65534
PASSWORD = 'pass "word"'


@dataclass
class Dovecot:
    folder: Path
    port: int
    secure_port: int
    owner: int

    def put(self, name: str, *lines: str) -> None:
        """A mail that nobody read."""
        file = self.folder / "mail" / "new" / name
        file.write_bytes("\r\n".join(lines).encode())
        os.chown(file, self.owner, -1)

    def read(self) -> list[str]:
        """Names of mails that were marked as read."""
        return sorted(
            file.name.partition(":")[0]
            for file in (self.folder / "mail" / "cur").iterdir()
            if "S" in file.name.partition(":2,")[2]
        )


@contextmanager
def dovecot(program: str, folder: Path, certificate: Path, key: Path) -> Iterator[Dovecot]:
    owner = NOBODY if os.getuid() == 0 else os.getuid()
    user = getpwuid(owner).pw_name
    ports = [free_port(), free_port()]
    for name in ("run", "state", "mail/new", "mail/cur", "mail/tmp"):
        (folder / name).mkdir(parents=True)
    (folder / "users").write_text(f"bongsu:{{PLAIN}}{PASSWORD}\n")
    config = folder / "dovecot.conf"
    config.write_text(f"""
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
disable_plaintext_auth = no
default_internal_user = {user}
default_internal_group = {_group(owner)}
default_login_user = {user}
first_valid_uid = 0
mail_location = maildir:{folder}/mail
passdb {{
  driver = passwd-file
  args = {folder}/users
}}
userdb {{
  driver = static
  args = uid={owner} gid={os.stat(folder).st_gid if owner != NOBODY else NOBODY} home={folder}/mail
}}
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {ports[0]}
  }}
  inet_listener imaps {{
    port = {ports[1]}
    ssl = yes
  }}
}}
""")
    if owner == NOBODY:
        for place in (folder, *folder.rglob("*")):
            os.chown(place, NOBODY, NOBODY)
        for above in folder.parents:
            if str(above).startswith("/tmp/pytest"):
                above.chmod(above.stat().st_mode | 0o711)
    as_whom = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if owner == NOBODY else {}
    running = subprocess.Popen([program, "-F", "-c", str(config)], stderr=subprocess.PIPE, **as_whom)  # type: ignore[call-overload]
    try:
        for port in ports:
            _wait(running, folder, port)
        yield Dovecot(folder, ports[0], ports[1], owner)
    finally:
        running.terminate()
        running.wait(10)
        assert running.stderr is not None
        running.stderr.close()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _group(owner: int) -> str:
    return getgrgid(NOBODY if owner == NOBODY else getpwuid(owner).pw_gid).gr_name


def _wait(running: subprocess.Popen[bytes], folder: Path, port: int) -> None:
    for _ in range(200):
        if running.poll() is not None:
            assert running.stderr is not None
            raise AssertionError(running.stderr.read().decode())
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError((folder / "log").read_text() if (folder / "log").exists() else "it never listened")
