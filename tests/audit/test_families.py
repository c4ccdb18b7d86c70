"""Families of claims, sweeps, what a test can show at most, and how many units would decide."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_run import FakeRun
from scipy.special import betaincinv

from genrec_eval.audit.audit import results_of
from genrec_eval.audit.decide import units_to_decide
from genrec_eval.audit.estimate import estimate_run
from genrec_eval.audit.families import Family, adjusted
from genrec_eval.audit.held import Held
from genrec_eval.audit.score import score_run
from genrec_eval.audit.verdicts import Evidence, claim_verdicts
from genrec_eval.data.dataset import Dataset
from genrec_eval.protocol.results import Coverage, Estimate, Ruling
from genrec_eval.stats.contrast import Fitted
from genrec_eval.stats.enough import Growing, units_enough
from genrec_eval.stats.extremes import Shares, Simultaneous, greatest_distance
from genrec_eval.stats.fits import Fit
from genrec_eval.stats.multiplicity import benjamini_hochberg, holm
from genrec_eval.stats.ranges import range_of, ratio_of
from genrec_eval.stats.resolution import Resolution, of_deals
from genrec_eval.stats.sample import Sample
from genrec_eval.stats.within_units import excess_fit, resolution
from genrec_eval.suite.schema import Claim

GAP = "group_gap(by=group,least=5)@5"
RAN = [Coverage(model=f"m{i}", scenario="s", state="run", attempted=9, answered=9) for i in range(9)]


def upper(hits: int, runs: int) -> float:
    """Clopper and Pearson's upper bound of a rate, at 95 % from both sides."""
    return float(betaincinv(hits + 1, runs - hits, 0.975))


def two_groups(rng: np.random.Generator, runs: int, units: int, apart: float) -> np.ndarray:
    """float64[runs, units, 4]: rows of half the units in either group."""
    rows = np.zeros((runs, units, 4))
    half = units // 2
    rows[:, :half, 0], rows[:, :half, 2] = rng.normal(apart, 1.0, (runs, half)), 1.0
    rows[:, half:, 1], rows[:, half:, 3] = rng.normal(0.0, 1.0, (runs, units - half)), 1.0
    return rows


def held(fit: Fit, value: float, n: int, model: str = "m0", **more: Any) -> Held:
    low, high = fit.ends(0.95)
    estimate = Estimate(
        model=model, scenario="s", metric="gap", definition="gap", value=value, low=low, high=high,
        interval=fit.method, n=n, attempted=n, answered=n, scored=n, direction="lower",
    )  # fmt: skip
    nothing = Sample(values=np.zeros(n), scored=np.ones(n, bool), bounds=(0.0, None))
    return Held(estimate, nothing, Fitted(value, n, fit), **more)


def judged(figures: list[Held], declared: int | None = None, **rule: Any) -> list[Any]:
    """Verdicts of one claim on each figure, all of one family, of ``declared`` claims where that is more."""
    claims = [
        Claim(claim="c", scenario="s", metric="gap", model=f"m{i}", family="gender", **rule)
        for i in range(declared or len(figures))
    ]
    estimates = [one.estimate for one in figures]
    keys = [(one.scenario, one.metric, one.model, one.slice, None) for one in estimates]
    evidence = replace(Evidence.of(estimates, RAN, 0.05), held=dict(zip(keys, figures, strict=True)))
    return claim_verdicts(claims, evidence)


@pytest.mark.parametrize(("apart", "margin"), [(0.0, 0.0), (0.5, 0.5)])
def test_the_chance_of_even_one_false_verdict_in_a_family_is_bounded(apart: float, margin: float) -> None:
    """Alone, some claim is false in more runs than the family allows."""
    size, runs = 5, 500
    rows = two_groups(np.random.default_rng(4), runs * size, 40, apart)
    fits = [range_of(one) for one in rows]
    wrong = alone = 0
    for run in range(runs):
        figures = []
        for i, fit in enumerate(fits[run * size : (run + 1) * size]):
            assert not isinstance(fit, str)
            figures.append(held(fit, fit.value, 40, f"m{i}"))
        found = judged(figures, at_most=margin)
        # an effect on the margin is neither above it nor below it
        wrong += any(row.verdict is not Ruling.INSUFFICIENT for row in found)
        alone += any(not one.estimate.low <= margin <= one.estimate.high for one in figures)
    assert wrong / runs <= 0.05
    assert upper(wrong, runs) <= 0.075
    assert alone / runs > 0.07  # without the family
    assert found[0].level == pytest.approx(0.99)


