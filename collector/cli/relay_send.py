"""``bongsu relay-send FOLDER|URL``: in the internet's zone, send the pages that a closed network's collector wrote into a folder,
or has ready to be fetched."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path

from agent.link.clock import SystemClock
from collector.cli.options import Verbs, settings_of, verb
from collector.errors import UsageError
from collector.pages.door import Door
from collector.pages.relay_box import FolderBox, HttpBox
from collector.pages.relay_send import FAILED, NOT_OURS, SENT, Relay
from collector.pages.senders import made
from collector.pages.senders.base import SendError


def add(verbs: Verbs[argparse.ArgumentParser]) -> None:
    parser = verb(
        verbs,
        "relay-send",
        "send the pages that a collector in a closed network wrote into a folder, or has ready to be fetched",
        "bongsu relay-send /srv/outbox --secret-file /etc/bongsu/relay.key --config relay.toml --every 5",
        json=True,
    )
    parser.add_argument(
        "where", metavar="FOLDER|URL", help="where the collector's outbox is carried to, or the collector's address"
    )
    parser.add_argument("--ca-file", default="", metavar="FILE", help="the authority of the collector's certificate")
    parser.add_argument(
        "--secret-file", type=Path, required=True, metavar="FILE", help="the secret of the collector's relay channel"
    )
    parser.add_argument(
        "--every", type=float, metavar="SECONDS", help="look again and again (default: look once, then end)"
    )


def run(args: argparse.Namespace) -> int:
    """1 where a page failed for good, or a file is not signed by the collector."""
    settings = settings_of(args)
    clock = SystemClock()
    door = Door(settings.outbound)
    senders = {one.name: made(settings, one, door, clock) for one in settings.channels if one.kind != "relay"}
    if not senders:
        raise UsageError("no [[channels]] in the settings: the relay needs those it sends by (--config FILE)")
    is_url = "://" in args.where
    if not is_url and not Path(args.where).is_dir():
        raise UsageError(f"{args.where}: no such folder")
    try:
        key = args.secret_file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as why:
        raise UsageError(f"{args.secret_file}: cannot be read: {why}") from why
    if not key:
        raise UsageError(f"{args.secret_file}: is empty")
    box = HttpBox(args.where, senders, key, door, clock, args.ca_file) if is_url else FolderBox(Path(args.where), key)
    relay = Relay(box, senders, clock)
    while True:
        counts = _look(relay, args.json)
        if not args.every:
            return int(bool(counts[FAILED] or counts[NOT_OURS]))
        time.sleep(args.every)


def _look(relay: Relay, as_json: bool) -> Counter[str]:
    try:
        counts = relay.step()
    except (OSError, SendError, ValueError) as why:
        print(f"bongsu relay-send: {why}", file=sys.stderr, flush=True)
        return Counter({FAILED: 1})
    if as_json:
        print(json.dumps(counts), flush=True)
    elif counts[SENT] or counts[FAILED] or counts[NOT_OURS]:
        print(", ".join(f"{count} {state}" for state, count in sorted(counts.items())), flush=True)
    if relay.last_error:
        print(f"bongsu relay-send: {relay.last_error}", file=sys.stderr, flush=True)
        relay.last_error = ""
    return counts
