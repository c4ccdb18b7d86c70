"""What the judge pipeline costs beside the judge: recorded judgements replayed through it.

    python benchmarks/judging.py [--judgements 10000] [--rounds 3]

The goal is 0.2 ms per replayed judgement: task, prompt, look-up of the recording in the journal, parser, row
and table. Texts have about 500 characters and the facts of a case 2,000.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

TEXTS = {
    ("json", "pointwise"): '{"reason": "it says why, in words of the user", "score": 4}',
    ("json", "pairwise"): '{"reason": "it says why, in words of the user", "verdict": "A"}',
    ("mtbench-pair", "pairwise"): "Both are fine. Assistant A says why, in words of the user. " * 8
    + "\n[[A]]",
}


def timed(work: Callable[..., Any], *arguments: Any) -> tuple[Any, float, float]:
    """What some work gives, and its wall and CPU seconds."""
    began, cpu = time.perf_counter(), time.process_time()
    found = work(*arguments)
    return found, time.perf_counter() - began, time.process_time() - cpu


def main() -> None:
    """Time each dialect with and without the journal, and the policies over the rows."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--judgements", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()

    import pyarrow as pa

    from genrec_eval.engine.budget import Budget
    from genrec_eval.engine.exchange import Exchanger, Policy
    from genrec_eval.engine.journal import Journal
    from genrec_eval.engine.limits import Limiter
    from genrec_eval.judging.dialect import Dialect, load_dialect
    from genrec_eval.judging.policy import JudgePolicy, Judging
    from genrec_eval.judging.question import Question
    from genrec_eval.judging.resolve import resolve
    from genrec_eval.judging.rows import judged, judgement_table, verdict_rows
    from genrec_eval.judging.rubric import load_rubric
    from genrec_eval.judging.tasks import plan_tasks
    from genrec_eval.judging.types import Exhibit
    from genrec_eval.protocol.model import Call, Model
    from genrec_eval.protocol.requests import Request
    from genrec_eval.protocol.responses import Answer, ChatResponse

    class Recorded(Model):
        """Says the same to every prompt."""

        kinds = frozenset({"chat"})

        def __init__(self, text: str) -> None:
            self.text = text

        def identity(self) -> dict[str, Any]:
            return {"text": self.text}

        async def answer(self, request: Request, call: Call) -> Answer:
            return Answer(response=ChatResponse(text=self.text))

    def exhibits(who: str, n: int) -> list[Exhibit]:
        text, facts = f"{who} writes a line about the film. " * 13, "A fact of the case in a line.\n" * 70
        return [
            Exhibit(case=f"c{i}", unit=f"u{i}", prompt=f"Why film {i}?", answer=text + str(i), context=facts)
            for i in range(n)
        ]

    def pipeline(asked: Question, dialect: Dialect, text: str, shown: dict[str, list[Exhibit]]) -> pa.Table:
        rows: list[dict[str, Any]] = []
        answer = Answer(response=ChatResponse(text=text))
        for planned in plan_tasks(asked, asked.policies["j"], shown, 0, "s"):
            assert planned.task is not None
            dialect.render(planned.task)
            rows += rows_of(verdict_rows(planned, judged(answer, planned, dialect.parse)), asked, text)
        return judgement_table(rows)

    def rows_of(rows: list[dict[str, Any]], asked: Question, text: str) -> list[dict[str, Any]]:
        named = {"judge": "j", "rubric": "helpfulness", "task": asked.judging.task, "raw": text}
        return [row | named for row in rows]

    async def through_journal(
        asked: Question, dialect: Dialect, text: str, shown: dict[str, list[Exhibit]], folder: Path
    ) -> pa.Table:
        journal = Journal(folder / "journal.sqlite")
        exchanger = Exchanger(Recorded(text), journal, Limiter(64), Budget(), Policy(), folder)
        rows: list[dict[str, Any]] = []
        for planned in plan_tasks(asked, asked.policies["j"], shown, 0, "s"):
            assert planned.task is not None
            answer, _, _ = await exchanger.ask(dialect.render(planned.task).request, 0)
            rows += rows_of(verdict_rows(planned, judged(answer, planned, dialect.parse)), asked, text)
        journal.close()
        return judgement_table(rows)

    def replay(*given: Any) -> pa.Table:
        return asyncio.run(through_journal(*given))

    print(
        f"{arguments.judgements:,} judgements, load {os.getloadavg()[0]:.1f}; microseconds each (wall, CPU)"
    )
    for (name, kind), text in TEXTS.items():
        dialect, policy = load_dialect(name, Path()), JudgePolicy(dialect=name)
        against = "b" if kind == "pairwise" else None
        judging = Judging.model_validate(
            {"judge": "j", "rubric": "helpfulness", "task": kind, "against": against}
        )
        rubric = load_rubric("helpfulness", Path())
        asked = Question(judging=judging, rubric=rubric, policies={"j": policy}, scale=(1, 5))
        n = arguments.judgements // (2 if against else 1)
        shown = {who: exhibits(who, n) for who in (("a", "b") if against else ("a",))}
        units = pa.array([one.unit for one in shown["a"]])
        best: dict[str, tuple[float, float]] = {}
        with tempfile.TemporaryDirectory() as folder:
            given = (asked, dialect, text, shown)
            timed(replay, *given, Path(folder))  # the first time it is the judge who answers
            for _ in range(arguments.rounds):
                table, *bare = timed(pipeline, *given)
                _, *kept = timed(replay, *given, Path(folder))
                _, *scored = timed(resolve, table, asked, units, ["a"])
                for what, (wall, cpu) in (("pipeline", bare), ("journal", kept), ("policies", scored)):
                    held = best.get(what, (wall, cpu))
                    best[what] = (min(held[0], wall), min(held[1], cpu))
        for what, seconds in best.items():
            wall, cpu = (1e6 * one / arguments.judgements for one in seconds)
            print(f"{name:14} {kind:10} {what:9} {wall:7.0f} {cpu:7.0f}")


if __name__ == "__main__":
    main()
