"""Sets of sequence numbers as sorted, disjoint, closed ranges ``[[a, b], …]``.

Delivery is newest first, so one watermark cannot say what is held; a few ranges can (as TCP SACK does).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

Range = tuple[int, int]


class Ranges:
    """A mutable set of positive integers kept as closed ranges. Adding is O(log n) plus what it merges."""

    __slots__ = ("_ends", "_starts")

    def __init__(self, ranges: Iterable[Iterable[int]] = ()) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for first, last in ranges:
            self.add(first, last)

    def add(self, first: int, last: int | None = None) -> None:
        """Add ``first..last`` (one number where ``last`` is left out). Raises ValueError where last < first or first < 1."""
        last = first if last is None else last
        if first < 1 or last < first:
            raise ValueError(f"range [{first}, {last}]: expected 1 <= first <= last")
        starts, ends = self._starts, self._ends
        if ends and ends[-1] == first - 1:  # the common case: the next number of a growing range
            ends[-1] = last
            return
        low = bisect_left(ends, first - 1)
        high = bisect_right(starts, last + 1)
        if low < high:
            first = min(first, starts[low])
            last = max(last, ends[high - 1])
        starts[low:high] = [first]
        ends[low:high] = [last]

    def remove(self, first: int, last: int) -> None:
        """Take ``first..last`` out, whatever of it is in."""
        low = bisect_left(self._ends, first)
        high = bisect_right(self._starts, last)
        kept = [
            (a, b)
            for start, end in zip(self._starts[low:high], self._ends[low:high], strict=True)
            for a, b in ((start, min(end, first - 1)), (max(start, last + 1), end))
            if a <= b
        ]
        self._starts[low:high] = [a for a, _ in kept]
        self._ends[low:high] = [b for _, b in kept]

    def __contains__(self, number: int) -> bool:
        at = bisect_left(self._ends, number)
        return at < len(self._starts) and self._starts[at] <= number

    def around(self, number: int) -> Range | None:
        """The range that ``number`` is in, None where it is in none."""
        at = bisect_left(self._ends, number)
        return (self._starts[at], self._ends[at]) if at < len(self._starts) and self._starts[at] <= number else None

    def covers(self, first: int, last: int) -> bool:
        """Whether every number of ``first..last`` is in."""
        at = bisect_left(self._ends, first)
        return at < len(self._starts) and self._starts[at] <= first and last <= self._ends[at]

    def gaps(self, first: int, last: int) -> list[Range]:
        """The ranges of ``first..last`` that are not in."""
        missing: list[Range] = []
        at = first
        starts, ends = self._starts, self._ends
        for place in range(bisect_left(ends, first), len(starts)):
            start = starts[place]
            if start > last:
                break
            if start > at:
                missing.append((at, start - 1))
            at = ends[place] + 1
        if at <= last:
            missing.append((at, last))
        return missing

    def shared(self, ranges: Iterable[Range]) -> Iterator[Range]:
        """What of these ranges is in."""
        starts, ends = self._starts, self._ends
        for first, last in ranges:
            for at in range(bisect_left(ends, first), bisect_right(starts, last)):
                yield max(starts[at], first), min(ends[at], last)

    def __iter__(self) -> Iterator[Range]:
        return iter(zip(self._starts, self._ends, strict=True))

    def __len__(self) -> int:
        """How many ranges (not numbers)."""
        return len(self._starts)

    def __bool__(self) -> bool:
        return bool(self._starts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ranges) and self._starts == other._starts and self._ends == other._ends

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Ranges({self.as_lists()})"

    @property
    def count(self) -> int:
        """How many numbers are in."""
        return sum(self._ends) - sum(self._starts) + len(self._starts)

    @property
    def last(self) -> int:
        """The largest number in, 0 for an empty set."""
        return self._ends[-1] if self._ends else 0

    def as_lists(self) -> list[list[int]]:
        return [[a, b] for a, b in self]

    def copy(self) -> Ranges:
        twin = Ranges()
        twin._starts, twin._ends = self._starts[:], self._ends[:]
        return twin
