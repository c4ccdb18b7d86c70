"""The executor for models that answer one request at a time: many cases in flight."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator

import numpy as np

from genrec_eval.engine.exchange import Exchanger, Stopped
from genrec_eval.engine.progress import Task
from genrec_eval.engine.records import RecordWriter
from genrec_eval.protocol.model import Translator
from genrec_eval.protocol.requests import Request
from genrec_eval.protocol.responses import Answer
from genrec_eval.scenarios.base import Case, Prepared, Scenario

_SLICE = 1024


def cases_at(prepared: Prepared, rows: np.ndarray) -> Iterator[Case]:
    """The cases at ``rows``, made as they are needed."""
    for start in range(0, len(rows), _SLICE):
        some = rows[start : start + _SLICE]
        table = prepared.cases.select(["case", "unit", "arm"]).take(some)
        columns = [table.column(name).to_pylist() for name in ("case", "unit", "arm")]
        for row, case, unit, arm in zip(some.tolist(), *columns, strict=True):
            yield Case(id=case, unit=unit, arm=arm, row=row)


async def play_cases(
    scenario: Scenario,
    prepared: Prepared,
    rows: np.ndarray,
    exchanger: Exchanger,
    translator: Translator | None,
    writer: RecordWriter,
    repeats: int,
    task: Task,
) -> str | None:
    """Play every case ``repeats`` times; return why it stopped early, or None.

    Independent samples of a case are cases of their own to the engine: the repeat index is part of
    the key, so the second is never served from the first.
    """
    work = itertools.product(cases_at(prepared, rows), range(repeats))
    stopped: str | None = None

    async def play_one(case: Case, repeat: int) -> None:
        intended = time.time()
        steps = itertools.count()

        async def ask(request: Request) -> Answer:
            step = next(steps)
            sent = request if translator is None else translator.translate(request)
            answer, exchange, cached = await exchanger.ask(sent, repeat)
            if translator is not None:
                answer = translator.interpret(request, answer)
            writer.add(case, repeat, step, request, answer, exchange, cached, intended)
            return answer

        await scenario.play(prepared, case, ask)

    async def worker() -> None:
        nonlocal stopped
        for case, repeat in work:
            if stopped is not None:
                return
            cached_before = exchanger.tally.cached
            try:
                await play_one(case, repeat)
            except Stopped as stop:
                stopped = str(stop)
                return
            task.advance(cached=exchanger.tally.cached > cached_before)

    places = min(exchanger.limiter.most, exchanger.model.concurrency or exchanger.limiter.most)
    async with asyncio.TaskGroup() as group:
        for _ in range(max(1, min(places, len(rows) * repeats))):
            group.create_task(worker())
    writer.flush()
    return stopped or exchanger.stopped
