"""Progress: bars with rate and ETA at a terminal, plain lines elsewhere, nothing when quiet."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from rich.console import Console

EVERY = 10.0
"""Seconds between plain lines."""


@dataclass(slots=True)
class Task:
    """Progress of one model in one scenario."""

    owner: Progress
    label: str
    total: int
    done: int = 0
    cached: int = 0
    handle: Any = None
    started: float = field(default_factory=time.monotonic)

    @property
    def rate(self) -> float:
        """Cases a second, those answered before not counted."""
        return (self.done - self.cached) / max(time.monotonic() - self.started, 1e-9)

    def advance(self, n: int = 1, *, cached: bool = False) -> None:
        """Count finished cases."""
        self.done += n
        if cached:
            self.cached += n
        self.owner.show(self)


class Progress(AbstractContextManager["Progress"]):
    """What the user sees while a run is played.

    Parameters
    ----------
    console
        Where to write; None shows nothing.
    """

    def __init__(self, console: Console | None) -> None:
        self.console = console
        self._bars: Any = None
        self._spoke = time.monotonic()

    def __enter__(self) -> Self:
        if self.console is not None and self.console.is_terminal:
            from rich import progress

            self._bars = progress.Progress(
                progress.TextColumn("{task.description}"),
                progress.BarColumn(bar_width=24),
                progress.MofNCompleteColumn(),
                progress.TextColumn("{task.fields[rate]}"),
                progress.TimeRemainingColumn(compact=True),
                console=self.console,
                transient=True,
                refresh_per_second=8,
            )
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bars is not None:
            self._bars.stop()

    def task(self, label: str, total: int) -> Task:
        """Begin a line of progress."""
        task = Task(self, label, total)
        if self._bars is not None:
            task.handle = self._bars.add_task(label, total=total, rate="")
        return task

    def note(self, sentence: str) -> None:
        """Say something in passing."""
        if self.console is not None:
            self.console.print(sentence, markup=False, highlight=False)

    def show(self, task: Task) -> None:
        """Bring the display up to date."""
        now = time.monotonic()
        if self._bars is not None:
            self._bars.update(task.handle, completed=task.done, rate=f"{task.rate:,.0f}/s")
        elif self.console is not None and now - self._spoke >= EVERY:
            self._spoke = now
            left = (task.total - task.done) / max(task.rate, 1e-9)
            self.note(
                f"{task.label}: {task.done:,} of {task.total:,}, {task.rate:,.0f}/s, about {left:,.0f} s left"
            )
