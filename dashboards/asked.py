"""What a board asks for, as its Grafana would send it with everything chosen (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from dashboards.panel import NONE_OR_NO_VALUE

MACROS = (("${__rate_interval}", "1m"), ("$__rate_interval", "1m"), ("$__interval", "15s"), ("$__range", "6h"))


class Asked(NamedTuple):
    """One query of a panel. ``is_rare``: that it finds nothing is usual."""

    panel: int
    title: str
    ref: str
    expr: str
    is_rare: bool


def asked(board: dict[str, Any]) -> Iterator[Asked]:
    """Every query of every panel, also of those in folded rows."""
    chosen = {each["name"]: each["allValue"] for each in board["templating"]["list"] if each["type"] == "query"}
    rows = (each["panels"] if each["type"] == "row" else [each] for each in board["panels"])
    for panel in (each for row in rows for each in row):
        is_rare = panel["fieldConfig"]["defaults"]["noValue"] == NONE_OR_NO_VALUE
        for target in panel["targets"]:
            expr = without_macros(target["expr"], chosen)
            yield Asked(panel["id"], panel["title"], target["refId"], expr, is_rare)


def without_macros(expr: str, variables: dict[str, str]) -> str:
    """An expression as Prometheus gets it: Grafana's macros and the board's variables filled in."""
    for macro, value in MACROS:
        expr = expr.replace(macro, value)
    for name in sorted(variables, key=len, reverse=True):
        expr = expr.replace(f"${name}", variables[name])
    assert "$" not in expr, f"unknown variable or macro in {expr}"
    return expr