def test_the_words_and_the_level_of_a_family() -> None:
    rng = np.random.default_rng(1)
    fit = range_of(two_groups(rng, 1, 400, 0.5)[0])
    assert not isinstance(fit, str)
    one = held(fit, fit.value, 400)
    (lone,) = judged([one], at_most=2.0)
    together = judged([one], 5, at_most=2.0)
    assert lone.reason.endswith("(at 95 %, the only claim of family gender)")
    assert together[0].reason.endswith("(at 99 %, for 5 claims of family gender)")
    # four of the five were not run, and still count
    assert [row.verdict for row in together[1:]] == [Ruling.NOT_RUN] * 4
    assert (together[0].low, together[0].high) == pytest.approx(fit.ends(0.99))
    assert {(row.family, row.family_size) for row in together} == {("gender", 5)}


def figure(metric: str, p: float | None, model: str = "m") -> Estimate:
    return Estimate(
        model=model, scenario="s", metric=metric, definition=metric, value=0.1, low=0.0, high=0.2,
        interval="t", n=9, attempted=9, answered=9, scored=9, direction="lower", p=p,
    )  # fmt: skip


def test_holm_inside_a_family_and_a_sweep_of_all_the_rest() -> None:
    tested = [0.01, 0.03, 0.004, 0.02, 0.5]
    rows = [figure(f"x{i}", p) for i, p in enumerate(tested)] + [figure("plain", None)]
    family = Family("gender", 4, frozenset({("s", "x0", "m"), ("s", "x1", "m"), ("s", "plain", "m")}))
    found = adjusted(rows, [family])
    assert [row.p_adjusted for row in found[:2]] == pytest.approx(holm([0.01, 0.03, 1, 1])[:2])
    assert [row.p_adjusted for row in found[2:5]] == pytest.approx(benjamini_hochberg(tested[2:]))
    assert {row.adjustment for row in found[:2]} == {"Holm over 4 of family gender"}
    assert {row.adjustment for row in found[2:5]} == {"Benjamini-Hochberg over 3 of the scenario's sweep"}
    assert (found[5].p_adjusted, found[5].adjustment) == (None, None)
    wider = Family("all", 9, frozenset({("s", "x0", "m")}))
    assert adjusted(rows, [family, wider])[0].adjustment == "Holm over 9 of family all"


def test_the_share_of_false_discoveries_of_a_sweep() -> None:
    """20 of 40 tests have no effect: on average at most 2.5 % of what is found is none."""
    rng = np.random.default_rng(2)
    shares = []
    for _ in range(150):
        p = np.concatenate([rng.random(20), rng.beta(0.05, 1.0, 20)])
        found = adjusted([figure(f"x{i}", float(one)) for i, one in enumerate(p)], [])
        hits = np.array([(row.p_adjusted or 0.0) <= 0.05 for row in found])
        shares.append(hits[:20].sum() / max(1, hits.sum()))
    assert np.mean(shares) + 2 * np.std(shares) / np.sqrt(150) <= 0.05


def test_p_values_are_uniform_under_no_effect_end_to_end(tmp_path: Path, world: Dataset) -> None:
    asked = [f"group_gap(by=group,of=ndcg,least=5)@{k}" for k in (5,)]
    run = FakeRun(tmp_path, world, metrics=asked)
    for i in range(50):
        run.add(f"m{i}", 0.35)
    score_run(run)
    found = [row for row in estimate_run(run) if row.metric == GAP and row.slice == "all"]
    p = np.sort([row.p or 0.0 for row in found])
    assert len(p) == 50
    steps = np.arange(1, 51) / 50
    assert max(np.abs(p - steps).max(), np.abs(p - steps + 1 / 50).max()) < 0.23  # Kolmogorov, 1 %
    assert {row.adjustment for row in found} == {"Benjamini-Hochberg over 50 of the scenario's sweep"}


def test_families_cross_models_and_unrun_claims_count(tmp_path: Path, world: Dataset) -> None:
    claim = {"claim": "c", "metric": "group_gap(by=group,of=ndcg,least=5)@5", "at_most": 0.9, "family": "g"}
    named = [("top-k", "m0"), ("top-k", "m1"), ("elsewhere", "m0")]
    claims = [{**claim, "scenario": where, "model": model} for where, model in named]
    run = FakeRun(tmp_path, world, claims, metrics=["group_gap(by=group,of=ndcg,least=5)@5"])
    for i in range(3):
        run.add(f"m{i}", 0.35)
    found = results_of(run, score_run(run))
    verdicts = [row for row in found.verdicts if row.family]
    assert [row.verdict for row in verdicts] == [Ruling.PASS, Ruling.PASS, Ruling.NOT_RUN]
    whole = [row for row in found.estimates if row.slice == "all" and row.baseline is None]
    gaps = {row.model: row for row in whole if row.metric == GAP}
    assert verdicts[0].level == pytest.approx(1 - 0.05 / 3)
    assert verdicts[0].high > gaps["m0"].high  # the estimate keeps the level of the suite
    assert gaps["m0"].level == 0.95
    words = [gaps[f"m{i}"].adjustment for i in range(3)]
    assert words == ["Holm over 3 of family g"] * 2 + ["Benjamini-Hochberg over 1 of the scenario's sweep"]


