"""Policies over stored judgements, against figures worked out by hand and a plain loop."""

from __future__ import annotations

import statistics
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.core.errors import UsageError
from genrec_eval.judging.panel import agreement, both_orders, combine_groups, of_panel
from genrec_eval.judging.policy import JudgePolicy, Judging
from genrec_eval.judging.question import Question
from genrec_eval.judging.resolve import Resolved, resolve
from genrec_eval.judging.rows import judgement_table
from genrec_eval.judging.types import Rubric

RUBRIC = Rubric(name="clarity", title="Clarity", criterion="Is it clear?")
UNITS = pa.array(["u0", "u1", "u2"])


def question(
    task: str, judges: tuple[str, ...] = ("j",), control: tuple[str, ...] = (), **policy: Any
) -> Question:
    against = "base" if task == "pairwise" else None
    made = Judging(judge=judges, rubric="clarity", task=task, against=against, control=control)  # type: ignore[arg-type]
    policy.setdefault("min_coverage", 0)
    policies = {judge: JudgePolicy(**policy) for judge in judges}
    return Question(judging=made, rubric=RUBRIC, policies=policies, scale=(1.0, 5.0))


def row(case: int, value: float | None, **more: Any) -> dict[str, Any]:
    """A judgement of model m; without a value it is unparsed."""
    found = {
        "case": f"c{case}",
        "unit": f"u{case}",
        "repeat": 0,
        "step": 0,
        "model": "m",
        "judge": "j",
        "sample": 0,
    }
    found |= {"rubric": "clarity", "value": value, "status": "ok" if value is not None else "unparsed"}
    return found | {"length": 10, "other_length": 4} | more


def solved(
    asked: Question, rows: list[dict[str, Any]], models: tuple[str, ...] = ("m",)
) -> dict[str, Resolved]:
    task, other = asked.judging.task, asked.judging.against
    table = judgement_table([{"task": task, "other": other, **one} for one in rows])
    return resolve(table, asked, UNITS, models)


def main(asked: Question, rows: list[dict[str, Any]]) -> tuple[list[float | None], dict[str, list[bool]]]:
    scores = solved(asked, rows)["m"].scores[asked.id]
    values = [v if ok else None for v, ok in zip(scores.values.tolist(), scores.scored, strict=True)]
    return values, {name: mask.tolist() for name, mask in scores.reasons.items()}


def pair(case: int, given: float | None, swapped: float | None, **more: Any) -> list[dict[str, Any]]:
    return [row(case, given, order="given", **more), row(case, swapped, order="swapped", **more)]


def test_texts_of_a_unit_are_averaged_and_units_without_any_named() -> None:
    rows = [row(0, 5.0), row(0, 2.0, repeat=1), row(1, None)]
    values, reasons = main(question("pointwise"), rows)
    assert values == [3.5, None, None]
    assert reasons == {"unparsed": [False, True, False], "not-judged": [False, False, True]}


def test_repeats_are_combined_before_texts() -> None:
    rows = [row(0, v, sample=s) for s, v in enumerate([1.0, 5.0, 5.0, None])] + [row(1, 3.0)]
    assert main(question("pointwise", combine="mean"), rows)[0][0] == pytest.approx(11 / 3)
    assert main(question("pointwise", combine="median"), rows)[0][0] == 5.0
    assert main(question("pointwise", combine="majority"), rows)[0][0] == 5.0


@pytest.mark.parametrize(("how", "expected"), [("tie", 0.5), ("half", 0.5), ("drop", None)])
def test_orders_that_name_different_winners(how: str, expected: float | None) -> None:
    rows = pair(0, 1.0, 1.0) + pair(1, 1.0, 0.0) + pair(2, 1.0, 0.5)
    values, reasons = main(question("pairwise", on_disagree=how), rows)
    assert values[:2] == [1.0, expected]
    assert values[2] == {"tie": 0.5, "half": 0.75, "drop": None}[how]
    assert reasons.get("orders-disagree", [False] * 3) == [False, how == "drop", how == "drop"]


def test_preferences_that_agree_are_averaged() -> None:
    assert main(question("pairwise"), pair(0, 0.9, 0.7))[0][0] == pytest.approx(0.8)


def test_a_pair_needs_both_of_its_orders() -> None:
    values, reasons = main(question("pairwise"), pair(0, 1.0, None) + pair(1, 0.0, 0.0))
    assert values[:2] == [None, 0.0]
    assert reasons["unparsed"] == [True, False, False]


