"""Real programs in tests: a missing one is a skip with its reason, and a failure where BONGSU_REAL=1."""

from __future__ import annotations

import os
import shutil

import pytest

PLACES = "/usr/sbin:/usr/local/sbin:/sbin:/usr/lib/postgresql/17/bin:/usr/lib/postgresql/15/bin"


def require(program: str) -> str:
    """Path of a program; skips the test where it is missing, fails it under ``make test-real``."""
    found = shutil.which(program, path=os.environ.get("PATH", "") + ":" + PLACES)
    if found is not None:
        return found
    reason = f"{program} is not installed"
    if os.environ.get("BONGSU_REAL") == "1":
        pytest.fail(reason + "; make test-real needs it (see .ci/run for the package)")
    pytest.skip(reason)
