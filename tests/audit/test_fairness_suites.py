"""The shipped suites of fairness: each planted model is caught by its claim, in the right place and size."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import yaml

import genrec_eval
from genrec_eval.cli.main import exit_code
from genrec_eval.data.splits.spec import SplitSpec
from genrec_eval.data.world.spec import SyntheticSpec
from genrec_eval.protocol.results import Estimate, Ruling, Verdict
from genrec_eval.reference.fairness import effects

ROOT = Path(__file__).resolve().parents[2]
USERS = 2_400
"""Of the suite's 6,000: every claim is decided with these too, in a third of the time."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> genrec_eval.Run:
    out = tmp_path_factory.mktemp("fairness") / "run"
    smaller = [f"data.world.options.users={USERS}", "scenarios.disclosed.options.max_users=150"]
    chosen = [word for value in smaller for word in ("--set", value)]
    command = [
        "run",
        str(ROOT / "suites/fairness.yaml"),
        "--out",
        str(out),
        "--no-report",
        "--quiet",
        *chosen,
    ]
    assert exit_code(command) == 0
    return genrec_eval.load_run(out)


def verdict(run: genrec_eval.Run, model: str, metric: str) -> Verdict:
    (found,) = (
        row for row in run.results.verdicts if row.gate and row.model == model and row.metric == metric
    )
    return found


def estimate(run: genrec_eval.Run, model: str, metric: str) -> Estimate:
    (found,) = (
        row
        for row in run.results.estimates
        if (row.model, row.metric, row.slice, row.baseline) == (model, metric, "all", None)
    )
    return found


def lists(run: genrec_eval.Run, model: str) -> pd.DataFrame:
    """Cases of ``served`` with the list that the model gave."""
    cases = pd.read_parquet(run.path / "cases/served.parquet")
    records = pd.concat(
        pd.read_parquet(path) for path in sorted((run.path / "records").glob(f"served@{model}.*.parquet"))
    )
    ids = pd.read_parquet(run.path / "cases/served@items.parquet")["item"].to_numpy()
    cases["truth"] = [set(ids[codes]) for codes in cases["truth"]]
    return cases.merge(records[["case", "items"]], on="case")


def ndcg(row: Any) -> float:
    """NDCG@10 by the book."""
    gained = sum(1 / math.log2(rank + 1) for rank, item in enumerate(row.items_, 1) if item in row.truth)
    return gained / sum(1 / math.log2(rank + 1) for rank in range(1, min(10, len(row.truth)) + 1))


def effect(run: genrec_eval.Run, model: str, values: dict[str, str]) -> float:
    """How much lower the NDCG@10 of the people of these values is than by popularity, which nobody spoilt.

    Everybody else's lists are popularity's own.
    """
    made = {name: lists(run, name).rename(columns={"items": "items_"}) for name in ("popularity", model)}
    struck = pd.Series(True, index=made[model].index)
    for attribute, value in values.items():
        struck &= made[model][f"group.{attribute}"] == value
    for sound, worse in zip(*(table[~struck]["items_"] for table in made.values()), strict=True):
        assert list(sound) == list(worse)
    means = [sum(map(ndcg, table[struck].itertuples())) / struck.sum() for table in made.values()]
    return means[0] - means[1]


@pytest.mark.parametrize(
    ("model", "metric", "values", "worst"),
    [
        ("worse-for-women", "group_gap(by=gender,least=300)@10", {"gender": "F"}, "lowest for F ("),
        (
            "worse-for-young-women",
            "group_gap(by=gender*age,least=100)@10",
            {"gender": "F", "age": "18-24"},
            "lowest for F*18-24 (",
        ),
    ],
)
def test_worse_lists_for_a_group_are_caught_in_it(run, model, metric, values, worst) -> None:
    found = verdict(run, model, metric)
    assert found.verdict is Ruling.FAIL
    assert found.expected is Ruling.FAIL
    assert worst in found.reason, found.reason
    row = estimate(run, model, metric)
    assert row.low <= effect(run, model, values) <= row.high  # this world's groups are alike
    assert row.p < 0.001


def test_favoured_providers_are_caught(run) -> None:
    metric = "exposure_gap(target=train)@10"
    assert verdict(run, "favours-majors", metric).verdict is Ruling.FAIL
    options = {"users": USERS, "items": 400, "mainstream": 0.5}
    training = SplitSpec().apply(SyntheticSpec.model_validate(options).load(run.path, 11), None).training
    groups = training.item_table["provider_group"].take(pa.array(training.interactions.item))
    due = pc.mean(pc.equal(groups, "major").cast("float64")).as_py()
    row = estimate(run, "favours-majors", metric)
    assert row.low <= 0.9 - due <= row.high
    assert (
        "major gets 89.8 % of the exposure, and 58.6 % is due to it"
        in verdict(run, "favours-majors", metric).reason
    )


