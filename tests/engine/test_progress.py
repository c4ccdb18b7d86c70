"""What the user sees while a run is played."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from rich.console import Console

from genrec_eval.core.secrets import expand
from genrec_eval.engine import progress as module
from genrec_eval.engine.progress import Progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    now = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    yield now
    monkeypatch.undo()


def lines(out: io.StringIO) -> list[str]:
    return out.getvalue().splitlines()


def test_plain_lines_begin_and_end_at_once_and_come_for_every_model(clock: list[float]) -> None:
    out = io.StringIO()
    with Progress(Console(file=out, width=200)) as progress:
        slow, slower = progress.task("top-k · slow", 100), progress.task("top-k · slower", 100)
        for _ in range(30):
            clock[0] += 1
            slow.advance(2)
            slower.advance()
        slow.advance(40)
    assert lines(out) == [
        "top-k · slow: 100 cases",
        "top-k · slower: 100 cases",
        "top-k · slow: 20 of 100, 2/s, about 40 s left",
        "top-k · slower: 10 of 100, 1/s, about 90 s left",
        "top-k · slow: 40 of 100, 2/s, about 30 s left",
        "top-k · slower: 20 of 100, 1/s, about 80 s left",
        "top-k · slow: 60 of 100, 2/s, about 20 s left",
        "top-k · slower: 30 of 100, 1/s, about 70 s left",
        "top-k · slow: all 100, 3.3/s",
    ]


def test_what_is_over_at_once_has_one_line_unless_something_failed(clock: list[float]) -> None:
    out = io.StringIO()
    with Progress(Console(file=out, width=200)) as progress:
        for name, failed in (("fast", 0), ("faulty", 3)):
            task = progress.task(name, 10)
            clock[0] += 0.5
            task.advance(10, failed=failed)
    assert lines(out) == ["fast: 10 cases", "faulty: 10 cases", "faulty: all 10, 3 failed, 20/s"]


def test_after_a_resume_the_rate_is_that_of_fresh_cases(clock: list[float]) -> None:
    out = io.StringIO()
    with Progress(Console(file=out, width=200)) as progress:
        task = progress.task("m", 1000)
        clock[0] += 11
        task.advance(500, cached=True)
        clock[0] += 10
        task.advance(100)
    assert lines(out)[1:] == [
        "m: 500 of 1,000, 500 from before",
        "m: 600 of 1,000, 500 from before, 10/s, about 40 s left",
    ]


def test_a_terminal_gets_bars_and_quiet_gets_nothing(clock: list[float]) -> None:
    out = io.StringIO()
    with Progress(Console(file=out, width=100, force_terminal=True)) as progress:
        task = progress.task("top-k · [m]", 10)
        clock[0] += 1
        task.advance(5)
        progress._bars.refresh()
    assert "top-k · [m]" in out.getvalue()
    assert "5/s, about 1 s left" in out.getvalue()
    with Progress(None) as silent:
        silent.note("nothing")
        silent.task("m", 1).advance()


def test_a_note_holds_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", "sk-very-secret")
    out = io.StringIO()
    Progress(Console(file=out)).note(f"refused {expand('${env:TEST_KEY}')}")
    assert out.getvalue() == "refused ${env:TEST_KEY}\n"


def test_failures_are_told_beside_the_count() -> None:
    out = io.StringIO()
    with Progress(Console(file=out, width=200)) as progress:
        task = progress.task("top-k · mine", 59)
        task.advance(50, failed=50)
        task.advance(9, failed=8)
    assert "top-k · mine: all 59, 58 failed, " in out.getvalue()
