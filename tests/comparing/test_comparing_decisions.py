"""When a metric is better, worse, equivalent, or left open; how often chance alone decides."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from made_run import made, scores, source

from genrec_eval.audit.comparing.compare import compare
from genrec_eval.audit.comparing.differences import differences
from genrec_eval.audit.comparing.partners import Partners
from genrec_eval.audit.comparing.types import Change, Comparison, Difference
from genrec_eval.audit.sources.base import Facts, Mask, Units
from genrec_eval.audit.sources.matched import Matched
from genrec_eval.core.errors import UsageError
from genrec_eval.metrics.base import Metric, UnitScores
from genrec_eval.metrics.registry import metric
from genrec_eval.protocol.results import Coverage
from genrec_eval.stats.multiplicity import holm

NDCG = "ndcg@10"


class Numbers:
    """A source that is nothing but numbers: one scenario, one model."""

    label = "numbers"
    facts = Facts(run="r", suite="s", created="")
    coverage: Sequence[Coverage] = ()
    error_budget = 0.05

    def __init__(self, found: dict[str, np.ndarray], answered: Mask | None = None) -> None:
        self.found = found
        self.n = len(next(iter(found.values())))
        self._answered = np.ones(self.n, bool) if answered is None else answered

    def pairings(self) -> list[tuple[str, str]]:
        return [("m", "s")]

    def units(self, scenario: str) -> Units:
        keys = np.arange(self.n).astype(np.uint64)
        return Units(keys=keys, content=keys, slices={"all": np.ones(self.n, bool)})

    def metrics(self, model: str, scenario: str) -> list[str]:
        return list(self.found)

    def measured(self, scenario: str) -> list[Metric]:
        return [metric(name) for name in self.found]

    def scores(self, model: str, scenario: str, name: str) -> UnitScores | None:
        return scores(self.found[name])

    def attempted(self, model: str, scenario: str) -> Mask:
        return np.ones(self.n, bool)

    def answered(self, model: str, scenario: str) -> Mask:
        return self._answered


def held(candidate: Numbers, reference: Numbers, **margins: float) -> list[Difference]:
    matched = {"s": Matched.of(candidate.units("s"), reference.units("s"))}
    return differences(
        candidate,
        reference,
        [Partners(scenario="s", model="m", reference_model="m")],
        matched,
        level=0.95,
        seed=7,
        refused=lambda *_: None,
        margins={name.replace("_at_", "@"): margin for name, margin in margins.items()},
    )


FAMILY = [NDCG, "recall@10", "mrr@10", "precision@10", "map@10", "hit_rate@10"]


def test_with_no_change_chance_decides_in_at_most_one_of_twenty_comparisons() -> None:
    rng = np.random.default_rng(11)
    alarms, single, runs = 0, 0, 120
    for _ in range(runs):
        skill = rng.random((30, 1))
        before, after = (np.clip(skill + rng.normal(0, 0.2, (30, 6)), 0, 1) for _ in range(2))
        found = held(
            Numbers(dict(zip(FAMILY, after.T, strict=True))),
            Numbers(dict(zip(FAMILY, before.T, strict=True))),
        )
        alarms += any(row.change in (Change.BETTER, Change.WORSE) for row in found)
        single += any(row.p is not None and row.p <= 0.05 for row in found)
    assert alarms / runs <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / runs)
    assert single / runs > 0.15  # what no adjustment would make of it


def test_a_loss_of_the_smallest_detectable_effect_is_found_in_four_of_five() -> None:
    rng = np.random.default_rng(12)
    found, runs = 0, 60
    for _ in range(runs):
        noise = rng.normal(0, 0.1, (100, 6))
        noise[:, 0] -= 0.1 / 10 * 3.5  # 3.5 standard errors, about what one of six tests detects
        before = np.full((100, 6), 0.5)
        rows = held(
            Numbers(dict(zip(FAMILY, (before + noise).T, strict=True))),
            Numbers(dict(zip(FAMILY, before.T, strict=True))),
        )
        assert rows[0].detectable == pytest.approx(0.035, rel=0.35)
        found += rows[0].change is Change.WORSE
    assert 0.66 < found / runs < 0.97


def test_adjusted_p_is_holm_over_everything_that_could_have_differed() -> None:
    rng = np.random.default_rng(13)
    before = rng.random((50, 4))
    after = before + rng.normal(0.02, 0.1, (50, 4))
    after[:, 3] = before[:, 3]
    found = held(
        Numbers(dict(zip(FAMILY, after.T, strict=False))), Numbers(dict(zip(FAMILY, before.T, strict=False)))
    )
    tested = [row for row in found if row.change is not Change.UNCHANGED]
    assert len(tested) == 3
    assert [row.p_adjusted for row in tested] == pytest.approx(
        holm([row.p or 0.0 for row in tested]).tolist()
    )


def test_equivalent_is_said_inside_a_declared_margin_only() -> None:
    rng = np.random.default_rng(14)
    before = rng.random(400)
    after = before + rng.normal(0, 0.02, 400)
    sides = Numbers({NDCG: after}), Numbers({NDCG: before})
    open_, declared = held(*sides)[0], held(*sides, **{"ndcg_at_10": 0.01})[0]
    assert open_.change is Change.INCONCLUSIVE
    assert declared.change is Change.EQUIVALENT
    assert declared.reason.endswith("inside the margin of 0.01")
    # what is surely there and inside the margin matters to nobody
    shifted = held(
        Numbers({NDCG: before + 0.005 + rng.normal(0, 0.01, 400)}), sides[1], **{"ndcg_at_10": 0.01}
    )[0]
    assert shifted.change is Change.EQUIVALENT
    assert shifted.p is not None
    assert shifted.p < 1e-6


def test_direction_decides_better_and_worse() -> None:
    rng = np.random.default_rng(15)
    low = np.clip(rng.normal(0.3, 0.05, 100), 0, 1)
    high = np.clip(low + 0.2 + rng.normal(0, 0.05, 100), 0, 1)
    names = (NDCG, "duplicate@10", "popularity@10")
    rows = held(Numbers(dict.fromkeys(names, high)), Numbers(dict.fromkeys(names, low)))
    assert [row.change for row in rows] == [Change.BETTER, Change.WORSE, Change.DIFFERENT]
    assert "which is neither better nor worse" in rows[2].reason


def test_an_open_one_says_what_would_show_and_what_would_decide() -> None:
    rng = np.random.default_rng(16)
    before = rng.random(100)
    after = before + rng.normal(0.004, 0.05, 100)
    row = held(Numbers({NDCG: after}), Numbers({NDCG: before}))[0]
    assert row.change is Change.INCONCLUSIVE
    assert "100 units show a change of 0.014 or more in 80 % of runs" in row.reason
    assert row.needed is not None
    assert "if the difference stays" in row.reason
    half = (row.value or 0.0) - (row.low or 0.0)
    assert row.needed == pytest.approx(100 * (half / (row.value or 1.0)) ** 2, rel=0.2)


def test_who_answers_less_is_neither_better_nor_worse() -> None:
    rng = np.random.default_rng(17)
    before = rng.random(200)
    answered = np.arange(200) >= 20
    after = np.where(answered, before, 0.0)
    metric_row, answers = held(Numbers({NDCG: after}, answered), Numbers({NDCG: before}))
    assert metric_row.change is Change.INCONCLUSIVE
    assert metric_row.reason == (
        "m answered only 90 % of the cases in the candidate, where a decision needs 95 %:"
        " which cases a model fails to answer is rarely chance"
    )
    assert (answers.metric, answers.change) == ("answered", Change.WORSE)
    assert "share of answered cases differs by −10 percentage points" in answers.reason
    # within the budget it is decided
    few = np.arange(200) >= 8
    rows = held(Numbers({NDCG: np.where(few, before + 0.3, 0.0)}, few), Numbers({NDCG: before}))
    assert rows[0].change is Change.BETTER


def test_equal_where_both_have_a_score_is_no_equivalence_when_many_have_none() -> None:
    before = np.linspace(0, 1, 100)
    after = before.copy()
    after[:20] = np.nan
    row = held(Numbers({NDCG: after}), Numbers({NDCG: before}))[0]
    assert row.change is Change.INCONCLUSIVE
    assert row.reason == "m's ndcg@10 is identical for every one of 80 units; 20 have a score in one run only"
    after[3:20] = before[3:20]
    assert held(Numbers({NDCG: after}), Numbers({NDCG: before}))[0].change is Change.UNCHANGED


def two(tmp_path: Path) -> tuple[Path, Path]:
    rng = np.random.default_rng(18)
    before = rng.random(40)
    a = made(tmp_path / "a", {"m": {NDCG: scores(before)}})
    b = made(tmp_path / "b", {"m": {NDCG: scores(before + rng.normal(0, 0.001, 40))}})
    return a, b


def compared(paths: tuple[Path, Path], **further: object) -> Comparison:
    return compare(source(paths[1]), source(paths[0]), **further)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["ndcg@10", "ndcg", "ndcg(ideal=k)@10"])
def test_margins_are_named_by_id_name_or_spelling(tmp_path: Path, name: str) -> None:
    assert compared(two(tmp_path), margins={name: 0.01}).differences[0].change is Change.EQUIVALENT


def test_margins_and_metrics_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    paths = two(tmp_path)
    for margin in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(UsageError, match="the margin of 'ndcg' is a finite number above 0"):
            compared(paths, margins={"ndcg": margin})
    with pytest.raises(UsageError, match=r"measure no 'ndgc@10'; did you mean 'ndcg@10'"):
        compared(paths, margins={"ndgc@10": 0.1})
    with pytest.raises(UsageError, match="measure no 'nonsense'"):
        compared(paths, metrics=["nonsense"])
    with pytest.raises(UsageError, match="share no scenario 'topk'; did you mean 'top-k'"):
        compared(paths, scenarios=["topk"])
