"""A machine behind SSH as a ``Host``: one kept connection, bounded answers, one deadline per check.

What goes over the wire is in ``scripts.py``, how the connection is made in ``connection.py``. Importing this loads no SSH
library; the first question does.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

from agent.checks.base import CheckFailed, DeadlineExceeded, FilesystemSpace, Ran, Unreachable
from agent.checks.deadlines import Deadlines
from agent.link.clock import Clock, SystemClock
from agent.remote import scripts
from agent.remote.channel import Answer, Broken, Flooded, Shell
from agent.remote.connection import Connection, connect
from agent.remote.known_hosts import listed_name
from agent.remote.patience import Patience
from agent.remote.targets import Target

IDLE_SECONDS = 240.0
"""An older silence is not trusted: firewalls forget a quiet connection after 5 min, and then swallow what is sent on it."""


class SshHost:
    """``Host`` over SSH. One thread at a time; ``connections`` and ``questions`` count what it did."""

    def __init__(self, target: Target, clock: Clock | None = None) -> None:
        self.target = target
        self.connections = 0
        self.questions = 0
        self._clock = clock or SystemClock()
        self._deadlines = Deadlines(self._clock, target.deadline_seconds)
        self._where = f"{target.name} ({target.user}@{listed_name(target.address, target.port)})"
        self._connection: Connection | None = None
        self._shell: Shell | None = None
        self._patience = Patience()
        self._answered_at = 0.0

    @property
    def name(self) -> str:
        return self.target.name

    def deadline(self, seconds: float) -> AbstractContextManager[None]:
        return self._deadlines.within(seconds)

    def read(self, path: str) -> str:
        answer = self._ask(scripts.read_script(path), scripts.READ_LIMIT, f"reading {path}")
        if answer.exit_code:
            scripts.raise_for_exit(answer.exit_code, path)
            raise self._unexpected(answer, f"reading {path}")
        return answer.stdout.decode("utf-8", "replace")

    def read_tree(self, *patterns: str) -> dict[str, str]:
        doing = f"reading {' '.join(patterns)}"
        data = self._ask_well(scripts.tree_script(patterns), scripts.TREE_LIMIT, doing)
        assert self._shell is not None
        return scripts.parse_tree(data, self._shell.mark)

    def list(self, pattern: str) -> Sequence[str]:
        doing = f"listing {pattern}"
        return scripts.parse_list(self._ask_well(scripts.list_script(pattern), scripts.LIST_LIMIT, doing))

    def link(self, path: str) -> str:
        answer = self._ask(scripts.link_script(path), scripts.SMALL_LIMIT, f"following {path}")
        if answer.exit_code:
            scripts.raise_for_exit(answer.exit_code, path)
            raise self._unexpected(answer, f"following {path}")
        return answer.stdout.decode("utf-8", "replace")

    def filesystems(self, mount_points: Sequence[str]) -> dict[str, FilesystemSpace | None]:
        doing = f"asking for the space of {len(mount_points)} filesystems"
        data = self._ask_well(scripts.filesystems_script(mount_points), scripts.LIST_LIMIT, doing)
        return scripts.parse_filesystems(data, mount_points)

    def run(self, argv: Sequence[str], timeout_seconds: float = 5.0) -> Ran:
        doing = f"running {argv[0]}"
        with self._deadlines.within(timeout_seconds):
            script = scripts.run_script(argv, timeout_seconds)
            answer = self._ask(script, scripts.RUN_LIMIT, doing, with_stderr=True)
        if answer.exit_code in (126, 127):
            raise self._unexpected(answer, doing, "could not be started; is it installed there?")
        return Ran(answer.exit_code, answer.stdout.decode("utf-8", "replace"), answer.stderr.decode("utf-8", "replace"))

    def now(self) -> float:
        """As that machine said; the answer is as old as half a round trip."""
        return scripts.parse_now(self._ask_well("date +%s.%N", scripts.SMALL_LIMIT, "asking for the time"))

    def close(self) -> None:
        self._shell = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # One question

    def _ask_well(self, script: str, limit: int, doing: str) -> bytes:
        answer = self._ask(script, limit, doing)
        if answer.exit_code:
            raise self._unexpected(answer, doing)
        return answer.stdout

    def _unexpected(self, answer: Answer, doing: str, what: str = "") -> CheckFailed:
        said = answer.stderr.decode("utf-8", "replace").strip().partition("\n")[0][:200]
        what = what or f"the shell there ended with exit code {answer.exit_code}, expected 0"
        return CheckFailed(f"{self._where}: {doing}: {what}" + (f" (it said: {said})" if said else ""))

    def _ask(self, script: str, limit: int, doing: str, *, with_stderr: bool = False) -> Answer:
        with self._deadlines.within(self.target.deadline_seconds):
            self._deadlines.left(doing)  # time that was over before the question is not the host's silence
            try:
                answer = self._in_shell(script, limit, doing, with_stderr)
            except DeadlineExceeded as error:
                if not with_stderr:
                    # No file takes this long: the link is dead, silently (a firewall forgot it). A program may be slow.
                    self.close()
                self._count_unanswered(doing)
                raise DeadlineExceeded(f"{self._where}: {error}") from error
            except (Flooded, Broken) as error:
                # The whole connection goes: a server that ignores the closed channel would keep us busy with it.
                self.close()
                if isinstance(error, Broken):
                    self._count_unanswered(doing)
                raise CheckFailed(f"{self._where}: {error}") from error
        self.questions += 1
        self._answered_at = self._clock.monotonic()
        self._patience.answered()
        return answer

    def _count_unanswered(self, doing: str) -> None:
        if self._patience.unanswered():
            self._give_up(f"{self._where}: connected, but several questions in a row had no answer (last {doing})")

    def _in_shell(self, script: str, limit: int, doing: str, with_stderr: bool) -> Answer:
        if self._clock.monotonic() - self._answered_at > IDLE_SECONDS:
            self.close()
        is_kept = self._shell is not None
        try:
            if self._shell is None:
                self._shell = self._new_shell(doing)
            return self._shell.ask(script, limit, self._deadlines.left, doing, with_stderr=with_stderr)
        except Broken:
            self.close()
            if not is_kept:
                raise
            # It died while idle: once more with a new connection.
            return self._in_shell(script, limit, doing, with_stderr)
        except BaseException:
            # What it still says belongs to no question.
            shell, self._shell = self._shell, None
            if shell is not None and self._connection is not None:
                self._connection.drop(shell.channel)
            raise

    def _new_shell(self, doing: str) -> Shell:
        connection = self._connected()
        channel = connection.channel("exec sh", self._deadlines.left, doing)
        try:
            return Shell(channel, connection.guard, self._deadlines.left)
        except BaseException:
            connection.drop(channel)
            raise

    # The connection

    def _connected(self) -> Connection:
        if self._connection is not None and self._connection.is_active:
            return self._connection
        self.close()
        wait = self._patience.wait_seconds(self._clock.monotonic())
        if wait > 0:
            raise Unreachable(f"not asked: {self.name} does not answer over SSH, see check ssh", self._patience.why)
        try:
            self._connection = connect(self.target, self._where, self._deadlines.left)
        except DeadlineExceeded as error:
            self._give_up(f"{self._where}: {error}")
            raise
        except CheckFailed as error:
            self._give_up(str(error))
            raise
        self.connections += 1
        return self._connection

    def _give_up(self, why: str) -> None:
        self.close()
        self._patience.failed(self._clock.monotonic(), why)