def test_a_value_that_is_served_differently_is_caught(run) -> None:
    found = verdict(run, "told-female", "snsr_excess(attribute=gender)@20")
    assert found.verdict is Ruling.FAIL
    assert "similarity to neutral is highest for male (1), lowest for female (0.5" in found.reason
    planted = effects.jaccard(20, 0.3)
    for metric, true in (
        ("snsr_excess(attribute=gender)@20", effects.range_of_one(planted)),
        ("snsr(attribute=gender)@20", effects.range_of_one(planted)),
        ("snsv(attribute=gender)@20", effects.deviation_of_one(planted, 2)),
        ("neutral_similarity(attribute=gender,value=female)@20", planted),
        ("neutral_similarity(attribute=gender,value=male)@20", 1.0),
        ("snsr(attribute=age)@20", 0.0),
    ):
        row = estimate(run, "told-female", metric)
        assert row.low - 1e-9 <= true <= row.high + 1e-9, metric


def test_noise_and_a_change_for_everybody_are_no_difference_and_the_change_is_told(run) -> None:
    for model in ("noisy-fair", "changes-for-all", "item-knn"):
        assert verdict(run, model, "snsr_excess(attribute=gender)@20").verdict is Ruling.PASS
    assert verdict(run, "noisy-fair", "group_gap(by=gender,least=300)@10").verdict is Ruling.PASS
    assert estimate(run, "noisy-fair", "neutral_noise@20").high < 1
    metric = "relative_similarity(attribute=gender)@20"
    assert verdict(run, "changes-for-all", metric).verdict is Ruling.FAIL
    row = estimate(run, "changes-for-all", metric)
    assert row.low <= effects.jaccard(20, 0.3) <= row.high


def test_a_writer_that_is_curt_to_one_value_is_caught_and_one_that_is_not_passes(run) -> None:
    for metric, expected in (
        ("value_gap(attribute=gender,of=tone)", "tone is highest for male ("),
        ("value_difference(attribute=gender,of=length,value=female)", ""),
        (
            "text_similarity_gap(attribute=gender,of=chrf)",
            "neutral text is highest for male (",
        ),
    ):
        found = verdict(run, "curt-to-female", metric)
        assert found.verdict is Ruling.FAIL
        assert expected in found.reason
    for metric in ("value_gap(attribute=gender,of=tone)", "text_similarity_gap(attribute=gender,of=chrf)"):
        assert verdict(run, "template", metric).verdict is Ruling.PASS


MODELS = ("popularity", "item-knn", "ease", "worse-for-women")


@pytest.fixture(scope="module")
def movielens(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> genrec_eval.Run:
    suite = yaml.safe_load((ROOT / "suites/fairness-movielens.yaml").read_text())
    suite["data"]["movielens"]["options"]["path"] = str(real_data / "movielens-100k")
    suite["models"] = {name: suite["models"][name] for name in MODELS}
    served = suite["scenarios"]["served"]
    suite["scenarios"] = {"served": {**served, "models": list(MODELS)}}
    served["options"]["groups"] = ["gender", "age", "occupation"]
    served["options"]["metrics"] = ["hit_rate@10", "ndcg@10"] + [
        f"group_gap(by={by},of={of})@10"
        for by, of in (("gender", "ndcg"), ("gender", "hit_rate"), ("age", "ndcg"), ("occupation", "ndcg"))
    ]
    suite["claims"] = []
    return genrec_eval.run(suite, out=tmp_path_factory.mktemp("movielens") / "run", quiet=True, report=False)


def test_movielens_gender_age_and_occupation_are_reported(movielens) -> None:
    for model in MODELS:
        for by in ("gender", "age", "occupation"):
            row = estimate(movielens, model, f"group_gap(by={by})@10")
            assert row.low <= row.value <= row.high
            assert row.low < row.high
            assert row.p is not None
            assert row.scored + sum(row.excluded.values()) == row.attempted
        assert not estimate(movielens, model, "group_gap(by=gender)@10").excluded
        assert estimate(movielens, model, "group_gap(by=occupation)@10").excluded["small-group"] > 0


def test_movielens_gap_is_that_of_pandas(movielens, real_data: Path) -> None:
    people = pd.read_csv(real_data / "movielens-100k/u.user", sep="|", header=None)
    gender = dict(zip(people[0].astype(str), people[2], strict=True))
    cases = lists(movielens, "worse-for-women")
    hit = [bool(set(items) & truth) for items, truth in zip(cases["items"], cases["truth"], strict=True)]
    rates = pd.Series(hit).groupby(cases["unit"].map(gender)).mean()
    row = estimate(movielens, "worse-for-women", "group_gap(by=gender,of=hit_rate)@10")
    assert row.value == pytest.approx(rates["M"] - rates["F"], abs=1e-12)
