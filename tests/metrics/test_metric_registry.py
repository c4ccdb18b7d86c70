"""How metrics are spelled, found and refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ranked import User, arrays

from genrec_eval.core.errors import UsageError
from genrec_eval.metrics.base import UnitScores
from genrec_eval.metrics.registry import METRICS, metric

PLUGIN = '''
import numpy as np
from genrec_eval.metrics.base import Definition, UnitScores, define

@define(
    Definition(
        name="{name}",
        title="First",
        summary="Whether the first slot is a hit.",
        formula="1 if rank 1 is relevant else 0",
        degenerate="None.",
        source="A test.",
        direction="higher",
        values="indicator",
        needs_cutoff=False,
        parameters={{"flip": (False, None), "power": (1.0, None)}},
    )
)
def first(lists, *, flip, power):
    """Whether the first slot is a hit."""
    return UnitScores(values=((lists.hits.counts(1) > 0) != flip) ** power)

plain = len
'''


@pytest.mark.parametrize("name", METRICS.names())
def test_definitions_are_complete(name: str) -> None:
    family = METRICS.get(name)
    definition = family.definition
    assert definition.name == name
    for text in (definition.title, definition.summary, definition.formula, definition.degenerate):
        assert text
    assert definition.source
    assert family.__doc__


def test_identity_spells_out_what_differs() -> None:
    plain, changed = metric("ndcg@10"), metric(" ndcg( ideal = all )@10")
    shared = "no_list=zero,no_truth=exclude,ties=order,view=generated"
    spelled = f"ndcg(discount=log2,gain=linear,ideal={{}},{shared})@10"
    assert (plain.id, plain.definition_id) == ("ndcg@10", spelled.format("k"))
    assert (changed.id, changed.definition_id) == ("ndcg(ideal=all)@10", spelled.format("all"))
    assert metric("ndcg(ideal=k,view=generated)@10").id == "ndcg@10"


@pytest.mark.parametrize(
    ("spelling", "sentence"),
    [
        ("ndgc@10", "unknown metric 'ndgc'; did you mean 'ndcg'?"),
        ("NDCG@10", "did you mean 'ndcg'?"),
        ("recall", "needs a cutoff of at least 1, as in 'recall@10'"),
        ("recall@0", "needs a cutoff of at least 1"),
        ("recall@99999999999", "cutoff above 1,000,000"),
        ("recall@-1", "not of the form"),
        ("recall@ten", "not of the form"),
        ("", "not of the form"),
        ("recall(denominatr=min)@5", "has no parameter 'denominatr'; did you mean 'denominator'?"),
        ("recall(denominator=mni)@5", "denominator is one of relevant, min, not 'mni'; did you mean 'min'?"),
        ("recall(denominator=min,denominator=min)@5", "gives denominator twice"),
        ("mrr(x=1)@5", "metric 'mrr' has no parameter 'x' (known: view, ties, no_truth, no_list)"),
        ("no.such.module:thing@5", "importing 'no.such.module' raised ModuleNotFoundError"),
    ],
)
def test_wrong_spellings_get_one_sentence(spelling: str, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        metric(spelling)
    assert sentence in str(caught.value)


def test_a_metric_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(PLUGIN.format(name="first"))
    own = metric("own.py:first", tmp_path)
    lists = arrays([User([1], [1]), User([2], [1])])
    assert own.id == "first"
    assert own(lists).values.tolist() == [1.0, 0.0]
    flipped = metric("own.py:first(flip=true)", tmp_path)
    assert flipped.id == "first(flip=True)"
    assert flipped(lists).values.tolist() == [0.0, 1.0]
    assert metric("own.py:first(flip=False)", tmp_path).id == "first"
    for spelling, sentence in {
        "own.py:first@5": "metric 'first' has no cutoff; write 'first'",
        "own.py:first(flip=maybe)": "flip=maybe is not a bool",
        "own.py:first(power=nan)": "power=nan is not a finite number",
        "own.py:first(power=x)": "power=x is not a float",
        "own.py:plain": "is not a metric: decorate it with genrec_eval.metrics.base.define",
        "own.py:frist": "has no 'frist'; did you mean 'first'?",
    }.items():
        with pytest.raises(UsageError) as caught:
            metric(spelling, tmp_path)
        assert sentence in str(caught.value)


def test_a_plug_in_cannot_take_a_built_in_name(tmp_path: Path) -> None:
    (tmp_path / "thief.py").write_text(PLUGIN.format(name="recall"))
    with pytest.raises(UsageError, match="the name 'recall', which is taken"):
        metric("thief.py:first", tmp_path)


def test_place_scatters_units_and_names_the_missing() -> None:
    scores = UnitScores(
        values=np.array([0.25, 0.5]), reasons={"no-truth": np.array([False, True])}, total=0.5, reach=0.1
    )
    placed = scores.place(np.array([3, 0]), 4, "not-attempted")
    assert placed.values[3] == 0.25
    assert placed.scored.tolist() == [False, False, False, True]
    assert placed.reasons["no-truth"].tolist() == [True, False, False, False]
    assert placed.reasons["not-attempted"].tolist() == [False, True, True, False]
    assert (placed.total, placed.reach) == (0.5, 0.1)


def test_join_of_nothing_is_empty() -> None:
    assert len(UnitScores.join([])) == 0


def test_sample_carries_what_intervals_need() -> None:
    lists = arrays([User([1], [1]), User([2], [])])
    sample = metric("hit_rate@1").sample(metric("hit_rate@1")(lists))
    assert sample.indicator
    assert sample.bounds == (0.0, 1.0)
    assert sample.scored.tolist() == [True, False]
    coverage = metric("coverage@1").sample(metric("coverage@1")(lists))
    assert (coverage.total, coverage.reach) == (0.1, 0.05)
