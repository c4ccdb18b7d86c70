"""A gate of every verdict, built by hand, and text that would like to be something else."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from parsed_page import HOSTILE

from genrec_eval.audit.gating.types import GateResult, GateRow
from genrec_eval.protocol.results import Ruling


def row(verdict: Ruling = Ruling.PASS, **more: Any) -> GateRow:
    """A rule against the baseline."""
    given: dict[str, Any] = {
        "rule": "ndcg does not drop",
        "kind": "not_worse_by",
        "scenario": "top-k",
        "metric": "ndcg@10",
        "model": "item-knn",
        "margin": 0.01,
        "verdict": verdict,
        "reason": "0.022 lower, which is more than 0.01 (95 % interval 0.013 to 0.031)",
        "value": -0.0221,
        "low": -0.0312,
        "high": -0.0129,
        "interval": "paired bootstrap",
        "n": 943,
        "excluded": {"no answer": 7},
        "reference_value": 0.3124,
        "candidate_value": 0.2903,
        "p": 0.0002,
        "p_adjusted": 0.0011,
        "detectable": 0.0131,
        "power": 0.93,
        "direction": "higher",
        "where": "suite.yaml:12",
    }
    return GateRow(**{**given, **more})


def alone(verdict: Ruling = Ruling.PASS, **more: Any) -> GateRow:
    """A rule that looks at the run alone."""
    given: dict[str, Any] = {
        "rule": "at least a third of the catalogue is shown",
        "kind": "at_least",
        "metric": "coverage@10",
        "margin": 0.33,
        "reason": "41 % (95 % interval 39 % to 43 %)",
        "value": 0.41,
        "low": 0.39,
        "high": 0.43,
        "unit": "share",
        "excluded": {},
        "reference_value": None,
        "candidate_value": None,
        "p": None,
        "p_adjusted": None,
        "detectable": None,
        "power": None,
        "where": "suite.yaml:15",
    }
    return row(verdict, **{**given, **more})


ROWS = (
    alone(),
    row(
        Ruling.INSUFFICIENT,
        rule="no gender loses more than 0.01",
        slice="gender=F",
        value=-0.004,
        low=-0.019,
        high=0.011,
        n=273,
        p=0.21,
        p_adjusted=0.42,
        needed=1234,
        power=0.41,
        reason="the interval −0.019 to 0.011 holds both a loss of 0.01 and none",
    ),
    row(Ruling.FAIL),
    row(
        Ruling.NOT_RUN,
        rule="the language model keeps its recall",
        model="llm",
        metric="recall@10",
        reason="the run holds no figure of this metric for llm",
        value=None,
        low=None,
        high=None,
        n=0,
        excluded={},
        reference_value=0.2,
        candidate_value=None,
        p=None,
        p_adjusted=None,
        detectable=None,
        power=None,
        interval=None,
    ),
)


def gate(rows: Any = ROWS, **more: Any) -> GateResult:
    """A result of these rows."""
    given: dict[str, Any] = {
        "run": "runs/head",
        "run_id": "2026-11-23-head",
        "suite": "quickstart",
        "baseline": "baselines/main.json",
        "baseline_run": "2026-11-20-main",
        "adjust": "holm",
        "power": 0.8,
        "inconclusive": "fail",
        "rows": tuple(rows),
    }
    return GateResult(**{**given, **more})


def hostile(inconclusive: str = "fail") -> GateResult:
    """Hostile text in every field that holds text, with every verdict."""
    long = HOSTILE + "A" * 1_000_000
    texts = {one.name: HOSTILE for one in fields(GateRow) if one.type in ("str", "str | None")}
    texts |= {"reason": long, "where": f"{HOSTILE}:3"}
    del texts["kind"]
    rows = [replace(one, **{**texts, "unit": ""}, excluded={HOSTILE: 3}) for one in ROWS for _ in range(2)]
    return gate(
        rows,
        run=HOSTILE,
        run_id=HOSTILE,
        suite=HOSTILE,
        baseline=HOSTILE,
        baseline_run=HOSTILE,
        inconclusive=inconclusive,
        incomplete=[HOSTILE, long],
        warnings=[HOSTILE, long],
    )
