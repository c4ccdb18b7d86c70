"""Published figures of recorded judges, computed again from the public logs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from genrec_eval.core.errors import UsageError
from genrec_eval.data.judgements.log import JudgementLog, Rows
from genrec_eval.data.registry import DATASETS
from genrec_eval.judging.audit.audit import audit_judge
from genrec_eval.judging.audit.published import (
    against_people,
    compared_statistics,
    human_kappas,
    order_statistics,
    repeat_stability,
)


def load(folder: Path, name: str, **options: str) -> JudgementLog:
    return DATASETS.get(name)(path=str(folder / "judgements" / name), **options).load(Path(), 1)


def test_pandalms_people_agree_as_published(real_data: Path) -> None:
    found = human_kappas(load(real_data, "pandalm"), seed=1)
    assert [round(one.value, 2) for one in found.values()] == [0.85, 0.88, 0.86]
    assert all(one.low < one.value < one.high for one in found.values())


@pytest.mark.parametrize(
    ("judge", "on_unparsed", "accuracy", "macro"),
    [
        ("pandalm-7b", "exclude", 66.77, (57.38, 57.50, 57.43)),
        ("gpt-3.5-turbo", "tie", 71.07, (58.79, 57.36, 57.55)),
        ("gpt-3.5-turbo", "wrong", 69.77, None),
        ("gpt-3.5-turbo", "exclude", 71.56, None),
    ],
)
def test_pandalms_judges_score_as_published(real_data: Path, judge, on_unparsed, accuracy, macro) -> None:
    found = against_people(load(real_data, "pandalm"), judge, on_unparsed=on_unparsed).majority
    assert round(100 * found.accuracy.value, 2) == accuracy
    if macro is not None:
        got = [round(100 * one.value, 2) for one in (found.precision, found.recall, found.f1)]
        assert tuple(got) == macro


def test_all_llmbar_statistics_are_reproduced(real_data: Path) -> None:
    found = list(compared_statistics(load(real_data, "llmbar")))
    assert len({one.group for one in found}) == 349
    assert len(found) == 349 * 9
    assert max(abs(one.difference) for one in found) < 1e-12


def test_llmbars_published_kappas_are_not_those_of_the_labels(real_data: Path) -> None:
    log = load(real_data, "llmbar").where(category="LLMBar/Natural", judge="GPT-4", arm="CoT")
    ours, theirs = (order_statistics(log, coding=coding) for coding in ("labels", "published"))
    assert ours["correct_average"] == theirs["correct_average"] > 90
    assert ours["kappa_average"] > 0.8
    assert theirs["kappa_average"] < 0.5


def test_gpt4_grades_the_same_answer_alike_half_of_the_time(real_data: Path) -> None:
    found = repeat_stability(load(real_data, "prometheus-repeat"), seed=1)
    assert (found.identical.n, found.most) == (640, 3)
    assert found.identical.value == pytest.approx(0.53125)
    assert found.pairs.value == pytest.approx(0.67865, abs=1e-5)
    assert found.deviation.value == pytest.approx(0.44253, abs=1e-5)
    assert found.alpha.value == pytest.approx(0.85163, abs=1e-5)
    assert found.ordinal.value == pytest.approx(0.78122, abs=1e-5)


def test_a_recorded_log_is_audited_like_a_run(real_data: Path) -> None:
    log = load(real_data, "mtbench")
    found = audit_judge(log.judgements(), judge="gpt-4", dialect="pair-v2", seed=1)
    assert found.position.consistency.value == pytest.approx(0.6)
    assert found.position.delta.low > 0  # the answer shown first is preferred
    json.dumps(found.to_json(), allow_nan=False)


def made(winners: list[tuple[str | None, str | None, str]]) -> JudgementLog:
    rows = Rows(skip=False)
    for item, (given, swapped, gold) in enumerate(winners):
        for order, verdict in (("given", given), ("swapped", swapped)):
            rows.add(
                item=str(item), system="1", other="2", judge="j", order=order, verdict=verdict, human=[gold]
            )
    return rows.finish("made", licence=None, source=None, digest="")


def test_order_statistics_by_hand() -> None:
    log = made(
        [
            ("first", "first", "first"),
            ("first", "second", "second"),
            (None, None, "first"),
            ("second", "second", "second"),
        ]
    )
    ours, theirs = (order_statistics(log, coding=coding) for coding in ("labels", "published"))
    assert (ours["correct_False"], ours["correct_True"], ours["correct_both"]) == (50.0, 75.0, 50.0)
    assert ours["equal"] == 75.0
    assert ours["kappa_True"] == 1.0  # over the three with a verdict
    # upstream's coding: judge 1 or 0, label 1 or 2; only 1 can agree
    judge, label = np.array([1, 1, 0, 0]), np.array([1, 2, 1, 2])
    chance = (judge == 1).mean() * (label == 1).mean()
    assert theirs["kappa_False"] == pytest.approx(((judge == label).mean() - chance) / (1 - chance))


def test_statistics_that_are_missing_or_no_numbers_are_told() -> None:
    with pytest.raises(UsageError, match="no published statistics"):
        list(compared_statistics(made([("first", "first", "first")])))
    rows = Rows(skip=False)
    rows.add(item="a", system="1", other="2", judge="j", verdict="tie")
    bare = rows.finish("bare", licence=None, source=None, digest="")
    with pytest.raises(UsageError, match="holds no labels of people"):
        against_people(bare, "j")
