"""Progress: bars with rate and ETA at a terminal, plain lines elsewhere, nothing when quiet."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from genrec_eval.core.secrets import scrub

if TYPE_CHECKING:
    from rich.console import Console

EVERY = 10.0
"""Seconds between plain lines of one task."""
BRIEF = 1.0
"""Seconds below which a task without incident has no line for its end."""
REDRAW = 0.1
"""Seconds between two looks of a bar at its task: a fast model finishes thousands of cases meanwhile."""


class Interrupted(Exception):
    """A KeyboardInterrupt of another thread, which an event loop would take for its own."""


@dataclass(slots=True)
class Task:
    """Progress of one model in one scenario.

    Attributes
    ----------
    cached
        Cases whose answers came from the journal or a stored part: they tell nothing of the rate.
    failed
        Cases without a usable answer.
    """

    owner: Progress
    label: str
    total: int
    begun: float
    done: int = 0
    cached: int = 0
    failed: int = 0
    handle: Any = None
    shown: float = 0.0

    @property
    def rate(self) -> float | None:
        """Cases a second, those answered before not counted; None before the first."""
        fresh = self.done - self.cached
        return fresh / max(time.monotonic() - self.begun, 1e-3) if fresh else None

    @property
    def pace(self) -> str:
        """Rate and time left, in words; empty before the first case."""
        rate = self.rate
        if rate is None:
            return ""
        said = f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.2g}/s"
        left = (self.total - self.done) / rate
        return said if self.done >= self.total else f"{said}, about {_spell(left)} left"

    def advance(self, n: int = 1, *, cached: bool = False, failed: int = 0) -> None:
        """Count ``n`` finished cases, ``failed`` of which got no usable answer.

        Raises
        ------
        Interrupted
            When the play was interrupted from another thread.
        """
        if self.owner.interrupted:
            raise Interrupted
        if cached and self.cached == self.done:
            self.begun = time.monotonic()  # the clock of the rate starts with the first fresh case
        self.done += n
        self.failed += failed
        if cached:
            self.cached += n
        self.owner.show(self)


class Progress(AbstractContextManager["Progress"]):
    """What the user sees while a run is played.

    Parameters
    ----------
    console
        Where to write; None shows nothing.

    Attributes
    ----------
    interrupted
        Set from another thread to end the play at the next finished case.
    """

    def __init__(self, console: Console | None) -> None:
        self.console = console
        self.interrupted = False
        self._bars: Any = None

    def __enter__(self) -> Self:
        if self.console is not None and self.console.is_terminal:
            from rich import progress

            self._bars = progress.Progress(
                progress.TextColumn("{task.description}", markup=False),
                progress.BarColumn(bar_width=24),
                progress.MofNCompleteColumn(),
                progress.TextColumn("{task.fields[pace]}", markup=False),
                console=self.console,
                transient=True,
                refresh_per_second=8,
            )
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bars is not None:
            self._bars.stop()
            self._bars = None

    def task(self, label: str, total: int, calls: tuple[int, int] = (1, 1)) -> Task:
        """Begin a line of progress.

        Parameters
        ----------
        calls
            Least and most requests for one case.
        """
        now = time.monotonic()
        task = Task(self, label, total, now, shown=now)
        if self._bars is not None:
            task.handle = self._bars.add_task(label, total=total, pace="")
        else:
            self.note(f"{label}: {total:,} cases{each_of(calls)}")
        return task

    def note(self, sentence: str) -> None:
        """Say something in passing."""
        if self.console is not None:
            self.console.print(scrub(sentence), markup=False, highlight=False)

    def show(self, task: Task) -> None:
        """Bring the display up to date."""
        if self.console is None:
            return
        now, finished = time.monotonic(), task.done >= task.total
        if now - task.shown < (EVERY if self._bars is None else REDRAW) and not finished:
            return
        if self._bars is None and finished and now - task.begun < BRIEF and not task.failed + task.cached:
            return  # its first line has said it all
        task.shown = now
        failed = f"{task.failed:,} failed" if task.failed else ""
        if self._bars is not None:
            self._bars.update(task.handle, completed=task.done, pace=_join(failed, task.pace))
            return
        before = f"{task.cached:,} from before" if task.cached else ""
        count = "all" if finished else f"{task.done:,} of"
        self.note(_join(f"{task.label}: {count} {task.total:,}", before, failed, task.pace))


def each_of(calls: tuple[int, int]) -> str:
    """What a case costs, where that is more than one request.

    >>> each_of((1, 1)), each_of((3, 3)), each_of((2, 3))
    ('', ', 3 requests each', ', 2 to 3 requests each')
    """
    least, most = calls
    if most == 1:
        return ""
    return f", {least:,} requests each" if least == most else f", {least:,} to {most:,} requests each"


def _join(*parts: str) -> str:
    return ", ".join(filter(None, parts))


def _spell(seconds: float) -> str:
    """A duration as people say it.

    >>> _spell(42.4), _spell(150), _spell(9000)
    ('42 s', '2 min', '2.5 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