@pytest.mark.parametrize(
    ("task", "how", "expected"),
    [
        ("pointwise", "exclude", None),
        ("pointwise", "loss", 1.0),
        ("pairwise", "tie", 0.5),
        ("pairwise", "loss", 0.0),
        ("listwise", "tie", 0.5),
        ("listwise", "loss", 1.0),
        ("claims", "loss", 0.0),
    ],
)
def test_judgements_without_a_verdict_count_as_the_policy_says(
    task: str, how: str, expected: float | None
) -> None:
    order = {"order": "given"} if task == "pairwise" else {}
    for status in ("unparsed", "refused", "truncated"):
        values, reasons = main(question(task, on_unparsed=how), [row(0, None, status=status, **order)])
        assert values[0] == expected
        assert (status in reasons) == (expected is None)


def test_a_judge_that_was_never_heard_counts_neither_as_loss_nor_as_tie() -> None:
    rows = [
        row(0, None, status="api_error"),
        row(1, None, status="not_asked", reason="budget of 3 calls reached"),
    ]
    _, reasons = main(question("pointwise", on_unparsed="loss"), rows)
    assert reasons["api-error"] == [True, False, False]
    assert reasons["not-asked"] == [False, True, False]


def test_raise_names_the_first_case_and_does_not_mind_missing_answers() -> None:
    asked = question("pointwise", on_unparsed="raise")
    main(asked, [row(0, 4.0), row(1, None, status="not_asked", reason="no-text")])
    with pytest.raises(
        UsageError, match=r"judge 'j' gave no verdict on case 'c1'.*unparsed: prose.*run again"
    ):
        main(asked, [row(0, 4.0), row(1, None, reason="prose"), row(2, None)])


def test_below_the_coverage_floor_there_is_no_figure_at_all() -> None:
    rows = [row(0, 4.0), row(1, 4.0), row(2, None)]
    assert main(question("pointwise", min_coverage=0.66), rows)[0] == [4.0, 4.0, None]
    values, reasons = main(question("pointwise", min_coverage=0.67, on_unparsed="loss"), rows)
    assert values == [None] * 3
    assert reasons == {"judge-coverage": [True] * 3}
    (said,) = solved(question("pointwise", min_coverage=0.67), rows)["m"].remarks
    assert said == (
        "judge j: 1 of 3 judgements have no verdict: 1 unparsed; there is no figure below min_coverage 0.67"
        " (pointwise, clarity)"
    )


def test_missing_answers_and_identical_texts_say_nothing_of_a_judges_coverage() -> None:
    rows = [
        row(0, 0.5, label="identical", order="given"),
        row(1, None, order="given"),
        row(2, 1.0, order="given"),
    ]
    rows += [row(2, None, repeat=1, order="given", status="not_asked", reason="other-no-text")]
    found = solved(question("pairwise", min_coverage=0.6), rows)["m"]
    assert "1 of 2 judgements" in found.remarks[0]
    assert "judge-coverage" in found.scores[question("pairwise").id].reasons


def test_ranks_are_shares_of_the_others_ranked_above() -> None:
    asked = question("listwise")
    ranks = {"m": 1, "n": 3, "o": 2}
    rows = [row(0, float(rank), model=name) for name, rank in ranks.items()]
    rows += [
        row(1, 2.0),
        row(1, 1.0, model="n"),
        row(1, None, model="o", status="not_asked", reason="no-text"),
    ]
    found = solved(asked, rows, tuple(ranks))
    assert [found[name].scores[asked.id].values[:2].tolist() for name in ranks] == [
        [0.0, 1.0],
        [1.0, 0.0],
        [0.5, 0.0],
    ]
    assert found["o"].scores[asked.id].reasons["no-text"].tolist() == [False, True, False]


def test_claims_count_alike_within_a_text_and_texts_within_a_unit() -> None:
    rows = [row(0, v, claim=i) for i, v in enumerate([1.0, 1.0, 0.0, 0.0])] + [row(0, 1.0, claim=0, repeat=1)]
    rows += [row(1, None, status="not_asked", reason="no-claims")]
    values, reasons = main(question("claims"), rows)
    assert values[:2] == [0.75, None]
    assert reasons["no-claims"] == [False, True, False]


def test_a_panel_needs_every_judge_and_says_how_far_each_agrees() -> None:
    asked = question("pointwise", ("a", "b", "c"))
    rows = [row(0, v, judge=j) for j, v in zip("abc", (1.0, 3.0, 5.0), strict=True)]
    rows += [row(1, v, judge=j) for j, v in zip("abc", (4.0, 4.0, None), strict=True)]
    scores = solved(asked, rows)["m"].scores
    assert next(iter(scores)) == "rubric_score(judge=a+b+c,rubric=clarity)"
    assert scores[asked.id].values[0] == 3.0
    assert scores[asked.id].reasons["unparsed"].tolist() == [False, True, False]
    named = "panel_agreement(judge=a+b+c,one={},rubric=clarity)"
    assert [scores[named.format(j)].values[0] for j in "abc"] == [0.25, 1.0, 0.25]


