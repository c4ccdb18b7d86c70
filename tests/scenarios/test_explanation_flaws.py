"""Every planted flaw of the bundled writers is named by a measure, and the sound writers pass."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from genrec_eval.data.dataset import Dataset
from genrec_eval.data.world.spec import SyntheticSpec
from genrec_eval.protocol.requests import ChatRequest
from genrec_eval.protocol.responses import Answer, ChatResponse
from genrec_eval.reference.base import REFERENCE
from genrec_eval.scenarios.base import Case, Prepared
from genrec_eval.scenarios.explanation import Explanation, ExplanationOptions

SOUND = ("template-writer", "retrieval-writer")
FLAWS: Mapping[str, str] = {
    "invents-history": "fabricated_history(of=texts)",
    "contradicts-catalogue": "contradicted(of=texts)",
    "constant-text": "swap_fit",
    "padded-text": "padding",
    "names-attributes": "sensitive_mentions",
    "flatters": "flattery",
    "injects-orders": "orders_to_judge",
    "argues-from-dislikes": "preference_consistency",
}
"""Writer → the check that must name its flaw."""


@pytest.fixture(scope="module")
def stage() -> tuple[Explanation, Prepared]:
    spec = {"users": 150, "items": 120, "interactions_per_user": 20, "reviews": 0.6}
    world: Dataset = SyntheticSpec.model_validate(spec).load(Path(), 5)
    options = ExplanationOptions.model_validate(
        {"split": {"method": "leave-one-out"}, "max_users": 50, "disclose": ["group"]}
    )
    of = Explanation(options, 7)
    return of, of.prepare(world)


def write(name: str, of: Explanation, prepared: Prepared) -> list[pa.RecordBatch]:
    """The records of one bundled writer."""
    model: Any = REFERENCE.get(name)(prepared.training, seed=7)
    rows: list[dict[str, Any]] = []

    async def play(case: Case) -> None:
        step = 0

        async def ask(request: ChatRequest) -> Answer:
            nonlocal step
            found = model.reply(request.messages[-1].content)
            rows.append({"case": case.id, "repeat": 0, "step": step, "status": "ok", "text": found.text})
            step += 1
            return Answer(response=ChatResponse(text=found.text))

        await of.play(prepared, case, ask)  # type: ignore[arg-type]

    for row, (case, unit) in enumerate(
        zip(prepared.cases["case"].to_pylist(), prepared.cases["unit"].to_pylist(), strict=True)
    ):
        asyncio.run(play(Case(id=case, unit=unit, row=row)))
    return pa.Table.from_pylist(rows).to_batches()


Table = dict[str, dict[str, tuple[bool, float]]]


@pytest.fixture(scope="module")
def table(stage: tuple[Explanation, Prepared]) -> Table:
    """Writer → check → (does it hold, share or mean)."""
    of, prepared = stage
    checks = {check.metric: check for check in of.checks()}
    found: Table = {}
    for name in (*SOUND, *FLAWS):
        scored = of.score(prepared.cases, prepared.context, write(name, of, prepared))
        found[name] = {}
        for metric, check in checks.items():
            scores = scored.scores[metric]
            values = scores.values[scores.scored]
            mean = float(np.mean(values)) if len(values) else float("nan")
            fine = not len(values) or (
                mean <= check.margin if check.rule == "at_most" else mean >= check.margin
            )
            found[name][metric] = (fine, mean)
    return found


def test_the_detection_table(table: Table, capsys: pytest.CaptureFixture[str]) -> None:
    metrics = list(next(iter(table.values())))
    with capsys.disabled():
        print("\n" + " " * 24 + "  ".join(metric.partition("(")[0][:12].rjust(12) for metric in metrics))
        for name, row in table.items():
            cells = (f"{'' if fine else '▲'}{mean:.2f}".rjust(12) for fine, mean in row.values())
            print(name.ljust(24) + "  ".join(cells))
    missed = {name: metric for name, metric in FLAWS.items() if table[name][metric][0]}
    assert not missed


@pytest.mark.parametrize("name", SOUND)
def test_sound_writers_pass_every_check(table: Table, name: str) -> None:
    assert [metric for metric, (fine, _) in table[name].items() if not fine] == []


def test_flaws_are_found_far_from_the_margins(table: Table, stage: tuple[Explanation, Prepared]) -> None:
    margins = {check.metric: check.margin for check in stage[0].checks()}
    for name, metric in FLAWS.items():
        assert abs(table[name][metric][1] - margins[metric]) > 0.15
    for name in SOUND:
        assert all(
            abs(mean - margins[m]) > 0.04 for m, (_, mean) in table[name].items() if not np.isnan(mean)
        )


def test_the_finder_is_right_about_the_writers(stage: tuple[Explanation, Prepared]) -> None:
    """Precision: nothing in sound texts is called false. Recall: every planted falsehood is found."""
    of, prepared = stage
    sound = of.score(prepared.cases, prepared.context, write("template-writer", of, prepared)).scores
    assert sound["supported"].values[sound["supported"].scored].min() == 1.0
    assert sound["claims"].values.min() >= 4  # title, year, genre and a person at least
    for name, metric in (
        ("invents-history", "fabricated_history"),
        ("contradicts-catalogue", "contradicted"),
    ):
        found = of.score(prepared.cases, prepared.context, write(name, of, prepared)).scores
        assert found[f"{metric}(of=texts)"].values.min() == 1.0
        others = {"contradicted", "not_in_source", "fabricated_history"} - {metric}
        assert all(found[f"{other}(of=texts)"].values.max() == 0.0 for other in others)
