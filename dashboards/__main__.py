"""``python -m dashboards``: write the boards' JSON anew after a change to their source."""

from __future__ import annotations

import sys

from dashboards.generate import JSON_DIR, write

changed = write()
sys.stdout.write("".join(f"wrote {JSON_DIR / name}\n" for name in changed) or "all boards were up to date\n")