def test_texts_outside_a_panels_sample_were_not_judged_by_it() -> None:
    asked = question("pointwise", ("a", "b"))
    rows = [row(0, 1.0, judge="a"), row(0, 3.0, judge="b"), row(1, 5.0, judge="a")]  # a was asked alone too
    values, reasons = main(asked, rows)
    assert values == [2.0, None, None]
    assert reasons == {"not-judged": [False, True, True]}


def test_a_panel_votes_on_winners() -> None:
    asked = question("pairwise", ("a", "b", "c"), orders="given")
    votes = {0: (1.0, 1.0, 0.0), 1: (1.0, 0.5, 0.0), 2: (0.6, 0.9, 0.1)}
    rows = [
        row(i, v, judge=j, order="given") for i, vs in votes.items() for j, v in zip("abc", vs, strict=True)
    ]
    scores = solved(asked, rows)["m"].scores
    assert scores[asked.id].values.tolist() == [1.0, 0.5, 1.0]


def test_a_win_rate_is_controlled_for_length_and_other_covariates() -> None:
    asked = question("pairwise", control=("length", "words"), orders="given")
    rows = [row(i, float(i > 0), order="given", length=10 + i) for i in range(3)]
    table = judgement_table([{"task": "pairwise", "other": "base", **one} for one in rows])
    words = {"m": {"words": (np.array([1.0, 2.0, 0.0]), np.array([True, True, False]))}}
    scores = resolve(table, asked, UNITS, ("m", "base"), words)
    assert list(scores) == ["m"]
    names = [metric.definition.name for metric in asked.metrics()]
    assert names == ["win_rate", "controlled_win_rate", "covariate_effect", "covariate_effect"]
    assert set(scores["m"].scores) == {metric.id for metric in asked.metrics()}
    assert scores["m"].scores[asked.id].reasons["no-covariate"].tolist() == [False, False, True]


def test_only_the_judgements_of_the_question_count() -> None:
    strangers = [row(0, 1.0, judge="x"), row(0, 1.0, rubric="other"), row(0, 1.0, task="claims", claim=0)]
    assert main(question("pointwise"), [row(0, 4.0), *strangers])[0][0] == 4.0


def test_judgements_of_unknown_units_are_refused() -> None:
    with pytest.raises(UsageError, match="unit 'u9'"):
        main(question("pointwise"), [row(9, 1.0)])


def test_no_judgement_at_all_leaves_no_value() -> None:
    assert main(question("pointwise"), [])[0] == [None] * 3


@given(
    st.lists(st.tuples(st.integers(0, 4), st.sampled_from([0.0, 0.25, 0.5, 1.0])), max_size=30),
    st.sampled_from(["mean", "median", "majority"]),
)
def test_groups_are_combined_as_a_plain_loop_does(rows: list[tuple[int, float]], how: Any) -> None:
    group = np.array([g for g, _ in rows], np.int64)
    found = combine_groups(np.array([v for _, v in rows]), group, 5, how)
    for g in range(5):
        values = [v for one, v in rows if one == g]
        if not values:
            assert found[g] == 0
        elif how == "majority":
            counts = Counter(values)
            modes = [v for v, n in counts.items() if n == max(counts.values())]
            assert found[g] == pytest.approx(statistics.mean(modes))
        else:
            assert found[g] == pytest.approx(getattr(statistics, how)(values))


@given(
    st.lists(st.tuples(st.sampled_from([0.0, 0.3, 0.5, 1.0]), st.sampled_from([0.0, 0.5, 0.8])), min_size=1)
)
def test_swapping_the_models_mirrors_every_figure(pairs: list[tuple[float, float]]) -> None:
    given_, swapped = np.array(pairs).T
    for how in ("tie", "half", "drop"):
        value, dropped = both_orders(given_, swapped, how)  # type: ignore[arg-type]
        mirrored, dropped_too = both_orders(1 - given_, 1 - swapped, how)  # type: ignore[arg-type]
        assert value == pytest.approx(1 - mirrored)
        assert (dropped == dropped_too).all()
    panel = np.array(pairs).T
    assert of_panel(panel, pairs=True) == pytest.approx(1 - of_panel(1 - panel, pairs=True))
    assert (agreement(panel, 0, pairs=True) == agreement(panel, 1, pairs=True)).all()
