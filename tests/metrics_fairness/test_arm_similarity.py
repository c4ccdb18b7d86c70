"""The same disclosure in another way: against plain disclosure, and with a floor that holds none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from genrec_eval.core.errors import UsageError
from genrec_eval.metrics.registry import metric
from genrec_eval.metrics.sensitivity.arm_lists import ArmLists, Variant
from genrec_eval.scenarios.arms.measured import measured
from genrec_eval.scenarios.counterfactual import CounterfactualOptions


def lists() -> ArmLists:
    """Two users of one repeat: neutral, told F, F misspelt, neutral in German, F in German."""
    same, half, other = [1, 2, 3], [1, 2, 9], [7, 8, 9]
    rows = [[same, half, same, half, other], [same, other, same, half, other]]
    return ArmLists(
        items=np.array([rows], np.int32),
        answered=np.ones((1, 2, 5), bool),
        asked=np.ones((2, 5), bool),
        variants=(
            Variant(arm="neutral"),
            Variant(arm="sensitive", attribute="gender", value="F"),
            Variant(arm="typo", attribute="gender", value="F"),
            Variant(arm="language", wording="german"),
            Variant(arm="language", attribute="gender", value="F", wording="german"),
        ),
        own={},
    )


def values(spelling: str, given: ArmLists) -> list[float]:
    return metric(spelling)(given).values.tolist()


def test_each_arm_is_held_against_the_plain_neutral_list() -> None:
    told = lists()
    assert values("neutral_similarity(attribute=gender)@3", told) == pytest.approx([0.5, 0.0])
    assert values("arm_similarity(arm=typo,attribute=gender)@3", told) == pytest.approx([1, 1])
    assert values("arm_similarity(arm=language,attribute=gender,value=F)@3", told) == pytest.approx([0, 0])


def test_the_floor_of_an_arm_holds_no_disclosure() -> None:
    told = lists()
    assert values("neutral_noise(arm=language)@3", told) == pytest.approx([0.5, 0.5])
    assert values("neutral_noise(arm=typo)@3", told) == pytest.approx([1, 1])  # is asked with one only


def test_who_got_no_list_in_the_arm_is_excluded_there_alone() -> None:
    told = lists()
    answered = told.answered.copy()
    answered[0, 1, 2] = False
    told = replace(told, answered=answered, kept={})
    scores = metric("arm_similarity(arm=typo,attribute=gender)@3")(told)
    assert scores.reasons["arm-failed"].tolist() == [False, True]
    assert not metric("neutral_similarity(attribute=gender)@3")(told).reasons


def test_wrong_arms_are_one_sentence() -> None:
    with pytest.raises(UsageError, match="name the arm, one of typo, order, language"):
        metric("arm_similarity(attribute=gender)@3")
    with pytest.raises(UsageError, match="in the arm 'order'"):
        metric("arm_similarity(arm=order,attribute=gender)@3")(lists())
    options = CounterfactualOptions.model_validate(
        {
            "k": 3,
            "attributes": {"gender": {"values": ["F1", "M1"]}, "age": {"values": ["young", "old"]}},
            "robustness": {"typo": ["age"]},
            "metrics": ["arm_similarity(arm=*)"],
            "similarities": ["jaccard"],
        }
    )
    assert [one.id for one in measured(options)] == ["arm_similarity(arm=typo,attribute=age)@3"]
    for arm, sentence in (("typo", "name it under robustness.typo"), ("copy", "arm is one of")):
        asked = options.model_copy(update={"metrics": (f"arm_similarity(arm={arm},attribute=gender)",)})
        with pytest.raises(UsageError, match=sentence):
            measured(asked)
