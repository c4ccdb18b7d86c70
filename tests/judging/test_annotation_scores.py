"""People beside judges: figures against plain loops, closed forms, and a judge that errs on purpose."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from annotators import RUBRIC, asking

from genrec_eval.judging.annotation.compare import compare
from genrec_eval.judging.annotation.stored import AnnotatedQuestion
from genrec_eval.judging.policy import JudgePolicy, Judging
from genrec_eval.judging.question import Question
from genrec_eval.judging.rows import judgement_table
from genrec_eval.metrics.base import UnitScores
from genrec_eval.metrics.judged.people import claim_sums, corrected_rate
from genrec_eval.stats.intervals import Interval, intervals
from genrec_eval.stats.prediction_powered import prediction_powered
from genrec_eval.stats.rogan_gladen import rogan_gladen

Rows = list[dict[str, Any]]


def question(
    task: str = "pointwise", scale: tuple[float, float] = (1.0, 5.0), **policy: Any
) -> AnnotatedQuestion:
    """A question that one judge, j, and people were asked."""
    people = asking(task)
    judging = Judging.model_validate({**people.judging.model_dump(), "judge": "j"})
    judge = Question(
        judging=judging, rubric=RUBRIC, policies={"j": JudgePolicy(min_coverage=0, **policy)}, scale=scale
    )
    return AnnotatedQuestion(
        judging=people.judging, rubric=RUBRIC, policies=people.policies, scale=people.scale, judged=(judge,)
    )


def row(case: int, judge: str, value: float, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "model": "m",
        "case": f"c{case}",
        "unit": f"u{case}",
        "repeat": 0,
        "step": 0,
        "judge": judge,
        "rubric": "clarity",
        "sample": 0,
        "status": "ok",
        "value": value,
        "length": 1,
        "other_length": 1,
    }
    return found | more


def solved(
    asked: AnnotatedQuestion, people: Rows, judged: Rows, units: int
) -> dict[str, tuple[UnitScores, Interval]]:
    """Family and judge → scores and interval."""
    shared = {"task": asked.judging.task, "other": asked.judging.against}
    tables = [judgement_table([{**shared, **one} for one in rows]) for rows in (people, judged)]
    ids = pa.array([f"u{i}" for i in range(units)])
    found = compare(asked, *tables, ids, ["m"])["m"]
    metrics = asked.metrics()
    assert {metric.id for metric in metrics} == set(found.scores)
    inferred = intervals([metric.sample(found.scores[metric.id]) for metric in metrics], seed=1)
    return {
        f"{metric.definition.name} {metric.parameters['judge']}": (found.scores[metric.id], one)
        for metric, one in zip(metrics, inferred, strict=True)
    }


def drawn(units: int, seed: int, noise: float = 0.5, bias: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """What a person says of each unit, and a judge that is off by ``bias`` and noise."""
    rng = np.random.default_rng(seed)
    quality = rng.normal(3, 1, units)
    people = np.clip(np.round(quality + rng.normal(0, 0.4, units)), 1, 5)
    return people, np.clip(np.round(quality + bias + rng.normal(0, noise, units)), 1, 5)


def test_scores_of_people_are_their_mean_and_units_without_a_label_are_counted() -> None:
    people = [row(0, "human:ana", 5.0), row(0, "human:ben", 2.0), row(1, "human:ben", 4.0)]
    found = solved(question(), people, [row(i, "j", 3.0) for i in range(4)], 4)
    scores, _ = found["rubric_score human"]
    assert scores.values[:2].tolist() == [3.5, 4.0]
    assert scores.reasons["not-judged"].tolist() == [False, False, True, True]


@pytest.mark.parametrize("task", ["pairwise", "claims"])
def test_winners_and_claims_go_by_majority(task: str) -> None:
    votes = {0: [1.0, 1.0, 0.0], 1: [1.0, 0.0], 2: [0.0]}
    more = {"claim": 0, "text": "It is."} if task == "claims" else {"order": "swapped"}
    people = [row(i, f"human:{p}", v, **more) for i, said in votes.items() for p, v in enumerate(said)]
    judged = [row(i, "j", 1.0, **(more if task == "claims" else {"order": "given"})) for i in range(3)]
    found = solved(question(task, orders="given"), people, judged, 3)
    family = "win_rate" if task == "pairwise" else "claim_support"
    assert found[f"{family} human"][0].values.tolist() == [1.0, 0.5, 0.0]


def test_agreement_and_ceiling_by_a_plain_loop() -> None:
    rng = np.random.default_rng(3)
    votes = {i: {p: float(rng.integers(1, 6)) for p in range(rng.integers(1, 4))} for i in range(12)}
    judge = {i: float(rng.integers(1, 6)) for i in range(20)}
    people = [row(i, f"human:{p}", v) for i, said in votes.items() for p, v in said.items()]
    found = solved(question(), people, [row(i, "j", v) for i, v in judge.items()], 20)

    def agree(a: float, b: float) -> float:
        return 1 - abs(a - b) / 4

    beside = [np.mean([agree(judge[i], v) for v in said.values()]) for i, said in votes.items()]
    among = [
        np.mean([agree(a, b) for a, b in itertools.combinations(said.values(), 2)])
        for said in votes.values()
        if len(said) > 1
    ]
    for name, expected in (("human_agreement j", beside), ("human_agreement human", among)):
        scores, inferred = found[name]
        assert scores.values[scores.scored] == pytest.approx(expected)
        assert inferred.value == pytest.approx(np.mean(expected))
        assert inferred.n == len(expected)
        assert inferred.low < inferred.value < inferred.high


def test_agreement_on_pairs_is_of_winners() -> None:
    people = [row(i, "human:ana", v, order="given") for i, v in enumerate([1.0, 0.5, 0.0])]
    people.append(row(3, "human:ana", 0.5, label="identical"))  # nobody was asked
    judged = [row(i, "j", v, order="given") for i, v in enumerate([0.9, 0.5, 1.0])]
    judged.append(row(3, "j", 0.5, order="given", label="identical"))
    found = solved(question("pairwise", orders="given"), people, judged, 4)
    scores, _ = found["human_agreement j"]
    assert scores.values[scores.scored].tolist() == [1.0, 1.0, 0.0]
    assert found["win_rate human"][0].values.tolist() == [1.0, 0.5, 0.0, 0.5]


def test_the_corrected_score_is_that_of_ppi_and_narrower_than_labels_where_the_judge_is_good() -> None:
    people, judge = drawn(200, 4, bias=0.8)
    labelled = np.arange(0, 200, 5)
    found = solved(
        question(),
        [row(i, "human:ana", people[i]) for i in labelled.tolist()],
        [row(i, "j", judge[i]) for i in range(200)],
        200,
    )
    others = np.setdiff1d(np.arange(200), labelled)
    direct = prediction_powered(people[labelled], judge[labelled], judge[others], bounds=(1, 5))
    _, corrected = found["corrected j"]
    _, alone = found["rubric_score human"]
    assert (corrected.value, corrected.low, corrected.high) == pytest.approx(
        (direct.value, direct.low, direct.high)
    )
    assert corrected.method == f"ppi++, λ {direct.trust:.2f}, 40 labelled and 160 judged alone"
    assert corrected.n == 200
    assert corrected.high - corrected.low < 0.85 * (alone.high - alone.low)
    assert corrected.low < people.mean() < corrected.high
    assert judge.mean() > corrected.high  # the judge by itself is 0.8 too kind


def test_a_useless_judge_leaves_labels_alone() -> None:
    people, judge = drawn(120, 5)
    judge = np.random.default_rng(6).permutation(judge)[:120] * 0 + 3
    found = solved(
        question(),
        [row(i, "human:ana", people[i]) for i in range(40)],
        [row(i, "j", judge[i]) for i in range(120)],
        120,
    )
    _, corrected = found["corrected j"]
    assert corrected.method == "labels, λ 0.00, 40 labelled and 80 judged alone"
    assert corrected.value == pytest.approx(people[:40].mean())


def test_a_win_rate_is_corrected_through_both_orders_and_by_majority() -> None:
    rng = np.random.default_rng(7)
    truth = (rng.random(150) < 0.7).astype(float)
    judge = np.where(rng.random(150) < 0.85, truth, 1 - truth)
    people = [row(i, f"human:{p}", truth[i], order="given") for i in range(50) for p in range(3)]
    judged = [row(i, "j", judge[i], order=order) for i in range(150) for order in ("given", "swapped")]
    _, corrected = solved(question("pairwise"), people, judged, 150)["corrected j"]
    direct = prediction_powered(truth[:50], judge[:50], judge[50:], bounds=(0, 1))
    assert (corrected.value, corrected.low, corrected.high) == pytest.approx(
        (direct.value, direct.low, direct.high)
    )


def test_claims_are_corrected_by_rogan_and_gladen() -> None:
    rng = np.random.default_rng(8)
    truth = rng.random((120, 4)) < 0.7
    judge = np.where(truth, rng.random((120, 4)) < 0.9, rng.random((120, 4)) < 0.3)
    people = [
        row(i, "human:ana", float(truth[i, c]), claim=c, text="It.") for i in range(40) for c in range(4)
    ]
    judged = [row(i, "j", float(judge[i, c]), claim=c, text="It.") for i in range(120) for c in range(4)]
    _, corrected = solved(question("claims"), people, judged, 120)["corrected j"]
    direct = rogan_gladen(judge.ravel(), truth[:40].ravel(), judge[:40].ravel())
    assert corrected.value == pytest.approx(direct.value)  # its interval takes both samples to be apart
    assert corrected.low < truth.mean() < corrected.high
    assert corrected.method == "bootstrap-bca"


@pytest.mark.parametrize(
    ("truth", "judge", "says"),
    [
        ([1.0] * 10, [1.0] * 10, "people found 10 labelled claims supported and 0 not"),
        ([1.0, 0.0] * 5, [0.0, 1.0] * 5, "it tells nothing"),
    ],
)
def test_claims_that_tell_nothing_of_the_judge_give_no_rate(truth: list, judge: list, says: str) -> None:
    people = [row(i, "human:ana", v, claim=0, text="It.") for i, v in enumerate(truth)]
    judged = [row(i, "j", v, claim=0, text="It.") for i, v in enumerate(judge)]
    _, corrected = solved(question("claims"), people, judged, 10)["corrected j"]
    assert corrected.value is None
    assert says in str(corrected.reason)


def test_split_people_say_nothing_of_a_claim() -> None:
    sums = claim_sums(np.array([1.0, 0.0]), np.array([0.5, 1.0]), np.array([0, 0]), 1)
    assert sums.tolist() == [[0, 1, 0, 0, 1, 2]]
    assert np.isnan(corrected_rate(sums)).all()


def test_units_of_several_texts_count_once_by_the_texts_that_were_labelled() -> None:
    """Unit u0 has two texts of which one is labelled: the judge is compared on that one alone."""
    people = [row(0, "human:ana", 4.0), row(2, "human:ana", 2.0), row(3, "human:ana", 5.0)]
    judged = [row(0, "j", 5.0), row(1, "j", 1.0, unit="u0"), row(2, "j", 2.0), row(3, "j", 4.0)]
    judged += [row(i, "j", v) for i, v in ((4, 3.0), (5, 5.0), (6, 1.0))]
    found = solved(question(), people, judged, 7)
    scores, corrected = found["corrected j"]
    direct = prediction_powered([4.0, 2.0, 5.0], [5.0, 2.0, 4.0], [3.0, 5.0, 1.0], bounds=(1, 5))
    assert corrected.value == pytest.approx(direct.value)
    assert scores.reasons["not-judged"].tolist() == [False, True, False, False, False, False, False]


def test_scores_on_a_dialects_own_scale_are_mapped_to_the_rubrics() -> None:
    people = [row(i, "human:ana", v) for i, v in enumerate([1.0, 3.0, 5.0])]
    judged = [row(i, "j", v) for i, v in enumerate([1.0, 5.5, 10.0])]
    scores, _ = solved(question(scale=(1.0, 10.0)), people, judged, 3)["human_agreement j"]
    assert scores.values.tolist() == [1.0, 1.0, 1.0]


def test_a_judgement_without_a_verdict_is_not_corrected_with() -> None:
    people = [row(i, "human:ana", float(1 + i % 5)) for i in range(6)]
    judged = [row(i, "j", float(1 + i % 5)) for i in range(12)]
    judged[0] |= {"value": None, "status": "unparsed"}
    found = solved(question(), people, judged, 12)
    scores, corrected = found["corrected j"]
    assert scores.reasons["unparsed"].tolist() == [True] + [False] * 11
    assert "5 labelled and 6 judged alone" in str(corrected.method)


def test_coverage_of_the_corrected_rate_of_claims() -> None:
    """Claims of one text are alike, and whole texts are resampled: 95 % intervals hold the truth."""
    from genrec_eval.stats.sample import Pooled, Sample

    rng = np.random.default_rng(9)
    samples = []
    for _ in range(150):
        rates = rng.beta(2.8, 1.2, 120)
        unit = np.repeat(np.arange(120), rng.integers(1, 6, 120))
        truth = rng.random(len(unit)) < rates[unit]
        judge = np.where(truth, rng.random(len(unit)) < 0.9, rng.random(len(unit)) < 0.2).astype(float)
        sums = claim_sums(judge, np.where(unit < 40, truth.astype(float), np.nan), unit, 120)
        pooled = Pooled(rows=sums, combine=corrected_rate)
        samples.append(Sample(values=np.zeros(120), scored=np.ones(120, bool), bounds=(0, 1), pooled=pooled))
    found = intervals(samples, seed=1)
    inside = np.mean([one.low <= 0.7 <= one.high for one in found])
    assert 0.90 <= inside <= 0.99
