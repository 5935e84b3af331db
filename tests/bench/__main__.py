"""``python -m tests.bench [ID ...] [--quick] [--list]``: measure, print one table, write ``var/bench.json``.

Side by side with the peers that are installed. A figure over its target is shown, never raised: machines differ, and
only ratios of one run mean anything.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.bench.runner import run
from tests.bench.table import TABLE


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure beside the peers found here.")
    parser.add_argument("ids", metavar="ID", nargs="*", help="what to measure (default: everything)")
    parser.add_argument("--quick", action="store_true", help="shorter and rougher")
    parser.add_argument("--list", action="store_true", help="print the ids, units and targets, and measure nothing")
    parser.add_argument(
        "--out", type=Path, default=Path("var/bench.json"), metavar="FILE", help="where to write (var/bench.json)"
    )
    args = parser.parse_args()
    if args.list:
        for goal in TABLE:
            print(f"{goal.id:34} {goal.unit:20} <= {goal.target:g}")
        return 0
    unknown = set(args.ids) - {goal.id for goal in TABLE}
    if unknown:
        print(f"no benchmark {', '.join(sorted(unknown))}; see --list", file=sys.stderr)
        return 2
    return run([goal for goal in TABLE if not args.ids or goal.id in args.ids], args.quick, args.out)


if __name__ == "__main__":
    sys.exit(main())
