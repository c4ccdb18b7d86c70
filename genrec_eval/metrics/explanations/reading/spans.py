"""Stretches of a text, to be looked up by place."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable


class Spans:
    """Stretches of a text that are spoken for, in the order of the text."""

    def __init__(self, spans: Iterable[tuple[int, int]]) -> None:
        self.spans = sorted(spans)
        self.starts = [start for start, _ in self.spans]

    def holds(self, start: int, end: int) -> bool:
        """Whether a stretch overlaps one of them."""
        at = bisect_right(self.starts, end - 1) - 1
        return at >= 0 and self.spans[at][1] > start

    def first(self, start: int, end: int) -> int | None:
        """Where the first of them begins that overlaps a stretch."""
        return next((left for left, right in self.spans if left < end and start < right), None)

    def add(self, start: int, end: int) -> None:
        """One more."""
        at = bisect_right(self.starts, start)
        self.spans.insert(at, (start, end))
        self.starts.insert(at, start)
