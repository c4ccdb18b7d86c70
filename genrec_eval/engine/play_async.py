"""The executor for models that answer one request at a time: many cases in flight."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator

import numpy as np

from genrec_eval.core.errors import GenrecError, UsageError
from genrec_eval.engine.exchange import Exchanger, Stopped
from genrec_eval.engine.journal import Exchange
from genrec_eval.engine.progress import Task
from genrec_eval.engine.records import RecordWriter
from genrec_eval.models.python import describe
from genrec_eval.protocol.model import Translator
from genrec_eval.protocol.requests import Request
from genrec_eval.protocol.responses import Answer
from genrec_eval.protocol.status import FAILED
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
    the key, so the second is never served from the first. A case is recorded when it was played to
    its end: half a dialogue would look like one that ended early. Once the model was given up, the
    cases whose answers lie in the journal are still recorded.
    """
    work = ((case, repeat) for case in cases_at(prepared, rows) for repeat in range(repeats))
    stopped: list[str] = []

    async def play_one(case: Case, repeat: int) -> None:
        intended = time.time()
        steps = itertools.count()
        done: list[tuple[int, Request, Answer, Exchange, bool]] = []
        ended: list[Stopped] = []

        async def ask(request: Request) -> Answer:
            step = next(steps)
            sent = request if translator is None else translator.translate(request)
            try:
                answer, exchange, cached = await exchanger.ask(sent, repeat)
            except Stopped as stop:
                ended.append(stop)
                raise
            if translator is not None:
                answer = translator.interpret(request, answer)
            done.append((step, request, answer, exchange, cached))
            return answer

        try:
            await scenario.play(prepared, case, ask)
        except (Stopped, GenrecError):
            raise
        except Exception as error:
            raise UsageError(
                f"scenario '{writer.scenario}' cannot play case '{case.id}' with '{writer.model}':"
                f" {describe(error)}; the fault is in the scenario's code, --debug shows where"
            ) from error
        if ended:  # and the scenario went on as if nothing had happened
            raise ended[0]
        for step, request, answer, exchange, cached in done:
            writer.add(case, repeat, step, request, answer, exchange, cached, intended)
        failed = any(answer.status in FAILED for _, _, answer, *_ in done)
        task.advance(cached=all(cached for *_, cached in done), failed=int(failed))

    async def worker() -> None:
        for case, repeat in work:
            calls = exchanger.tally.calls
            try:
                await play_one(case, repeat)
            except Stopped as stop:
                stopped.append(str(stop))
            if exchanger.tally.calls == calls:  # nothing was waited for: let the others have their turn
                await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(exchanger.places, len(rows) * repeats)):
            group.create_task(worker())
    writer.flush()
    return stopped[0] if stopped else None
