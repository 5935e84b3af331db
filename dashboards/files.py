"""A folder a Grafana and a Prometheus can read as it is: provisioning, boards and recording rules."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dashboards.generate import rendered
from dashboards.selectors import PAGES_URL

SOURCE = Path(__file__).parent
SHIPPED_DATASOURCE_URL = "http://127.0.0.1:9090"
SHIPPED_BOARDS_PATH = "/var/lib/grafana/dashboards/bongsu"
CHECKOUT_RULES = ("../../dashboards/prometheus/*.yaml", "../rules/*.yaml")


@dataclass(frozen=True, slots=True)
class Tenant:
    """An agency with an organisation of its own in Grafana. Folder permissions of Grafana do not narrow a query, so its
    data source is the collector's query API, which the agency's token narrows. ``token_file``: where Grafana's server
    reads that token; it is not copied."""

    agency: str
    org_id: int
    token_file: str


def tree(
    boards_path: str,
    datasource_url: str,
    prometheus_config: str,
    rules: Mapping[str, str] | None = None,
    *,
    pages_url: str = PAGES_URL,
    compose: str = "",
    tenant: Tenant | None = None,
) -> dict[str, str]:
    """Relative path and text of every file. ``boards_path`` is where *Grafana* finds the boards' folder, which differs
    from where it is written when a container mounts it; ``prometheus_config`` is the text of the shipped
    prometheus.yml, which looks for the rules beside itself; ``rules`` are the shipped files of alerts by name. For a
    ``tenant`` only what Grafana reads is written, under the agency's name: several of them share a folder."""
    provisioning = SOURCE / "grafana" / "provisioning"
    datasource = (provisioning / "datasources" / "bongsu.yaml").read_text(encoding="utf-8")
    provider = (provisioning / "dashboards" / "bongsu.yaml").read_text(encoding="utf-8")
    datasource = datasource.replace(f"url: {SHIPPED_DATASOURCE_URL}\n", f"url: {_scalar(datasource_url)}\n")
    provider = provider.replace(f"path: {SHIPPED_BOARDS_PATH}\n", f"path: {_scalar(boards_path)}\n")
    name = "bongsu"
    if tenant is not None:
        name = f"bongsu-{tenant.agency}"
        datasource = _of_tenant(datasource, tenant) + _header(tenant)
        provider = _of_tenant(provider, tenant).replace("- name: bongsu\n", f"- name: {name}\n")
    files = {
        f"provisioning/datasources/{name}.yaml": datasource,
        f"provisioning/dashboards/{name}.yaml": provider,
        **{f"dashboards/{file}": text for file, text in rendered(pages_url).items()},
    }
    if tenant is not None:
        return files
    return {
        **files,
        # Beside the rules it needs no second way to them; in a checkout it would load every rule twice.
        "prometheus/prometheus.yml": without_checkout(prometheus_config),
        **{f"prometheus/rules/{file}": text for file, text in (rules or {}).items()},
        "prometheus/rules/bongsu.yaml": (SOURCE / "prometheus" / "rules.yaml").read_text(encoding="utf-8"),
        **({"compose.yaml": compose} if compose else {}),
    }


def _of_tenant(text: str, tenant: Tenant) -> str:
    return text.replace("orgId: 1\n", f"orgId: {tenant.org_id}\n")


def _header(tenant: Tenant) -> str:
    """What Grafana shows to the query API; it reads the file itself, at its start."""
    return (
        "      httpHeaderName1: Authorization\n"
        "    secureJsonData:\n"
        f'      httpHeaderValue1: "Bearer $__file{{{tenant.token_file}}}"\n'
    )


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
