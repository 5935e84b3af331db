"""A query as it will be evaluated: a tree of frozen nodes. Whatever is a node here is understood."""

from __future__ import annotations

from dataclasses import dataclass

from collector.history.matchers import Matchers

SCALAR, VECTOR, MATRIX, STRING = "scalar", "vector", "matrix", "string"
TYPE_WORDS = {SCALAR: "scalar", VECTOR: "instant vector", MATRIX: "range vector", STRING: "string"}

RANGE_FUNCTIONS = frozenset(
    [
        "rate",
        "irate",
        "increase",
        "delta",
        "changes",
        "predict_linear",
        "avg_over_time",
        "min_over_time",
        "max_over_time",
        "sum_over_time",
        "count_over_time",
        "last_over_time",
        "quantile_over_time",
    ]
)
"""Functions of a range vector."""
PLAIN_FUNCTIONS = frozenset(
    ["absent", "clamp_min", "clamp_max", "time", "timestamp", "vector", "scalar", "label_replace"]
)
FUNCTIONS = RANGE_FUNCTIONS | PLAIN_FUNCTIONS
AGGREGATIONS = frozenset(["sum", "min", "max", "avg", "count", "topk"])
ARITHMETIC = frozenset(["+", "-", "*", "/", "%", "^"])
COMPARISONS = frozenset(["==", "!=", ">", "<", ">=", "<="])
SETS = frozenset(["and", "or", "unless"])


@dataclass(frozen=True, slots=True)
class Node:
    text: str
    """The part of the query, as the parser writes it: for messages."""

    @property
    def type(self) -> str:
        return VECTOR


@dataclass(frozen=True, slots=True)
class Number(Node):
    value: float

    @property
    def type(self) -> str:
        return SCALAR


@dataclass(frozen=True, slots=True)
class Text(Node):
    value: str

    @property
    def type(self) -> str:
        return STRING


@dataclass(frozen=True, slots=True)
class Selector(Node):
    """An instant selector, or with ``range_ms`` a range selector."""

    matchers: Matchers
    offset_ms: int = 0
    range_ms: int | None = None

    @property
    def type(self) -> str:
        return VECTOR if self.range_ms is None else MATRIX


@dataclass(frozen=True, slots=True)
class Call(Node):
    name: str
    args: tuple[Node, ...]

    @property
    def type(self) -> str:
        return SCALAR if self.name in ("time", "scalar") else VECTOR


@dataclass(frozen=True, slots=True)
class Aggregation(Node):
    op: str
    of: Node
    labels: tuple[str, ...]
    is_without: bool
    count: Node | None = None
    """How many, for topk."""


@dataclass(frozen=True, slots=True)
class Negation(Node):
    of: Node

    @property
    def type(self) -> str:
        return self.of.type


@dataclass(frozen=True, slots=True)
class Matching:
    """How the two sides of an operator find each other. ``many`` is the side that may have several: "", left, right."""

    labels: tuple[str, ...] = ()
    is_on: bool = False
    many: str = ""
    include: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Binary(Node):
    op: str
    left: Node
    right: Node
    is_bool: bool
    matching: Matching

    @property
    def type(self) -> str:
        return SCALAR if self.left.type == self.right.type == SCALAR else VECTOR


def selectors(node: Node) -> list[Selector]:
    """Every selector of a query, in reading order."""
    if isinstance(node, Selector):
        return [node]
    if isinstance(node, Call):
        return [one for arg in node.args for one in selectors(arg)]
    if isinstance(node, Aggregation):
        return [*(selectors(node.count) if node.count is not None else []), *selectors(node.of)]
    if isinstance(node, Negation):
        return selectors(node.of)
    if isinstance(node, Binary):
        return [*selectors(node.left), *selectors(node.right)]
    return []
