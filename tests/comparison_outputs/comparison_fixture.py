"""A comparison with every kind of change and flip, built by hand, and text that would be something else."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from parsed_page import HOSTILE

from genrec_eval.audit.comparing.types import (
    Answered,
    Change,
    Comparison,
    Difference,
    Flip,
    Pairs,
    Setting,
)


def difference(change: Change = Change.WORSE, **more: Any) -> Difference:
    """A difference over all units."""
    given: dict[str, Any] = {
        "scenario": "top-k",
        "metric": "ndcg@10",
        "model": "item-knn",
        "reference_model": "item-knn",
        "change": change,
        "reason": "item-knn's ndcg@10 differs by −0.022 (−0.031 to −0.013), which is worse"
        " (adjusted p 0.001)",
        "reference_value": 0.3124,
        "candidate_value": 0.2903,
        "value": -0.0221,
        "low": -0.0312,
        "high": -0.0129,
        "interval": "paired bootstrap",
        "n": 943,
        "excluded": {"no answer": 7},
        "p": 0.0001,
        "p_adjusted": 0.0012,
        "detectable": 0.0131,
        "direction": "higher",
    }
    return Difference(**{**given, **more})


DIFFERENCES = (
    difference(
        Change.INCONCLUSIVE,
        metric="recall@10",
        reason="item-knn's recall@10 differs by −0.4 percentage points (−1.9 to 1.0), which leaves open"
        " whether it changed; 943 units would show 2.1 percentage points in 80 % of runs; about 9,100 would"
        " decide, if the difference stays",
        reference_value=0.212,
        candidate_value=0.208,
        value=-0.004,
        low=-0.019,
        high=0.010,
        p=0.21,
        p_adjusted=0.42,
        detectable=0.021,
        unit="share",
    ),
    difference(),
    difference(
        Change.BETTER,
        metric="coverage@10",
        reason="item-knn's coverage@10 differs by 6.1 percentage points (4.0 to 8.2), which is better"
        " (adjusted p < 0.001)",
        reference_value=0.41,
        candidate_value=0.471,
        value=0.061,
        low=0.040,
        high=0.082,
        unit="share",
    ),
    difference(
        Change.EQUIVALENT,
        metric="hit_rate@10",
        reason="item-knn's hit_rate@10 differs by 0.1 percentage points (−0.4 to 0.6), inside the margin of 1"
        " percentage point",
        reference_value=0.612,
        candidate_value=0.613,
        value=0.001,
        low=-0.004,
        high=0.006,
        margin=0.01,
        unit="share",
    ),
    difference(
        Change.DIFFERENT,
        metric="popularity@10",
        reason="item-knn's popularity@10 differs by 12.1 (4.0 to 20.2), which is neither better nor worse"
        " (adjusted p 0.004)",
        reference_value=181.0,
        candidate_value=193.1,
        value=12.1,
        low=4.0,
        high=20.2,
        direction="none",
    ),
    difference(
        Change.NOT_COMPARED,
        metric="brier",
        reason="item-knn's brier has no value in both runs: no unit has a probability",
        value=None,
        low=None,
        high=None,
        reference_value=None,
        candidate_value=None,
        interval=None,
        n=0,
        p=None,
        p_adjusted=None,
        detectable=None,
        direction="lower",
    ),
    difference(
        slice="gender=F",
        reason="item-knn's ndcg@10 for gender=F differs by −0.031 (−0.051 to −0.011), which is worse",
        value=-0.031,
        low=-0.051,
        high=-0.011,
        n=273,
    ),
    difference(
        Change.INCONCLUSIVE,
        slice="gender=M",
        reason="item-knn's ndcg@10 for gender=M differs by −0.009 (−0.021 to 0.003), which leaves open"
        " whether it changed",
        value=-0.009,
        low=-0.021,
        high=0.003,
        n=670,
    ),
)

BEFORE = (
    "You watched Heat twice last month, so Ronin should suit you. It is a slow thriller with long car chases,"
    " and the same quiet men who plan too much. "
)
AFTER = (
    "You watched Heat twice last month, so Collateral should suit you. It is a fast thriller with long car"
    " chases, and the same quiet men who plan too much. "
)


def items(*names: str) -> Answered:
    """An answer that is a list."""
    return Answered(status="ok", value=0.5, items=names)


FLIPS = (
    Flip(
        scenario="top-k",
        model="item-knn",
        case="u17",
        unit="u17",
        metric="ndcg@10",
        kind="lost",
        reference=replace(items("Heat", "Ronin", "Fargo", *(f"film {i}" for i in range(12))), value=0.6309),
        candidate=replace(items("Fargo", "Heat", "Jaws", *(f"film {i}" for i in range(12))), value=0.0),
    ),
    Flip(
        scenario="top-k",
        model="item-knn",
        case="u21",
        unit="u21",
        metric="ndcg@10",
        kind="gained",
        reference=replace(items("Alien", "Aliens"), value=0.0),
        candidate=replace(items("Alien", "Brazil"), value=1.0),
    ),
    Flip(
        scenario="explanation",
        model="llm",
        case="c3",
        unit="u3",
        metric="supported",
        kind="changed",
        reference=Answered(status="ok", value=1.0, text=BEFORE * 6),
        candidate=Answered(status="ok", value=0.0, text=AFTER * 6),
    ),
    Flip(
        scenario="explanation",
        model="llm",
        case="c9",
        unit="u9",
        metric=None,
        kind="status",
        reference=Answered(status="ok", value=None, text="Ronin is a film about trust."),
        candidate=Answered(status="timeout", value=None, error="no answer within 30 s"),
    ),
)

COUNTS = (
    {"scenario": "top-k", "model": "item-knn", "metric": "ndcg@10", "kind": "lost", "count": 1234},
    {"scenario": "top-k", "model": "item-knn", "metric": "ndcg@10", "kind": "gained", "count": 12},
    {"scenario": "explanation", "model": "llm", "metric": "supported", "kind": "changed", "count": 2},
    {"scenario": "explanation", "model": "llm", "metric": None, "kind": "status", "count": 5},
)

SETTINGS = (
    Setting(
        what="data",
        name="movielens",
        reference="sha256:0f3a",
        candidate="sha256:91bc",
        unsound="the units were drawn from other data, so that a difference may be theirs",
    ),
    Setting(what="model", name="item-knn: neighbours", reference="50", candidate="100"),
    Setting(what="version", name="numpy", reference="2.1.0", candidate=None),
)

PAIRS = (
    Pairs(
        scenario="top-k",
        paired=943,
        only_reference=3,
        only_candidate=0,
        changed=2,
        named={"only_reference": ["u1", "u2", "u3"], "only_candidate": [], "changed": ["u40", "u41"]},
    ),
    Pairs(scenario="explanation", paired=100, only_reference=0, only_candidate=0, changed=0),
)


def comparison(**more: Any) -> Comparison:
    """A comparison of everything above."""
    given: dict[str, Any] = {
        "reference": "runs/main",
        "candidate": "runs/head",
        "reference_run": "2026-11-20-main",
        "candidate_run": "2026-11-23-head",
        "settings": SETTINGS,
        "pairs": PAIRS,
        "differences": DIFFERENCES,
        "missing": ("popularity in top-k: ndcg@20 is only in the reference",),
        "flips": FLIPS,
        "flip_counts": COUNTS,
    }
    return Comparison(**{**given, **more})


def empty() -> Comparison:
    """Two runs that share nothing."""
    return Comparison(reference="a", candidate="b", reference_run="a", candidate_run="b")


def hostile() -> Comparison:
    """Hostile text in every field that holds text."""
    long = HOSTILE + "A" * 1_000_000
    texts = {one.name: HOSTILE for one in fields(Difference) if one.type == "str"}
    rows = [
        replace(row, **{**texts, "slice": slice, "unit": "", "reason": long, "excluded": {HOSTILE: 2}})
        for row in DIFFERENCES[:6]
        for slice in ("all", f"{HOSTILE}={HOSTILE}")
    ]
    spoken = {"status": HOSTILE, "items": [HOSTILE, long], "text": long, "error": HOSTILE}
    flips = [
        replace(
            flip,
            scenario=HOSTILE,
            model=HOSTILE,
            case=long,
            unit=HOSTILE,
            metric=HOSTILE if flip.metric else None,
            reference=replace(flip.reference, **spoken),
            candidate=replace(flip.candidate, **spoken),
        )
        for flip in FLIPS
    ]
    return comparison(
        reference=HOSTILE,
        candidate=long,
        reference_run=HOSTILE,
        candidate_run=HOSTILE,
        settings=[
            Setting(what=HOSTILE, name=HOSTILE, reference=long, candidate=None, unsound=HOSTILE),
        ],
        pairs=[replace(PAIRS[0], scenario=HOSTILE, named={"changed": [HOSTILE, long]})],
        differences=rows,
        missing=[HOSTILE, long],
        flips=flips,
        flip_counts=[{**row, "scenario": HOSTILE, "model": HOSTILE, "metric": long} for row in COUNTS],
        remarks=[HOSTILE, long],
    )
