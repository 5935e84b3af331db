"""Style, script and fonts, served by ourselves under ``/static/<version>/<name>``.

The version is one hash over all files, so a browser may keep a file for ever, a changed file has a new address, and
files that name each other by relative path (modules, fonts in a style sheet) stay together.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

FOLDER = Path(__file__).parent / "static"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}
PACKED = {".css", ".js", ".svg", ".txt"}


@dataclass(frozen=True, slots=True)
class Asset:
    type: str
    body: bytes
    packed: bytes | None
    """The same by gzip, where that is smaller."""


class Assets:
    """The files below a folder. Only these names are ever opened; a path from outside is a key, not a path."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder
        self._read: dict[str, Asset] = {}

    @cached_property
    def files(self) -> Mapping[str, Path]:
        return {
            path.relative_to(self._folder).as_posix(): path
            for path in sorted(self._folder.rglob("*"))
            if path.is_file() and path.suffix in TYPES
        }

    @cached_property
    def version(self) -> str:
        digest = hashlib.sha256()
        for name, path in self.files.items():
            digest.update(name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()[:12]

    @property
    def has_vendor(self) -> bool:
        """Whether the build has brought the files from npm; without them pages show tables instead of plots."""
        return "vendor/uplot/uPlot.esm.js" in self.files

    def url(self, name: str) -> str:
        assert name in self.files, name
        return f"/static/{self.version}/{name}"

    def get(self, name: str) -> Asset | None:
        """A file's bytes, read once and kept; None where there is no such file."""
        known = self._read.get(name)
        path = self.files.get(name)
        if known is not None or path is None:
            return known
        body = path.read_bytes()
        packed = gzip.compress(body, 9, mtime=0) if path.suffix in PACKED else None
        asset = Asset(TYPES[path.suffix], body, packed if packed and len(packed) < len(body) else None)
        self._read[name] = asset
        return asset
