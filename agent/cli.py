"""The command ``bongsu-agent``. Exit 0 = done, 1 = not done or something found, 2 = called wrongly.

Modules are imported by the verb that needs them; ``run`` also spares itself the parser, for its start is measured.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from agent.config import AgentConfig

DONE, FAILED, WRONG = 0, 1, 2


def main(argv: list[str] | None = None) -> int:
    words = sys.argv[1:] if argv is None else argv
    plain = _plain_run(words)
    if plain is not None:
        return _run(*plain)
    try:
        said = _parser().parse_args(words)
    except SystemExit as stop:
        return int(stop.code or 0)
    try:
        return int(said.verb(said))
    except BrokenPipeError:
        return DONE


def _plain_run(words: list[str]) -> tuple[str, str] | None:
    """(config, data) of a plain ``run``; None for everything the parser should see."""
    if not words or words[0] != "run" or len(words) % 2 == 0:
        return None
    options = dict(zip(words[1::2], words[2::2], strict=True))
    if not set(options) <= {"--config", "--data"}:
        return None
    return options.get("--config", ""), options.get("--data", "")


def _complain(text: object) -> int:
    print(f"bongsu-agent: {text}", file=sys.stderr)
    return FAILED


def _settings(config: str, data: str) -> tuple[AgentConfig, Path]:
    """Raises ConfigError."""
    from agent.config import load_config

    settings = load_config(Path(config) if config else None)
    return settings, Path(data) if data else settings.data_dir


# ---------------------------------------------------------------- verbs


def _run(config: str, data: str) -> int:
    import gc

    gc.disable()  # while modules are loaded nothing is garbage; the runtime turns it on after the first report
    from agent.config import ConfigError
    from agent.identity import IdentityError, load_identity

    try:
        settings, data_dir = _settings(config, data)
        identity = load_identity(data_dir)
    except (ConfigError, IdentityError) as why:
        return _complain(why)
    import logging

    from agent.link.spool import SpoolError
    from agent.runtime import AlreadyRunning, Runtime

    logging.basicConfig(stream=sys.stderr, level=settings.log_level.upper(), format="%(levelname)s %(message)s")
    try:
        runtime = Runtime(settings, data_dir, identity)
    except (SpoolError, AlreadyRunning, OSError) as why:
        return _complain(why)
    return DONE if runtime.run() else FAILED


def _enroll(said: Namespace) -> int:
    from agent.config import ConfigError
    from agent.enroll import EnrolError, enrol
    from agent.link.clock import SystemClock

    if said.rotate:
        return _rotate(said)
    try:
        token = said.token or _secret("BONGSU_TOKEN")
        if not token:
            return _complain("enroll: no join token: expected --token TOKEN, BONGSU_TOKEN or BONGSU_TOKEN_FILE")
        _, data_dir = _settings(said.config, said.data)
        known = enrol(token, said.name, data_dir, SystemClock())
    except (ConfigError, EnrolError, OSError) as why:
        return _complain(f"not enrolled: {why}")
    if said.json:
        return _print_json({"agent_id": known.agent_id, "site": known.site, "hosts": known.hosts, "hub": known.hub})
    print(f"Enrolled at site {known.site} as {known.hosts[0]} (agent {known.agent_id}).")
    print(f"Start it with: bongsu-agent run --data {data_dir}")
    return DONE


def _rotate(said: Namespace) -> int:
    from agent.config import ConfigError
    from agent.link.clock import SystemClock
    from agent.rotate import RotateError, rotate

    try:
        _, data_dir = _settings(said.config, said.data)
        number = rotate(data_dir, SystemClock())
    except (ConfigError, RotateError) as why:
        return _complain(f"key not rotated: {why}")
    if said.json:
        return _print_json({"key_no": number})
    print(f"Key {number} is in force; a running agent takes it with its next report.")
    return DONE


def _export(said: Namespace) -> int:
    """The same process as ``run``, with files in place of a collector."""
    from agent.config import ConfigError
    from agent.identity import IdentityError, load_identity
    from agent.link.spool import SpoolError

    try:
        settings, data_dir = _settings(said.config, said.data)
        directory = str(Path(said.dir).absolute())
        settings = settings._replace(one_way=settings.one_way._replace(directory=directory))
        identity = load_identity(data_dir)
    except (ConfigError, IdentityError) as why:
        return _complain(why)
    import logging

    from agent.runtime import AlreadyRunning, Runtime

    logging.basicConfig(stream=sys.stderr, level=settings.log_level.upper(), format="%(levelname)s %(message)s")
    try:
        runtime = Runtime(settings, data_dir, identity)
    except (SpoolError, AlreadyRunning, OSError) as why:
        return _complain(f"export {directory}: {why}: expected a directory this user may write")
    if not said.once:
        return DONE if runtime.run() else FAILED
    written = runtime.once()
    print("\n".join(written))
    return DONE if written else FAILED


def _secret(name: str) -> str:
    """A secret from the file that NAME_FILE names, else from the environment. Raises OSError."""
    file = os.environ.get(f"{name}_FILE", "")
    return Path(file).read_text("utf-8").strip() if file else os.environ.get(name, "")


def _check(said: Namespace) -> int:
    from agent.checkup import CheckupError, as_table, look
    from agent.config import ConfigError

    try:
        settings, _ = _settings(said.config, said.data)
        outcomes = look(settings, said.name, said.target)
    except (ConfigError, CheckupError) as why:
        return _complain(why)
    if said.json:
        _print_json([outcome.as_json() for outcome in outcomes])
    else:
        print(as_table(outcomes, with_samples=bool(said.name)))
    return FAILED if any(outcome.is_bad for outcome in outcomes) else DONE


def _status(said: Namespace) -> int:
    from agent.config import ConfigError
    from agent.link.clock import SystemClock
    from agent.status import describe, is_running, read_status

    try:
        _, data_dir = _settings(said.config, said.data)
    except ConfigError as why:
        return _complain(why)
    status = read_status(data_dir)
    if status is None:
        return _complain(f"{data_dir / 'status.json'}: not there; expected a running agent. Run: bongsu-agent doctor")
    runs = is_running(status)
    if said.json:
        import msgspec

        _print_json({"running": runs, **msgspec.structs.asdict(status)})
    else:
        print(describe(status, runs, SystemClock().wall_ms()))
    return DONE if runs else FAILED


def _doctor(said: Namespace) -> int:
    from agent.config import ConfigError
    from agent.doctor import examine

    try:
        settings, data_dir = _settings(said.config, said.data)
    except ConfigError as why:
        return _complain(why)
    findings = examine(settings, data_dir)
    if said.json:
        _print_json(findings)
    else:
        for finding in findings:
            print(f"{finding.id}  {'ok  ' if finding.is_ok else 'FAIL'}  {finding.subject}: {finding.text}")
            if finding.hint:
                print(f"            {finding.hint}")
    return DONE if all(finding.is_ok for finding in findings) else FAILED


def _unit(_: Namespace) -> int:
    from agent.unit import UNIT

    sys.stdout.write(UNIT)
    return DONE


def _print_json(value: Any) -> int:
    import msgspec

    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
    return DONE


# ---------------------------------------------------------------- the parser


def _parser() -> ArgumentParser:
    import argparse

    def verb(name: str, run: Any, summary: str, example: str, *, has_json: bool = True) -> ArgumentParser:
        parser = verbs.add_parser(
            name,
            help=summary,
            description=summary,
            epilog=f"example: {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.add_argument(
            "--config", default="", metavar="FILE", help="default: /etc/bongsu/agent.toml if it is there"
        )
        parser.add_argument("--data", default="", metavar="DIR", help="default: data_dir of the configuration")
        if has_json:
            parser.add_argument("--json", action="store_true", help="print JSON")
        parser.set_defaults(verb=run)
        return parser

    whole = argparse.ArgumentParser(
        prog="bongsu-agent",
        description="Watches this machine, and others over SSH, and reports to collectors.",
        epilog="example: bongsu-agent enroll --token bongsu1.… && bongsu-agent run",
    )
    verbs = whole.add_subparsers(required=True, metavar="VERB")
    verb(
        "run",
        lambda said: _run(said.config, said.data),
        "Report until told to stop.",
        "bongsu-agent run --data /var/lib/bongsu-agent",
        has_json=False,
    )
    enroll = verb("enroll", _enroll, "Join a site with a token, or rotate the key.",
                  "bongsu-agent enroll --token bongsu1.…   or   bongsu-agent enroll --rotate")  # fmt: skip
    enroll.add_argument("--token", default="", help="join token; also BONGSU_TOKEN or the file BONGSU_TOKEN_FILE names")
    enroll.add_argument("--name", default="", help="short name of this host; default: the machine's own")
    enroll.add_argument("--rotate", action="store_true", help="make a new key for an agent that is enrolled already")
    check = verb("check", _check, "Run checks once and print what they say.", "bongsu-agent check memory")
    check.add_argument("name", nargs="?", default="", help="one check; default: all")
    check.add_argument("--target", default="", metavar="HOST", help="a host of [[targets]] instead of this machine")
    verb("status", _status, "Say how the running agent is.", "bongsu-agent status --json")
    verb("doctor", _doctor, "Look for what could be wrong.", "bongsu-agent doctor")
    export = verb(
        "export", _export, "Write signed files into a directory instead of sending (one-way mode).",
        "bongsu-agent export /media/usb --once", has_json=False,
    )  # fmt: skip
    export.add_argument(
        "dir", metavar="DIR", help="where the files go; it must be there. As a service: [one_way] of agent.toml"
    )
    export.add_argument("--once", action="store_true", help="one report and what waits in the spool, then end")
    verb("unit", _unit, "Print a systemd unit.", "bongsu-agent unit > /etc/systemd/system/bongsu-agent.service",
         has_json=False)  # fmt: skip
    return whole


if __name__ == "__main__":
    sys.exit(main())
