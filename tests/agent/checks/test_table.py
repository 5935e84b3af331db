"""The table of checks and the files beside it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import agent.checks
from agent.checks.table import DEFAULT, TABLE, load

FOLDER = Path(agent.checks.__file__).parent


def test_every_file_with_a_check_is_in_the_table_and_loads() -> None:
    with_check = {path.stem for path in FOLDER.glob("*.py") if "\nCHECK = " in path.read_text()}
    assert with_check == {target.partition(":")[0].rpartition(".")[2] for target in TABLE.values()}
    assert [load(name).name for name in TABLE] == list(TABLE)
    assert set(DEFAULT) <= set(TABLE)


def test_every_check_says_its_question_and_what_it_reads() -> None:
    for path in FOLDER.glob("*.py"):
        text = path.read_text()
        if "\nCHECK = " in text:
            question, _, source = text.split('"""')[1].partition("\n")
            assert "?" in question, path
            assert source.strip(), path


def test_default_checks_import_nothing_heavy() -> None:
    script = (
        "import sys\nfrom agent.checks.table import DEFAULT, load\nfrom agent.checks.local import LocalHost\n"
        "from agent.checks.runner import run_check\nhost = LocalHost()\n"
        "[run_check(load(name), host) for name in DEFAULT]\n"
        "print([name for name in ('subprocess', 'asyncio', 'psutil', 'paramiko', 'json', 'pathlib') if name in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=FOLDER.parents[1]
    )
    assert ran.stdout.strip() == "[]"
