"""Logging: constant past-tense text plus fields, for people (``text``) or programs (``json``), on standard error.

    log.info("topology was applied", extra={"sites": 24, "hosts": 180})

    2026-11-22T08:00:00.123Z INFO    collector.fleet: topology was applied sites=24 hosts=180
    {"at": "2026-11-22T08:00:00.123Z", "level": "info", "logger": "collector.fleet", "text": "topology was applied", …}

Under systemd the lines go to the journal as they are.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

from collector.settings import LogSettings

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message", "taskName"}


def set_up(settings: LogSettings, stream: TextIO | None = None) -> None:
    """Send every logger's lines to ``stream`` (standard error) in the chosen form. Call once, when a program starts."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if settings.format == "json" else TextFormatter())
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(settings.level.upper())
    for chatty in ("alembic", "apscheduler", "paramiko", "uvicorn.access", "uvicorn.error"):  # the last: all of uvicorn
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """What was passed as ``extra``."""
    return {key: value for key, value in vars(record).items() if key not in _OWN}


def _at(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class TextFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = "".join(f" {key}={_shown(value)}" for key, value in fields_of(record).items())
        line = f"{_at(record)} {record.levelname:<7} {record.name}: {_one_line(record.getMessage())}{fields}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, Any] = {
            "at": _at(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "text": record.getMessage(),
        }
        if record.exc_info:
            said["traceback"] = self.formatException(record.exc_info)
        return json.dumps(fields_of(record) | said, ensure_ascii=False, default=str)


def _shown(value: Any) -> str:
    text = _one_line(str(value))
    return json.dumps(text, ensure_ascii=False) if " " in text or "=" in text or not text else text


def _one_line(text: str) -> str:
    """A peer's text must not be able to forge a line of its own."""
    return text.replace("\n", "\\n").replace("\r", "\\r")
