"""``bongsu grafana``: the boards as files for a Grafana to read, or pushed over its API, compared and verified."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from collector.cli.printing import print_rows
from collector.errors import UsageError

if TYPE_CHECKING:
    from dashboards.door import PushSettings

EXAMPLES = """examples:
  bongsu grafana files ./grafana --datasource-url http://prometheus:9090
  bongsu grafana push --url https://grafana.example.org --token-file grafana.token
  bongsu grafana diff --url https://grafana.example.org --token-file grafana.token
  bongsu grafana verify --url https://grafana.example.org --token-file grafana.token
"""

PUSH = "Write what differs and nothing else; running it again changes nothing."
DIFF = "Writes nothing. Exits 1 where anything is missing or differs; --json has every place."
VERIFY = (
    "Writes nothing. Says what is missing or differs, whether the data source answers through Grafana, and which panels"
    " find nothing now; exits 1 for all but the last."
)


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb and its two ways."""
    verb = subparsers.add_parser(
        "grafana",
        help="boards for Grafana: as files, or pushed, compared, verified",
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
    files.add_argument("--pages-url", metavar="URL", help="address of Bongsu's own pages (http://127.0.0.1:8650)")
    files.add_argument(
        "--agency",
        metavar="A",
        help="for one agency's own organisation: its data source is the collector's query API, asked with its token",
    )
    files.add_argument("--org-id", metavar="N", type=int, default=1, help="that organisation's number in Grafana (1)")
    files.add_argument(
        "--source-token-file", metavar="F", help="where Grafana's server reads that token (it is not copied)"
    )
    files.add_argument("--json", action="store_true", help="print JSON")

    for way, what, more in (
        ("push", "bring a running Grafana to these boards over its API", PUSH),
        ("diff", "show where a running Grafana differs from these boards", DIFF),
        ("verify", "read back what a Grafana has, and ask every panel's queries through it", VERIFY),
    ):
        parser = ways.add_parser(
            way,
            help=what,
            description=more,
            epilog=f"example:\n  bongsu grafana {way} --url https://grafana.example.org/grafana --token-file grafana.token\n",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        _address(parser)


def _address(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--url", required=True, metavar="U", help="address of Grafana's pages, with its path if it has one"
    )
    parser.add_argument("--token-file", required=True, metavar="F", type=Path, help="file with a service account token")
    parser.add_argument("--datasource-url", metavar="P", help="also set up this Prometheus as a data source")
    parser.add_argument(
        "--source-token-file",
        metavar="F",
        type=Path,
        help="file with an API token of the collector, where the data source is its query API",
    )
    parser.add_argument("--pages-url", metavar="URL", help="address of Bongsu's own pages (http://127.0.0.1:8650)")
    parser.add_argument("--ca-file", metavar="F", help="certificate authority of Grafana, if it is your own")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """0 done, 1 refused by Grafana or by the file system, or something differs; with the reason on stderr."""
    return {"files": _files, "push": _push, "diff": _diff, "verify": _verify}[args.way](args)


def _files(args: argparse.Namespace) -> int:
    from dashboards.files import SHIPPED_DATASOURCE_URL, Tenant, tree, write_tree
    from dashboards.selectors import PAGES_URL

    folder: Path = args.folder
    boards_path = args.boards_path or str((folder / "dashboards").resolve())
    tenant = None
    if args.agency is not None:
        if not args.datasource_url or not args.source_token_file:
            raise UsageError(
                "--agency needs --datasource-url (the collector) and --source-token-file (bongsu api-token create)"
            )
        tenant = Tenant(args.agency, args.org_id, args.source_token_file)
    files = tree(
        boards_path,
        args.datasource_url or SHIPPED_DATASOURCE_URL,
        _shipped("prometheus/prometheus.yml"),
        _alert_rules(),
        pages_url=args.pages_url or PAGES_URL,
        compose=_shipped("grafana/compose.yaml"),
        tenant=tenant,
    )
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


def _shipped(name: str) -> str:
    """A file of configs/: in the package where it was installed, in the repository where it is a checkout."""
    import collector

    package = Path(collector.__file__).parent
    found = next(place for place in (package / "configs", package.parent / "configs") if place.is_dir())
    return (found / name).read_text(encoding="utf-8")


def _alert_rules() -> dict[str, str]:
    """The shipped files of alerts, by name."""
    from collector.rules.files import rule_files, shipped_folders

    return {path.name: path.read_text(encoding="utf-8") for path in rule_files(shipped_folders()[0])}


def _push(args: argparse.Namespace) -> int:
    from dashboards.api import Change, InterruptedPush, push
    from dashboards.refusals import PushError

    def show(changes: list[Change], error: str | None) -> None:
        print_rows([asdict(each) for each in changes], args.json, empty="nothing was pushed")
        if error is not None:
            print(f"bongsu grafana push: {error}", file=sys.stderr)

    try:
        show(push(_settings(args)), None)
    except PushError as error:
        show(error.done if isinstance(error, InterruptedPush) else [], str(error))
        return 1
    return 0


def _diff(args: argparse.Namespace) -> int:
    """1 where anything differs or is missing, as diff does."""
    from dashboards.api import diff
    from dashboards.refusals import PushError

    try:
        found = diff(_settings(args))
    except PushError as error:
        print(f"bongsu grafana diff: {error}", file=sys.stderr)
        return 1
    rows = [{"kind": one.kind, "uid": one.uid, "title": one.title, "state": one.state} for one in found]
    if args.json:
        rows = [{**row, "details": list(one.details)} for row, one in zip(rows, found, strict=True)]  # type: ignore[dict-item]
    print_rows(rows, args.json, empty="nothing to compare")
    if not args.json:
        for one in found:
            for detail in one.details:
                print(f"{one.uid}: {detail}")
    return int(any(one.state in ("missing", "differs") for one in found))


def _verify(args: argparse.Namespace) -> int:
    """1 where anything is missing, differs or is refused; a panel that finds nothing is only told."""
    from dashboards.refusals import PushError
    from dashboards.verify import verify

    try:
        found = verify(_settings(args))
    except PushError as error:
        print(f"bongsu grafana verify: {error}", file=sys.stderr)
        return 1
    print_rows([asdict(one) for one in found], args.json, empty="nothing was verified")
    return int(any(one.is_wrong for one in found))


def _settings(args: argparse.Namespace) -> PushSettings:
    """Raises PushError where a token's file holds none."""
    from dashboards.door import PushSettings
    from dashboards.selectors import PAGES_URL

    source = None if args.source_token_file is None else _token(args.source_token_file, "brt_…, as bongsu api-token")
    return PushSettings(
        args.url,
        _token(args.token_file, "glsa_…, as Grafana"),
        args.datasource_url,
        args.ca_file,
        pages_url=args.pages_url or PAGES_URL,
        source_token=source,
    )


def _token(file: Path, such_as: str) -> str:
    from dashboards.refusals import PushError

    try:
        token = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise PushError(f"cannot read the token in {file}: {getattr(error, 'strerror', None) or error}") from error
    if not token or any(letter.isspace() or not letter.isascii() for letter in token):
        raise PushError(f"{file} holds no token: expected one line, such as {such_as} showed it")
    return token
