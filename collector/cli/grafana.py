"""``bongsu grafana``: the boards as files for a Grafana to read, or pushed over its API."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

from collector.cli.printing import print_rows

EXAMPLES = """examples:
  bongsu grafana files ./grafana --datasource-url http://prometheus:9090
  bongsu grafana push --url https://grafana.example.org --token-file grafana.token
"""


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb and its two ways."""
    verb = subparsers.add_parser(
        "grafana",
        help="boards for Grafana: as files, or pushed",
        description="Bring the shipped boards into a Grafana.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    ways = verb.add_subparsers(dest="way", required=True, metavar="WAY")

    files = ways.add_parser(
        "files",
        help="write boards, provisioning files and a Prometheus configuration into a folder",
        description="Write DIR/provisioning and DIR/dashboards for Grafana, DIR/prometheus (configuration and recording"
        " rules) for Prometheus.",
        epilog="example:\n  bongsu grafana files ./grafana --boards-path /var/lib/grafana/dashboards/bongsu\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    files.add_argument("folder", metavar="DIR", type=Path)
    files.add_argument("--datasource-url", metavar="URL", help="the Prometheus Grafana asks (http://127.0.0.1:9090)")
    files.add_argument(
        "--boards-path", metavar="PATH", help="where Grafana sees DIR/dashboards, if it is mounted elsewhere"
    )
    files.add_argument("--json", action="store_true", help="print JSON")

    push = ways.add_parser(
        "push",
        help="bring a running Grafana to these boards over its API",
        description="Write what differs and nothing else; running it again changes nothing.",
        epilog="example:\n  bongsu grafana push --url https://grafana.example.org/grafana --token-file grafana.token\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    push.add_argument(
        "--url", required=True, metavar="U", help="address of Grafana's pages, with its path if it has one"
    )
    push.add_argument("--token-file", required=True, metavar="F", type=Path, help="file with a service account token")
    push.add_argument("--datasource-url", metavar="P", help="also set up this Prometheus as a data source")
    push.add_argument("--ca-file", metavar="F", help="certificate authority of Grafana, if it is your own")
    push.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """0 done, 1 refused by Grafana or by the file system, with the reason on stderr."""
    return _files(args) if args.way == "files" else _push(args)


def _files(args: argparse.Namespace) -> int:
    from dashboards.files import SHIPPED_DATASOURCE_URL, tree, write_tree

    folder: Path = args.folder
    boards_path = args.boards_path or str((folder / "dashboards").resolve())
    files = tree(boards_path, args.datasource_url or SHIPPED_DATASOURCE_URL, _prometheus_config(), _alert_rules())
    try:
        changed = write_tree(folder, files)
    except OSError as error:
        print(f"bongsu grafana files: cannot write {error.filename or folder}: {error.strerror}", file=sys.stderr)
        return 1
    rows = [
        {"action": "written" if name in changed else "unchanged", "path": str(folder / name)} for name in sorted(files)
    ]
    print_rows(rows, args.json, empty="nothing to write")
    return 0


def _prometheus_config() -> str:
    """The shipped prometheus.yml: in the package where it was installed, in the repository where it is a checkout."""
    import collector

    package = Path(collector.__file__).parent
    found = next(place for place in (package / "configs", package.parent / "configs") if place.is_dir())
    return (found / "prometheus" / "prometheus.yml").read_text(encoding="utf-8")


def _alert_rules() -> dict[str, str]:
    """The shipped files of alerts, by name."""
    from collector.rules.files import rule_files, shipped_folders

    return {path.name: path.read_text(encoding="utf-8") for path in rule_files(shipped_folders()[0])}


def _push(args: argparse.Namespace) -> int:
    from dashboards.api import Change, InterruptedPush, PushSettings, push
    from dashboards.refusals import PushError

    def show(changes: list[Change], error: str | None) -> None:
        print_rows([asdict(each) for each in changes], args.json, empty="nothing was pushed")
        if error is not None:
            print(f"bongsu grafana push: {error}", file=sys.stderr)

    try:
        token = args.token_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        show([], f"cannot read the token in {args.token_file}: {getattr(error, 'strerror', None) or error}")
        return 1
    if not token or any(letter.isspace() or not letter.isascii() for letter in token):
        show([], f"{args.token_file} holds no token: expected one line, such as glsa_…, as Grafana showed it")
        return 1
    settings = PushSettings(args.url, token, args.datasource_url, args.ca_file)
    try:
        show(push(settings), None)
    except PushError as error:
        show(error.done if isinstance(error, InterruptedPush) else [], str(error))
        return 1
    return 0
