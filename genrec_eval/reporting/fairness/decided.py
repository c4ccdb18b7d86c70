"""The verdict on the claims about one model, as a panel shows it beside the model's finding."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from genrec_eval.protocol.results import Ruling
from genrec_eval.reporting.answer import Outcome, outcome, worst_first
from genrec_eval.reporting.results import Results
from genrec_eval.reporting.rules import SHAPES


@dataclass(frozen=True, slots=True)
class Decided:
    """The worst of several verdicts, in the words of a verdict's mark."""

    word: str
    shape: str
    style: str
    tag: str


def decided(results: Results, scenario: str, model: str, metrics: Collection[str]) -> Decided | None:
    """What the suite's own claims on these metrics come to; None where there is none."""
    claims = [
        row
        for row in results.verdicts
        if row.gate
        and (row.scenario, row.model, row.slice) == (scenario, model, "all")
        and row.metric in metrics
    ]
    failed = [row for row in claims if row.verdict is Ruling.FAIL]
    told = next(iter(worst_first(failed or claims)), None)
    if told is None:
        return None
    shape, style = SHAPES[told.verdict]
    tag = {Outcome.CAUGHT: "as expected", Outcome.MISSED: "planted flaw not caught"}.get(outcome(told), "")
    return Decided(told.verdict.value, shape, style, tag)
