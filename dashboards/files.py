"""A folder a Grafana and a Prometheus can read as it is: provisioning, boards and recording rules."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from dashboards.generate import rendered

SOURCE = Path(__file__).parent
SHIPPED_DATASOURCE_URL = "http://127.0.0.1:9090"
SHIPPED_BOARDS_PATH = "/var/lib/grafana/dashboards/bongsu"
CHECKOUT_RULES = ("../../dashboards/prometheus/*.yaml", "../rules/*.yaml")


def tree(
    boards_path: str, datasource_url: str, prometheus_config: str, rules: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Relative path and text of every file. ``boards_path`` is where *Grafana* finds the boards' folder, which differs
    from where it is written when a container mounts it; ``prometheus_config`` is the text of the shipped
    prometheus.yml, which looks for the rules beside itself; ``rules`` are the shipped files of alerts by name."""
    provisioning = SOURCE / "grafana" / "provisioning"
    datasource = (provisioning / "datasources" / "bongsu.yaml").read_text(encoding="utf-8")
    provider = (provisioning / "dashboards" / "bongsu.yaml").read_text(encoding="utf-8")
    return {
        "provisioning/datasources/bongsu.yaml": datasource.replace(
            f"url: {SHIPPED_DATASOURCE_URL}\n", f"url: {_scalar(datasource_url)}\n"
        ),
        "provisioning/dashboards/bongsu.yaml": provider.replace(
            f"path: {SHIPPED_BOARDS_PATH}\n", f"path: {_scalar(boards_path)}\n"
        ),
        **{f"dashboards/{name}": text for name, text in rendered().items()},
        # Beside the rules it needs no second way to them; in a checkout it would load every rule twice.
        "prometheus/prometheus.yml": without_checkout(prometheus_config),
        **{f"prometheus/rules/{name}": text for name, text in (rules or {}).items()},
        "prometheus/rules/bongsu.yaml": (SOURCE / "prometheus" / "rules.yaml").read_text(encoding="utf-8"),
    }


def without_checkout(prometheus_config: str) -> str:
    for pattern in CHECKOUT_RULES:
        prometheus_config = prometheus_config.replace(f"  - {pattern}\n", "")
    return prometheus_config


def write_tree(folder: Path, files: dict[str, str]) -> list[str]:
    """Write files into a folder; the relative paths of those that changed. What else is there stays.

    Raises OSError where a file cannot be written.
    """
    changed = []
    for name, text in files.items():
        path = folder / name
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        changed.append(name)
    return changed


def _scalar(text: str) -> str:
    """A YAML string; ``$`` is doubled because Grafana puts environment variables into these files."""
    return json.dumps(text.replace("$", "$$"), ensure_ascii=False)
