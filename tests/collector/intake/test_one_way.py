"""Files of a directory through the real intake: put away after their commit, refused, left, and what is missing then."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from centre import NOW_MS, Centre
from sender import Sender, request, schema_of
from sqlalchemy import func, select

from agent.link.keys import new_key
from agent.link.model import Loss, loss_record
from collector.intake.one_way import Directory, Missing, Reply, lines
from collector.log.tables import envelopes

LATER = 4_000_000_000.0
LIMIT = 1 << 20


class Files:
    """A directory as an agent's export fills it, and the way from it into a centre."""

    def __init__(self, centre: Centre, folder: Path) -> None:
        self.centre = centre
        self.folder = folder
        self.sender = centre.enrolled()

    def write(self, *seqs: int, sender: Sender | None = None) -> str:
        """A file with these numbers."""
        sender = sender or self.sender
        schema = schema_of(sender.host)
        samples = []
        for seq in seqs:
            sender.seq = seq - 1
            samples.append(sender.sample(schema, [float(seq)], NOW_MS))
        return self.put(request(sender.envelope(samples, [schema.packed])), seqs[0])

    def put(self, content: bytes, seq: int = 1) -> str:
        name = f"{self.sender.agent_id.hex()}-{self.sender.epoch.hex()}-{seq:016}-{seq:016}.bongsu"
        (self.folder / name).write_bytes(content)
        return name

    def directory(self, *, delete: bool = False) -> Directory:
        def door(body: bytes) -> Reply:
            status, _, answer = self.centre.post(body)
            return Reply(status, answer)

        return Directory(self.folder, door, LIMIT, delete=delete)

    def names(self, where: str = "") -> list[str]:
        folder = self.folder / where
        return sorted(path.name for path in folder.iterdir() if path.is_file()) if folder.exists() else []

    def kept(self) -> int:
        with self.centre.store.reading() as connection:
            return connection.execute(select(func.count()).select_from(envelopes)).scalar_one()


@pytest.fixture
def files(centre: Centre, tmp_path: Path) -> Files:
    folder = tmp_path / "in"
    folder.mkdir()
    return Files(centre, folder)


def test_files_are_taken_in_order_and_put_away(files: Files) -> None:
    names = [files.write(3, 4), files.write(1, 2)]
    (files.folder / ".half.bongsu").write_bytes(b"half")
    (files.folder / "readme.txt").write_bytes(b"hello")
    report = files.directory().step(LATER)
    assert (report.files, report.is_whole) == (2, True)
    assert files.names() == [".half.bongsu", "readme.txt"]
    assert files.names("done") == sorted(names)
    assert files.centre.positions.peek((files.sender.agent_id, files.sender.epoch)) == [(1, 4)]


def test_or_deleted(files: Files) -> None:
    files.write(1)
    assert files.directory(delete=True).step(LATER).files == 1
    assert (files.names(), files.names("done"), files.kept()) == ([], [], 1)


def test_missing_numbers_are_named(files: Files) -> None:
    files.write(2, 3)
    files.write(7)
    report = files.directory().step(LATER)
    agent, epoch = files.sender.agent_id.hex(), files.sender.epoch.hex()
    assert report.missing == [Missing(agent, epoch, 1, 1), Missing(agent, epoch, 4, 6)]
    assert not report.is_whole
    assert f"agent {agent}, epoch {epoch}: numbers 4 to 6 are missing" in list(lines(report))
    files.write(4, 5, 6)
    report = files.directory().step(LATER)
    assert report.missing == [Missing(agent, epoch, 1, 1)]


def test_what_was_declared_lost_or_came_another_way_is_not_missing(files: Files) -> None:
    files.centre.answer(request(files.sender.report(NOW_MS)))
    files.sender.seq = 6
    loss = loss_record(7, NOW_MS, 0, Loss(2, 6, "spool_full"))
    files.put(request(files.sender.envelope([], [], [loss])), 7)
    assert files.directory().step(LATER).is_whole


def test_a_file_again_is_taken_again_and_changes_nothing(files: Files) -> None:
    for _ in range(2):
        files.write(1, 2)
        assert files.directory().step(LATER).is_whole
    assert files.kept() == 1


def test_an_altered_envelope_is_refused_and_its_neighbours_are_taken(files: Files) -> None:
    forged = Sender(files.sender.host, files.sender.agent_id, new_key(), epoch=files.sender.epoch)
    name = files.put(request(forged.report(NOW_MS), files.sender.report(NOW_MS)))
    report = files.directory(delete=True).step(LATER)
    assert [(p.file, p.place, p.code, p.is_left) for p in report.problems] == [(name, 0, "bad_signature", False)]
    assert (files.names(), files.names("refused"), files.kept()) == ([], [name], 1)


@pytest.mark.parametrize(
    ("content", "code"), [(b"", "malformed"), (b"\xc1 no", "malformed"), (bytes(LIMIT + 1), "too_large")]
)
def test_what_is_no_file_of_ours_is_refused(files: Files, content: bytes, code: str) -> None:
    name = files.put(content)
    after = files.write(9)
    report = files.directory().step(LATER)
    assert [(p.file, p.place, p.code) for p in report.problems] == [(name, None, code)]
    assert (files.names("refused"), files.names("done")) == ([name], [after])


def test_what_only_bears_the_name_of_a_file_is_passed_over(files: Files) -> None:
    (files.folder / "a.bongsu").mkdir()
    (files.folder / "b.bongsu").symlink_to(files.folder / "nowhere")
    (files.folder / "c.bongsu").symlink_to(files.folder / "c.bongsu")
    os.mkfifo(files.folder / "d.bongsu")
    name = files.write(1, 2)
    report = files.directory().step(LATER)
    assert (report.files, report.problems) == (1, [])
    assert files.names("done") == [name]


def test_a_file_that_may_still_be_arriving_is_left(files: Files) -> None:
    name = files.put(b"")
    now = (files.folder / name).stat().st_mtime
    report = files.directory().step(now + 1)
    assert [(p.file, p.is_left) for p in report.problems] == [(name, True)]
    assert files.names() == [name]
    files.write(1)
    assert files.directory().step(now + 1).is_whole


def test_what_is_held_off_stays_until_it_is_welcome(files: Files) -> None:
    files.centre.set_status(files.sender, "suspended")
    name = files.write(1)
    report = files.directory(delete=True).step(LATER)
    assert [(p.code, p.is_left) for p in report.problems] == [("suspended", True)]
    assert files.names() == [name]
    files.centre.set_status(files.sender, "active")
    assert files.directory(delete=True).step(LATER).is_whole
    assert files.names() == []


def test_nothing_is_put_away_that_was_not_kept_and_the_order_stands(files: Files) -> None:
    names = [files.write(1), files.write(2)]
    asked = []

    def busy(body: bytes) -> Reply:
        asked.append(body)
        return Reply(503, b'{"code": "not_stored", "detail": "disk full"}')

    report = Directory(files.folder, busy, LIMIT, delete=True).step(LATER)
    assert [(p.file, p.code, p.text, p.is_left) for p in report.problems] == [
        (names[0], "not_stored", "disk full", True)
    ]
    assert (len(asked), files.names()) == (1, names)


@pytest.mark.parametrize("body", [b"<html>welcome</html>", b"{}", b""])
def test_what_is_no_answer_puts_nothing_away(files: Files, body: bytes) -> None:
    name = files.write(1)
    report = Directory(files.folder, lambda _body: Reply(200, body), LIMIT).step(LATER)
    assert [(p.code, p.is_left) for p in report.problems] == [("no_answer", True)]
    assert files.names() == [name]