def test_what_no_p_could_reach_is_not_decided() -> None:
    rows = np.concatenate([np.tile([0.9, 0.1], (6, 1)), np.ones((6, 2))], axis=1)
    rows[:, 0] += np.arange(6) / 1000
    fit = excess_fit(rows, 0.05)
    assert not isinstance(fit, str)
    one = held(fit, 0.75, 6, resolution=resolution(rows))
    (alone,) = judged([one], at_most=0.05)
    assert alone.verdict is Ruling.FAIL  # p = 0.03125 can come out
    together = judged([one], 5, at_most=0.05)[0]
    assert together.verdict is Ruling.INSUFFICIENT
    assert together.needed == 8
    said = "no result of 6 units could be significant at 99 %: with 2 values and 6 paired units even the most"
    assert said in together.reason
    assert "p = 0.03125; 8 would (at 99 %, for 5 claims of family gender)" in together.reason
    few = held(fit, 0.75, 5, resolution=Resolution(0.0625, "2 values and 5 paired units", 5, factor=0.5))
    found = judged([replace(few, estimate=replace(few.estimate, low=None, high=None))], at_most=0.05)[0]
    assert (found.verdict, found.needed) == (Ruling.INSUFFICIENT, 6)


def test_units_that_dealt_labels_need() -> None:
    assert of_deals(np.array([3, 3])).least == pytest.approx(2 / 20)
    assert of_deals(np.array([2, 3])).least == pytest.approx(1 / 10)
    assert of_deals(np.array([30, 30])).reaches(1e-9)
    assert of_deals(np.array([3, 3])).enough(0.05) == 7  # 35 deals of 3 and 4
    assert of_deals(np.array([4])).enough(0.05) is None


def grouped(rng: np.random.Generator, n: int) -> np.ndarray:
    codes, rows = np.arange(n) % 3, np.zeros((n, 6))
    rows[np.arange(n), codes] = rng.normal(np.array([0.0, 0.02, 0.06])[codes], 0.3)
    rows[np.arange(n), codes + 3] = 1.0
    return rows


def several(rng: np.random.Generator) -> list[tuple[Fit, int, float]]:
    """Fits of a kind each, their units, and a margin that they leave open."""
    rows = grouped(rng, 300)
    paired = np.concatenate([rng.normal([0.5, 0.52], 0.2, (60, 2)), np.ones((60, 2))], axis=1)
    own = np.arange(90)[:, None] % 3 == np.arange(3)
    raised = np.concatenate([rng.normal([1.0, 1.05, 1.1], 0.5, (90, 3)) * own, own], axis=1)
    shares = Shares(np.array([0.3, 0.7]), np.array([0.03, 0.03]), 80)
    apart = Simultaneous(
        2, 79.0, lambda z: shares.apart(np.array([0.25, 0.75]), np.zeros(2), z), greatest_distance
    )
    found = [(range_of(rows), 300, 0.02), (range_of(rows), 300, 0.2), (excess_fit(paired, 0.03), 60, 0.05)]
    found += [(ratio_of(raised), 90, 0.97), (apart, 80, 0.02)]
    assert all(not isinstance(fit, str) for fit, *_ in found)
    return found  # type: ignore[return-value]


def test_so_many_units_decide_and_fewer_do_not() -> None:
    for fit, n, margin in several(np.random.default_rng(13)):
        low, high = fit.ends(0.95)
        assert low <= margin <= high
        assert isinstance(fit, Growing)
        needed = units_enough(fit, margin, n, 0.95)
        assert needed is not None
        enough, short = (fit.grown(units / n).ends(0.95) for units in (needed, 0.98 * needed))
        assert enough[0] > margin or enough[1] < margin, fit
        assert short[0] <= margin <= short[1], fit
        assert units_enough(fit, margin, n, 0.99) > needed  # type: ignore[operator]


def test_a_range_cut_at_zero_needs_more_than_its_interval_shows() -> None:
    rows = grouped(np.random.default_rng(13), 300)
    fit = range_of(rows)
    assert not isinstance(fit, str)
    estimate = held(fit, fit.value, 300).estimate
    assert estimate.low == 0.0
    cut, right = units_to_decide(estimate, 0.02), units_to_decide(estimate, 0.02, fit)
    assert cut is not None
    assert right is not None
    assert right > cut
    more = range_of(np.tile(rows, (right // 300 + 1, 1)))
    assert not isinstance(more, str)
    assert more.ends(0.95)[0] > 0.02
