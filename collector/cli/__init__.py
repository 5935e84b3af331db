"""``bongsu``: the collector's commands, one file per verb, imported only when it is asked for.

A verb's file gives ``add(verbs)``, which describes it to argparse, and ``run(args) -> int``. 0 = done, 1 = could not be
done (said on standard error: what, where, what was expected, what to do), 2 = asked wrongly.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from importlib.metadata import version
from typing import Protocol, cast

from collector.errors import CollectorError

VERBS = {
    "init": "make keys, database, default topology and the first administrator",
    "serve": "run the collector",
    "token": "make, list and cancel join tokens",
    "agent": "list, suspend, resume and revoke agents",
    "hub": "list, suspend and revoke hubs, and make their certificates",
    "registry": "on a hub at a custodian site: read its copy of the whole registry",
    "user": "add and list people",
    "audit": "read, check and copy out the audit log",
    "api-token": "make, list and revoke API tokens for programs",
    "beat": "watch jobs that call when they are done",
    "silence": "say which alerts nobody is to hear of",
    "apply": "take over a file of topology, rosters or escalation",
    "import": "take over a list of hosts, whole or not at all",
    "intake": "take in envelopes that came as files and say which numbers are missing",
    "sites": "list sites and how they stand",
    "rules": "check and test rule files",
    "hosts": "list hosts and how they stand",
    "systems": "list information systems",
    "channel": "list the ways pages go out and try one",
    "relay-send": "send the pages that a collector in a closed network wrote into a folder, or has ready to be fetched",
    "who": "say who would be called for a site",
    "incidents": "list incidents, show one, or say what is done about it",
    "ack": "acknowledge an incident, so that calling ends",
    "why": "say why people were paged for an incident, or not",
    "grafana": "write or push dashboards and provisioning files",
    "demo": "run a world to try, or play a disaster in it",
    "migrate": "bring the database to this program's schema version",
    "doctor": "check this installation and say what to mend",
}


class _Verb(Protocol):
    def add(self, verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None: ...

    def run(self, args: argparse.Namespace) -> int: ...


def main(argv: list[str] | None = None) -> int:
    argv = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(
        prog="bongsu",
        description="The collector of Bongsu: takes in what agents report, judges it and shows it.",
        epilog="example: bongsu init --data ./var && bongsu serve --data ./var",
    )
    parser.add_argument("--version", action="version", version=f"bongsu {version('bongsu')}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    asked = next((word for word in argv if not word.startswith("-")), None)
    for name, summary in VERBS.items():
        if name == asked:
            try:
                _load(name).add(verbs)
            except ModuleNotFoundError as why:
                return _lacking(name, why)
        else:
            verbs.add_parser(name, help=summary)
    args = parser.parse_args(argv)
    try:
        return _load(args.verb).run(args)
    except CollectorError as why:
        print(f"bongsu {args.verb}: {why}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output went away (| head): nothing to say, and nobody to say it to
        return 1
    except KeyboardInterrupt:
        return 130


def _lacking(verb: str, why: ModuleNotFoundError) -> int:
    """An environment made for an agent has this command too, but not what it stands on."""
    if why.name is None or why.name.partition(".")[0] in ("agent", "collector", "dashboards"):
        raise why
    print(
        f"bongsu {verb}: the collector is not installed here, only the agent (no module {why.name!r}): "
        "pip install 'bongsu[collector]'",
        file=sys.stderr,
    )
    return 1


def _load(name: str) -> _Verb:
    return cast("_Verb", import_module(f"collector.cli.{name.replace('-', '_')}"))
