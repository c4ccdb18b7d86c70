"""A small scenario of written texts, its writers and its judges."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from genrec_eval.core.strict import StrictModel
from genrec_eval.judging.fence import read_fences
from genrec_eval.judging.types import Exhibit
from genrec_eval.metrics.base import Definition, UnitScores, define
from genrec_eval.metrics.spelling import bind
from genrec_eval.protocol.requests import ChatRequest, Message, Request
from genrec_eval.scenarios.base import Case, Prepared, Scenario, ScoredUnits


class NotesOptions(StrictModel):
    """How many notes."""

    cases: int = 6
    per_unit: int = 1


@define(
    Definition(
        name="words",
        title="Words",
        summary="Words of a note.",
        formula="count",
        degenerate="None.",
        source="Test.",
        direction="none",
        bounds=(0, None),
        needs_cutoff=False,
    )
)
def words(counts: Any) -> UnitScores:
    """Number of words, or none."""
    values = np.array([0 if count is None else count for count in counts], float)
    return UnitScores(values=values, reasons={"no-text": np.array([count is None for count in counts])})


class Notes(Scenario):
    """A note on each of a few films."""

    name = "notes"
    kind = "chat"
    writes = True
    title = "Notes"
    summary = "A note on each film."
    Options = NotesOptions

    def prepare(self, dataset: Any) -> Prepared:
        ids = [f"film-{i}" for i in range(self.options.cases)]
        units = [f"user-{i // self.options.per_unit}" for i in range(self.options.cases)]
        groups = ["even" if i % 2 == 0 else "odd" for i in range(self.options.cases)]
        table = {"case": ids, "unit": units, "arm": ["neutral"] * len(ids), "group.parity": groups}
        return Prepared(cases=pa.table(table))

    def metrics(self) -> list[Any]:
        return [bind("words", lambda name: words)]

    def request(self, prepared: Prepared, case: Case) -> Request:
        return ChatRequest(messages=(Message("user", f"Why {case.id}?"),))

    def exhibits(
        self, cases: pa.Table, context: Mapping[str, pa.Table], records: Iterable[pa.RecordBatch]
    ) -> Iterator[Exhibit]:
        said = {(row["case"], row["repeat"]): row["text"] for batch in records for row in batch.to_pylist()}
        repeats = sorted({repeat for _, repeat in said} | {0})
        for case, unit in zip(
            cases.column("case").to_pylist(), cases.column("unit").to_pylist(), strict=True
        ):
            for repeat in repeats:
                yield Exhibit(
                    case=case,
                    unit=unit,
                    repeat=repeat,
                    prompt=f"Why {case}?",
                    answer=said.get((case, repeat)),
                    context=f"{case} is a drama.",
                )

    def score(
        self, cases: pa.Table, context: Mapping[str, pa.Table], records: Iterable[pa.RecordBatch]
    ) -> ScoredUnits:
        said = {row["unit"]: row["text"] for batch in records for row in batch.to_pylist()}
        units = cases.column("unit").combine_chunks().unique()
        texts = [said.get(unit) for unit in units.to_pylist()]
        counts = [None if text is None else len(text.split()) for text in texts]
        there = np.array([unit in said for unit in units.to_pylist()])
        answered = np.array([text is not None for text in texts])
        return ScoredUnits(
            units=units,
            scores={"words": words.function(counts)},
            groups={},
            attempted=there,
            answered=answered,
        )


def _film(request: ChatRequest) -> int:
    return int(re.findall(r"film-(\d+)", request.messages[-1].content)[0])


def zanzibar(request: ChatRequest) -> str:
    """A writer that calls everything good, at some length."""
    return f"film-{_film(request)} is a drama. It is good. " + "Really. " * _film(request)


def quokka(request: ChatRequest) -> str:
    """A writer that calls everything bad."""
    return f"film-{_film(request)} is a comedy. It is bad."


def gappy(request: ChatRequest) -> Any:
    """A writer with nothing to say about every third film."""
    if _film(request) % 3 == 0:
        raise RuntimeError("no words came")
    return f"film-{_film(request)} is good."


def _note(request: ChatRequest) -> None:
    """Keep what a judge was shown, where a test has laid a log."""
    log = Path(__file__).with_name("judge.log")
    if log.exists():
        with log.open("a") as stream:
            stream.write(json.dumps([message.content for message in request.messages]) + "\n")


def judge(request: ChatRequest) -> str:
    """Prefers 'good': reads its fenced texts and answers in JSON, whatever the task."""
    _note(request)
    blocks = read_fences(request.messages[-1].content)
    texts = {name: text for name, text in blocks.items() if name.startswith("answer")}
    good = {name: "good" in text for name, text in texts.items()}
    claims = [text for name, text in blocks.items() if name.startswith("claim_")]
    if claims:
        facts = blocks["context"]
        verdicts = [
            {"claim": i, "reason": "looked up", "verdict": "supported" if claim in facts else "not in source"}
            for i, claim in enumerate(claims, 1)
        ]
        return json.dumps({"claims": verdicts})
    if set(texts) == {"answer_a", "answer_b"}:
        verdict = "tie" if good["answer_a"] == good["answer_b"] else "A" if good["answer_a"] else "B"
        return json.dumps({"reason": "it is good", "verdict": verdict})
    if len(texts) > 1:
        order = sorted(texts, key=lambda name: (not good[name], int(name.removeprefix("answer_"))))
        return json.dumps(
            {"reason": "good first", "ranking": [int(n.removeprefix("answer_")) for n in order]}
        )
    return json.dumps({"reason": "it is good", "score": 5 if good["answer"] else 2})


def first(request: ChatRequest) -> str:
    """Always prefers what is shown first, and gives every text a 3."""
    if "answer_b" in read_fences(request.messages[-1].content):
        return json.dumps({"reason": "first", "verdict": "A"})
    return json.dumps({"reason": "so-so", "score": 3})


def mumbling(request: ChatRequest) -> str:
    """Gives no verdict on films with an odd number."""
    shown = read_fences(request.messages[-1].content)
    number = int(re.findall(r"film-(\d+)", shown["question"])[0])
    if number % 2 == 0:
        return judge(request)
    _note(request)
    return "I could not say, it depends."


def suite(**changes: Any) -> dict[str, Any]:
    """Three writers, a judge, and questions of every kind."""
    here = Path(__file__).name
    python = {"adapter": "python", "kinds": ["chat"]}
    found: dict[str, Any] = {
        "name": "judged",
        "seed": 5,
        "models": {name: {**python, "target": f"{here}:{name}"} for name in ("zanzibar", "quokka", "gappy")},
        "judges": {
            name: {"model": {**python, "target": f"{here}:{function}"}}
            for name, function in (("rules", "judge"), ("slot", "first"), ("mumble", "mumbling"))
        },
        "scenarios": {
            "notes": {
                "scenario": f"{here}:Notes",
                "judging": [
                    {"judge": "rules", "rubric": "helpfulness"},
                    {"judge": "rules", "rubric": "helpfulness", "task": "pairwise", "against": "quokka"},
                    {"judge": "rules", "rubric": "helpfulness", "task": "listwise"},
                    {"judge": "rules", "rubric": "faithfulness", "task": "claims"},
                ],
            }
        },
    }
    return found | changes
