"""Envelopes that came as files, because nothing may go back: in order, each through the same intake as a request.

A file is what the body of ``POST /v1/envelopes`` would be (docs/protocol.md, "One way"). It is put away only after its
commit. What the intake refuses, and which numbers are still missing afterwards, is in the ``Report``: nobody else could
tell the sender, so somebody here must hear of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from agent.link.answer import HOLD, Answer, AnswerError, read_answer
from agent.link.ranges import Range, Ranges
from collector.log.positions import ANSWERED_RANGES

SUFFIX = ".bongsu"
DONE, REFUSED = "done", "refused"
YOUNG_SECONDS = 10.0
"""A file that changed so lately and cannot be read may still be arriving: it is left for the next round."""


class Reply(NamedTuple):
    """What the intake said to one file: an HTTP status, a body, and when to come again where it is busy."""

    status: int
    body: bytes
    retry_after_seconds: float = 0.0


Door = Callable[[bytes], Reply]
"""Hands a request's body to a collector's intake and waits for its answer."""


class Problem(NamedTuple):
    """A file, or the envelope at a ``place`` in it from 0, that was not taken; None = the whole file. ``is_left``: it stays
    where it is and is tried again."""

    file: str
    place: int | None
    code: str
    text: str
    is_left: bool


class Missing(NamedTuple):
    agent: str
    epoch: str
    first: int
    last: int


@dataclass
class Report:
    """What became of a round over the directory."""

    files: int = 0
    problems: list[Problem] = field(default_factory=list)
    held: dict[tuple[str, str], list[Range]] = field(default_factory=dict)
    """By (agent, epoch) of this round's files, what the collector holds or knows to be lost."""

    @property
    def missing(self) -> list[Missing]:
        """Numbers below the newest that neither came, by whichever way, nor were declared lost."""
        return [
            Missing(agent, epoch, first, last)
            for (agent, epoch), held in sorted(self.held.items())
            for first, last in _gaps(held)
        ]

    @property
    def is_whole(self) -> bool:
        return not self.problems and not self.missing

    def as_dict(self) -> dict[str, Any]:
        return {
            "files": self.files,
            "problems": [problem._asdict() for problem in self.problems],
            "missing": [gap._asdict() for gap in self.missing],
        }


def waiting(folder: Path) -> list[Path]:
    """The files of a directory in the order of their names, which is the order of numbers. Raises OSError.

    What only bears such a name is passed over: a directory, a link to nothing, a pipe.
    """
    return sorted(
        path for path in folder.iterdir() if path.suffix == SUFFIX and not path.name.startswith(".") and path.is_file()
    )


class Directory:
    """One directory. ``now`` is the wall clock in seconds; ``limit_bytes`` is a request's."""

    def __init__(self, folder: Path, door: Door, limit_bytes: int, *, delete: bool = False) -> None:
        self._folder = folder
        self._door = door
        self._limit_bytes = limit_bytes
        self._delete = delete

    def step(self, now: float) -> Report:
        """Take in what is there; stops where the collector does not answer, so that order is kept. Raises OSError."""
        report = Report()
        for path in waiting(self._folder):
            if not self._take(path, now, report):
                break
        return report

    def _take(self, path: Path, now: float, report: Report) -> bool:
        """Whether to go on with the next file."""
        try:
            state, packed = path.stat(), b""
            if state.st_size <= self._limit_bytes:
                packed = path.read_bytes()
        except FileNotFoundError:  # somebody took it away a moment ago
            return True
        except OSError as why:
            report.problems.append(Problem(path.name, None, "unreadable", f"{why}", is_left=True))
            return True
        if state.st_size > self._limit_bytes:
            text = f"{state.st_size} bytes: expected at most {self._limit_bytes}"
            self._put_away(path, REFUSED, report, [Problem(path.name, None, "too_large", text, is_left=False)])
            return True
        reply = self._door(packed)
        answer = _answer(reply)
        if answer is not None:
            self._judge(path, answer, report)
            return True
        code, text = _said(reply)
        if reply.status in (400, 413):
            is_young = now - state.st_mtime < YOUNG_SECONDS
            problem = Problem(path.name, None, code, text, is_left=is_young)
            self._put_away(path, None if is_young else REFUSED, report, [problem])
            return True
        report.problems.append(Problem(path.name, None, code, text, is_left=True))
        return False

    def _judge(self, path: Path, answer: Answer, report: Report) -> None:
        for agent in answer.agents:
            report.held[agent.agent, agent.epoch] = agent.held
        is_held_off = any(refusal.action == HOLD for refusal in answer.envelopes)
        problems = [
            Problem(path.name, each.index, each.code, each.text, is_left=is_held_off) for each in answer.envelopes
        ]
        self._put_away(path, None if is_held_off else REFUSED if problems else DONE, report, problems)

    def _put_away(self, path: Path, where: str | None, report: Report, problems: list[Problem]) -> None:
        """To ``done`` or ``refused`` beside it; None leaves it. What was refused is kept even where the rest is deleted."""
        report.problems += problems
        if where is None:
            return
        report.files += 1
        if where == DONE and self._delete:
            path.unlink()
            return
        (self._folder / where).mkdir(exist_ok=True)
        path.replace(self._folder / where / path.name)


def _gaps(held: list[Range]) -> list[Range]:
    """What is missing below the newest; of very many ranges an answer names the newest only, and so do we."""
    known = held[-ANSWERED_RANGES:]
    if not known:
        return []
    first = 1 if len(held) < ANSWERED_RANGES else known[0][0]
    return Ranges(known).gaps(first, known[-1][1])


def _answer(reply: Reply) -> Answer | None:
    try:
        return read_answer(reply.body) if reply.status == 200 else None
    except AnswerError:
        return None


def _said(reply: Reply) -> tuple[str, str]:
    """(code, text) of problem details, or what came instead."""
    try:
        said = msgspec.json.decode(reply.body)
        return str(said["code"]), str(said["detail"])
    except (msgspec.MsgspecError, KeyError, TypeError):
        return "no_answer", f"HTTP {reply.status}: no answer of a collector"


def lines(report: Report) -> Iterator[str]:
    """The report for people, a line for each thing that is wrong."""
    for problem in report.problems:
        where = problem.file if problem.place is None else f"{problem.file}, envelope {problem.place}"
        yield f"{where}: {problem.code}: {problem.text}{'; it is left and tried again' if problem.is_left else ''}"
    for gap in report.missing:
        yield f"agent {gap.agent}, epoch {gap.epoch}: numbers {gap.first} to {gap.last} are missing"
