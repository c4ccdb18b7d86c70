"""Which units, models and metrics of two runs belong together, and what has no partner."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.stats
from made_run import made, scores, source

import genrec_eval
from genrec_eval.audit.comparing.compare import compare
from genrec_eval.audit.comparing.types import Change
from genrec_eval.core.errors import UsageError

NDCG = "ndcg@10"
VALUES = scores(np.linspace(0, 1, 12))


def test_an_item_more_in_the_catalogue_leaves_every_question_the_same(tmp_path: Path) -> None:
    truth = [[i % 4] for i in range(12)]
    shifted = [[item + 1 for item in row] for row in truth]
    a = made(tmp_path / "a", {"m": {NDCG: VALUES}}, truth=truth, history=[0, 2])
    more = ("0-new", "a", "b", "c", "d")
    b = made(tmp_path / "b", {"m": {NDCG: VALUES}}, items=more, truth=shifted, history=[1, 3])
    assert compare(source(b), source(a)).pairs[0].paired == 12
    # the codes of before now stand for other items
    c = made(tmp_path / "c", {"m": {NDCG: VALUES}}, items=more, truth=truth, history=[0, 2])
    assert not (source(c).units("top-k").content == source(a).units("top-k").content).any()


def test_changed_and_unpaired_units_are_named_and_left_out(tmp_path: Path) -> None:
    before, after = np.zeros(10), np.ones(10)
    truth = [[0]] * 10
    a = made(tmp_path / "a", {"m": {NDCG: scores(before)}}, units=[f"u{i}" for i in range(10)], truth=truth)
    b = made(
        tmp_path / "b",
        {"m": {NDCG: scores(after)}},
        units=[*(f"u{i}" for i in range(8)), "new", "newer"],
        truth=[[1], *truth[1:]],
    )
    found = compare(source(b), source(a))
    pairs = found.pairs[0]
    assert (pairs.paired, pairs.changed, pairs.only_reference, pairs.only_candidate) == (7, 1, 2, 2)
    assert pairs.named == {
        "only_reference": ["u8", "u9"],
        "only_candidate": ["new", "newer"],
        "changed": ["u0"],
    }
    assert found.differences[0].n == 7


def test_one_pair_says_nothing_of_the_spread(tmp_path: Path) -> None:
    a = made(tmp_path / "a", {"m": {NDCG: scores([0.2])}})
    b = made(tmp_path / "b", {"m": {NDCG: scores([0.7])}})
    row = compare(source(b), source(a)).differences[0]
    assert row.change is Change.INCONCLUSIVE
    assert row.reason == "m's ndcg@10 differs, but has no interval: one unit says nothing about the spread"
    assert row.value == pytest.approx(0.5)


def test_nothing_in_common_is_one_sentence(tmp_path: Path) -> None:
    a = made(tmp_path / "a", {"m": {NDCG: VALUES}}, units=[f"a{i}" for i in range(12)])
    b = made(tmp_path / "b", {"m": {NDCG: VALUES}}, units=[f"b{i}" for i in range(12)])
    with pytest.raises(UsageError, match=r"no unit in common .* 12 units \(b0, b1, b2, \.\.\.\)"):
        compare(source(b), source(a))
    c = made(tmp_path / "c", {"m": {NDCG: VALUES}}, units=[f"a{i}" for i in range(12)], truth=[[1]] * 12)
    a = made(tmp_path / "d", {"m": {NDCG: VALUES}}, units=[f"a{i}" for i in range(12)], truth=[[2]] * 12)
    with pytest.raises(UsageError, match="all 12 shared units were asked something else"):
        compare(source(c), source(a))


def test_runs_of_other_scenarios_or_models_say_what_each_has(tmp_path: Path) -> None:
    a = made(tmp_path / "a", {"m": {NDCG: VALUES}, "n": {NDCG: VALUES}})
    b = made(tmp_path / "b", {"m": {NDCG: VALUES}}, scenario="top_k")
    with pytest.raises(
        UsageError, match=r"share no scenario: .* has top_k, the reference top-k.*did you mean 'top-k'"
    ):
        compare(source(b), source(a))
    c = made(tmp_path / "c", {"m2": {NDCG: VALUES}, "n2": {NDCG: VALUES}})
    with pytest.raises(
        UsageError, match=r"share no model .* the candidate has m2, n2, the reference m, n; .*--model NEW=OLD"
    ):
        compare(source(c), source(a))
    with pytest.raises(UsageError, match=r"the reference .* has no model 'mm'; did you mean 'm'"):
        compare(source(c), source(a), models={"m2": "mm"})
    with pytest.raises(UsageError, match=r"the candidate .* has no model 'x'"):
        compare(source(c), source(a), models={"x": "m"})
    named = compare(source(c), source(a), models={"m2": "m"})
    assert [(row.model, row.reference_model) for row in named.differences] == [("m2", "m")]
    assert "Model 'n2' was played in 'top-k' in the candidate only." in named.missing


def test_two_lone_models_belong_together(tmp_path: Path) -> None:
    a = made(tmp_path / "a", {"old": {NDCG: scores(np.linspace(0, 1, 30))}})
    b = made(tmp_path / "b", {"new": {NDCG: scores(np.linspace(0, 1, 30) ** 2)}})
    row = compare(source(b), source(a)).differences[0]
    assert (row.model, row.reference_model) == ("new", "old")
    assert "new's ndcg@10 differs from old's by −0.161 (−" in row.reason


def test_what_only_one_run_has_is_said(tmp_path: Path) -> None:
    a = made(
        tmp_path / "a", {"m": {NDCG: VALUES, "recall@10": VALUES}, "n": {NDCG: VALUES}}, groups=["x"] * 12
    )
    b = made(tmp_path / "b", {"m": {NDCG: VALUES, "mrr@10": VALUES}}, groups=["y"] * 12)
    assert list(compare(source(b), source(a)).missing) == [
        "Model 'n' was played in 'top-k' in the reference only.",
        "recall@10 of m in 'top-k' was measured in the reference only.",
        "mrr@10 of m in 'top-k' was measured in the candidate only.",
        "Slice kind=x of 'top-k' is in the reference only.",
        "Slice kind=y of 'top-k' is in the candidate only.",
    ]


def test_the_same_run_twice_says_so(played: tuple[Path, Path], tmp_path: Path) -> None:
    before, _ = played
    found = genrec_eval.compare(before, before)
    assert list(found.remarks) == ["Both are the same run directory, so nothing can differ."]
    assert not found.settings
    assert not found.flip_counts
    assert {row.change for row in found.differences} <= {Change.UNCHANGED, Change.NOT_COMPARED}
    a = made(tmp_path / "a", {"m": {NDCG: VALUES}})
    b = made(tmp_path / "b", {"m": {NDCG: VALUES}})
    assert "the same for every unit" in compare(source(b), source(a)).remarks[0]


def test_really_played_runs_are_paired_whole_and_give_a_frame(played: tuple[Path, Path]) -> None:
    found = genrec_eval.compare(*played)
    pairs = found.pairs[0]
    assert pairs.paired > 100
    assert (pairs.only_reference, pairs.only_candidate, pairs.changed) == (0, 0, 0)
    frame = found.frame.query("metric == 'ndcg@10' and slice == 'all' and model == 'knn'")
    stored = [
        genrec_eval.load_run(path).scores.query("metric == 'ndcg@10' and model == 'knn'") for path in played
    ]
    assert frame.value.item() == pytest.approx(stored[1].value.mean() - stored[0].value.mean())
    same = next(row for row in found.differences if row.model == "popularity" and row.slice == "all")
    assert same.reason == f"popularity's ndcg@10 is identical for every one of {pairs.paired} units"
    only = genrec_eval.compare(*played, metrics="ndcg@10", scenarios=["top-k"])
    assert {row.metric for row in only.differences} == {"ndcg@10"}


@pytest.fixture(scope="module")
def experiments(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two A/B tests with other users, and the first once more."""
    folder = tmp_path_factory.mktemp("experiments")
    rng = np.random.default_rng(3)
    paths = []
    for name, prefix, mean in (("a", "p", 1.0), ("b", "q", 1.6)):
        rows = ["user,arm,day,clicks"]
        for i in range(200):
            arm = "AB"[i % 2]
            rows += [f"{prefix}{i},{arm},{day},{rng.poisson(mean + 0.3 * (i % 2))}" for day in range(3)]
        (folder / f"{name}.csv").write_text("\n".join(rows) + "\n")
        paths.append(folder / f"run-{name}")
    return [folder, *paths]


