"""What is put to a judge, and what is not and why."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.judging.policy import JudgePolicy, Judging
from genrec_eval.judging.question import Question, rubric_from_json, rubric_to_json
from genrec_eval.judging.tasks import Planned, plan_tasks, sample_units
from genrec_eval.judging.types import Exhibit, Rubric

RUBRIC = Rubric(name="clarity", title="Clarity", criterion="Is it clear?")


def exhibit(case: int, answer: str | None, **more: Any) -> Exhibit:
    return Exhibit(case=f"c{case}", unit=f"u{case}", prompt="Why?", answer=answer, context="Facts.", **more)


def question(task: str = "pointwise", rubric: Rubric = RUBRIC, **more: Any) -> Question:
    if task == "pairwise":
        more.setdefault("against", "base")
    judging = Judging.model_validate({"judge": "j", "rubric": rubric.name, "task": task, **more})
    return Question(judging=judging, rubric=rubric, policies={"j": JudgePolicy()}, scale=(1.0, 5.0))


def planned(asked: Question, exhibits: dict[str, list[Exhibit]], **policy: Any) -> list[Planned]:
    return list(plan_tasks(asked, JudgePolicy(**policy), exhibits, 3, "notes"))


def test_every_answer_is_one_task_and_a_missing_one_is_said() -> None:
    found = planned(question(), {"m": [exhibit(0, "A text."), exhibit(1, None), exhibit(2, "")]})
    assert [one.reason for one in found] == [None, "no-text", None]
    assert [one.task.answers if one.task else None for one in found] == [("A text.",), None, ("",)]
    assert [one.lengths for one in found] == [(7,), (None,), (0,)]


def test_pairs_are_joined_by_case_repeat_and_step_never_by_position() -> None:
    base = [exhibit(2, "b2"), exhibit(0, "b0", repeat=1), exhibit(0, "b0"), exhibit(1, None)]
    mine = [
        exhibit(0, "m0"),
        exhibit(1, "m1"),
        exhibit(2, "m2"),
        exhibit(0, "m0", repeat=1),
        exhibit(3, "m3"),
    ]
    found = planned(question("pairwise"), {"base": base, "m": mine}, orders="given")
    assert [(one.case, one.repeat, one.task.answers if one.task else one.reason) for one in found] == [
        ("c0", 0, ("m0", "b0")),
        ("c1", 0, "other-no-text"),
        ("c2", 0, ("m2", "b2")),
        ("c0", 1, ("m0", "b0")),
        ("c3", 0, "other-no-text"),
    ]


def test_both_orders_show_the_same_two_texts() -> None:
    found = planned(question("pairwise"), {"m": [exhibit(0, "x")], "base": [exhibit(0, "y")]})
    assert [(one.order, one.task.answers if one.task else None) for one in found] == [
        ("given", ("x", "y")),
        ("swapped", ("y", "x")),
    ]
    assert all(one.writers == ("m", "base") for one in found)
    assert len({one.task.id for one in found if one.task}) == 2


def test_random_orders_are_drawn_by_seed_and_case_alone() -> None:
    mine, base = ([exhibit(i, f"{who}{i}") for i in range(200)] for who in ("x", "y"))
    some = {
        one.case: one.order
        for one in planned(question("pairwise"), {"m": mine, "base": base}, orders="random")
    }
    other = planned(question("pairwise"), {"m": mine[::-1], "base": base[50:]}, orders="random")
    assert {one.case: one.order for one in other} == some
    assert 70 < Counter(some.values())["given"] < 130


def test_the_same_text_twice_is_a_tie_that_nobody_is_asked_about() -> None:
    found = planned(question("pairwise"), {"m": [exhibit(0, "same")], "base": [exhibit(0, "same")]})
    assert [(one.identical, one.task) for one in found] == [(True, None), (True, None)]


def test_lists_show_all_who_answered_in_a_drawn_order() -> None:
    exhibits = {name: [exhibit(i, f"{name}{i}") for i in range(50)] for name in ("a", "b", "c")}
    exhibits["c"][0] = exhibit(0, None)
    exhibits["b"][1], exhibits["c"][1] = exhibit(1, None), exhibit(1, None)
    found = planned(question("listwise"), exhibits)
    first = [one for one in found if one.case == "c0"]
    assert [(one.writers, one.reason) for one in first if one.task is None] == [(("c",), "no-text")]
    assert {frozenset(one.writers) for one in first if one.task} == {frozenset({"a", "b"})}
    lonely = {one.writers[0]: one.reason for one in found if one.case == "c1"}
    assert lonely == {"a": "nothing-to-rank", "b": "no-text", "c": "no-text"}
    whole = [one for one in found if one.task and len(one.writers) == 3]
    assert all(
        one.task and one.task.answers == tuple(f"{w}{one.case[1:]}" for w in one.writers) for one in whole
    )
    assert len({one.writers for one in whole}) == 6


def test_claims_are_sentences_and_need_facts() -> None:
    silent = Exhibit(case="c2", unit="u2", prompt="Why?", answer="A claim.")
    found = planned(question("claims"), {"m": [exhibit(0, "One. Two!"), exhibit(1, " … "), silent]})
    assert [one.task.claims if one.task else one.reason for one in found] == [
        ("One.", "Two!"),
        "no-claims",
        "no-context",
    ]


def test_a_rubric_or_dialect_that_needs_a_reference_does_without_cases_that_have_none() -> None:
    strict = Rubric(name="match", title="Match", criterion="Same?", reference=True, context=False)
    texts = [exhibit(0, "x", reference="ref"), exhibit(1, "x")]
    found = planned(question(rubric=strict), {"m": texts})
    assert [one.reason for one in found] == [None, "no-reference"]
    assert found[0].task
    assert (found[0].task.reference, found[0].task.context) == ("ref", None)
    by_dialect = list(plan_tasks(question(), JudgePolicy(), {"m": texts}, 0, "s", ("reference", "images")))
    assert [one.reason for one in by_dialect] == ["no-image", "no-reference"]


@given(st.integers(1, 30), st.integers(1, 5), st.integers(1, 40), st.integers(0, 99))
def test_a_sample_is_of_whole_units_and_grows_with_its_size(
    cases: int, per_unit: int, limit: int, seed: int
) -> None:
    shown = [Exhibit(case=f"c{i}", unit=f"u{i // per_unit}", prompt="", answer="") for i in range(cases)]
    found = sample_units(shown, limit, seed, "s")
    assert len(found) == min(limit, cases)
    assert found <= sample_units(shown[::-1], limit + 1, seed, "s")
    chosen = Counter(int(case[1:]) // per_unit for case in found)
    whole = Counter(i // per_unit for i in range(cases))
    assert sum(n < whole[unit] for unit, n in chosen.items()) <= 1


def test_nothing_that_a_judge_may_see_names_a_model() -> None:
    exhibits = {name: [exhibit(0, text)] for name, text in (("zanzibar", "x"), ("quokka", "y"))}
    for kind in ("pointwise", "pairwise", "listwise", "claims"):
        more = {"against": "quokka"} if kind == "pairwise" else {}
        for one in planned(question(kind, **more), exhibits):
            assert not any(name in repr(one.task) for name in exhibits)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"judge": ()}, "empty panel"),
        ({"judge": ("a", "b", "a")}, "'a' is on the panel twice"),
        ({"task": "pairwise"}, "name it with 'against'"),
        ({"against": "m"}, "'against' is for task: pairwise"),
        ({"control": ("length",)}, "'control' is for task: pairwise"),
    ],
)
def test_questions_that_make_no_sense_are_refused(entry: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Judging.model_validate({"judge": "j", "rubric": "clarity", **entry})


def test_a_rubric_survives_being_stored() -> None:
    rubric = Rubric(
        name="r", title="R", criterion="?", levels={1: "bad", 2: "good"}, scale=(1, 2), direction="lower"
    )
    assert rubric_from_json(rubric_to_json(rubric)) == rubric


def test_policies_are_in_the_full_identity_and_not_in_the_short_one() -> None:
    (metric,) = question().metrics()
    assert metric.id == "rubric_score(judge=j,rubric=clarity)"
    assert "orders=both" in metric.definition_id
    assert "min_coverage:0.95" in metric.definition.traps
    assert (metric.definition.direction, metric.definition.bounds) == ("higher", (1.0, 5.0))


def test_statements_of_the_reference_are_looked_for_in_the_answer() -> None:
    rubric = Rubric(
        name="recall", title="Recall", criterion="Said?", scale=(0, 1), reference=True, context=False
    )
    asked = question("claims", rubric)
    shown = [
        exhibit(0, "The pacing drags.", reference="It is slow. It is loud."),
        exhibit(1, "Fine."),
        exhibit(2, "Fine.", reference="…"),
        exhibit(3, None, reference="It is slow."),
    ]
    found = planned(asked, {"m": shown})
    assert [one.reason for one in found] == [None, "no-reference", "no-claims", "no-text"]
    task = found[0].task
    assert task is not None
    assert (task.claims, task.context) == (("It is slow.", "It is loud."), "The pacing drags.")
    assert (task.reference, task.answers) == (None, ("It is slow. It is loud.",))
    assert asked.id == "claim_recall(judge=j,rubric=recall)"
    assert found[0].lengths == (len("The pacing drags."),)  # of what the model wrote
