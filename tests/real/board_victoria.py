"""A VictoriaMetrics that scrapes by our configuration, with vmalert for our rules: the other store boards may ask."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from board_prometheus import ALERTS, CONFIG, RULES, hurried
from real import require
from stores import Program, free_port


@contextmanager
def victoria_over(address: str, folder: Path, every: str) -> Iterator[str]:
    (folder / "rules").mkdir(parents=True)
    for path in (*sorted(ALERTS.glob("*.yaml")), RULES):
        text = hurried(path.read_text(encoding="utf-8"), address, every)
        # Debian's vmalert is older than this key; newer ones know it.
        text = re.sub(r"^\s*keep_firing_for: .*\n", "", text, flags=re.MULTILINE)
        (folder / "rules" / path.name).write_text(text)
    scraping = hurried(CONFIG.read_text(encoding="utf-8"), address, every)
    (folder / "scrape.yml").write_text(scraping)
    url, alert_url = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    store = Program(
        [
            require("victoria-metrics"),
            f"-storageDataPath={folder / 'data'}",
            f"-httpListenAddr={url.removeprefix('http://')}",
            f"-promscrape.config={folder / 'scrape.yml'}",
            "-promscrape.config.strictParse=false",  # the file is Prometheus' own, with what only that knows
            "-promscrape.httpSDCheckInterval=5s",
            "-search.latencyOffset=1s",
            "-retentionPeriod=1y",
        ],
        url,
        "/health",
        folder / "store.log",
    )
    alerts = Program(
        [
            require("vmalert"),
            f"-rule={folder / 'rules'}/*.yaml",
            f"-datasource.url={url}",
            f"-remoteWrite.url={url}",
            f"-remoteRead.url={url}",
            "-notifier.url=http://127.0.0.1:9",  # nobody: alerts are looked at, not sent
            "-remoteWrite.flushInterval=1s",
            f"-evaluationInterval={every}",
            f"-httpListenAddr={alert_url.removeprefix('http://')}",
        ],
        alert_url,
        "/health",
        folder / "alerts.log",
    )
    store.start()
    try:
        alerts.start()
        try:
            yield url
        finally:
            alerts.stop()
    finally:
        store.stop()
