"""PPI++: closed forms, edges, coverage and width in simulation, and PandaLM's recorded verdicts."""

from __future__ import annotations

import collections
import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from genrec_eval.stats.intervals import intervals
from genrec_eval.stats.prediction_powered import combine, prediction_powered, unit_sums
from genrec_eval.stats.sample import Pooled, Sample, paired

Draw = Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]


def scores(correlation: float) -> Draw:
    def draw(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        judge = rng.normal(size=n)
        return correlation * judge + math.sqrt(1 - correlation**2) * rng.normal(size=n), judge + 0.3

    return draw


def verdicts(rate: float, sensitivity: float, specificity: float) -> Draw:
    def draw(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        human = rng.random(n) < rate
        judge = np.where(human, rng.random(n) < sensitivity, rng.random(n) >= specificity)
        return human.astype(float), judge.astype(float)

    return draw


def by_hand(y: np.ndarray, f: np.ndarray, g: np.ndarray) -> tuple[float, float]:
    """The estimate as the papers write it, with the slope of the labelled units."""
    trust = np.cov(y, f)[0, 1] / ((1 + len(y) / len(g)) * f.var(ddof=1))
    trust = min(max(trust, 0.0), 1.0)
    return trust * g.mean() + (y - trust * f).mean(), trust


def test_value_and_error_by_a_plain_loop() -> None:
    rng = np.random.default_rng(1)
    y, f = scores(0.7)(rng, 40)
    g = scores(0.7)(rng, 160)[1]
    found = prediction_powered(y, f, g)
    assert (found.value, found.trust) == pytest.approx(by_hand(y, f, g))
    assert (found.labelled, found.judged, found.method) == (40, 160, "ppi++")
    assert found.judge == pytest.approx(g.mean())
    without = np.array([by_hand(np.delete(y, i), np.delete(f, i), g)[0] for i in range(40)])
    error = math.sqrt(
        39 / 40 * ((without - without.mean()) ** 2).sum() + found.trust**2 * g.var(ddof=1) / 160
    )
    low, high = stats.t.interval(0.95, 39, found.value, error)
    assert (found.low, found.high) == pytest.approx((low, high))


def test_labels_alone_where_the_judge_says_nothing() -> None:
    """A constant judge, one that is worse than none, and none at all: Student's t of the labels."""
    rng = np.random.default_rng(2)
    y = rng.normal(size=30)
    low, high = stats.t.interval(0.95, 29, y.mean(), stats.sem(y))
    for f, g in ((np.ones(30), np.ones(500)), (-y, -rng.normal(size=500)), (y, np.empty(0))):
        found = prediction_powered(y, f, g)
        assert (found.method, found.trust) == ("labels", 0.0)
        assert (found.value, found.low, found.high) == pytest.approx((y.mean(), low, high))
    assert prediction_powered(y, y, []).judge is None


def test_no_label_one_label_and_equal_labels() -> None:
    nothing = prediction_powered([], [], [0.2, 0.4])
    assert (nothing.value, nothing.low, nothing.reason) == (None, None, "no unit has a human label")
    assert (nothing.judge, nothing.judged) == (pytest.approx(0.3), 2)
    single = prediction_powered([3.0], [2.0], [1.0, 2.0])
    assert (single.value, single.low) == (3.0, None)
    assert single.reason == "one human label says nothing about the spread"
    equal = prediction_powered([3.0] * 20, np.arange(20.0), np.arange(50.0))
    assert (equal.value, equal.low, equal.reason) == (3.0, None, "all human labels are equal")
    wins = prediction_powered([1.0] * 20, [1.0] * 18 + [0.0] * 2, [1.0] * 90 + [0.0] * 10, bounds=(0, 1))
    assert wins.value == wins.high == 1.0
    assert 0.75 < wins.low < 0.97


@pytest.mark.parametrize("draw", [scores(0.7), verdicts(0.7, 0.8, 0.8)])
def test_a_one_sided_interval_stays_one_sided(draw: Draw) -> None:
    rng = np.random.default_rng(3)
    (y, f), g = draw(rng, 60), draw(rng, 300)[1]
    both = prediction_powered(y, f, g, level=0.9, null=0.5)
    above = prediction_powered(y, f, g, level=0.95, alternative="greater", null=0.5)
    below = prediction_powered(y, f, g, level=0.95, alternative="less", null=0.5)
    assert both.trust > 0.1
    assert (above.low, above.high, below.low) == (pytest.approx(both.low), None, None)
    assert below.high == pytest.approx(both.high)
    assert above.p + below.p == pytest.approx(1.0)
    assert both.p == pytest.approx(2 * min(above.p, below.p))
    assert prediction_powered(y, f, g).p is None


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
def test_the_p_value_is_that_of_the_interval(alternative: str) -> None:
    rng = np.random.default_rng(4)
    (y, f), g = verdicts(0.6, 0.8, 0.8)(rng, 80), verdicts(0.6, 0.8, 0.8)(rng, 300)[1]
    found = prediction_powered(y, f, g, alternative=alternative)  # type: ignore[arg-type]
    for end in filter(None, (found.low, found.high)):
        p = prediction_powered(y, f, g, alternative=alternative, null=end).p  # type: ignore[arg-type]
        assert p == pytest.approx(0.05)


def test_bounds_cut_and_the_uncut_value_is_kept() -> None:
    y, f = np.array([1.0] * 19 + [0.0]), np.array([0.6] * 19 + [0.0])
    found = prediction_powered(y, f, np.ones(1000), bounds=(0, 1))
    assert found.raw > found.value == found.high == 1.0


def test_labels_and_judgements_belong_together() -> None:
    with pytest.raises(ValueError, match="each labelled unit has one of both"):
        prediction_powered([1.0, 0.0], [1.0], [1.0])
    with pytest.raises(ValueError, match="leave out units without one"):
        prediction_powered([1.0, np.nan], [1.0, 0.0], [1.0])


@given(
    y=st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=2, max_size=30),
    seed=st.integers(0, 99),
    level=st.sampled_from([0.8, 0.95, 0.999]),
    more=st.integers(0, 40),
)
def test_the_interval_holds_its_value(y: list[float], seed: int, level: float, more: int) -> None:
    rng = np.random.default_rng(seed)
    found = prediction_powered(y, rng.random(len(y)), rng.random(more), level=level, bounds=(0, 1))
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert 0 <= found.trust <= 1


DRAWS = 800
_ERROR = math.sqrt(0.05 * 0.95 / DRAWS)


@pytest.mark.parametrize("n", [30, 50, 100, 500])
@pytest.mark.parametrize(
    ("draw", "truth", "narrow"),
    [
        (scores(0.9), 0.0, 0.8),
        (scores(0.0), 0.0, 1.02),
        (verdicts(0.7, 0.9, 0.85), 0.7, 0.9),
        (verdicts(0.7, 0.6, 0.4), 0.7, 1.005),
        (verdicts(0.9, 0.9, 0.9), 0.9, 0.92),
    ],
    ids=["good judge", "useless judge", "good verdicts", "useless verdicts", "rare losses"],
)
def test_coverage_and_width(draw: Draw, truth: float, narrow: float, n: int) -> None:
    """Covered in 93 to 97 % up to the error of a short simulation; long ones are in the module."""
    rng = np.random.default_rng(n)
    inside, width, alone = 0, 0.0, 0.0
    for _ in range(DRAWS):
        (y, f), g = draw(rng, n), draw(rng, 600)[1]
        found, labels = prediction_powered(y, f, g), prediction_powered(y, f, [])
        inside += found.low <= truth <= found.high
        width += found.high - found.low
        alone += labels.high - labels.low
    assert 0.93 - 2 * _ERROR <= inside / DRAWS <= 0.97 + 2 * _ERROR
    assert width <= narrow * alone


def test_unit_sums_give_the_same_value_and_what_the_resampler_gives() -> None:
    rng = np.random.default_rng(6)
    y, judge = scores(0.8)(rng, 400)
    labelled = rng.random(400) < 0.3
    rows = unit_sums(np.where(labelled, y, np.nan), labelled, judge)
    assert np.isfinite(rows).all()
    direct = prediction_powered(y[labelled], judge[labelled], judge[~labelled])

    def of(sums: np.ndarray) -> Sample:
        pooled = Pooled(rows=sums, combine=lambda total: combine(total, {}))
        return Sample(values=np.zeros(400), scored=np.ones(400, bool), pooled=pooled)

    other = unit_sums(y - 0.5, labelled, judge - 0.4)
    found, difference = intervals([of(rows), paired(of(rows), of(other))], seed=1)
    assert found.value == pytest.approx(direct.value)
    assert (found.low, found.high) == pytest.approx((direct.low, direct.high), abs=0.03)
    assert difference.value == pytest.approx(0.5)
    assert np.isnan(combine(unit_sums(y, np.zeros(400, bool), judge).sum(axis=0), {}))


def pandalm(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """LLaMA-7B's wins by the majority of three people, and by PandaLM-7B."""
    people = json.loads((folder / "testset-v1.json").read_text())
    judge = {row["idx"]: row for row in json.loads((folder / "pandalm-7b-testset-v1.json").read_text())}
    found = []
    for row in people:
        models = row["cmp_key"].split("_")
        if "llama-7b" in models:
            won = {1: 1.0, 2: 0.0} if models[0] == "llama-7b" else {1: 0.0, 2: 1.0}
            votes = collections.Counter(row[f"annotator{i}"] for i in (1, 2, 3)).most_common(1)[0][0]
            verdict = str(judge[row["idx"]]["pandalm_result"]).strip()
            found.append((won.get(votes, 0.5), won[int(verdict)] if verdict in ("1", "2") else 0.5))
    human, machine = np.array(found).T
    return human, machine


def test_pandalm_as_judge_of_llama(real_data: Path) -> None:
    human, machine = pandalm(real_data / "judgements" / "pandalm")
    assert (len(human), human.mean(), machine.mean()) == (
        421,
        pytest.approx(0.711, abs=5e-4),
        pytest.approx(0.620, abs=5e-4),
    )
    truth, rng = human.mean(), np.random.default_rng(0)
    alone = 1.96 * machine.std() / math.sqrt(len(machine))
    assert abs(machine.mean() - truth) > alone
    inside, widths, labels = 0, [], []
    for _ in range(400):
        order = rng.permutation(len(human))
        few, rest = order[:100], order[100:]
        found = prediction_powered(human[few], machine[few], machine[rest], bounds=(0, 1))
        inside += found.low <= truth <= found.high
        widths.append(found.high - found.low)
        only = prediction_powered(human[few], machine[few], [], bounds=(0, 1))
        labels.append(only.high - only.low)
    assert inside / 400 >= 0.95  # what is labelled is drawn from the 421 themselves
    assert np.mean(widths) == pytest.approx(0.152, abs=0.003)
    assert np.mean(labels) == pytest.approx(0.168, abs=0.003)
