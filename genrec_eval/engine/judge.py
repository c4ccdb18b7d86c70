"""Judge: from records to ``judgements.parquet``, through the same exchanges as any model."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from genrec_eval.core.errors import UsageError
from genrec_eval.engine.exchange import Exchanger, Stopped
from genrec_eval.engine.judge_ready import Bench
from genrec_eval.engine.judge_summary import incomplete_judging, job_summary
from genrec_eval.engine.rundir import JUDGEMENTS_FILE, whole_file
from genrec_eval.judging.question import Question
from genrec_eval.judging.rows import judged, judgement_table, verdict_rows
from genrec_eval.judging.tasks import Planned, keep, plan_tasks, sample_units
from genrec_eval.protocol.responses import Answer, ChatResponse
from genrec_eval.protocol.tables import JUDGEMENTS
from genrec_eval.protocol.wire import response_to_wire

if TYPE_CHECKING:
    from genrec_eval.engine.play import Session
    from genrec_eval.judging.types import Exhibit
    from genrec_eval.scenarios.base import Scenario


_TURN = 32
"""Judgements from the journal after which other judges have their turn."""


@dataclass(frozen=True, slots=True)
class _Job:
    """One judge on one question of one scenario."""

    scenario: str
    question: Question
    bench: Bench

    @property
    def key(self) -> tuple[str, str, str, str | None]:
        """Jobs of one key ask the same: a judge may sit alone and on a panel."""
        judging = self.question.judging
        return (self.bench.name, judging.task, self.question.rubric.name, judging.against)


def judge_all(session: Session, scenarios: Mapping[str, Scenario], benches: Mapping[str, Bench]) -> None:
    """Judge everything that was played, and write the judgements whole.

    The journal holds every exchange as it comes: what an interrupted run has been told is not asked again.

    Parameters
    ----------
    scenarios
        Those with questions, in the order of the suite.
    """
    path = session.directory.path / JUDGEMENTS_FILE
    with whole_file(path) as partial, pq.ParquetWriter(partial, JUDGEMENTS, compression="zstd") as writer:
        try:
            asyncio.run(_judge_all(session, scenarios, benches, writer))
        except BaseExceptionGroup as group:
            from genrec_eval.engine.play import first_of

            raise first_of(group) from group


async def _judge_all(
    session: Session,
    scenarios: Mapping[str, Scenario],
    benches: Mapping[str, Bench],
    writer: pq.ParquetWriter,
) -> None:
    async with AsyncExitStack() as stack:
        exchangers: dict[str, Exchanger] = {}
        for name, bench in benches.items():
            stack.push_async_callback(bench.model.close)
            await bench.model.open()
            exchangers[name] = session.exchanger(bench.model, bench.spec, f"judge {name}")
        for name, scenario in scenarios.items():
            await _judge_scenario(session, name, scenario, benches, exchangers, writer)


async def _judge_scenario(
    session: Session,
    name: str,
    scenario: Scenario,
    benches: Mapping[str, Bench],
    exchangers: Mapping[str, Exchanger],
    writer: pq.ParquetWriter,
) -> None:
    exhibits = _exhibits(session, name, scenario)
    jobs: dict[tuple[Any, ...], _Job] = {}
    for question in scenario.questions:
        for judge in question.judging.panel:
            job = _Job(name, question, benches[judge])
            known = jobs.get(job.key)
            jobs[job.key] = job if known is None else _wider(known, job)
    tables: dict[tuple[Any, ...], pa.Table] = {}
    cut: dict[tuple[Any, ...], int] = {}

    async def one_judge(judge: str) -> None:
        for key, job in jobs.items():
            if key[0] == judge:
                tables[key], cut[key] = await _ask_all(session, job, exhibits, exchangers[judge])

    async with asyncio.TaskGroup() as group:
        for judge in dict.fromkeys(key[0] for key in jobs):
            group.create_task(one_judge(judge))
    for key, job in jobs.items():
        writer.write_table(tables[key])
        summary = job_summary(tables[key], name, job.question, cut[key])
        session.directory.run["judges"][job.bench.name]["played"].append(summary)
    stopped = {judge: exchanger.stopped for judge, exchanger in exchangers.items()}
    incomplete_judging(
        session.directory.run, name, list(tables.values()), stopped, session.engine.error_budget
    )


def _wider(one: _Job, other: _Job) -> _Job:
    """Of two jobs that ask the same, the one that judges more cases."""
    limits = (one.question.judging.limit, other.question.judging.limit)
    if limits[0] is None or (limits[1] is not None and limits[1] <= limits[0]):
        return one
    return other


def _exhibits(session: Session, name: str, scenario: Scenario) -> dict[str, list[Exhibit]]:
    directory = session.directory
    cases, context = directory.cases(name), directory.context(name)
    return {
        model: list(scenario.exhibits(cases, context, directory.records(model, name)))
        for model, of in directory.played()
        if of == name
    }


async def _ask_all(
    session: Session, job: _Job, exhibits: Mapping[str, Sequence[Exhibit]], exchanger: Exchanger
) -> tuple[pa.Table, int]:
    """Put all tasks of a job to its judge; rows in the order of the tasks, whatever the order of answers.

    Also returned: how many of the judgements were made on a text that the dialect had cut.
    """
    bench, seed = job.bench, session.loaded.suite.seed
    limit = job.question.judging.limit
    if limit is not None:
        every = (one for shown in exhibits.values() for one in shown)
        cases = sample_units(every, limit, seed, job.scenario)
        exhibits = {model: keep(shown, cases) for model, shown in exhibits.items()}
    plans = list(plan_tasks(job.question, bench.judge, exhibits, seed, job.scenario, _needs(job)))
    samples = bench.judge.repeats
    total = sum(1 if planned.task is None else samples for planned in plans)
    progress = session.progress.task(f"judging · {job.scenario} · {bench.name}", total)
    slots: list[list[dict[str, Any]]] = []
    work: list[tuple[int, Planned, int]] = []
    for planned in plans:
        for sample in range(samples if planned.task is not None else 1):
            work.append((len(slots), planned, sample))
            slots.append([])
    stopped: set[str] = set()
    cut: list[int] = []
    queue = iter(work)

    async def worker() -> None:
        for slot, planned, sample in queue:
            calls = exchanger.tally.calls
            rows = await _ask(job, planned, sample, exchanger, stopped, cut)
            slots[slot] = [_owned(row, job, sample) for row in rows]
            status = rows[0]["status"]
            progress.advance(cached=bool(rows[0].get("cached", True)), failed=int(status != "ok"))
            if exchanger.tally.calls == calls and slot % _TURN == 0:  # nothing was waited for
                await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(exchanger.places, max(1, len(work)))):
            group.create_task(worker())
    for reason in sorted(stopped):
        session.progress.note(f"judge {bench.name}: stopped: {reason}")
    return judgement_table([row for rows in slots for row in rows]), len(cut)


def _needs(job: _Job) -> tuple[str, ...]:
    return job.bench.dialect.tasks[job.question.judging.task].needs


async def _ask(
    job: _Job, planned: Planned, sample: int, exchanger: Exchanger, stopped: set[str], cut: list[int]
) -> list[dict[str, Any]]:
    if planned.task is None:
        return verdict_rows(planned, None)
    bench = job.bench
    shown = bench.dialect.render(planned.task, fence=bench.judge.fence)
    if shown.truncated:
        cut.append(sample)
    try:
        answer, exchange, cached = await exchanger.ask(shown.request, sample)
    except Stopped as stop:
        stopped.add(str(stop))
        return verdict_rows(replace(planned, reason=str(stop)), None)

    def read(response: ChatResponse, task: Any) -> Any:
        return bench.dialect.parse(response, task, score_mode=bench.judge.score_mode)

    try:
        verdict = judged(answer, planned, read)
    except UsageError as error:
        raise UsageError(f"judge '{bench.name}', case '{planned.case}': {error}") from error
    found = {
        **_written(answer),
        "key": exchange.key,
        "cached": cached,
        "attempts": exchange.attempts,
        "input_tokens": exchange.input_tokens,
        "output_tokens": exchange.output_tokens,
        "cost": exchange.cost,
    }
    return [row | found for row in verdict_rows(planned, verdict)]


def _written(answer: Answer) -> dict[str, Any]:
    """What the judge wrote, whole, and its log-probabilities."""
    response = answer.response
    if not isinstance(response, ChatResponse):
        return {"raw": answer.raw}
    logprobs = None
    if response.logprobs is not None:
        logprobs = orjson.dumps(response_to_wire(response)[0]["logprobs"]).decode()
    return {"raw": response.text, "logprobs": logprobs}


def _owned(row: dict[str, Any], job: _Job, sample: int) -> dict[str, Any]:
    return row | {
        "scenario": job.scenario,
        "judge": job.bench.name,
        "dialect": job.bench.dialect.name,
        "rubric": job.question.rubric.name,
        "task": job.question.judging.task,
        "sample": sample,
    }
