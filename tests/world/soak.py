"""``make soak``: thousands of whole runs of the world, on all processors, with progress; failing seeds are kept as files.

    python tests/world/soak.py --from 0 --count 10000

May be stopped at any time and resumed from the seed it names last. Every third seed is a world with hubs.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]

from seeds import Case, keep, play, report  # noqa: E402 -- after the path

SHOW_SECONDS = 30.0


def case_of(seed: int) -> Case:
    return Case(seed, hubs=(0, 0, 1 + seed % 2)[seed % 3])


def one(seed: int) -> tuple[int, str, int]:
    """(seed, what is wrong in words or "", records followed)"""
    case = case_of(seed)
    try:
        world = play(case)
    except Exception as why:  # noqa: BLE001 -- a run that breaks is a finding like any other
        return seed, f"{case}: {type(why).__name__}: {why}", 0
    if world.complaints:
        return seed, f"{report(case, world)}\n  kept as {keep(case, world)}", 0
    return seed, "", sum(len(agent.promised) for agent in world.agents)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="make soak", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--from", dest="start", type=int, default=0, metavar="SEED", help="the first seed (0)")
    parser.add_argument("--count", type=int, default=10_000, help="how many (10000)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (one a processor)")
    args = parser.parse_args()
    began = shown = time.monotonic()
    failed = done = records = 0
    with multiprocessing.get_context("spawn").Pool(args.jobs, maxtasksperchild=200) as pool:
        for seed, wrong, followed in pool.imap(one, range(args.start, args.start + args.count)):
            done, records = done + 1, records + followed
            if wrong:
                failed += 1
                print(wrong, flush=True)
            now = time.monotonic()
            if now - shown > SHOW_SECONDS or done == args.count:
                shown = now
                left = (now - began) / done * (args.count - done)
                print(
                    f"{done} of {args.count} runs, {records} records followed, {failed} failed; up to seed {seed}, "
                    f"about {left / 60:.0f} min left (resume with --from {seed + 1})",
                    flush=True,
                )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