def test_users_of_two_experiments_are_independent_samples(experiments: list[Path]) -> None:
    folder, *paths = experiments
    for name, path in zip("ab", paths, strict=True):
        suite = {
            "name": "ab",
            "data": {
                "log": {
                    "dataset": "exposure-log",
                    "options": {"path": str(folder / f"{name}.csv"), "outcomes": ["clicks"]},
                }
            },
            "models": {arm: {"adapter": "logged"} for arm in "AB"},
            "scenarios": {
                "ab": {
                    "scenario": "ab-test",
                    "data": "log",
                    "options": {
                        "control": "A",
                        "metrics": ["mean_outcome(outcome=clicks)", "effect(outcome=clicks)"],
                    },
                }
            },
        }
        genrec_eval.run(suite, out=path, quiet=True, report=False)
    found = genrec_eval.compare(*paths)
    assert found.pairs[0].paired == 0
    mean = next(
        row for row in found.differences if row.metric.startswith("mean_outcome") and row.model == "A"
    )
    sums = []
    for path in paths:
        scored = genrec_eval.load_run(path).scores.query(
            "metric == 'mean_outcome(outcome=clicks)' and model == 'A'"
        )
        sums.append(scored.value.dropna().to_numpy())
    test = scipy.stats.ttest_ind(sums[1], sums[0], equal_var=False)
    assert mean.interval == "welch"
    assert mean.value == pytest.approx(sums[1].mean() - sums[0].mean())
    assert mean.p == pytest.approx(test.pvalue, rel=1e-9)
    assert (mean.reference_value, mean.candidate_value) == pytest.approx((sums[0].mean(), sums[1].mean()))
    effect = next(row for row in found.differences if row.metric.startswith("effect"))
    assert effect.change is Change.NOT_COMPARED
    assert "already compares two groups" in effect.reason
    again = genrec_eval.compare(paths[0], paths[0])
    effect = next(row for row in again.differences if row.metric.startswith("effect"))
    assert effect.change is Change.UNCHANGED
