"""Lists over HTTP: ``{"items": […], "next": …}``, at most ``limit`` at a time, in order of their key.

``next`` is the key to ask on from (``?after=…``), or null at the end: keys move nothing when rows come and go, numbers of
pages would.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel

Item = TypeVar("Item", bound=BaseModel)
MOST = 1_000

Limit = Annotated[int, Query(ge=1, le=MOST, description="How many at most")]
After = Annotated[str, Query(max_length=200, description="`next` of the answer before; empty = from the start")]


class Page(BaseModel, Generic[Item]):
    items: list[Item]
    next: str | None


def page(items: Sequence[Item], keys: Sequence[str], limit: int) -> Page[Item]:
    """``items`` and their keys, of which one more than ``limit`` were asked for to see whether there is more."""
    has_more = len(items) > limit
    return Page(items=list(items[:limit]), next=keys[limit - 1] if has_more else None)
