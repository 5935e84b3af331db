"""``bongsu rules``: check rule files, and run Prometheus' unit tests of rules with our evaluator."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from collector.cli.options import Verbs
from collector.rules.files import BadRules, load_rules
from collector.rules.unit_tests import run_test_file

EXAMPLES = """examples:
  bongsu rules check configs/rules/*.yaml
  bongsu rules test configs/rules/tests/*.yaml
"""


def add(verbs: Verbs[argparse.ArgumentParser]) -> None:
    verb = verbs.add_parser(
        "rules",
        help="check and test rule files",
        description="Check and test rule files in Prometheus' own format.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    ways = verb.add_subparsers(dest="way", required=True, metavar="WAY")
    check = ways.add_parser(
        "check",
        help="say whether the collector can evaluate these files",
        description="Read rule files as the collector does; 1 where anything in them is not understood.",
        epilog="example: bongsu rules check configs/rules/*.yaml",
    )
    check.add_argument("files", nargs="+", type=Path, metavar="FILE")
    test = ways.add_parser(
        "test",
        help="run unit tests of rules, in the format of promtool test rules",
        description="Run unit tests of rules, in the format of promtool test rules; 1 where one fails.",
        epilog="example: bongsu rules test configs/rules/tests/*.yaml",
    )
    test.add_argument("files", nargs="+", type=Path, metavar="FILE")


def run(args: argparse.Namespace) -> int:
    """0 all well, 1 not."""
    failed = False
    for path in args.files:
        try:
            problems = _check(path) if args.way == "check" else run_test_file(path)
        except BadRules as why:
            problems = why.problems
        for problem in problems:
            print(problem, file=sys.stderr)
        if args.way == "test" and not problems:
            print(f"{path}: ok")
        failed = failed or bool(problems)
    return int(failed)


def _check(path: Path) -> list[str]:
    groups = load_rules([path])
    count = sum(len(group.rules) for group in groups)
    print(f"{path}: ok, {count} rules in {len(groups)} groups")
    return []
